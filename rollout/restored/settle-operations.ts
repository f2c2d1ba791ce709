import { DEVICES, type Device, UPGRADES, type Upgrade } from '../../acs/index.js';
import type { BatchId, Clock } from '../../common/index.js';
import type { ImageLibrary } from '../../firmware/index.js';
import { countKeyOf, organizationOf, RULES, type StoredRule } from '../../rules/index.js';
import { type Change, type Collection, type Store, type Stored, StoreError } from '../../store/index.js';
import { BATCHES, type Batch } from '../batches/index.js';
import {
  broughtForward,
  CountTally,
  failedFor,
  imageMeant,
  OPERATION_SHARES,
  OPERATIONS,
  type Operation,
  type OperationShare,
  operationIdOf,
  pendingOperation,
  skipped,
} from '../operations/index.js';

/** What is read at once, and written in one commit. */
const PORTION = 500;

interface Tables {
  readonly store: Store;
  readonly operations: Collection<Operation>;
  readonly batches: Collection<Batch>;
  readonly upgrades: Collection<Upgrade>;
  readonly rules: Collection<StoredRule>;
  readonly devices: Collection<Device>;
  readonly shares: Collection<OperationShare>;
}

export interface SettleParts {
  readonly store: Store;
  readonly images: Pick<ImageLibrary, 'get'>;
  readonly clock: Clock;
}

/**
 * Brings the operations of a store that was just restored to what its upgrades and rules say, and counts them anew: so that nothing is taken
 * for waiting that runs or has run, nothing waits for what will never come, and each batch counts what it has. Only while nobody else uses
 * the store. Needs no more memory than some portions of documents.
 * @throws StoreError
 */
export async function settleOperations({ store, images, clock }: SettleParts): Promise<void> {
  const tables: Tables = {
    store,
    operations: store.collection(OPERATIONS),
    batches: store.collection(BATCHES),
    upgrades: store.collection(UPGRADES),
    rules: store.collection(RULES),
    devices: store.collection(DEVICES),
    shares: store.collection(OPERATION_SHARES),
  };
  await store.clear(OPERATION_SHARES);
  const any = await tables.batches.find({ limit: 1 });
  if (any.items.length === 0) return;
  for await (const portion of portionsOf(ownedUpgrades(tables))) await bringForward(tables, images, portion);
  await endLost(tables, clock);
  await endStranded(tables, clock);
  await countAnew(tables);
}

async function* ownedUpgrades({ upgrades }: Tables): AsyncGenerator<Upgrade, void> {
  for await (const { document } of upgrades.scan({ index: 'started' }))
    if (document.owner !== undefined) yield document;
}

/** An operation as it is to be, as it was read, and the upgrade that it names. */
interface Draft {
  operation: Operation;
  readonly stored: Stored<Operation> | null;
  last: Upgrade | null;
}

async function bringForward(
  tables: Tables,
  images: SettleParts['images'],
  upgrades: readonly Upgrade[],
): Promise<void> {
  const { operations, batches, store } = tables;
  const known = await byId(
    batches,
    upgrades.map((upgrade) => batchOf(upgrade)),
  );
  const drafts = await draftsOf(
    tables,
    upgrades.map((upgrade) => operationIdOf(batchOf(upgrade), upgrade.cpeid)),
  );
  for (const upgrade of upgrades) {
    const batch = known.get(batchOf(upgrade))?.document;
    const id = operationIdOf(batchOf(upgrade), upgrade.cpeid);
    const draft = drafts.get(id) ?? (await made(batch, upgrade, images));
    if (draft === null) continue;
    const after = broughtForward(draft.operation, upgrade, draft.last);
    if (after.resultId === upgrade.id) draft.last = upgrade;
    draft.operation = after;
    drafts.set(id, draft);
  }
  const changes = [...drafts.values()].flatMap(({ operation, stored }) => {
    if (stored === null) return [operations.inserting(operation)];
    return operation === stored.document ? [] : [operations.replacing(operation, stored.revision)];
  });
  await commit(store, changes);
}

/** Operations that are there, each with the upgrade that it names. */
async function draftsOf(
  { operations, upgrades }: Tables,
  ids: readonly string[],
): Promise<Map<string, Draft>> {
  const stored = await byId(operations, ids);
  const named = [...stored.values()].flatMap(({ document }) => document.resultId ?? []);
  const last = await byId(upgrades, named);
  return new Map(
    [...stored].map(([id, each]) => {
      const { resultId } = each.document;
      const own = resultId === undefined ? null : (last.get(resultId)?.document ?? null);
      return [id, { operation: each.document, stored: each, last: own }];
    }),
  );
}

