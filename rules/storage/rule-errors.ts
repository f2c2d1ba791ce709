import {
  type Clock,
  type CpeId,
  type Logger,
  MINUTE_MS,
  type MonotonicClock,
  type RuleId,
} from '../../common/index.js';
import type { LastError, StoredRule } from '../vocabulary/index.js';
import { isTrip, type RuleFailure } from './failure.js';
import { type RuleErrors, readMany, type Tables } from './tables.js';
import { writeInPortions } from './writes.js';

/** A rule whose condition tripped for so many different CPEs is suspended. */
const TRIPPED_CPES_MAX = 20;
/** One rule's errors are written this often; a trip by a CPE that had none yet is written at once. */
const QUIET_MS = MINUTE_MS;
/** Rules whose errors this process remembers, and of which it may be writing at a time; beyond, the next error comes soon enough. */
const RULES_REMEMBERED_MAX = 10_000;
const WRITES_UNDER_WAY_MAX = 100;
/** How often a write that lost a race is tried again: there are no more than so many CPEs to race with. */
const RACES_MAX = TRIPPED_CPES_MAX;
const JOINED_AT_ONCE = 200;

export interface RuleErrorLog {
  /** Remembers a failure, and suspends its rule where it is one too many; nobody waits for that. */
  record(failure: RuleFailure): void;
  /** Each of the rules with its last error, in the order they come. */
  join(rules: AsyncIterable<StoredRule>): AsyncIterable<readonly [StoredRule, LastError | null]>;
  /** Waits for what is being written now. */
  settled(): Promise<void>;
}

interface Parts {
  readonly tables: Tables;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
}

/** What this process has written of one rule's edition. */
interface Remembered {
  readonly ruleUpdatedAtMs: number;
  readonly trippedFor: Set<CpeId>;
  quietUntilMs: number;
}

export function openRuleErrors(parts: Parts): RuleErrorLog {
  const { monotonic, tables, logger } = parts;
  const remembered = new Map<RuleId, Remembered>();
  const underWay = new Map<RuleId, Promise<void>>();

  const isNews = (failure: RuleFailure): boolean => {
    const { ruleId, ruleUpdatedAtMs, cpeid } = failure;
    let known = remembered.get(ruleId);
    if (known?.ruleUpdatedAtMs !== ruleUpdatedAtMs) {
      if (remembered.size >= RULES_REMEMBERED_MAX) remembered.clear();
      known = { ruleUpdatedAtMs, trippedFor: new Set(), quietUntilMs: Number.NEGATIVE_INFINITY };
      remembered.set(ruleId, known);
    }
    const isNewTrip =
      isTrip(failure) && known.trippedFor.size < TRIPPED_CPES_MAX && !known.trippedFor.has(cpeid);
    if (!isNewTrip && monotonic() < known.quietUntilMs) return false;
    if (isNewTrip) known.trippedFor.add(cpeid);
    known.quietUntilMs = monotonic() + QUIET_MS;
    return true;
  };

  return {
    record(failure) {
      const { ruleId, ruleUpdatedAtMs } = failure;
      if (underWay.size >= WRITES_UNDER_WAY_MAX && !underWay.has(ruleId)) return;
      if (!isNews(failure)) return;
      const write = (underWay.get(ruleId) ?? Promise.resolve())
        .then(() => keep(parts, failure))
        .catch((error: unknown) => {
          // It counts as not written: the next one tries again.
          if (remembered.get(ruleId)?.ruleUpdatedAtMs === ruleUpdatedAtMs) remembered.delete(ruleId);
          logger.error('rules.error-not-kept', { ruleId, error });
        })
        .finally(() => {
          if (underWay.get(ruleId) === write) underWay.delete(ruleId);
        });
      underWay.set(ruleId, write);
    },
    join: (rules) => join(tables, rules),
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay.values());
    },
  };
}

async function keep({ tables, clock, logger }: Parts, failure: RuleFailure): Promise<void> {
  const { ruleId, ruleUpdatedAtMs, cpeid, code, message } = failure;
  for (let race = 0; race < RACES_MAX; race++) {
    const before = await tables.errors.get(ruleId);
    // Someone decided on a newer edition already.
    if (before !== null && before.document.ruleUpdatedAtMs > ruleUpdatedAtMs) return;
    const same = before?.document.ruleUpdatedAtMs === ruleUpdatedAtMs ? before.document : null;
    const trippedFor = new Set(same?.trippedFor);
    if (isTrip(failure) && trippedFor.size < TRIPPED_CPES_MAX) trippedFor.add(cpeid);
    const next: RuleErrors = {
      id: ruleId,
      ruleUpdatedAtMs,
      last: { atMs: clock(), cpeid, code, message },
      trippedFor: [...trippedFor],
    };
    const rule = await tables.rules.get(ruleId);
    // Of a rule that is gone, or was edited, nothing is to be left behind.
    if (rule === null || rule.document.updatedAtMs !== ruleUpdatedAtMs) return;
    const change =
      before === null ? tables.errors.inserting(next) : tables.errors.replacing(next, before.revision);
    const kept = await tables.store.commit([tables.rules.requiring(ruleId, rule.revision), change]);
    if (!kept.committed) continue;
    if (isTrip(failure) && trippedFor.size >= TRIPPED_CPES_MAX) {
      await suspend({ tables, clock, logger }, failure);
    }
    return;
  }
}

/** Through the same path as any other change of a rule, so that every process hears of it. */
async function suspend(
  { tables, clock, logger }: Omit<Parts, 'monotonic'>,
  { ruleId, ruleUpdatedAtMs, cpeid, code, message }: RuleFailure,
): Promise<void> {
  let suspended: StoredRule['suspended'];
  await writeInPortions(tables, [{ id: ruleId }], async () => {
    suspended = undefined;
    const before = await tables.rules.get(ruleId);
    if (before === null || before.document.suspended !== undefined) return [];
    if (before.document.updatedAtMs !== ruleUpdatedAtMs) return [];
    suspended = {
      atMs: clock(),
      message: `its condition went beyond its bounds for ${TRIPPED_CPES_MAX} CPEs, last for ${cpeid}: ${message}; edit the rule to have it considered again`,
    };
    return [{ before, after: { ...before.document, suspended }, by: null }];
  });
  if (suspended !== undefined) {
    logger.error('rules.suspended', { ruleId, cpes: TRIPPED_CPES_MAX, cpeid, code, message });
  }
}

async function* join(
  tables: Tables,
  rules: AsyncIterable<StoredRule>,
): AsyncGenerator<readonly [StoredRule, LastError | null]> {
  // Most installations have no errors: then their rules are not held up, and nothing else is read.
  if ((await tables.errors.find({ limit: 1 })).items.length === 0) {
    for await (const rule of rules) yield [rule, null];
    return;
  }
  let batch: StoredRule[] = [];
  for await (const rule of rules) {
    batch.push(rule);
    if (batch.length < JOINED_AT_ONCE) continue;
    yield* joined(tables, batch);
    batch = [];
  }
  yield* joined(tables, batch);
}

async function* joined(
  tables: Tables,
  rules: readonly StoredRule[],
): AsyncGenerator<readonly [StoredRule, LastError | null]> {
  const found = await readMany(
    tables.errors,
    rules.map(({ id }) => id),
  );
  for (const [index, rule] of rules.entries()) {
    const errors = found[index]?.document;
    yield [rule, errors?.ruleUpdatedAtMs === rule.updatedAtMs ? errors.last : null];
  }
}
