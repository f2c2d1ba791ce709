import { randomUUID } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import type { Device, Upgrade } from '../../../acs/index.js';
import { commandKeyOf } from '../../../acs/upgrade/command-key.js';
import { RUNNING } from '../../../acs/upgrade/words.js';
import type { BatchId, CountKey, CpeId, ResultId, RuleId } from '../../../common/index.js';
import {
  OPERATION_SHARES,
  OPERATIONS,
  type Operation,
  type OperationCounts,
  type OperationImage,
  OperationLedger,
  OperationStore,
  pendingOperation,
} from '../../../rollout/index.js';
import type { StoredRule } from '../../../rules/index.js';
import type { Change, CommitOutcome, Store, Stored } from '../../../store/index.js';
import { deviceOf } from '../../support/installation.js';
import { storeOf } from '../../support/store.js';

export const IMAGE: OperationImage = { number: 123_456_789, name: 'hgw-2.0.bin' };
export const START_MS = Date.UTC(2026, 0, 31, 2, 30);

/** A store with the ledger of its operations, and a clock that tells another time whenever it is asked. */
export interface TestOperations {
  readonly store: Store;
  readonly clock: { nowMs: number };
  readonly ledger: OperationLedger;
  readonly operations: OperationStore;
  commit(changes: readonly Change[]): Promise<CommitOutcome>;
  stored(batch: BatchId, cpeid: CpeId): Promise<Stored<Operation>>;
  /** What the operations themselves come to. */
  counted(batch: BatchId): Promise<OperationCounts>;
}

export async function openTestOperations(t: ExecutionContext): Promise<TestOperations> {
  const store = await storeOf(t);
  const clock = { nowMs: START_MS };
  const now = (): number => clock.nowMs++;
  const image = { ...IMAGE, number: IMAGE.number };
  const images = { get: async (name: string) => (name === image.name ? (image as never) : null) };
  const operations = new OperationStore(store);
  const documents = store.collection<Operation>(OPERATIONS);
  store.collection(OPERATION_SHARES);
  return {
    store,
    clock,
    ledger: new OperationLedger({ store, clock: now, images }),
    operations,
    commit: (changes) => store.commit(changes),
    async stored(batch, cpeid) {
      const operation = await operations.of(batch, cpeid);
      const stored = operation === null ? null : await documents.get(operation.id);
      if (stored === null) throw new Error(`${cpeid} has no operation`);
      return stored;
    },
    async counted(batch) {
      const byState = {
        pending: 0,
        running: 0,
        verified: 0,
        failed: 0,
        'timed-out': 0,
        cancelled: 0,
        skipped: 0,
      };
      const byReason: Record<string, number> = {};
      let total = 0;
      for await (const { document } of documents.scan({ index: 'batch', equals: [batch] })) {
        total++;
        byState[document.state]++;
        if (document.reason !== undefined) byReason[document.reason] = (byReason[document.reason] ?? 0) + 1;
      }
      return { total, byState, byReason: Object.fromEntries(Object.entries(byReason).sort()) };
    },
  };
}

export function newBatch(): BatchId {
  return randomUUID() as BatchId;
}

export function cpe(index: number): CpeId {
  return `00A1B2-HGW-${index}` as CpeId;
}

export function device(cpeid: CpeId): Device {
  return { ...deviceOf(cpeid, null), id: cpeid };
}

export function pending(batch: BatchId, cpeid: CpeId, over: Partial<Operation> = {}): Operation {
  const ruleId = pinnedRule(batch, cpeid).id;
  return { ...pendingOperation({ batch, cpeid, ruleId, image: IMAGE }, START_MS), ...over };
}

/** The rule by which a list of a batch has one of its CPEs upgraded. */
export function pinnedRule(batch: BatchId, cpeid: CpeId, over: Partial<StoredRule> = {}): StoredRule {
  return { ...fleetRule(batch), id: `batch:${batch}:${cpeid}` as RuleId, pin: `pin ${cpeid}`, ...over };
}

/** The rule by which a batch upgrades whoever meets its condition. */
export function fleetRule(batch: BatchId, over: Partial<StoredRule> = {}): StoredRule {
  return {
    id: `batch:${batch}` as RuleId,
    enabled: true,
    automatic: true,
    file: IMAGE.name,
    condition: {},
    executions: 1,
    priority: 0,
    author: 'op',
    description: '',
    owner: { kind: 'batch', id: batch },
    createdAtMs: START_MS,
    updatedAtMs: START_MS,
    restarts: 0,
    ...over,
  };
}

/** An upgrade that such a rule is about to begin. */
export function upgradeBy(
  rule: StoredRule,
  cpeid: CpeId,
  atMs: number,
  over: Partial<Upgrade> = {},
): Upgrade {
  const id = randomUUID() as ResultId;
  return {
    id,
    commandKey: commandKeyOf(id),
    cpeid,
    campaignid: rule.id,
    ...(rule.owner !== undefined && { owner: rule.owner }),
    countKey: `key ${rule.restarts}` as CountKey,
    ruleDescription: '',
    state: 'sent',
    status: false,
    result: RUNNING.sent,
    file: rule.file,
    targetVersion: '2.0',
    fromVersion: '1.0',
    startedAtMs: atMs,
    updatedAtMs: atMs,
    deadlineAtMs: atMs + 600_000,
    stateMsMax: { sent: 600_000, accepted: 600_000, transferred: 600_000 },
    ...over,
  };
}
