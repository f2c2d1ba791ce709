import { isDeepStrictEqual } from 'node:util';
import { type Clock, type RuleId, withPauses } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { Stored } from '../../store/index.js';
import {
  type LocatedProblem,
  PROBLEMS_MAX,
  type RuleValidator,
  type Validation,
  type ValidRule,
} from '../validation/index.js';
import {
  InvalidRuleError,
  isStorable,
  mapWithPauses,
  type PlannedRule,
  type PutCounts,
  type Rule,
  RuleConflictError,
  type RuleProblem,
  type Rules,
  ruleIdIn,
  type StoredRule,
  WRITTEN_ANEW_MAX,
  type WrittenAnew,
  writtenBytesMax,
  writtenId,
} from '../vocabulary/index.js';
import { dependsOnStored, problemsAgainst } from './against-stored.js';
import { refuseOwned } from './owned-conflict.js';
import { scan } from './scan.js';
import type { Sealing } from './sealed-password.js';
import { isFromFile, mergePatch, ruleOf, toStored } from './stored-rule.js';
import { type RestartsDocument, readMany, type Tables } from './tables.js';
import { restartsCounted, type Write, writeInPortions } from './writes.js';
import { writtenAnew } from './written-anew.js';

const ID_CHARACTERS_SHOWN_MAX = 80;

export type Repository = Pick<Rules, 'get' | 'scan' | 'check' | 'put' | 'merge' | 'remove' | 'restart'>;

interface Parts {
  readonly tables: Tables;
  readonly validator: RuleValidator;
  readonly sealing: Sealing;
  readonly clock: Clock;
}

/** FirmwareStorage itself: its entries, read and written. */
export function openRepository(parts: Parts): Repository {
  const { tables } = parts;
  return {
    async get(id) {
      const stored = await tables.rules.get(id);
      return stored === null ? null : { rule: stored.document, revision: stored.revision };
    },
    scan: (filter, turn) => scan(tables, filter, turn),
    check: async (bodies, organization) => (await validateAll(parts, bodies, organization)).problems,
    async put(bodies, options) {
      const { problems, valid } = await validateAll(parts, bodies, options.organization);
      if (problems.length > 0) throw new InvalidRuleError(problems);
      return put(parts, valid, options);
    },
    merge: (ids, patch, by, noting) => merge(parts, ids, patch, by, noting),
    remove: (ids, by) => remove(tables, ids, by),
    restart: (ids, by) => restart(tables, ids, by),
  };
}

async function validateAll(
  { validator, tables }: Parts,
  bodies: readonly unknown[],
  organization: string | undefined,
): Promise<{ readonly problems: readonly RuleProblem[]; readonly valid: readonly ValidRule[] }> {
  const problems: RuleProblem[] = [];
  const valid: ValidRule[] = [];
  const asking: { readonly item: number; readonly value: ValidRule }[] = [];
  const firstWith = new Map<RuleId, number>();
  const take = (item: number, written: Validation): void => {
    const validation = ofOrganization(written, organization);
    if (!validation.valid) {
      problems.push(...validation.problems.map((problem) => ({ ...withoutPath(problem), item })));
      return;
    }
    const { value } = validation;
    const { id } = value.rule;
    const first = firstWith.get(id);
    if (first !== undefined) {
      const expected = `an id of its own; item ${first} has the same`;
      problems.push({ field: 'id', code: 'duplicate', expected, found: JSON.stringify(writtenId(id)), item });
    }
    firstWith.set(id, item);
    valid.push(value);
    if (dependsOnStored(value)) asking.push({ item, value });
  };
  const taking = function* (): Generator<void, void> {
    for (const [item, body] of bodies.entries()) {
      // What would not be told is not looked for.
      if (problems.length >= PROBLEMS_MAX) return;
      take(item, validator.validate(body));
      yield;
    }
  };
  await withPauses(taking());
  if (problems.length < PROBLEMS_MAX) problems.push(...(await askStored(tables, asking)));
  return { problems: problems.slice(0, PROBLEMS_MAX), valid };
}

/** A rule as its author wrote it, under the id that it has in an organization. */
export function ofOrganization(validation: Validation, organization: string | undefined): Validation {
  if (organization === undefined || !validation.valid) return validation;
  const { value } = validation;
  const id = ruleIdIn(organization, value.rule.id);
  if (isStorable(id)) return { valid: true, value: { ...value, rule: { ...value.rule, id } } };
  const expected = `a name of at most ${writtenBytesMax(organization)} bytes in UTF-8; shorten it`;
  const found = JSON.stringify(value.rule.id.slice(0, ID_CHARACTERS_SHOWN_MAX));
  return { valid: false, problems: [{ path: ['id'], field: 'id', code: 'too-long', expected, found }] };
}

