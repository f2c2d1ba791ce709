import { type Clock, inTurns, type RuleId, type Turn } from '../../common/index.js';
import { byRuleFile } from '../../events/index.js';
import type { Collection, Document, Lease, Stored } from '../../store/index.js';
import {
  isFromFile,
  type Provenance,
  type RestartsDocument,
  type Sealing,
  type Tables,
  toStored,
  type Write,
  writeInPortions,
  writtenAnew,
} from '../storage/index.js';
import {
  type LocatedProblem,
  PROBLEMS_MAX,
  problemsInFile,
  type RuleValidator,
  type Validation,
  type ValidRule,
  warningsInFile,
} from '../validation/index.js';
import { RuleConflictError, type StoredRule, WRITTEN_ANEW_MAX } from '../vocabulary/index.js';

/** An entry of a rule file, as it was read. */
export interface FileBody {
  /** The file's name without its directory. */
  readonly file: string;
  readonly body: unknown;
}

/** A problem of one of the entries handed in, which `entry` counts from 0. */
export interface FileRuleProblem extends LocatedProblem {
  readonly entry: number;
}

export type FilesApplied =
  /** `warnings`: what is applied all the same, and will be refused by a later version; of each file the first {@link PROBLEMS_MAX}. */
  | { readonly kind: 'applied'; readonly warnings: readonly FileRuleProblem[] }
  | { readonly kind: 'refused'; readonly problems: readonly FileRuleProblem[] }
  /** Unchanged files have rules of the same ids: what is wrong, and where, is told of these together. */
  | { readonly kind: 'entangled'; readonly files: readonly string[] };

/** How rule files are applied. */
export interface Applying {
  /**
   * The lease, asked for before each commit: looking at rules may have taken as long as it lasts. Null: another has it, or has had
   * it.
   */
  renewed(): Promise<Lease | null>;
  /** When a stretch of the work is done. */
  readonly turn: Turn;
  /**
   * The files beside which these are applied. Null: these are all, and every rule that is in none is gone. Else the rules of every
   * file in `unchanged` are as it says, since nobody else has applied any after them.
   */
  readonly beside: Beside | null;
  /**
   * Told of the first {@link WRITTEN_ANEW_MAX} rules whose condition was read by equality alone and, as something else of them has changed,
   * is no more; once they are stored.
   */
  readonly onReadAnew?: (rules: readonly StoredRule[]) => void;
}

export interface Beside {
  readonly unchanged: ReadonlySet<string>;
  /** Files that have changed, and those that are there no more: others have lost no rule. */
  readonly changed: readonly string[];
}

/** What the watcher of a rule directory needs of the rules, beside what everyone may do. */
export interface FileRules {
  /** The right to apply rule files, for `durationMs`: null while another process has it. */
  leaseFiles(holder: string, durationMs: number): Promise<Lease | null>;
  releaseFiles(lease: Lease): Promise<void>;
  /**
   * Makes the rules from files what these entries say, all or none; rules of files or entries that are gone are disabled.
   * Of files beside which nothing has changed only these need be handed in: the outcome is the same.
   * @throws RuleConflictError `changed-meanwhile` when the lease was lost
   */
  applyFiles(bodies: readonly FileBody[], applying: Applying): Promise<FilesApplied>;
  /** The rules that were in a rule file and no longer are: what `ferry rules prune` deletes. */
  withoutFile(): AsyncIterable<StoredRule>;
}

interface Parts {
  readonly tables: Tables;
  readonly validator: RuleValidator;
  readonly sealing: Sealing;
  readonly clock: Clock;
}

/** A rule as a file has it, or one that none has any more. */
type Item = Entry | { readonly id: RuleId; readonly file: null; readonly valid: null };

interface Entry {
  readonly id: RuleId;
  readonly file: string;
  readonly valid: ValidRule;
}

