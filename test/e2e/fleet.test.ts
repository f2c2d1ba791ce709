import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import {
  builtInModel,
  CWMP_VERSIONS,
  Fleet,
  type FleetOptions,
  SAMPLE_STYLES,
  type SimulatedCpe,
} from '../../cpe-sim/index.js';
import type { Limits } from '../../rules/index.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { rpcOf, textOf } from '../support/raw-cpe.js';
import {
  Barrier,
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  introduce,
  NEW_VERSION,
  OLD_VERSION,
  outcomes,
  PRODUCT_CLASS,
  postRule,
  results,
  SUCCESS,
  sessionsEnded,
  startFileProxy,
  startListener,
  uploadImage,
} from './simulated.js';

const MODELS = ['tr181', 'tr098'] as const;
/** Of one CWMP version and data model: more than there are styles. */
const CPES_EACH = 6;
const CPE_CREDENTIALS = { username: 'cpe', password: 'a CPE’s password' };

test('a fleet of every CWMP version, envelope style and data model is upgraded by one rule', async (t) => {
  const ferry = await startTestFerry(t, {
    config: {
      allowAnonymousCpe: false,
      cpeAuth: `${CPE_CREDENTIALS.username}:${CPE_CREDENTIALS.password}`,
      fileAuth: 'files:a file password',
      periodicInformSeconds: 1,
    },
  });
  await uploadImage(t, ferry.nbi);
  await postRule(t, ferry.nbi, {
    id: 'FLEET',
    file: IMAGE_NAME,
    condition:
      '$compareVersions(softwareVersion, "2.0.0") < 0 and productClass = "HGW" and $contains(serialNumber, /^(tr181|tr098)-/)',
  });
  const fleets = CWMP_VERSIONS.flatMap((cwmpVersion) =>
    MODELS.map((model) => {
      const options: FleetOptions = {
        acsUrl: ferry.urls.cwmp,
        acsCredentials: CPE_CREDENTIALS,
        authScheme: model === MODELS[0] ? 'digest' : 'basic',
        dataModel: builtInModel(model),
        count: CPES_EACH,
        oui: '00A1B2',
        productClass: PRODUCT_CLASS,
        serialPrefix: `${model}-${cwmpVersion}-`,
        serialDigits: 1,
        softwareVersion: OLD_VERSION,
        cwmpVersion,
        styles: SAMPLE_STYLES,
        asksRpcMethods: true,
        valueChange: true,
        rebootMs: 50,
        retryMs: 50,
        downloadResumeMs: 50,
      };
      return new Fleet(options);
    }),
  );
  t.teardown(() => Promise.all(fleets.map((fleet) => fleet.stop())));
  const count = fleets.length * CPES_EACH;
  t.is(count, 60);
  // Two strangers: one with another password, one that the condition does not mean.
  const impostor = createCpe(t, ferry.urls.cwmp, 'tr181-impostor', {
    acsCredentials: { ...CPE_CREDENTIALS, password: 'guessed' },
  });
  const bystander = createCpe(t, ferry.urls.cwmp, 'other', { acsCredentials: CPE_CREDENTIALS });
  impostor.start();
  bystander.start();
  await Promise.all(fleets.map((fleet) => fleet.start()));

  const all = await until(
    'every upgrade has ended',
    async () => {
      const found = await results(ferry.nbi, 'campaignid=FLEET');
      return found.length >= count && found.every(({ status }) => status) && found;
    },
    60_000,
  );
  t.deepEqual([...new Set(all.map(({ result }) => `${result.code} ${result.message}`))], [`200 ${SUCCESS}`]);
  t.is(new Set(all.map(({ cpeid }) => cpeid)).size, count);
  // Periodic Informs go on all the while, and after it, without another Download.
  await Promise.all(fleets.flatMap(({ cpes }) => cpes).map((cpe) => sessionOfItsOwnAccord(cpe)));
  for (const fleet of fleets) {
    t.like(fleet.summary(), {
      downloads: CPES_EACH,
      downloadsRepeated: 0,
      transferCompletes: { ok: CPES_EACH, failed: 0 },
      versions: { [NEW_VERSION]: CPES_EACH },
    });
  }
  t.is((await results(ferry.nbi, 'campaignid=FLEET')).length, count);

  const downloads = ferry.envelopes.filter((envelope) => rpcOf(envelope) === 'Download');
  t.is(downloads.length, count);
  t.true(downloads.every((envelope) => textOf(envelope, 'Username') === 'files'));
  t.deepEqual(
    [...new Set(downloads.map((envelope) => textOf(envelope, 'URL')))],
    [`${ferry.urls.files}/files/${IMAGE_NAME}`],
  );
  const asked = ferry.envelopes.filter((envelope) => rpcOf(envelope) === 'GetRPCMethodsResponse');
  t.is(asked.length, count, 'each has asked for the RPCs of the ACS once');
  const namespaces = new Set(
    ferry.envelopes.map((envelope) => /urn:dslforum-org:cwmp-1-\d/.exec(envelope)?.[0]),
  );
  t.deepEqual([...namespaces].sort(), [
    'urn:dslforum-org:cwmp-1-0',
    'urn:dslforum-org:cwmp-1-1',
    'urn:dslforum-org:cwmp-1-2',
  ]);
  t.is((await ferry.nbi('GET', `/v1/dyn/DeviceStorage/${cpeidOf('tr181-impostor')}`)).status, 404);
  t.is((await ferry.nbi('GET', `/v1/dyn/DeviceStorage/${cpeidOf('other')}`)).status, 200);
  t.is(bystander.downloads.length + impostor.downloads.length, 0);
});

