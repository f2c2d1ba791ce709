import test, { type ExecutionContext } from 'ava';
import { builtInModel, DataModel } from '../../cpe-sim/index.js';
import { METADATA, withMetadata } from '../firmware/formats/images.js';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  cpeFault,
  downloadResponse,
  type InformFields,
  inform,
  parameterValues,
  RawCpe,
  restOfSession,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
  transferComplete,
} from '../support/raw-cpe.js';
import {
  cpeidOf,
  createCpe,
  introduce,
  outcomes,
  postRule,
  requestSession,
  startListener,
} from './simulated.js';

const CPEID = '00A1B2-HGW-1';
const MODEL = 'Device.DeviceInfo.ModelName';
const BOARD = 'Device.DeviceInfo.X_ACME_Board';
const OPENWRT = withMetadata(Buffer.alloc(20_000, 'openwrt'), {
  ...METADATA,
  version: { ...METADATA.version, version: '23.05.3' },
});
const RULE = { id: 'R1', file: 'openwrt.bin', condition: { productClass: 'HGW' } };

async function withOpenWrt(t: ExecutionContext, config: Readonly<Record<string, unknown>> = {}) {
  const ferry = await startTestFerry(t, { config });
  const { status, body } = await ferry.nbi('PUT', '/v1/images/openwrt.bin', new Uint8Array(OPENWRT));
  t.is(status, 201, JSON.stringify(body));
  t.like(body, {
    details: {
      softwareVersion: '23.05.3',
      boards: ['tplink,archer-c7-v5'],
      fromFile: ['softwareVersion', 'hardwareVersion', 'boards'],
      formats: ['fwtool-metadata'],
    },
  });
  await postRule(t, ferry.nbi, RULE);
  return ferry;
}

/** What becomes of the rule for a CPE, as ExplainRules says it. */
async function explained(ferry: TestFerry, cpeid = CPEID) {
  const { body } = await ferry.nbi('POST', '/v1/method/ExplainRules', { cpe_id: cpeid });
  const { kind, rules } = (
    body as { details: { kind: string; rules: { verdict: string; detail?: string }[] } }
  ).details;
  return { kind, verdict: rules[0]?.verdict, detail: rules[0]?.detail };
}

/** A session of a CPE that answers what it is asked for its board with this. */
async function session(
  ferry: TestFerry,
  fields: InformFields,
  { own = [], values }: { readonly own?: readonly string[]; readonly values?: string } = {},
) {
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform(fields));
  for (const message of own) await cpe.post(message);
  const rest = await restOfSession(cpe, {
    SetParameterValues: SET_PARAMETER_VALUES_RESPONSE,
    Download: downloadResponse(1),
    ...(values !== undefined && { GetParameterValues: values }),
  });
  cpe.close();
  return { rpcs: rest.rpcs.filter((rpc) => rpc !== 'SetParameterValues'), envelopes: rest.envelopes };
}

test('a simulated CPE of another board is not sent an OpenWrt image, and explain says why', async (t) => {
  const ferry = await withOpenWrt(t, { boardParameter: BOARD });
  const listener = await startListener(t);
  const model = new DataModel(
    new Map([[BOARD, { value: 'linksys,e8450', type: 'string', writable: false }]]),
  );
  t.is(model.root, builtInModel('tr181').root);
  const cpe = createCpe(t, ferry.urls.cwmp, 'S1', { listener, dataModel: model });
  await introduce(ferry.nbi, cpe);
  await requestSession(t, ferry.nbi, cpe);
  t.deepEqual(cpe.downloads, []);
  t.deepEqual(await outcomes(ferry.nbi, cpeidOf('S1')), []);
  t.deepEqual(await explained(ferry, cpeidOf('S1')), {
    kind: 'nothing',
    verdict: 'image-does-not-fit',
    detail: `the image is for board "tplink,archer-c7-v5", the CPE's ${BOARD} is "linksys,e8450"`,
  });
});

test('a CPE is asked for its board, gets the image that is for it, and is verified by a version with more around it', async (t) => {
  const ferry = await withOpenWrt(t, { boardParameter: BOARD });
  const values = parameterValues({ version: null, parameters: { [BOARD]: 'tplink,archer-c7-v5' } });
  const { rpcs, envelopes } = await session(ferry, { version: 'OpenWrt 22.03.1' }, { values });
  t.deepEqual(rpcs, ['GetParameterValues', 'Download']);
  t.is(textOf(envelopes['GetParameterValues'] ?? '', 'string'), BOARD);
  const commandKey = textOf(envelopes['Download'] ?? '', 'CommandKey') ?? '';
  const version = 'OpenWrt 23.05.3 r23809-234f1a2efa';
  const events = ['1 BOOT', ['7 TRANSFER COMPLETE', ''], ['M Download', commandKey]] as const;
  await session(ferry, { version, events }, { own: [transferComplete(commandKey)] });
  t.deepEqual(await outcomes(ferry.nbi, CPEID), [
    `200 Upgrade has succeeded: software version ${version}, before OpenWrt 22.03.1`,
  ]);
});

test('a CPE that refuses to tell its board is asked once, and sent nothing', async (t) => {
  const ferry = await withOpenWrt(t, { boardParameter: BOARD });
  const values = cpeFault(9005, 'Invalid parameter name');
  t.deepEqual((await session(ferry, { events: ['2 PERIODIC'] }, { values })).rpcs, ['GetParameterValues']);
  t.deepEqual((await session(ferry, { events: ['2 PERIODIC'] }, { values })).rpcs, []);
  t.deepEqual(await explained(ferry), {
    kind: 'nothing',
    verdict: 'image-does-not-fit',
    detail: `the image is for board "tplink,archer-c7-v5", and the CPE has no value of ${BOARD} to tell its board by`,
  });
});

test('without a parameter a CPE whose model is another board is sent nothing, and one of no board’s name is', async (t) => {
  const ferry = await withOpenWrt(t);
  const other = { parameters: { [MODEL]: 'linksys,e8450' } };
  t.deepEqual((await session(ferry, other)).rpcs, []);
  t.like(await explained(ferry), { verdict: 'image-does-not-fit' });
  t.deepEqual((await session(ferry, { serial: '2', parameters: { [MODEL]: 'Archer C7' } })).rpcs, [
    'Download',
  ]);
});