async function askStored(
  tables: Tables,
  asking: readonly { readonly item: number; readonly value: ValidRule }[],
): Promise<readonly RuleProblem[]> {
  if (asking.length === 0) return [];
  const found = await readMany(
    tables.rules,
    asking.map(({ value }) => value.rule.id),
  );
  return asking.flatMap(({ item, value }, index) =>
    problemsAgainst(value, found[index]?.document ?? null).map((problem) => ({
      ...withoutPath(problem),
      item,
    })),
  );
}

/** Once more where it is written: what is stored may have moved since it was asked. @throws InvalidRuleError */
function refuseAgainst(valid: ValidRule, before: StoredRule | null): void {
  const problems = problemsAgainst(valid, before);
  if (problems.length > 0) throw new InvalidRuleError(problems.map(withoutPath));
}

export function withoutPath({ path: _, ...problem }: LocatedProblem): RuleProblem {
  return problem;
}

async function put(
  { tables, clock, sealing }: Parts,
  rules: readonly ValidRule[],
  { by, onlyNew, beginningAnew }: Parameters<Rules['put']>[1],
): Promise<PutCounts> {
  const items = rules.map((valid) => ({ id: valid.rule.id, valid }));
  // A portion may be planned several times, and what counts is how it was planned last.
  const written = new Set<RuleId>();
  const anew = new Map<RuleId, WrittenAnew>();
  await writeInPortions(tables, items, async (portion) => {
    const ids = portion.map(({ id }) => id);
    const [found, restarts] = await Promise.all([
      readMany(tables.rules, ids),
      readMany(tables.restarts, ids),
    ]);
    const writes = await mapWithPauses(portion, ({ id, valid }, index): PutWrite => {
      const before = found[index] ?? null;
      const restarted = restarts[index] ?? null;
      if (before !== null) refuseOwned(before.document);
      if (before !== null && onlyNew) {
        throw new RuleConflictError(id, 'exists', `There is a rule ${JSON.stringify(writtenId(id))} already`);
      }
      if (before !== null && isFromFile(before.document)) throw fromFile(before.document);
      refuseAgainst(valid, before?.document ?? null);
      const after = toStored(valid, before?.document ?? null, {
        author: valid.rule.author ?? before?.document.author ?? by.name,
        restarts: before?.document.restarts ?? restarted?.document.restarts ?? 0,
        nowMs: clock(),
        sealing,
      });
      if (after === before?.document) written.delete(id);
      else written.add(id);
      noteAnew(anew, after, before?.document ?? null);
      return { before, after, by, restarts: restarted };
    });
    const begun = (await beginningAnew?.(writes.map(plannedOf))) ?? new Set();
    return writes.map((write) => (begun.has(write.after.id) ? begunAnew(tables, write) : write));
  });
  return {
    written: written.size,
    unchanged: items.length - written.size,
    ...toldOf(anew),
  };
}

/** Of a rule that is posted. */
interface PutWrite extends Write {
  readonly after: StoredRule;
  readonly restarts: Stored<RestartsDocument> | null;
}

function plannedOf({ after, before }: Pick<PutWrite, 'after' | 'before'>): PlannedRule {
  return { rule: after, before: before?.document ?? null };
}

/** With one restart more, in the same commit. */
function begunAnew(tables: Tables, write: PutWrite): Write {
  const { after, restarts: counted } = write;
  const again = { ...after, restarts: (counted?.document.restarts ?? 0) + 1 };
  return { ...write, after: again, also: restartsCounted(tables, again, counted) };
}

/** As it is planned last. */
function noteAnew(anew: Map<RuleId, WrittenAnew>, after: StoredRule, before: StoredRule | null): void {
  const told = after === before ? null : writtenAnew(after, before);
  if (told === null) anew.delete(after.id);
  else if (anew.size < WRITTEN_ANEW_MAX) anew.set(after.id, told);
}

function toldOf(anew: ReadonlyMap<RuleId, WrittenAnew>): Pick<PutCounts, 'anew'> {
  return anew.size > 0 ? { anew: [...anew.values()] } : {};
}

function fromFile(rule: StoredRule): RuleConflictError {
  return new RuleConflictError(
    rule.id,
    'from-file',
    `The rule ${JSON.stringify(writtenId(rule.id))} comes from the rule file ${JSON.stringify(rule.sourceFile)}; change it there (only "enabled" can be switched here)`,
  );
}

