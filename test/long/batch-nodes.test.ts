import test from 'ava';
import { type BatchId, silentLogger, systemClock } from '../../common/index.js';
import { builtInModel, type Fault, Fleet, type SimulatedCpe } from '../../cpe-sim/index.js';
import { Hold } from '../../rollout/batches/hold.js';
import { openMongoStore } from '../../store/index.js';
import { begunSince, boot, countsIn, countsOf, operationsOf, progressOf } from '../e2e/batch-told.js';
import { ChaosNodes } from '../e2e/chaos-nodes.js';
import {
  commandKeys,
  cpeidOf,
  IMAGE_NAME,
  NEW_VERSION,
  OLD_VERSION,
  PRODUCT_CLASS,
  uploadImage,
} from '../e2e/simulated.js';
import { holdToSchemas } from '../support/cwmp-schema.js';
import { until } from '../support/ferry.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';

const CPES = 90;
const ENDED_MS_MAX = 300_000;
/** In turn: well, failing, lost on the way to the CPE, lost on the way back, never answered, well again. */
const FAULTS: readonly (readonly Fault[])[] = [
  [],
  [{ kind: 'transfer', faultCode: 9010, faultString: 'Download failure', times: null }],
  [{ kind: 'drop', at: 'download', times: 1 }],
  [{ kind: 'drop', at: 'download-response', times: 1 }],
  [{ kind: 'hang', times: 1 }],
  [],
];

function cpeidOfCpe({ identity }: SimulatedCpe): string {
  return cpeidOf(identity.serialNumber);
}

const url = mongodbUrl();
if (url !== null) {
  test('of a batch on three nodes, of which one is killed half-way, nothing begins once the cancelling at another is answered, and what is counted is what the CPEs have done', async (t) => {
    t.timeout(2 * ENDED_MS_MAX);
    const logged: string[] = [];
    const database = testDatabase(t, url);
    const nodes = await ChaosNodes.start(t, urlOfDatabase(url, database), [], (node, line) =>
      logged.push(`${node} ${line}`),
    );
    t.teardown(() => {
      if (!t.passed) t.log(logged.slice(-500).join('\n'));
    });
    const { nbi } = nodes;
    await uploadImage(t, nbi);
    const fleet = new Fleet({
      acsUrl: nodes.acsUrl,
      dataModel: builtInModel('tr181'),
      count: CPES,
      oui: '00A1B2',
      productClass: PRODUCT_CLASS,
      serialPrefix: '',
      softwareVersion: OLD_VERSION,
      rebootMs: 50,
      retryMs: 100,
      retryFactor: 1.2,
      downloadResumeMs: 50,
      silenceMsMax: 100,
      sessionsMax: 30,
      faults: (index) => FAULTS[index % FAULTS.length] ?? [],
      onEnvelope: holdToSchemas(t),
    });
    const { cpes } = fleet;
    t.teardown(() => fleet.stop());
    await fleet.start();
    const isKnown = async () => {
      const { status, body } = await nbi('GET', '/v1/dyn/DeviceStorage/.*?limit=1000');
      const known = status === 200 ? (body as { details: { provisioning: string }[] }).details : [];
      const done = known.filter(({ provisioning }) => provisioning === 'done').length;
      return done === CPES && !cpes.some((cpe) => cpe.inSession);
    };
    await until('all are provisioned', isKnown, ENDED_MS_MAX);
    const made = await nbi('POST', '/v1/batches', {
      name: 'night',
      image: IMAGE_NAME,
      cpeids: cpes.map(cpeidOfCpe),
      // Who comes, and when, is for this test to say.
      wakePerSecond: 0,
    });
    t.is(made.status, 201, JSON.stringify(made.body));
    const { id } = (made.body as { details: { id: BatchId } }).details;

    const third = Math.floor(CPES / 3);
    const begun = () => cpes.filter(({ downloads }) => downloads.length > 0).length;
    const first = boot(fleet, cpes.slice(0, third));
    await until('half of the first have begun', () => begun() >= third / 2, ENDED_MS_MAX);
    await nodes.killFirst();
    await first;
    // As whoever died with it in hand: nobody withdraws anything of it yet, and that nothing begins is by its gate alone.
    const store = await openMongoStore({ url, database, timeoutMs: 60_000 });
    t.teardown(() => store.close());
    const hold = await Hold.takeSoon({ store, clock: systemClock, logger: silentLogger }, id);
    // Some come as it is cancelled, the others after it.
    const second = boot(fleet, cpes.slice(third, 2 * third));
    await until('some more have begun', () => begun() > third, ENDED_MS_MAX);
    const cancelled = await nbi('POST', `/v1/batches/${id}/cancel`);
    const late = begunSince(fleet);
    t.is(cancelled.status, 200, JSON.stringify(cancelled.body));
    const answered = await operationsOf(nbi, id);
    await Promise.all([second, boot(fleet, cpes.slice(2 * third))]);
    const { pending = 0 } = (await progressOf(nbi, id)).progress;
    t.true(pending >= CPES - 2 * third, 'those that came after it still wait');
    await hold?.release();
    const isOver = async () => {
      const { pending, running } = (await progressOf(nbi, id)).progress;
      return pending === 0 && running === 0;
    };
    await until('nothing of it waits or runs', isOver, ENDED_MS_MAX);

    const over = await operationsOf(nbi, id);
    for (const cpe of cpes) {
      const cpeid = cpeidOfCpe(cpe);
      const { told, attempts } = over.get(cpeid) ?? { told: 'none', attempts: 0 };
      t.is(answered.get(cpeid)?.attempts, attempts, `${cpeid} begins after the answer`);
      t.true(commandKeys(cpe).length <= attempts, `${cpeid}: each Download is of an attempt`);
      t.is(cpe.softwareVersion === NEW_VERSION, told === 'verified', `${cpeid} ${told}`);
      t.regex(told, /^(?:verified|failed fault-9010|cancelled withdrawn)$/, cpeid);
      if (attempts === 0) t.is(told, 'cancelled withdrawn', cpeid);
    }
    // What had begun and was lost on its way may be sent again until its CPE is asked to give it up.
    for (const serial of late) t.is(answered.get(cpeidOf(serial))?.told, 'running', serial);
    t.true([...over.values()].filter(({ attempts }) => attempts === 0).length >= CPES - 2 * third);
    const last = await progressOf(nbi, id);
    t.is(last.state, 'cancelled');
    t.is(last.progress['total'], CPES);
    t.deepEqual(countsIn(last), countsOf([...over.values()].map(({ told }) => told)));
    t.log(JSON.stringify(countsIn(last)));
  });
}