/** Waits for a periodic session. */
async function sessionOfItsOwnAccord(cpe: SimulatedCpe): Promise<void> {
  const own = cpe.identity.serialNumber;
  for (;;) {
    const [{ identity, events }] = (await once(cpe.events, 'inform')) as [
      { identity: { serialNumber: string }; events: readonly string[] },
    ];
    if (identity.serialNumber === own && events.includes('2 PERIODIC')) return;
  }
}

/** A Ferry with an image, and one rule for every simulated CPE. */
async function startCampaign(t: ExecutionContext, limits: Limits): Promise<TestFerry> {
  const ferry = await startTestFerry(t);
  await uploadImage(t, ferry.nbi);
  await postRule(t, ferry.nbi, {
    id: 'FLEET',
    file: IMAGE_NAME,
    condition: { productClass: PRODUCT_CLASS },
    limits,
  });
  return ferry;
}

test('limits.concurrent: never more under way at a time, and everybody has a turn, also after failures', async (t) => {
  const ferry = await startCampaign(t, { concurrent: 2 });
  for (let index = 0; index < 10; index++) {
    const faults = index % 3 === 0 ? ['transfer:9010'] : [];
    createCpe(t, ferry.urls.cwmp, `${index}`, { faults, periodicIntervalMs: 200 }).start();
  }
  const ended = await until('ten upgrades have ended', async () => {
    const found = await results(ferry.nbi, 'campaignid=FLEET');
    return found.length === 10 && found.every(({ status }) => status) && found;
  });
  t.is(ended.filter(({ result }) => result.code === 200).length, 6);
  let running = 0;
  let most = 0;
  for (const { event } of ferry.events) {
    if (event === 'upgrade.sent') running++;
    if (event === 'upgrade.verified' || event === 'upgrade.failed') running--;
    most = Math.max(most, running);
  }
  t.is(running, 0);
  t.is(most, 2);
});

test('limits.stopAfterFailures: a campaign that goes wrong ends before it has reached everybody', async (t) => {
  const ferry = await startCampaign(t, { concurrent: 1, stopAfterFailures: 3 });
  const cpes = Array.from({ length: 8 }, (_, index) =>
    createCpe(t, ferry.urls.cwmp, `${index}`, {
      faults: ['early-complete', 'old-version'],
      periodicIntervalMs: 200,
    }),
  );
  for (const cpe of cpes) cpe.start();
  await until('three have failed', async () => {
    const found = await results(ferry.nbi, 'campaignid=FLEET');
    return found.filter(({ status, result }) => status && result.code === 500).length === 3;
  });
  await Promise.all(cpes.map((cpe) => sessionsEnded(cpe, 2)));
  t.is((await results(ferry.nbi, 'campaignid=FLEET')).length, 3);
  t.is(cpes.filter(({ downloads }) => downloads.length > 0).length, 3);
});

test('an image that is removed in mid-campaign fails who is fetching it, stops nobody else, and goes on when it is back', async (t) => {
  const barrier = new Barrier();
  const proxy = await startFileProxy(t, barrier);
  const ferry = await startTestFerry(t, { config: { publicFileUrl: [proxy.url] } });
  proxy.target = ferry.urls.files;
  await uploadImage(t, ferry.nbi);
  await postRule(t, ferry.nbi, { id: 'FLEET', file: IMAGE_NAME, condition: { productClass: PRODUCT_CLASS } });
  const early = createCpe(t, ferry.urls.cwmp, 'early');
  early.start();
  await once(early.events, 'download');

  const path = `/v1/images/${IMAGE_NAME}`;
  t.is((await ferry.nbi('DELETE', path)).status, 409, 'an enabled rule names it');
  t.is((await ferry.nbi('DELETE', `${path}?force=true`)).status, 200);
  const reported = once(early.events, 'transfer-complete-sent');
  barrier.open();
  await reported;
  t.deepEqual(await outcomes(ferry.nbi, cpeidOf('early')), [
    '500 Upgrade has failed with FaultCode 9016. FaultString: Download failure: unable to access file (HTTP 404)',
  ]);

  const late = createCpe(t, ferry.urls.cwmp, 'late', { periodicIntervalMs: 200 });
  late.start();
  await sessionsEnded(late, 2);
  t.deepEqual(await outcomes(ferry.nbi, cpeidOf('late')), []);
  const upgraded = once(late.events, 'transfer-complete-sent');
  await uploadImage(t, ferry.nbi);
  await upgraded;
  t.deepEqual(await outcomes(ferry.nbi, cpeidOf('late')), [`200 ${SUCCESS}`]);
  t.is(early.downloads.length, 1, 'its one execution is used up');
});