async function merge(
  parts: Parts,
  ids: readonly RuleId[],
  patch: Readonly<Record<string, unknown>>,
  by: Actor,
  noting: Parameters<Rules['merge']>[3],
): Promise<Pick<PutCounts, 'anew'>> {
  const { tables } = parts;
  const saysCondition = Object.hasOwn(patch, 'condition');
  const anew = new Map<RuleId, WrittenAnew>();
  await writeInPortions(tables, itemsOf(ids), async (portion) => {
    const found = await readMany(
      tables.rules,
      portion.map(({ id }) => id),
    );
    const present = found.filter((before) => before !== null);
    const writes = await mapWithPauses(present, (before) => {
      const after = patched(parts, before.document, patch);
      if (saysCondition) noteAnew(anew, after, before.document);
      return { before, after, by };
    });
    await noting?.(writes.map(plannedOf));
    return writes;
  });
  return toldOf(anew);
}

function itemsOf(ids: readonly RuleId[]): readonly { readonly id: RuleId }[] {
  return [...new Set(ids)].map((id) => ({ id }));
}

function patched(
  { validator, clock, sealing }: Parts,
  before: StoredRule,
  patch: Readonly<Record<string, unknown>>,
): StoredRule {
  const nowMs = clock();
  const validation = ofOrganization(
    validator.validate(mergePatch(ruleOf(before), patch)),
    before.organization,
  );
  if (!validation.valid) throw new InvalidRuleError(validation.problems.map(withoutPath));
  const { value } = validation;
  const { rule } = value;
  if (rule.id !== before.id) {
    const expected = `${JSON.stringify(writtenId(before.id))}, or left out: a rule cannot be renamed`;
    throw new InvalidRuleError([
      { field: 'id', code: 'rename', expected, found: JSON.stringify(writtenId(rule.id)).slice(0, 80) },
    ]);
  }
  refuseAgainst(value, before);
  if (before.owner !== undefined) return switched(before, rule, nowMs);
  if (!isFromFile(before)) {
    // A rule whose file is gone keeps saying where it came from: only a new POST makes it the API's own.
    const { sourceFile, sourceMissing } = before;
    const source =
      sourceFile === undefined || sourceMissing === undefined ? {} : { sourceFile, sourceMissing };
    const author = rule.author ?? before.author;
    const { restarts } = before;
    const keptReading = Object.hasOwn(patch, 'condition') ? {} : ({ keptReading: 'always' } as const);
    return toStored(value, before, { author, restarts, nowMs, sealing, source, ...keptReading });
  }
  if (!onlyEnabledDiffers(rule, ruleOf(before))) throw fromFile(before);
  if (rule.enabled === before.enabled) return before;
  // The switch is an edit, so it lifts a suspension too.
  const { enabledOverride, suspended: _, ...rest } = before;
  const enabledInFile = enabledOverride === undefined ? before.enabled : !enabledOverride;
  return {
    ...rest,
    enabled: rule.enabled,
    updatedAtMs: nowMs,
    ...(rule.enabled === enabledInFile ? {} : { enabledOverride: rule.enabled }),
  };
}

/** Of a rule that has an owner. @throws RuleConflictError where anything else is changed */
function switched(before: StoredRule, rule: ValidRule['rule'], nowMs: number): StoredRule {
  if (!onlyEnabledDiffers(rule, ruleOf(before))) refuseOwned(before);
  if (rule.enabled === before.enabled) return before;
  const { suspended: _, ...rest } = before;
  return { ...rest, enabled: rule.enabled, updatedAtMs: nowMs };
}

function onlyEnabledDiffers(after: ValidRule['rule'], before: Rule): boolean {
  return isDeepStrictEqual({ ...before, ...after, enabled: true }, { ...before, enabled: true });
}

async function remove(tables: Tables, ids: readonly RuleId[], by: Actor): Promise<number> {
  const removed = new Set<RuleId>();
  await writeInPortions(tables, itemsOf(ids), async (portion) => {
    const found = (
      await readMany(
        tables.rules,
        portion.map(({ id }) => id),
      )
    ).filter((rule) => rule !== null);
    const kept = found.find(({ document }) => isFromFile(document));
    if (kept !== undefined) throw fromFile(kept.document);
    for (const { document } of found) refuseOwned(document);
    for (const { document } of found) removed.add(document.id);
    return found.map((before): Write => ({ before, after: null, by }));
  });
  return removed.size;
}

async function restart(tables: Tables, ids: readonly RuleId[], by: Actor): Promise<number> {
  const restarted = new Set<RuleId>();
  await writeInPortions(tables, itemsOf(ids), async (portion) => {
    const wanted = portion.map(({ id }) => id);
    const [found, counted] = await Promise.all([
      readMany(tables.rules, wanted),
      readMany(tables.restarts, wanted),
    ]);
    return found.flatMap((before, index): Write[] => {
      if (before === null) return [];
      refuseOwned(before.document);
      restarted.add(before.document.id);
      const count = counted[index] ?? null;
      const after = { ...before.document, restarts: (count?.document.restarts ?? 0) + 1 };
      return [{ before, after, by, also: restartsCounted(tables, after, count) }];
    });
  });
  return restarted.size;
}
