import { setTimeout } from 'node:timers/promises';
import type { OrganizationId, RuleId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import { requiringOrganization } from '../../organizations/index.js';
import type { Change, CommitOutcome, Document, Stored } from '../../store/index.js';
import { pinningBy, RuleConflictError, type StoredRule, writtenId } from '../vocabulary/index.js';
import {
  FLEET_GENERATION_ID,
  generationOfGone,
  goneId,
  type Owners,
  ownersOfRules,
  type RestartsDocument,
  readMany,
  type Tables,
} from './tables.js';
import { ruleHappening } from './told-rule.js';

/**
 * Most rules written in one commit. Each is up to three changes: itself, what its number of restarts or its errors become, and the event
 * that says so; beside them is room for the generation and its notes. Longer lists are checked as a whole and then committed in portions
 * of this size.
 */
export const RULES_PER_COMMIT_MAX = 1_600;
/** How often a change is planned again because someone else's came between. */
const RACES_MAX = 20;
/** How often another process may take the generation that a commit was to get: each time, that one got further. */
const GENERATION_RACES_MAX = 50;
const RACE_PAUSE_MS_MAX = 20;
/**
 * Notes of rules that left the fleet are kept for so many generations. A process that has seen none of them reads all fleet rules
 * anew, which takes it no longer than that many changes would.
 */
export const GONE_GENERATIONS_KEPT = 10_000;
const GONE_PRUNED_AT_ONCE = 100;

/** One rule as it is and as it will be (`after: null`: deleted). */
export interface Write {
  readonly before: Stored<StoredRule> | null;
  readonly after: StoredRule | null;
  /** Who has it so, for the log of events; null: nobody, it comes about. */
  readonly by: Actor | null;
  /** What `restarts` was taken from, for a rule that is new. */
  readonly restarts?: Stored<RestartsDocument> | null;
  /** Goes along with it. */
  readonly also?: Change;
}

/**
 * Plans and commits `items`, portion by portion, planning a portion again when it lost a race. `plan` throws where an item cannot
 * be done; of more than one portion all are planned before the first is committed.
 * @param conditions  asked for before each commit, and part of it
 * @throws OrganizationError where a rule is made for an organization that is not there, or not active
 */
export async function writeInPortions<Item extends { readonly id: RuleId }>(
  tables: Tables,
  items: readonly Item[],
  plan: (portion: readonly Item[]) => Promise<readonly Write[]>,
  conditions: () => Promise<readonly Change[]> = async () => [],
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
  conditions: () => Promise<readonly Change[]>,
): Promise<void> {
  for (let race = 0; race < RACES_MAX; race++) {
    const writes = (await plan(portion)).filter(changesSomething);
    if (writes.length === 0) return;
    const required = await conditions();
    const outcome = await commitWrites(tables, writes, required);
    if (outcome.committed) return;
    // A condition of the caller's never comes true again by trying.
    if (required.includes(outcome.refused)) break;
  }
  const [first] = portion;
  if (first === undefined) return;
  throw new RuleConflictError(
    first.id,
    'changed-meanwhile',
    `The rule ${JSON.stringify(writtenId(first.id))} or one with it was changed by others meanwhile; try again`,
  );
}

/**
 * Carries out what was planned, in one commit with `along`.
 * @throws OrganizationError as {@link writeInPortions}
 */
export async function commitWrites(
  tables: Tables,
  writes: readonly Write[],
  along: readonly Change[],
): Promise<CommitOutcome> {
  const besides = [
    ...along,
    ...(await ownersRequired(tables, writes)),
    ...(await tables.keepingFiles(filesNamed(writes))),
    ...(await errorsForgotten(tables, writes)),
  ];
  return (await areOfFleet(tables, writes))
    ? tables.inFleetTurn(() => commitOfFleet(tables, writes, besides))
    : tables.store.commit([...besides, ...writes.flatMap((write) => changesOf(tables, write))]);
}

/** How often a rule was restarted by now; refused where somebody has restarted it since that was read. */
export function restartsCounted(
  { restarts }: Tables,
  { id, restarts: count }: StoredRule,
  counted: Stored<RestartsDocument> | null,
): Change {
  const document = { id, restarts: count };
  return counted === null ? restarts.inserting(document) : restarts.replacing(document, counted.revision);
}

function changesSomething({ before, after, also }: Write): boolean {
  return after !== (before?.document ?? null) || also !== undefined;
}

/** Whether processes must look at the fleet again: also for the first pinned rule of an organization or of a batch, as more is looked at then. */
async function areOfFleet(tables: Tables, writes: readonly Write[]): Promise<boolean> {
  if (writes.some(touchesFleet)) return true;
  const pinning = pinningIn(writes);
  return pinning.length > 0 && !areIn((await ownersOfRules(tables)).pinning, pinning);
}

/** Who pins rules by these, as {@link Owners} has it. */
function pinningIn(writes: readonly Write[]): readonly string[] {
  return [...new Set(writes.flatMap(({ after }) => (after === null ? [] : pinningBy(after))))];
}

function organizationsIn(writes: readonly Write[]): readonly string[] {
  return [...new Set(writes.flatMap(({ after }) => after?.organization ?? []))];
}

/** What a commit leaves named: whatever these files stand for must not go unseen meanwhile. */
function filesNamed(writes: readonly Write[]): readonly string[] {
  return writes.flatMap(({ after }) => after?.file ?? []);
}

/** A rule is only made for an organization that is there: one that is to be removed has none by then. */
async function ownersRequired(tables: Tables, writes: readonly Write[]): Promise<readonly Change[]> {
  const owners = organizationsIn(writes.filter(({ before }) => before === null));
  const required = owners.map((id) => requiringOrganization(tables.store, id as OrganizationId));
  return (await Promise.all(required)).map(({ isThere }) => isThere);
}

function touchesFleet({ before, after }: Write): boolean {
  return isOfFleet(before?.document) || isOfFleet(after);
}

function isOfFleet(rule: StoredRule | null | undefined): boolean {
  return rule?.fleetSeq !== undefined || rule?.ownedSeq !== undefined;
}

function changesOf(tables: Tables, { before, after, by, restarts, also }: Write): readonly Change[] {
  const changes: Change[] = [];
  if (after === null) {
    if (before !== null) changes.push(tables.rules.deleting(before.document.id, before.revision));
  } else if (before === null) {
    changes.push(tables.rules.inserting(after));
    // Nobody may restart the rule between reading how often it was and writing the rule: what counts one more asks that itself.
    if (also === undefined) changes.push(tables.restarts.requiring(after.id, restarts?.revision ?? null));
  } else {
    changes.push(tables.rules.replacing(after, before.revision));
  }
  if (also !== undefined) changes.push(also);
  if (by !== null)
    changes.push(tables.events.noting(ruleHappening({ before: before?.document ?? null, after, by })));
  return changes;
}

/**
 * Commits writes of which some touch fleet rules, as the next generation of the fleet. Where another process took that generation,
 * what was planned is as good in the one after it.
 */
async function commitOfFleet(
  tables: Tables,
  writes: readonly Write[],
  conditions: readonly Change[],
): Promise<CommitOutcome> {
  for (let race = 1; ; race++) {
    const generation = await nextGeneration(tables, writes);
    const changes = writes.flatMap((write) => changesOf(tables, stamped(write, generation.number)));
    const outcome = await tables.store.commit([...conditions, ...generation.changes, ...changes]);
    if (outcome.committed || outcome.refused !== generation.taking || race === GENERATION_RACES_MAX) {
      return outcome;
    }
    // Processes that write all the time must not meet again and again.
    await setTimeout(Math.random() * Math.min(race, RACE_PAUSE_MS_MAX));
  }
}

function stamped(write: Write, generation: number): Write {
  const { after } = write;
  if (after === null || !isOfFleet(after)) return write;
  const seq = after.owner === undefined ? { fleetSeq: generation } : { ownedSeq: generation };
  return { ...write, after: { ...after, ...seq } };
}

interface Generation {
  readonly number: number;
  /** Refused where another commit takes this generation first. */
  readonly taking: Change;
  readonly changes: readonly Change[];
}

async function nextGeneration(tables: Tables, writes: readonly Write[]): Promise<Generation> {
  const { generations, gone } = tables;
  const last = await generations.get(FLEET_GENERATION_ID);
  const number = (last?.document.generation ?? 0) + 1;
  const ruleIds = writes.flatMap(({ before, after }) =>
    before !== null && isOfFleet(before.document) && !isOfFleet(after) ? [before.document.id] : [],
  );
  // Notes go where notes come, so that no commit has much to do.
  const old = ruleIds.length === 0 ? [] : await notesBefore(tables, number - GONE_GENERATIONS_KEPT);
  const lastOld = old.at(-1);
  const goneFrom = lastOld === undefined ? (last?.document.goneFrom ?? 0) : generationOfGone(lastOld) + 1;
  const document = { id: FLEET_GENERATION_ID, generation: number, goneFrom };
  const taking =
    last === null ? generations.inserting(document) : generations.replacing(document, last.revision);
  return {
    number,
    taking,
    changes: [
      taking,
      ...(await ownersAdded(tables, writes)),
      ...(ruleIds.length === 0 ? [] : [gone.inserting({ id: goneId(number), ruleIds })]),
      ...old.map((id) => gone.deleting(id)),
    ],
  };
}

/** Only in a commit that takes a generation that was read before this is asked: so none takes away what another has added. */
async function ownersAdded(tables: Tables, writes: readonly Write[]): Promise<readonly Change[]> {
  const known = await ownersOfRules(tables);
  const organizations = organizationsIn(writes);
  const pinning = pinningIn(writes);
  if (known.isStored && areIn(known.organizations, organizations) && areIn(known.pinning, pinning)) return [];
  const document: Owners & Document = {
    id: FLEET_GENERATION_ID,
    organizations: [...new Set([...known.organizations, ...organizations])],
    pinning: [...new Set([...known.pinning, ...pinning])],
  };
  return document.organizations.length + document.pinning.length === 0
    ? []
    : [tables.owners.putting(document)];
}

function areIn(known: readonly string[], all: readonly string[]): boolean {
  return all.every((one) => known.includes(one));
}

async function notesBefore({ gone }: Tables, generation: number): Promise<readonly string[]> {
  if (generation <= 0) return [];
  const { items } = await gone.find({ below: goneId(generation), limit: GONE_PRUNED_AT_ONCE });
  return items.map(({ document }) => document.id);
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
