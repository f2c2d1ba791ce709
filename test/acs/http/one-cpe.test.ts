import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Registry } from 'prom-client';
import { WAITING_MAX } from '../../../acs/http/cpe-turns.js';
import { createAcs, DEFAULT_ACS_OPTIONS, DEVICES, type Device } from '../../../acs/index.js';
import { monotonicClock, silentLogger } from '../../../common/index.js';
import { type Collection, DutyRecords, type Store } from '../../../store/index.js';
import { NO_USERS } from '../../organizations/setup.js';
import { openTestRules } from '../../rules/setup.js';
import { until } from '../../support/ferry.js';
import { inform, RawCpe } from '../../support/raw-cpe.js';
import { testSecrets } from '../../support/secrets.js';

const ID = '00A1B2-HGW-1';

/** A real ACS whose store keeps readers of one CPE's document waiting while it is told to. */
async function startSlowAcs(t: ExecutionContext) {
  const { store, rules } = await openTestRules(t);
  const reads = { now: 0, most: 0 };
  let held: Promise<void> = Promise.resolve();
  const read = async (collection: Collection<Device>, id: string) => {
    if (id !== ID) return collection.get(id);
    reads.most = Math.max(reads.most, ++reads.now);
    await held;
    reads.now -= 1;
    return collection.get(id);
  };
  const slow = new Proxy(store.collection<Device>(DEVICES), {
    get: (collection, name) => {
      const value: unknown = Reflect.get(collection, name);
      if (name === 'get') return (id: string) => read(collection, id);
      return typeof value === 'function' ? value.bind(collection) : value;
    },
  });
  const slowStore = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name === 'collection')
        return (...[definition]: Parameters<Store['collection']>) =>
          definition.name === DEVICES.name ? slow : target.collection(definition);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const acs = createAcs({
    store: slowStore,
    rules,
    organizationUsers: NO_USERS,
    secrets: testSecrets,
    locateFile: () => Promise.reject(new Error('No Download leaves this test')),
    registry: new Registry(),
    clock: Date.now,
    monotonic: monotonicClock,
    duties: new DutyRecords({ store, clock: Date.now, logger: silentLogger, by: 'test' }),
    logger: silentLogger,
    options: { ...DEFAULT_ACS_OPTIONS, cpeAuthentication: { kind: 'anonymous' }, wakeIntervalMs: null },
  });
  let received = 0;
  acs.cwmp.server.on('request', () => {
    received += 1;
  });
  acs.cwmp.server.listen(0, '127.0.0.1');
  await once(acs.cwmp.server, 'listening');
  t.teardown(() => acs.close());
  const address = acs.cwmp.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const connect = () => {
    const cpe = new RawCpe(`http://127.0.0.1:${port}/`);
    t.teardown(() => cpe.close());
    return cpe;
  };
  return {
    reads,
    connect,
    requests: () => received,
    /** @returns lets them go on */
    hold(): () => void {
      let letGo = () => {};
      held = new Promise((resolve) => {
        letGo = resolve;
      });
      return () => letGo();
    },
  };
}

test('a CPE that opens many sessions at once is worked for once at a time, and told to come later with what is too many', async (t) => {
  const at = await startSlowAcs(t);
  const letGo = at.hold();
  const statuses: number[] = [];
  const retries: unknown[] = [];
  const answers = Array.from({ length: WAITING_MAX + 12 }, async () => {
    const { status, headers } = await at.connect().post(inform());
    statuses.push(status);
    if (status === 503) retries.push(headers['retry-after']);
  });
  await until('what is too many is refused', () => statuses.length === 11);
  t.deepEqual(new Set(statuses), new Set([503]));
  t.deepEqual(new Set(retries), new Set(['30']));
  // Meanwhile nobody else is kept waiting.
  t.is((await at.connect().post(inform({ serial: '2' }))).status, 200);
  letGo();
  await Promise.all(answers);
  t.is(statuses.filter((status) => status === 200).length, WAITING_MAX + 1);
  t.is(at.reads.most, 1);
});

test('sessions that one CPE has open at once go on one after the other, each with its own answer', async (t) => {
  const at = await startSlowAcs(t);
  const cpes = [at.connect(), at.connect(), at.connect()];
  for (const cpe of cpes) t.is((await cpe.post(inform())).status, 200);
  const letGo = at.hold();
  const before = at.requests();
  const answers = cpes.map((cpe) => cpe.post(''));
  await until('all have come, and one is worked for', () => at.requests() === before + 3 && at.reads.now > 0);
  // Whoever need not wait for its turn would be reading by now, too.
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  t.is(at.reads.now, 1);
  letGo();
  for (const { status } of await Promise.all(answers)) t.is(status, 200);
  t.is(at.reads.most, 1);
});

test('a CPE that comes again as its connection broke is served as soon as its last request is done with', async (t) => {
  const at = await startSlowAcs(t);
  const letGo = at.hold();
  const broken = at.connect();
  const lost = broken.post(inform());
  await until('it is being worked for', () => at.reads.now === 1);
  broken.close();
  await t.throwsAsync(lost);
  const again = at.connect().post(inform());
  await until('it has come again', () => at.requests() === 2);
  letGo();
  t.is((await again).status, 200);
});