/** Where a condition says who is upgraded, an operation comes with its first upgrade. */
async function made(
  batch: Batch | undefined,
  upgrade: Upgrade,
  images: SettleParts['images'],
): Promise<Draft | null> {
  if (batch?.whom.kind !== 'condition') return null;
  const { cpeid, campaignid, organization, file, startedAtMs } = upgrade;
  const owner = organizationOf(campaignid);
  const image = await imageMeant(images, { file, ...(owner !== undefined && { organization: owner }) });
  const of = { batch: batch.id, cpeid, ...(organization !== undefined && { organization }), image };
  return {
    operation: pendingOperation({ ...of, ruleId: campaignid }, startedAtMs),
    stored: null,
    last: null,
  };
}

/** What runs by its record, and the upgrade is gone. */
async function endLost({ operations, upgrades, store }: Tables, clock: Clock): Promise<void> {
  for await (const portion of portionsOf(operations.scan({ index: 'state', equals: ['running'] }))) {
    const found = await byId(
      upgrades,
      portion.flatMap(({ document }) => document.resultId ?? []),
    );
    const lost = portion.filter(
      ({ document: { resultId } }) => resultId === undefined || !found.has(resultId),
    );
    await commit(
      store,
      lost.map(({ document, revision }) =>
        operations.replacing(failedFor(document, 'device-gone', clock()), revision),
      ),
    );
  }
}

/** What a count says of an image that is not sent to its device. */
const REFUSED = 'the image did not fit the device, or was not there';

/**
 * What waits, and its rule is gone, or will send its CPE nothing as is recorded there, or its batch had ended before it was to be tried again:
 * the first has failed, the second is skipped, and the last is withdrawn by whoever looks after batches that were cancelled, as is what waits of
 * these. Of a batch that is still made what has no rule goes, and is made again.
 */
async function endStranded(tables: Tables, clock: Clock): Promise<void> {
  const { operations, batches, rules, devices, store } = tables;
  for await (const portion of portionsOf(operations.scan({ index: 'state', equals: ['pending'] }))) {
    const known = await byId(
      batches,
      portion.map(({ document }) => document.batch),
    );
    const found = await byId(
      rules,
      portion.flatMap(({ document }) => document.ruleId ?? []),
    );
    const waiting = await byId(
      devices,
      portion.map(({ document }) => document.cpeid),
    );
    const settled = portion.flatMap(({ document, revision }): readonly Change[] => {
      const { ruleId = '', batch, cpeid } = document;
      const phase = known.get(batch)?.document.phase;
      const rule = found.get(ruleId)?.document;
      if (rule === undefined && phase === 'preparing') return [operations.deleting(document.id, revision)];
      if (phase !== 'made') return [];
      if (rule === undefined)
        return [operations.replacing(failedFor(document, 'rule-gone', clock()), revision)];
      if (waiting.get(cpeid)?.document.counts[countKeyOf(rule)]?.refused !== true) return [];
      return [operations.replacing(skipped(document, 'does-not-fit', clock(), REFUSED), revision)];
    });
    const ended = [...known.values()].filter(({ document }) => document.phase === 'ended');
    await commit(store, [
      ...settled,
      ...ended.map(({ document, revision }) =>
        batches.replacing({ ...document, phase: 'cancelled' }, revision),
      ),
    ]);
  }
}

/** In the order of batches, of which each then needs few changes. */
async function countAnew({ operations, shares, store }: Tables): Promise<void> {
  let tally = new CountTally();
  for await (const { document } of operations.scan({ index: 'batch' })) {
    tally.add(document);
    if (tally.size < PORTION) continue;
    await commit(store, tally.changes(shares));
    tally = new CountTally();
  }
  await commit(store, tally.changes(shares));
}

async function commit(store: Store, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0 || (await store.commit(changes)).committed) return;
  throw new StoreError('unavailable', 'Somebody else writes to operations while a backup is restored');
}

function batchOf({ owner }: Upgrade): BatchId {
  return (owner?.id ?? '') as BatchId;
}

async function byId<T extends Operation | Batch | Upgrade | StoredRule | Device>(
  collection: Collection<T>,
  ids: readonly string[],
): Promise<Map<string, Stored<T>>> {
  const found = await collection.getMany([...new Set(ids)]);
  return new Map(found.flatMap((stored) => (stored === null ? [] : [[stored.document.id, stored] as const])));
}

async function* portionsOf<T>(all: AsyncIterable<T>): AsyncGenerator<readonly T[], void> {
  let portion: T[] = [];
  for await (const each of all) {
    portion.push(each);
    if (portion.length < PORTION) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}
