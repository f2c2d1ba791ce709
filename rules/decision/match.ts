import { type Candidate, inOrder } from '../fleet/index.js';
import {
  type DecisionInput,
  type MatchFinding,
  type MatchTarget,
  PARAMETER_FIELDS,
  parametersOfField,
  type RuleMatch,
  type StoredRule,
  type Verdict,
} from '../vocabulary/index.js';
import { withBoard } from './board.js';
import { consider, type Decider, decide, readingOnce, subtreesOf } from './decide.js';
import type { Drafts } from './draft.js';
import { beginEvaluation, type Evaluation, refusalOf, type Unmet } from './evaluation.js';
import { organizationGate, switchGate } from './gates.js';
import { candidatesPinnedTo } from './pinned.js';
import { serialNumberGate } from './serial-number.js';
import { type Telling, tellingTo } from './telling.js';

const NAMES_SHOWN_MAX = 3;
/** Verdicts of a condition that does not hold. */
const NO_MATCH: ReadonlySet<Verdict> = new Set(['condition-false', 'condition-error', 'ambiguous-serial']);
const HELD_BEFORE: MatchFinding = { matches: false, verdict: 'condition-false', detail: 'it held before' };
/** What stands in for the rest of a rule where nothing but a condition is asked about. */
const CONDITION_ALONE = { id: 'condition', file: 'condition' };

/**
 * Takes up one rule to hold it against many CPEs.
 * @throws UnknownRuleError, InvalidRuleError
 */
export async function takeUp(decider: Decider, drafts: Drafts, target: MatchTarget): Promise<RuleMatch> {
  const { organization } = target;
  if ('condition' in target) {
    const { condition, beyondEquality = false } = target;
    const candidate = await drafts.take({ ...CONDITION_ALONE, condition }, organization);
    const before = beyondEquality ? decider.compiler.compile(candidate.rule.condition, 'equality') : null;
    return {
      rule: null,
      narrowed: narrowedBy(candidate),
      async judge(input) {
        const finding = await judgeCondition(decider, candidate, input);
        if (before === null || !finding.matches) return finding;
        const earlier = await judgeCondition(decider, { ...candidate, condition: before }, input);
        return earlier.matches ? HELD_BEFORE : finding;
      },
    };
  }
  const candidate =
    'draft' in target ? await drafts.take(target.draft, organization) : await only(drafts, target.ruleId);
  const enabled: Candidate = { ...candidate, rule: { ...candidate.rule, enabled: true } };
  const telling = tellingTo(organization);
  return {
    rule: candidate.rule,
    narrowed: narrowedBy(candidate),
    judge: (input) => judge(decider, enabled, input, telling),
  };
}

async function only(drafts: Drafts, id: StoredRule['id']): Promise<Candidate> {
  const [candidate] = await drafts.stored([id]);
  if (candidate === undefined) throw new Error('A rule that is there was not given');
  return candidate;
}

function narrowedBy({ condition }: Candidate): RuleMatch['narrowed'] {
  if (typeof condition === 'string') return {};
  const valuesOf = (field: string, isName = false): readonly string[] | undefined => {
    const requirement = condition.requirements.find(
      ({ path, orPath }) => path.length === 1 && path[0] === field && (orPath !== undefined) === isName,
    );
    if ((requirement?.patterns ?? []).length > 0) return undefined;
    // A number is not equal to any text.
    return requirement?.values.filter((value) => typeof value === 'string');
  };
  const [cpeids, serialNumbers, tags] = ['cpeid', 'serialNumber', 'tags'].map((field) => valuesOf(field));
  const names = valuesOf('cpeid', true);
  return {
    ...(names !== undefined && { names }),
    ...(cpeids !== undefined && { cpeids }),
    ...(serialNumbers !== undefined && { serialNumbers }),
    ...(tags !== undefined && { tags }),
  };
}

async function judgeCondition(
  decider: Decider,
  candidate: Candidate,
  given: DecisionInput,
): Promise<MatchFinding> {
  const { condition } = candidate;
  const input = readingOnce(given, subtreesOf([candidate]));
  const evaluation = beginEvaluation(input, decider);
  const early = (await unmetFor(condition, evaluation, input)) ?? (await unreadBy(condition, input));
  if (early !== null) return early;
  const refusal =
    (await evaluation.conditionGate(condition)) ?? (await serialNumberGate(decider, candidate, given));
  return refusal === null ? { matches: true, verdict: 'condition-true' } : { matches: false, ...refusal };
}

