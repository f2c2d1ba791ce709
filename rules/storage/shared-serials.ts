import type { CpeId, Logger, RuleId } from '../../common/index.js';
import { type StoredRule, writtenId } from '../vocabulary/index.js';
import type { Tables } from './tables.js';

/** What the log of events calls it, as explanations do. */
const ACTION = 'ambiguous-serial';
/** Of one rule, and between two edits of it, so many serial numbers are told of; of the rest the explanations tell. */
const SERIALS_TOLD_MAX = 100;
/** Events of a rule that are looked through for what was told already. */
const EVENTS_LOOKED_AT_MAX = 1_000;
/** Rules of which this process remembers what was told. */
const RULES_REMEMBERED_MAX = 10_000;
const WRITES_UNDER_WAY_MAX = 100;

/** A rule names by a serial number what is several CPEs, and upgrades none of them. */
export interface SharedSerial {
  readonly rule: Pick<StoredRule, 'id' | 'organization' | 'updatedAtMs'>;
  readonly serialNumber: string;
  /** Some of those that it stands for, of the organization whose rule it is. */
  readonly cpeids: readonly CpeId[];
}

export interface SharedSerialLog {
  /** Sees to it that the log of events tells of it, once for each serial number and edition of a rule; nobody waits for that. */
  record(shared: SharedSerial): void;
  /** Waits for what is being written now. */
  settled(): Promise<void>;
}

/** What is known to be told of one edition of a rule. */
interface Told {
  readonly ruleUpdatedAtMs: number;
  readonly serialNumbers: Set<string>;
}

export function openSharedSerials({
  tables,
  logger,
}: {
  readonly tables: Tables;
  readonly logger: Logger;
}): SharedSerialLog {
  const told = new Map<RuleId, Told>();
  /** One after the other, so that of one process none is told twice. */
  let writing: Promise<void> = Promise.resolve();
  let underWay = 0;

  const toldOf = ({ id, updatedAtMs }: SharedSerial['rule']): Told => {
    const known = told.get(id);
    if (known?.ruleUpdatedAtMs === updatedAtMs) return known;
    if (told.size >= RULES_REMEMBERED_MAX) told.clear();
    const fresh = { ruleUpdatedAtMs: updatedAtMs, serialNumbers: new Set<string>() };
    told.set(id, fresh);
    return fresh;
  };

  return {
    record(shared) {
      // The next session of one of them tells it.
      if (underWay >= WRITES_UNDER_WAY_MAX) return;
      const { serialNumbers } = toldOf(shared.rule);
      if (serialNumbers.size >= SERIALS_TOLD_MAX || serialNumbers.has(shared.serialNumber)) return;
      serialNumbers.add(shared.serialNumber);
      underWay += 1;
      writing = writing
        .then(() => tell(tables, shared))
        .catch((error: unknown) => {
          serialNumbers.delete(shared.serialNumber);
          logger.error('rules.ambiguous-serial-not-told', { ruleId: shared.rule.id, error });
        })
        .finally(() => {
          underWay -= 1;
        });
    },
    settled: () => writing,
  };
}

/** Another process, or this one before it was started anew, may have told it. */
async function tell({ store, rules, events }: Tables, shared: SharedSerial): Promise<void> {
  const { rule, serialNumber, cpeids } = shared;
  const subjectId = writtenId(rule.id);
  let looked = 0;
  let count = 0;
  for await (const event of events.scan({ subject: 'rule', subjectId, fromMs: rule.updatedAtMs })) {
    if (++looked > EVENTS_LOOKED_AT_MAX) return;
    // Rules of other organizations may have this id.
    if (event.action !== ACTION || event.organization !== rule.organization) continue;
    if (event.after?.['serialNumber'] === serialNumber || ++count >= SERIALS_TOLD_MAX) return;
  }
  const stored = await rules.get(rule.id);
  // Of a rule that is gone, or was edited, nothing is told.
  if (stored === null || stored.document.updatedAtMs !== rule.updatedAtMs) return;
  await store.commit([
    rules.requiring(rule.id, stored.revision),
    events.noting({
      action: ACTION,
      subject: 'rule',
      subjectId,
      ...(rule.organization !== undefined && { organization: rule.organization }),
      by: null,
      after: { serialNumber, cpeids },
    }),
  ]);
}
