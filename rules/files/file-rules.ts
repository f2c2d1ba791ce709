import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, type RuleId, withPauses } from '../../common/index.js';
import type { Lease, Stored } from '../../store/index.js';
import {
  isFromFile,
  type Provenance,
  type RestartsDocument,
  readMany,
  type Sealing,
  type Tables,
  toStored,
  type Write,
  writeInPortions,
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
import { RuleConflictError, type StoredRule } from '../vocabulary/index.js';

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
  /** `warnings`: what is applied all the same, and will be refused by a later version. */
  | { readonly applied: true; readonly warnings: readonly FileRuleProblem[] }
  | { readonly applied: false; readonly problems: readonly FileRuleProblem[] };

/** What the watcher of a rule directory needs of the rules, beside what everyone may do. */
export interface FileRules {
  /** The right to apply rule files, for `durationMs`: null while another process has it. */
  leaseFiles(holder: string, durationMs: number): Promise<Lease | null>;
  releaseFiles(lease: Lease): Promise<void>;
  /**
   * Makes the rules from files what these entries say, all or none; rules of files or entries that are gone are disabled.
   * @param renewed  the lease, asked for once they have been looked at, which may have taken as long as it lasts; null: another has it
   * @throws RuleConflictError `changed-meanwhile` when the lease was lost
   */
  applyFiles(bodies: readonly FileBody[], renewed: () => Promise<Lease | null>): Promise<FilesApplied>;
  /** The rules that were in a rule file and no longer are: what `ferry rules prune` deletes. */
  withoutFile(): AsyncIterable<StoredRule>;
}

interface Parts {
  readonly tables: Tables;
  readonly validator: RuleValidator;
  readonly sealing: Sealing;
  readonly clock: Clock;
}

interface Entry {
  readonly id: RuleId;
  readonly file: string;
  readonly valid: ValidRule;
}

export async function applyFileRules(
  { tables, validator, sealing, clock }: Parts,
  bodies: readonly FileBody[],
  renewed: () => Promise<Lease | null>,
): Promise<FilesApplied> {
  const checked = await check(validator, bodies);
  if (checked.problems.length > 0) return { applied: false, problems: checked.problems };
  const taken = await takenByOthers(tables, checked.entries);
  if (taken.length > 0) return { applied: false, problems: taken };
  const byId = new Map(checked.entries.map((entry) => [entry.id, entry]));
  const gone = await idsGone(tables, byId);
  const items = [...checked.entries, ...gone.map((id) => ({ id, file: null, valid: null }))];
  const [first] = items;
  if (first === undefined) return { applied: true, warnings: checked.warnings };
  const lease = await renewed();
  if (lease === null) throw leaseLost(first.id);
  await writeInPortions(
    tables,
    items,
    (portion) => planPortion(tables, portion, { nowMs: clock(), sealing }),
    [lease.held],
  );
  return { applied: true, warnings: checked.warnings };
}

async function check(
  validator: RuleValidator,
  bodies: readonly FileBody[],
): Promise<{
  readonly entries: readonly Entry[];
  readonly problems: readonly FileRuleProblem[];
  readonly warnings: readonly FileRuleProblem[];
}> {
  const problems: FileRuleProblem[] = [];
  const warnings: FileRuleProblem[] = [];
  const entries = new Map<RuleId, Entry>();
  const take = (index: number, file: string, validation: Validation): void => {
    if (!validation.valid) {
      problems.push(...validation.problems.map((problem) => ({ ...problem, entry: index })));
      return;
    }
    problems.push(...problemsInFile(validation.value).map((problem) => ({ ...problem, entry: index })));
    if (warnings.length < PROBLEMS_MAX) {
      warnings.push(...warningsInFile(validation.value).map((problem) => ({ ...problem, entry: index })));
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
  await withPauses(taking());
  return { entries: [...entries.values()], problems, warnings };
}

function idProblem(entry: number, id: RuleId, code: string, expected: string): FileRuleProblem {
  return { entry, path: ['id'], field: 'id', code, expected, found: JSON.stringify(id).slice(0, 80) };
}

/** Ids that rules written through an API have: a file does not take them over unasked. */
async function takenByOthers(tables: Tables, entries: readonly Entry[]): Promise<readonly FileRuleProblem[]> {
  const problems: FileRuleProblem[] = [];
  for (let first = 0; first < entries.length && problems.length < PROBLEMS_MAX; first += READ_AT_ONCE) {
    const some = entries.slice(first, first + READ_AT_ONCE);
    const found = await readMany(
      tables.rules,
      some.map(({ id }) => id),
    );
    // Reading the embedded store needs no turn of the event loop.
    await nextTurn();
    for (const [index, stored] of found.entries()) {
      if (stored === null || stored.document.sourceFile !== undefined) continue;
      const expected = 'another id, or delete the rule that the API has under it';
      problems.push(idProblem(first + index, stored.document.id, 'taken', expected));
    }
  }
  return problems;
}

/** Rules that are looked up in one go. */
const READ_AT_ONCE = 1_000;

async function idsGone(tables: Tables, present: ReadonlyMap<RuleId, unknown>): Promise<readonly RuleId[]> {
  const gone: RuleId[] = [];
  for await (const { document } of tables.rules.scan({ index: 'sourceFile' })) {
    if (isFromFile(document) && !present.has(document.id)) gone.push(document.id);
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
  portion: readonly (Entry | { readonly id: RuleId; readonly file: null; readonly valid: null })[],
  means: Pick<Provenance, 'nowMs' | 'sealing'>,
): Promise<readonly Write[]> {
  const ids = portion.map(({ id }) => id);
  const [found, restarts] = await Promise.all([readMany(tables.rules, ids), readMany(tables.restarts, ids)]);
  const writes: Write[] = [];
  const planning = function* (): Generator<void, void> {
    for (const [index, item] of portion.entries()) {
      const write = planOne(item, found[index] ?? null, restarts[index] ?? null, means);
      if (write !== null) writes.push(write);
      yield;
    }
  };
  await withPauses(planning());
  return writes;
}

function planOne(
  item: Entry | { readonly id: RuleId; readonly file: null; readonly valid: null },
  before: Stored<StoredRule> | null,
  restarted: Stored<RestartsDocument> | null,
  means: Pick<Provenance, 'nowMs' | 'sealing'>,
): Write | null {
  if (item.valid === null) {
    return before === null ? null : { before, after: withoutFile(before.document, means.nowMs) };
  }
  if (before !== null && before.document.sourceFile === undefined) throw takenMeanwhile(item.id);
  const count = before?.document.restarts ?? restarted?.document.restarts ?? 0;
  return { before, after: fromEntry(item, before?.document ?? null, count, means), restarts: restarted };
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
    source: { sourceFile: file, ...(overridden ? { enabledOverride: override } : {}) },
  });
}

/** Disabled, not deleted: a file lost by mistake costs no counts, and comes back as it was. */
function withoutFile({ enabledOverride: _, ...rule }: StoredRule, nowMs: number): StoredRule {
  return { ...rule, enabled: false, sourceMissing: true, updatedAtMs: nowMs };
}