async function judge(
  decider: Decider,
  candidate: Candidate,
  given: DecisionInput,
  telling: Telling,
): Promise<MatchFinding> {
  const foreign = organizationGate(candidate.rule, given.organization);
  if (foreign !== null) return { matches: false, ...foreign };
  const input = readingOnce(given, withBoard(decider.board, subtreesOf([candidate])));
  const evaluation = beginEvaluation(input, decider);
  const early =
    (await unmetFor(candidate.condition, evaluation, input)) ?? (await unreadBy(candidate.condition, input));
  if (early !== null) return early;
  const outcome = await consider(decider, input, evaluation, candidate);
  const refused = 'verdict' in outcome ? outcome : null;
  if (refused !== null && NO_MATCH.has(refused.verdict)) return { matches: false, ...refused };
  const off = switchGate(candidate.rule, input.requested) ?? refused;
  if (off !== null) return { matches: true, ...off };
  if ('read' in outcome) return { matches: true, verdict: 'parameters-unread', detail: outcome.detail };
  if ('atTarget' in outcome && outcome.atTarget) {
    return { matches: true, verdict: 'at-target', detail: `it runs ${outcome.targetVersion} already` };
  }
  if ((await decider.freeze.read(given.organization)).state.frozen)
    return { matches: true, verdict: 'frozen' };
  const before = await firstBefore(decider, candidate, given);
  return before === null
    ? { matches: true, verdict: 'chosen' }
    : { matches: true, verdict: 'lower-priority', detail: `${telling.name(before)} goes before it` };
}

/** What is demanded of a field that the CPE was not asked for is not known to be unmet. */
async function unmetFor(
  condition: Candidate['condition'],
  evaluation: Evaluation,
  input: DecisionInput,
): Promise<MatchFinding | null> {
  const first = evaluation.unmet(condition);
  if (first === null) return null;
  const open = isReadable(first, input.context) ? await unreadFields(input) : new Set<string>();
  const unmet = open.size === 0 ? first : evaluation.unmet(condition, open);
  return unmet === null ? null : { matches: false, ...refusalOf(unmet) };
}

function isReadable(
  {
    wanted: {
      path: [field = '', ...below],
    },
    found,
  }: Unmet,
  { modelName }: DecisionInput['context'],
): boolean {
  // As long as its ModelName is not known, there is another model.
  const isOpen = field === 'model' ? modelName === undefined : found === undefined;
  return isOpen && below.length === 0 && parametersOfField(field).length > 0;
}

async function unreadFields({ context, unread }: DecisionInput): Promise<ReadonlySet<string>> {
  const missing = PARAMETER_FIELDS.filter((field) => context[field] === undefined);
  const names = new Set(await unread(missing.flatMap(parametersOfField)));
  const open = missing.filter((field) => parametersOfField(field).some((name) => names.has(name)));
  return new Set<string>(open.includes('modelName') ? [...open, 'model'] : open);
}

/** Without its parameters a condition would seem to be false. */
async function unreadBy(
  condition: Candidate['condition'],
  input: DecisionInput,
): Promise<MatchFinding | null> {
  if (typeof condition === 'string' || condition.parameterPaths.length === 0) return null;
  const names = await input.unread(condition.parameterPaths);
  if (names.length === 0) return null;
  const more = names.length > NAMES_SHOWN_MAX ? ' …' : '';
  const detail = `it would first be asked for ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}`;
  return { matches: false, verdict: 'parameters-unread', detail };
}

/** The rule that would win before this one comes to be looked at, if any. */
async function firstBefore(
  decider: Decider,
  candidate: Candidate,
  given: DecisionInput,
): Promise<StoredRule | null> {
  // What other rules have not read yet is for the session to read.
  const input: DecisionInput = { ...given, unread: async () => [] };
  const decision = await decide(decider, input);
  if (decision.kind === 'nothing') return null;
  if (decision.kind === 'upgrade') {
    const order = inOrder({ ...candidate, rule: decision.rule }, candidate);
    // Nothing goes before the winner; so neither before the rule itself, unless it is a draft that would come later.
    if (order >= 0) return null;
    if (decision.rule.id !== candidate.rule.id) return decision.rule;
  }
  // A version of the rule that would come earlier, or one that will be recorded as done, tells nothing of those between.
  const [pinned, fleet] = await Promise.all([
    candidatesPinnedTo(decider, input),
    decider.fleet.all(input.organization),
  ]);
  const ofFleet = (await decider.fleet.latest()).of(input.organization).parameterSubtrees();
  const looking = readingOnce(input, withBoard(decider.board, subtreesOf(pinned, ofFleet)));
  const evaluation = beginEvaluation(looking, decider);
  for (const other of [...pinned, ...fleet].sort(inOrder)) {
    if (inOrder(other, candidate) >= 0) return null;
    if (other.rule.id === candidate.rule.id || switchGate(other.rule, input.requested) !== null) continue;
    const outcome = await consider(decider, looking, evaluation, other);
    if ('countKey' in outcome && !outcome.atTarget) return other.rule;
  }
  return null;
}
