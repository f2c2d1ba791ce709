import test, { type ExecutionContext } from 'ava';
import type { CpeId, ResultId } from '../../common/index.js';
import type { SimulatedCpe, SimulatedCpeOptions } from '../../cpe-sim/index.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  cpeFault,
  downloadResponse,
  envelope,
  type InformFields,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
} from '../support/raw-cpe.js';
import {
  Barrier,
  cpeidOf,
  createCpe,
  IMAGE,
  introduce,
  NEW_VERSION,
  outcomes,
  postRule,
  requestSession,
  results,
  SUCCESS,
  sessionsEnded,
  startHttpServer,
  startListener,
} from './simulated.js';

const CPEID = cpeidOf('1');
const WITHDRAWN = '499 Upgrade was cancelled: withdrawn before the device began';

/** A CPE that is fetching its file, from a server that answers nothing until the barrier is opened. */
async function downloading(
  t: ExecutionContext,
  options: Partial<Omit<SimulatedCpeOptions, 'faults'>> & { readonly faults?: readonly string[] } = {},
) {
  const ferry = await startTestFerry(t);
  const barrier = new Barrier();
  const asked = new Barrier();
  const files = await startHttpServer(t, async (_request, response) => {
    asked.open();
    await barrier.pass();
    response.end(IMAGE);
  });
  const listener = await startListener(t);
  const cpe = createCpe(t, ferry.urls.cwmp, '1', { listener, ...options });
  await introduce(ferry.nbi, cpe);
  await postRule(t, ferry.nbi, {
    id: 'R1',
    file: `${files}/hgw.bin`,
    condition: { cpeid: CPEID },
    target: { softwareVersion: NEW_VERSION },
  });
  const heard: (number | null)[] = [];
  cpe.events.on('cancel-asked', ({ faultCode }) => heard.push(faultCode));
  await requestSession(t, ferry.nbi, cpe);
  await asked.pass();
  return { ferry, cpe, barrier, heard };
}

async function withdraw({ acs, nbi }: TestFerry): Promise<unknown> {
  const [result] = await results(nbi, `cpeid=${CPEID}`);
  return acs.upgrades.withdraw(result?.id as ResultId);
}

function outcomesOf({ nbi }: TestFerry): Promise<string[]> {
  return outcomes(nbi, CPEID);
}

/** Waits until the upgrade is verified: the CPE has not given it up. */
async function verified(t: ExecutionContext, ferry: TestFerry, cpe: SimulatedCpe): Promise<void> {
  await until('it is verified', async () => (await outcomesOf(ferry)).at(-1) === `200 ${SUCCESS}`);
  t.is(cpe.softwareVersion, NEW_VERSION);
}

test('a CPE that downloads and is asked to give up does so: the upgrade ends as cancelled, and nothing is flashed', async (t) => {
  const { ferry, cpe, barrier, heard } = await downloading(t);
  t.is(await withdraw(ferry), 'asked');
  t.deepEqual(await outcomesOf(ferry), ['running']);
  await requestSession(t, ferry.nbi, cpe);
  t.deepEqual(await outcomesOf(ferry), [WITHDRAWN]);
  t.deepEqual(heard, [null]);
  barrier.open();
  await requestSession(t, ferry.nbi, cpe);
  t.is(cpe.softwareVersion, '1.0.0');
  t.is(await withdraw(ferry), 'ended');
  t.is((await ferry.acs.devices.get(CPEID as CpeId))?.inFlight, undefined);
});

test('a CPE that says it is too late is asked no more, and its upgrade goes on', async (t) => {
  const { ferry, cpe, barrier, heard } = await downloading(t, { faults: ['refuse-cancel'] });
  t.is(await withdraw(ferry), 'asked');
  await requestSession(t, ferry.nbi, cpe);
  await requestSession(t, ferry.nbi, cpe);
  t.deepEqual(heard, [9021]);
  t.is(await withdraw(ferry), 'transferred');
  const noted = ferry.events.find(({ event }) => event === 'upgrade.not-given-up');
  t.like(noted?.fields, { cpeid: CPEID, faultCode: 9021 });
  barrier.open();
  await verified(t, ferry, cpe);
});

test('a CPE that does not know CancelTransfer is not asked again, until its version changes', async (t) => {
  const { ferry, cpe, barrier, heard } = await downloading(t, { faults: ['unsupported:CancelTransfer'] });
  await withdraw(ferry);
  await requestSession(t, ferry.nbi, cpe);
  t.true((await ferry.acs.devices.get(CPEID as CpeId))?.cancelUnsupported);
  await requestSession(t, ferry.nbi, cpe);
  t.deepEqual(heard, [9000]);
  barrier.open();
  await verified(t, ferry, cpe);
  t.is((await ferry.acs.devices.get(CPEID as CpeId))?.cancelUnsupported, undefined);
});

