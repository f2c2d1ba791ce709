import type { RuleId } from '../common/index.js';
import type { Change, Revision, Stored } from '../store/index.js';
import { RuleConflictError, type StoredRule } from './rule.js';
import { FLEET_GENERATION_ID, type RestartsDocument, readMany, type Tables } from './tables.js';

/**
 * Most rules written in one commit (each is up to two changes). Longer lists are checked as a whole and then committed in
 * portions of this size.
 */
export const RULES_PER_COMMIT_MAX = 2_000;
/** How often a change is planned again because someone else's came between. */
const RACES_MAX = 20;

/** One rule as it is and as it will be (`after: null`: deleted). */
export interface Write {
  readonly before: Stored<StoredRule> | null;
  readonly after: StoredRule | null;
  /** What `restarts` was taken from, for a rule that is new. */
  readonly restarts?: Stored<RestartsDocument> | null;
  /** Goes along with it. */
  readonly also?: Change;
}

/**
 * Plans and commits `items`, portion by portion, planning a portion again when it lost a race. `plan` throws where an item cannot
 * be done; of more than one portion all are planned before the first is committed.
 */
export async function writeInPortions<Item extends { readonly id: RuleId }>(
  tables: Tables,
  items: readonly Item[],
  plan: (portion: readonly Item[]) => Promise<readonly Write[]>,
  conditions: readonly Change[] = [],
): Promise<void> {
  const portions: (readonly Item[])[] = [];
  for (let start = 0; start < items.length; start += RULES_PER_COMMIT_MAX) {
    portions.push(items.slice(start, start + RULES_PER_COMMIT_MAX));
  }
  if (portions.length > 1) for (const portion of portions) await plan(portion);
  for (const portion of portions) await writePortion(tables, portion, plan, conditions);
}

async function writePortion<Item extends { readonly id: RuleId }>(
  tables: Tables,
  portion: readonly Item[],
  plan: (portion: readonly Item[]) => Promise<readonly Write[]>,
  conditions: readonly Change[],
): Promise<void> {
  for (let race = 0; race < RACES_MAX; race++) {
    const writes = await plan(portion);
    const changes = [...changesOf(tables, writes), ...(await errorsForgotten(tables, writes))];
    if (changes.length === 0) return;
    const outcome = await tables.store.commit([...conditions, ...changes]);
    if (outcome.committed) return;
    // A condition of the caller's never comes true again by trying.
    if (conditions.includes(outcome.refused)) break;
  }
  const [first] = portion;
  if (first === undefined) return;
  throw new RuleConflictError(
    first.id,
    'changed-meanwhile',
    `The rule ${JSON.stringify(first.id)} or one with it was changed by others meanwhile; try again`,
  );
}

function changesOf(tables: Tables, writes: readonly Write[]): readonly Change[] {
  const changes: Change[] = [];
  let fleet = false;
  for (const { before, after, restarts, also } of writes) {
    if (after === before?.document && also === undefined) continue;
    const revision: Revision | null = before?.revision ?? null;
    const id = after?.id ?? before?.document.id;
    if (after === null) {
      if (revision !== null && id !== undefined) changes.push(tables.rules.deleting(id, revision));
    } else if (revision === null) {
      changes.push(tables.rules.inserting(after));
      // Nobody may restart the rule between reading how often it was and writing the rule.
      changes.push(tables.restarts.requiring(after.id, restarts?.revision ?? null));
    } else {
      changes.push(tables.rules.replacing(after, revision));
    }
    if (also !== undefined) changes.push(also);
    fleet ||= after?.fleet === true || before?.document.fleet === true;
  }
  if (fleet) changes.push(tables.generations.counting(FLEET_GENERATION_ID, { generation: 1 }));
  return changes;
}

/** What was remembered of a rule's failures goes with the rule, and with the edition that failed. */
async function errorsForgotten(tables: Tables, writes: readonly Write[]): Promise<readonly Change[]> {
  const ids = writes.flatMap(({ before, after }) =>
    before !== null && before.document.updatedAtMs !== after?.updatedAtMs ? [before.document.id] : [],
  );
  const found = await readMany(tables.errors, ids);
  return found.flatMap((errors) =>
    errors === null ? [] : [tables.errors.deleting(errors.document.id, errors.revision)],
  );
}