export async function applyFileRules(
  { tables, validator, sealing, clock }: Parts,
  bodies: readonly FileBody[],
  { renewed, turn, beside, onReadAnew }: Applying,
): Promise<FilesApplied> {
  const { entries, problems, warnings } = await check(validator, bodies, turn);
  if (problems.length > 0 && beside === null) return { kind: 'refused', problems };
  const others = await otherOwners(tables, entries, { turn, beside });
  if (others.files.size > 0) return { kind: 'entangled', files: [...others.files] };
  if (problems.length > 0) return { kind: 'refused', problems };
  if (others.taken.length > 0) return { kind: 'refused', problems: others.taken };
  const present = new Set(entries.map(({ id }) => id));
  const gone = await idsGone(tables, present, { files: beside?.changed ?? null, turn });
  const items: readonly Item[] = [...entries, ...gone.map((id) => ({ id, file: null, valid: null }))];
  const [first] = items;
  if (first === undefined) return { kind: 'applied', warnings };
  const anew = new Map<RuleId, StoredRule>();
  await writeInPortions(
    tables,
    items,
    async (portion) => {
      const writes = await planPortion(tables, portion, { nowMs: clock(), sealing, turn });
      for (const { before, after } of writes) {
        if (after === null || anew.size >= WRITTEN_ANEW_MAX) continue;
        if (writtenAnew(after, before?.document ?? null)?.wasEquality === true) anew.set(after.id, after);
      }
      return writes;
    },
    async () => {
      const lease = await renewed();
      if (lease === null) throw leaseLost(first.id);
      return [lease.held];
    },
  );
  if (anew.size > 0) onReadAnew?.([...anew.values()]);
  return { kind: 'applied', warnings };
}

async function check(
  validator: RuleValidator,
  bodies: readonly FileBody[],
  turn: Turn,
): Promise<{
  readonly entries: readonly Entry[];
  readonly problems: readonly FileRuleProblem[];
  readonly warnings: readonly FileRuleProblem[];
}> {
  const problems: FileRuleProblem[] = [];
  const warnings: FileRuleProblem[] = [];
  const warned = new Map<string, number>();
  const entries = new Map<RuleId, Entry>();
  const take = (index: number, file: string, validation: Validation): void => {
    if (!validation.valid) {
      problems.push(...validation.problems.map((problem) => ({ ...problem, entry: index })));
      return;
    }
    problems.push(...problemsInFile(validation.value).map((problem) => ({ ...problem, entry: index })));
    const before = warned.get(file) ?? 0;
    if (before < PROBLEMS_MAX) {
      const more = warningsInFile(validation.value).map((problem) => ({ ...problem, entry: index }));
      warnings.push(...more);
      warned.set(file, before + more.length);
    }
    const { id } = validation.value.rule;
    const other = entries.get(id);
    if (other !== undefined) {
      problems.push(
        idProblem(index, id, 'duplicate', `an id of its own; ${other.file} has a rule of the same`),
      );
    }
    entries.set(id, { id, file, valid: validation.value });
  };
  const taking = function* (): Generator<void, void> {
    for (const [index, { file, body }] of bodies.entries()) {
      // What would not be told is not looked for.
      if (problems.length >= PROBLEMS_MAX) return;
      take(index, file, validator.validate(body));
      yield;
    }
  };
  await inTurns(taking(), turn);
  return { entries: [...entries.values()], problems, warnings };
}

function idProblem(entry: number, id: RuleId, code: string, expected: string): FileRuleProblem {
  return { entry, path: ['id'], field: 'id', code, expected, found: JSON.stringify(id).slice(0, 80) };
}

interface OtherOwners {
  /** Ids that rules written through an API have: a file does not take them over unasked. */
  readonly taken: readonly FileRuleProblem[];
  /** Unchanged files that have one of the ids. */
  readonly files: ReadonlySet<string>;
}

async function otherOwners(
  tables: Tables,
  entries: readonly Entry[],
  { turn, beside }: Pick<Applying, 'turn' | 'beside'>,
): Promise<OtherOwners> {
  const taken: FileRuleProblem[] = [];
  const files = new Set<string>();
  let index = -1;
  for await (const found of readInTurns(tables.rules, entries, turn)) {
    index++;
    if (found === null) continue;
    const { id, sourceFile, owner } = found.document;
    if (sourceFile === undefined) {
      const expected =
        owner === undefined
          ? 'another id, or delete the rule that the API has under it'
          : `another id: a rule of ${owner.kind} ${owner.id} has it`;
      if (taken.length < PROBLEMS_MAX) taken.push(idProblem(index, id, 'taken', expected));
    } else if (isFromFile(found.document) && beside?.unchanged.has(sourceFile) === true) {
      files.add(sourceFile);
    }
  }
  return { taken, files };
}

/** Rules that are looked up in one go: reading the embedded store needs no turn of the event loop. */
const READ_AT_ONCE = 100;

