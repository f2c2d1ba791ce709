import test, { type ExecutionContext } from 'ava';
import { type BatchId, silentLogger } from '../../../common/index.js';
import { Hold } from '../../../rollout/batches/hold.js';
import { type Document, type Store, StoreError } from '../../../store/index.js';
import { until } from '../../support/ferry.js';
import { storeOf } from '../../support/store.js';

const BATCH = '00000000-0000-4000-8000-000000000001' as BatchId;
const NEVER_MS = 1_000_000_000;

/** A store that tells that something was replaced once `told` has come, and fails with it. */
function toldLate(store: Store, told: () => Promise<void>): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name !== 'collection') {
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return <T extends Document>(...definition: Parameters<Store['collection']>) => {
        const collection = target.collection<T>(...definition);
        const replace: typeof collection.replace = async (...change) => {
          const revision = await collection.replace(...change);
          await told();
          return revision;
        };
        return new Proxy(collection, {
          get: (of, key) => {
            if (key === 'replace') return replace;
            const value: unknown = Reflect.get(of, key);
            return typeof value === 'function' ? value.bind(of) : value;
          },
        });
      };
    },
  });
}

async function taken(t: ExecutionContext, store: Store, clock: () => number, renewedEveryMs = NEVER_MS) {
  const hold = await Hold.take({ store, clock, logger: silentLogger }, BATCH, renewedEveryMs);
  if (hold === null) return t.fail('somebody else has it') as never;
  t.teardown(() => hold.release());
  return hold;
}

test('what a renewal has refused that is stored and not known yet was not refused by another holder', async (t) => {
  const store = await storeOf(t);
  let tell: () => void = () => {};
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const hold = await taken(
    t,
    toldLate(store, () => told),
    Date.now,
    1,
  );
  const { held } = hold;
  const refused = await until('a renewal refuses what rests on the lease before it', async () => {
    const outcome = await store.commit([held]);
    return outcome.committed ? null : outcome.refused;
  });
  t.is(hold.held, held);
  const isLost = hold.isLost(held, refused);
  tell();
  t.false(await isLost);
  t.not(hold.held, held);
});

test('what was refused as somebody else has it is lost', async (t) => {
  const store = await storeOf(t);
  let nowMs = Date.now();
  const slept = await taken(t, store, () => nowMs);
  const { held } = slept;
  nowMs += 3_600_000;
  const other = await taken(t, store, () => nowMs);
  const outcome = await store.commit([held]);
  t.false(outcome.committed);
  t.true(await slept.isLost(held, outcome.committed ? null : outcome.refused));
  t.true((await store.commit([other.held])).committed);
});

test('whether it is lost is not said while the store fails', async (t) => {
  const store = await storeOf(t);
  const failing = toldLate(store, () => Promise.reject(new StoreError('unavailable', 'not now')));
  const hold = await taken(t, failing, Date.now);
  const { held } = hold;
  await t.throwsAsync(hold.isLost(held, held), { instanceOf: StoreError });
});