test('SendCNR to several CPEs tells how each of them answered, and as a whole the worst of it', async (t) => {
  const ferry = await startTestFerry(t, { config: { connectionRequestSeconds: 15 } });
  const { nbi } = ferry;
  await uploadImage(t, nbi);
  const listener = await startListener(t);
  const faults: Readonly<Record<string, readonly string[]>> = {
    busy: ['busy-connection-request:2'],
    gone: ['never-back'],
    off: [],
    well: [],
  };
  const cpes = new Map(
    Object.entries(faults).map(([serial, own]) => [
      serial,
      createCpe(t, ferry.urls.cwmp, serial, { listener, faults: own }),
    ]),
  );
  await Promise.all([...cpes.values()].map((cpe) => introduce(nbi, cpe)));
  const gone = cpes.get('gone');
  const busy = cpes.get('busy');
  if (gone === undefined || busy === undefined) return t.fail();
  // Ends half-way through an upgrade: its listener breaks every connection off.
  await postRule(t, nbi, { id: 'GONE', file: IMAGE_NAME, condition: { cpeid: cpeidOf('gone') } });
  await Promise.all([once(gone.events, 'gone'), sendCnr(['gone'])]);
  await cpes.get('off')?.stop();

  const heard: string[] = [];
  busy.events.on('connection-request', ({ outcome }) => heard.push(outcome));
  const detail = (serial: string, code: number, message: string) => ({
    cpeid: cpeidOf(serial),
    code,
    message,
  });
  const answer = await sendCnr(['well', 'busy', 'off', 'gone']);
  // Whether the connection is seen to break or time is up first is up to the machine.
  const text = JSON.stringify(answer.body).replace(/(No answer from the CPE): [^"]*/, '$1');
  t.deepEqual(JSON.parse(text), {
    result: { code: 504, message: '2 of 4 connection requests failed' },
    details: [
      detail('busy', 200, 'OK'),
      detail('gone', 504, 'No answer from the CPE'),
      detail('off', 502, 'The CPE answered its connection request with HTTP 404'),
      detail('well', 200, 'OK'),
    ],
  });
  t.is(answer.status, 504);
  t.deepEqual(heard, ['busy', 'busy', 'accepted']);

  const withoutGone = await sendCnr(['well', 'off']);
  t.is(withoutGone.status, 502);
  const allWell = await sendCnr(['well', 'busy']);
  t.is(allWell.status, 200);
  t.deepEqual(allWell.body, {
    result: { code: 200, message: 'OK' },
    details: [detail('busy', 200, 'OK'), detail('well', 200, 'OK')],
  });

  function sendCnr(serials: readonly string[]) {
    return nbi('POST', '/v1/method/SendCNR', {
      search_options: { productClass: PRODUCT_CLASS, serialNumber: serials },
    });
  }
});

test('a CPE that is busy for longer than SendCNR waits is answered for with 504, and its next session counts as asked for', async (t) => {
  const ferry = await startTestFerry(t, { config: { connectionRequestSeconds: 1 } });
  await uploadImage(t, ferry.nbi);
  const listener = await startListener(t);
  const cpe = createCpe(t, ferry.urls.cwmp, '1', { listener, faults: ['busy-connection-request'] });
  await introduce(ferry.nbi, cpe);
  const rule = { id: 'ASKED', automatic: false, file: IMAGE_NAME, condition: { cpeid: cpeidOf('1') } };
  await postRule(t, ferry.nbi, rule);
  const answer = await ferry.nbi('POST', '/v1/method/SendCNR', { search_options: { cpe_id: cpeidOf('1') } });
  const { code, message } = (answer.body as { result: { code: number; message: string } }).result;
  t.is(code, 504);
  // On a machine that stands still the last of its answers may come too late.
  t.regex(message, /^The CPE was busy \(503\) all the time$|it took too long$/);
  t.is(answer.status, 504);
  t.is(cpe.downloads.length, 0);
  cpe.reboot();
  await once(cpe.events, 'transfer-complete-sent');
  t.deepEqual(await outcomes(ferry.nbi, cpeidOf('1')), [`200 ${SUCCESS}`]);
});