test('a CPE of CWMP 1.0 or 1.1, which have no CancelTransfer, is not asked', async (t) => {
  for (const cwmpVersion of ['1.0', '1.1'] as const) {
    const { ferry, cpe, barrier, heard } = await downloading(t, { cwmpVersion });
    t.is(await withdraw(ferry), 'asked');
    await requestSession(t, ferry.nbi, cpe);
    t.deepEqual(heard, []);
    barrier.open();
    await verified(t, ferry, cpe);
  }
});

test('a CPE that answers with other faults is asked three times, once a session', async (t) => {
  const { ferry, cpe, barrier, heard } = await downloading(t, { faults: ['refuse-cancel:9002'] });
  await withdraw(ferry);
  for (let session = 0; session < 5; session++) await requestSession(t, ferry.nbi, cpe);
  t.deepEqual(heard, [9002, 9002, 9002]);
  barrier.open();
  await verified(t, ferry, cpe);
});

test('one that has the file by then shows it, and that is believed', async (t) => {
  const { ferry, cpe, barrier, heard } = await downloading(t);
  barrier.open();
  await sessionsEnded(cpe);
  await verified(t, ferry, cpe);
  t.is(await withdraw(ferry), 'ended');
  t.deepEqual(heard, []);
});

const CWMP_1_2 = 'urn:dslforum-org:cwmp-1-2';
const TALKS: InformFields = { serial: '1', productClass: 'HGW', version: '1.0.0', namespace: CWMP_1_2 };
const NO_QUEUE =
  '<cwmp:GetAllQueuedTransfersResponse><TransferList soap-enc:arrayType="cwmp:AllQueuedTransferStruct[0]"/></cwmp:GetAllQueuedTransfersResponse>';

/** Talks with a CPE by hand until the ACS has nothing more to ask, or asks what there is no answer to. @returns what it asked */
async function talk(ferry: TestFerry, answers: Readonly<Record<string, string>>): Promise<string[]> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform(TALKS));
  const asked: string[] = [];
  let answer = await cpe.post('');
  while (answer.status === 200) {
    const rpc = rpcOf(answer.body);
    if (rpc !== 'SetParameterValues') asked.push(`${rpc} ${textOf(answer.body, 'CommandKey') ?? ''}`.trim());
    const response = { SetParameterValues: SET_PARAMETER_VALUES_RESPONSE, ...answers }[rpc];
    if (response === undefined) break;
    answer = await cpe.post(response);
  }
  cpe.close();
  return asked;
}

/** An upgrade whose Download found no answer, withdrawn. @returns its CommandKey */
async function lostAndWithdrawn(t: ExecutionContext): Promise<{ ferry: TestFerry; key: string }> {
  const ferry = await startTestFerry(t);
  const file = 'http://192.0.2.1/hgw.bin';
  const target = { softwareVersion: NEW_VERSION };
  await postRule(t, ferry.nbi, { id: 'R1', file, condition: { cpeid: CPEID }, target });
  const asked = await talk(ferry, {});
  const key = asked.at(-1)?.split(' ')[1] ?? '';
  t.is(asked.at(-1), `Download ${key}`);
  t.is(await withdraw(ferry), 'asked');
  return { ferry, key };
}

test('a withdrawn Download that may not have arrived is given up by whoever knows CancelTransfer, without a further question', async (t) => {
  const { ferry, key } = await lostAndWithdrawn(t);
  const given = envelope('<cwmp:CancelTransferResponse/>', { namespace: CWMP_1_2 });
  t.deepEqual(await talk(ferry, { CancelTransfer: given }), [`CancelTransfer ${key}`]);
  t.deepEqual(await outcomesOf(ferry), [WITHDRAWN]);
});

test('one that does not know it is asked for its queue: what did not arrive is not sent again', async (t) => {
  const { ferry, key } = await lostAndWithdrawn(t);
  const answers = {
    CancelTransfer: cpeFault(9000, 'Method not supported'),
    GetAllQueuedTransfers: envelope(NO_QUEUE, { namespace: CWMP_1_2 }),
    Download: downloadResponse(),
  };
  t.deepEqual(await talk(ferry, answers), [`CancelTransfer ${key}`, 'GetAllQueuedTransfers']);
  t.deepEqual(await outcomesOf(ferry), [WITHDRAWN]);
});