async function* readInTurns<T extends Document>(
  collection: Collection<T>,
  items: readonly { readonly id: RuleId }[],
  turn: Turn,
): AsyncIterable<Stored<T> | null> {
  for (let first = 0; first < items.length; first += READ_AT_ONCE) {
    const ids = items.slice(first, first + READ_AT_ONCE).map(({ id }) => id);
    yield* await turn(() => collection.getMany(ids));
  }
}

async function allOf<T>(found: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const each of found) all.push(each);
  return all;
}

/** @param files  of which rules may be gone; null: of any */
async function idsGone(
  tables: Tables,
  present: ReadonlySet<RuleId>,
  { files, turn }: { readonly files: readonly string[] | null; readonly turn: Turn },
): Promise<readonly RuleId[]> {
  const gone: RuleId[] = [];
  for (const equals of files === null ? [[]] : files.map((file) => [file])) {
    for await (const { document } of tables.rules.scan({ index: 'sourceFile', equals }, turn)) {
      if (isFromFile(document) && !present.has(document.id)) gone.push(document.id);
    }
  }
  return gone;
}

export async function* rulesWithoutFile(tables: Tables): AsyncIterable<StoredRule> {
  for await (const { document } of tables.rules.scan({ index: 'sourceFile' })) {
    if (document.sourceMissing === true) yield document;
  }
}

async function planPortion(
  tables: Tables,
  portion: readonly Item[],
  { turn, ...means }: Pick<Provenance, 'nowMs' | 'sealing'> & { readonly turn: Turn },
): Promise<readonly Write[]> {
  const found = await allOf(readInTurns(tables.rules, portion, turn));
  const restarts = await allOf(readInTurns(tables.restarts, portion, turn));
  const writes: Write[] = [];
  const planning = function* (): Generator<void, void> {
    for (const [index, item] of portion.entries()) {
      const write = planOne(item, found[index] ?? null, restarts[index] ?? null, means);
      if (write !== null) writes.push(write);
      yield;
    }
  };
  await inTurns(planning(), turn);
  return writes;
}

function planOne(
  item: Item,
  before: Stored<StoredRule> | null,
  restarted: Stored<RestartsDocument> | null,
  means: Pick<Provenance, 'nowMs' | 'sealing'>,
): Write | null {
  if (item.valid === null) {
    if (before === null) return null;
    const by = byRuleFile(before.document.sourceFile ?? '');
    return { before, after: withoutFile(before.document, means.nowMs), by };
  }
  if (before !== null && before.document.sourceFile === undefined) throw takenMeanwhile(item.id);
  const count = before?.document.restarts ?? restarted?.document.restarts ?? 0;
  const after = fromEntry(item, before?.document ?? null, count, means);
  return { before, after, by: byRuleFile(item.file), restarts: restarted };
}

function leaseLost(id: RuleId): RuleConflictError {
  return new RuleConflictError(id, 'changed-meanwhile', 'Another process applies the rule files now');
}

/** The API made a rule of this id since the files were checked; the next scan says so with its place. */
function takenMeanwhile(id: RuleId): RuleConflictError {
  const message = `The API has a rule ${JSON.stringify(id)} since a moment ago`;
  return new RuleConflictError(id, 'changed-meanwhile', message);
}

/**
 * The NBI's switch outlives re-reading the file. It was thrown because the file says the opposite, so it has done its work, and is
 * forgotten, once the file says the same.
 */
function fromEntry(
  { file, valid }: Entry,
  before: StoredRule | null,
  restarts: number,
  means: Pick<Provenance, 'nowMs' | 'sealing'>,
): StoredRule {
  const override = before?.enabledOverride;
  const overridden = override !== undefined && override !== valid.rule.enabled;
  const rule = overridden ? { ...valid.rule, enabled: override } : valid.rule;
  return toStored({ ...valid, rule }, before, {
    author: `file:${file}`,
    restarts,
    ...means,
    keptReading: 'unless-changed',
    source: { sourceFile: file, ...(overridden ? { enabledOverride: override } : {}) },
  });
}

/** Disabled, not deleted: a file lost by mistake costs no counts, and comes back as it was. */
function withoutFile({ enabledOverride: _, ...rule }: StoredRule, nowMs: number): StoredRule {
  return { ...rule, enabled: false, sourceMissing: true, updatedAtMs: nowMs };
}
