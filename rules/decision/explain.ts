import { type Candidate, inOrder, PARAMETERS_READ_MAX } from '../fleet/index.js';
import { warningOf } from '../storage/index.js';
import {
  type DecisionExplanation,
  type DecisionInput,
  type ExplainOptions,
  type FreezeState,
  isPinnedTo,
  type RuleExplanation,
  type StoredRule,
  type Verdict,
} from '../vocabulary/index.js';
import { type BoardUnread, boardNotKnown, withBoard } from './board.js';
import {
  consider,
  type Decider,
  type Passed,
  pathsReadBy,
  readingOnce,
  selectFrom,
  subtreesOf,
} from './decide.js';
import type { Drafts } from './draft.js';
import { beginEvaluation, type Evaluation, refusalOf } from './evaluation.js';
import { findingsOf } from './explain-condition.js';
import { type Refusal, switchGate } from './gates.js';
import { candidatesPinnedTo } from './pinned.js';
import { withoutNamesake } from './serial-number.js';
import { capitalized, type Telling, tellingTo } from './telling.js';

/** Most rules listed. */
const LISTED_MAX = 1_000;
const NAMES_SHOWN_MAX = 5;
/** Verdicts that thousands of fleet rules share and nobody asks about first. */
const ORDINARY: ReadonlySet<Verdict> = new Set(['condition-false', 'disabled']);
/** Verdicts of rules whose condition did not hold, or was not asked. */
const NOT_HELD: ReadonlySet<Verdict> = new Set([
  'other-organization',
  'condition-false',
  'condition-error',
  'ambiguous-serial',
  'disabled',
  'suspended',
  'not-automatic',
]);

/** The first rule, in order, that nothing stopped. */
interface Winner {
  readonly rule: StoredRule;
  readonly passed: Passed;
}

interface Looked {
  readonly candidate: Candidate;
  readonly verdict: Verdict;
  readonly detail?: string;
}

/** What a walk through the rules has found. */
interface Walk {
  readonly winner: Winner | null;
  /** The first of the others that nothing but the winner stopped, and how many there are; of those that are told of. */
  readonly second: StoredRule | null;
  readonly beaten: number;
  /** The first rule whose condition held and that something else stopped; of those that are told of. */
  readonly stopped: Looked | null;
  /** Whether there are such of which nothing is told. */
  readonly isUntoldBeaten: boolean;
  readonly isUntoldStopped: boolean;
  /** What the CPE would be asked for to tell its board, as far as it is told; null: nothing. */
  readonly boardRead: readonly string[] | null;
  readonly listed: readonly Looked[];
  readonly omitted: number;
}

/** What {@link decide} would say, and why. It takes the same gates in the same order, and writes nothing. */
export async function explain(
  decider: Decider,
  drafts: Drafts,
  given: DecisionInput,
  { ids, limit = LISTED_MAX, draft: body, organization }: ExplainOptions = {},
): Promise<DecisionExplanation> {
  const telling = tellingTo(organization);
  const draft = body === undefined ? null : await drafts.take(body, organization);
  const named = ids === undefined ? null : await namedRules(drafts, ids, draft);
  const [pinned, fleet] = await Promise.all([
    candidatesPinnedTo(decider, given),
    decider.fleet.all(given.organization),
  ]);
  const lists = [withDraft(pinned, draft, given), withDraft(fleet, draft, null)];
  const looked = subtreesOf([...lists.flat(), ...(named ?? [])]);
  const input = readingOnce(given, withBoard(decider.board, looked));
  const paths = [...new Set(pathsReadBy(lists.flat()))].slice(0, PARAMETERS_READ_MAX);
  const reads = paths.length === 0 ? [] : await input.unread(paths);
  const candidates = lists.flat().sort(inOrder);
  const selected = await selectFrom((await decider.fleet.current()).of(given.organization), input);
  const walked = await walk(decider, input, alongWith(candidates, named), {
    considered: new Set(candidates.map(({ rule }) => rule.id)),
    selected: new Set(
      [...selected, ...pinned, ...(draft === null ? [] : [draft])].map(({ rule }) => rule.id),
    ),
    listed: named === null ? null : new Set(named.map(({ rule }) => rule.id)),
    limit: Math.min(limit, LISTED_MAX),
    telling,
  });
  const { state } = await decider.freeze.read(given.organization);
  const toldPaths = new Set(pathsReadBy(lists.flat().filter(({ rule }) => telling.isTold(rule))));
  const reading =
    reads.length > 0
      ? { isFirst: true, told: reads.filter((path) => toldPaths.has(path)) }
      : { isFirst: walked.boardRead !== null, told: walked.boardRead ?? [] };
  return {
    ...concluded(walked, reading, state, telling),
    rules: await explained(decider, input, walked.listed, telling),
    omitted: walked.omitted,
  };
}

async function namedRules(
  drafts: Drafts,
  ids: readonly StoredRule['id'][],
  draft: Candidate | null,
): Promise<readonly Candidate[]> {
  const stored = await drafts.stored(ids.filter((id) => id !== draft?.rule.id));
  return draft !== null && ids.includes(draft.rule.id) ? [...stored, draft] : stored;
}

/** @param input  of the CPE whose pinned rules these are; null for the fleet's */
function withDraft(
  candidates: readonly Candidate[],
  draft: Candidate | null,
  input: DecisionInput | null,
): readonly Candidate[] {
  if (draft === null) return candidates;
  const others = candidates.filter(({ rule }) => rule.id !== draft.rule.id);
  const belongs = input === null ? draft.rule.pin === undefined : isPinnedTo(draft.rule, input.context);
  return belongs ? [...others, draft] : others;
}

/** Named rules that are pinned to another CPE are no candidates, but someone asks about them. */
function alongWith(
  candidates: readonly Candidate[],
  named: readonly Candidate[] | null,
): readonly Candidate[] {
  if (named === null) return candidates;
  const there = new Set(candidates.map(({ rule }) => rule.id));
  return [...candidates, ...named.filter(({ rule }) => !there.has(rule.id))].sort(inOrder);
}

interface Scope {
  /** Those that a decision considers. */
  readonly considered: ReadonlySet<string>;
  /** Those of them whose conditions a decision evaluates: of the others it knows without that they are not true. */
  readonly selected: ReadonlySet<string>;
  /** Null where all may be. */
  readonly listed: ReadonlySet<string> | null;
  readonly limit: number;
  readonly telling: Telling;
}

async function walk(
  decider: Decider,
  input: DecisionInput,
  candidates: readonly Candidate[],
  scope: Scope,
): Promise<Walk> {
  const { telling } = scope;
  const listing = beginListing(scope.limit);
  // Up to the winner a decision does the same; what comes after must not use up its budget.
  const decisive = beginEvaluation(input, decider);
  const idle = beginEvaluation(input, decider);
  let winner: Winner | null = null;
  let second: StoredRule | null = null;
  let beaten = 0;
  let stopped: Looked | null = null;
  let isUntoldBeaten = false;
  let isUntoldStopped = false;
  let boardRead: readonly string[] | null = null;
  for (const candidate of candidates) {
    const pause = decider.pauses.due();
    if (pause !== null) await pause;
    const { rule } = candidate;
    const isTold = telling.isTold(rule);
    const isConsidered = scope.considered.has(rule.id);
    const isSelected = scope.selected.has(rule.id);
    const evaluation = winner === null && isConsidered && isSelected ? decisive : idle;
    const found = await outcomeOf(decider, input, evaluation, candidate, isSelected);
    if ('read' in found && isConsidered && winner === null) boardRead ??= isTold ? found.read : [];
    const outcome = 'read' in found ? boardNotKnown(found) : found;
    let looked: Looked;
    if ('verdict' in outcome) {
      looked = { candidate, ...outcome };
      if (isConsidered && !NOT_HELD.has(outcome.verdict)) {
        if (isTold) stopped ??= looked;
        else isUntoldStopped = true;
      }
    } else if (!isConsidered) {
      looked = { candidate, verdict: 'lower-priority', detail: 'too many rules are for this one CPE' };
    } else if (winner === null) {
      winner = { rule, passed: outcome };
      looked = { candidate, ...(outcome.atTarget ? atTarget(outcome) : { verdict: 'chosen' as const }) };
    } else {
      if (isTold) {
        second ??= rule;
        beaten += 1;
      } else isUntoldBeaten = true;
      looked = { candidate, verdict: 'lower-priority', detail: beatenBy(winner, rule, telling) };
    }
    if (scope.listed?.has(rule.id) === false) continue;
    // That others' conditions hold shows in what becomes of the CPE; which ones there are beside is not told.
    if (isTold || !NOT_HELD.has(looked.verdict)) listing.add(looked, isTold);
  }
  return { winner, second, beaten, stopped, isUntoldBeaten, isUntoldStopped, boardRead, ...listing.end() };
}

async function outcomeOf(
  decider: Decider,
  input: DecisionInput,
  evaluation: Evaluation,
  candidate: Candidate,
  isSelected: boolean,
): Promise<Refusal | BoardUnread | Passed> {
  const off = switchGate(candidate.rule, input.requested);
  if (off !== null) return off;
  const unmet = isSelected
    ? evaluation.unmet(candidate.condition)
    : await evaluation.unmetOfAll(candidate.condition);
  return unmet === null ? consider(decider, input, evaluation, candidate) : refusalOf(unmet);
}

function atTarget({ targetVersion }: Passed): Refusal {
  return { verdict: 'at-target', detail: `it runs ${targetVersion} already` };
}

function beatenBy({ rule, passed }: Winner, other: StoredRule, telling: Telling): string {
  const why = telling.isTold(rule) ? `: ${precedence(rule, other)}` : '';
  const before = `${telling.name(rule)} goes before it${why}`;
  return passed.atTarget ? `${before}; once that is recorded as done, this one is considered` : before;
}

/** Why the first goes before the second: the law of `inOrder` in words. */
function precedence(first: StoredRule, second: StoredRule): string {
  if (first.priority !== second.priority) return `priority ${first.priority} > ${second.priority}`;
  if (first.createdAtMs !== second.createdAtMs) {
    return `the same priority, but older (${timeOf(first.createdAtMs)}, the other ${timeOf(second.createdAtMs)})`;
  }
  return 'the same priority and age, but its id sorts first';
}

function timeOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

interface Listing {
  /** @param isCounted  among those that are left out */
  add(looked: Looked, isCounted: boolean): void;
  end(): Pick<Walk, 'listed' | 'omitted'>;
}

/** Keeps the telling ones rather than the others where there are too many, in the order they came. */
function beginListing(limit: number): Listing {
  interface Listed extends Looked {
    readonly order: number;
    readonly isCounted: boolean;
  }
  const telling: Listed[] = [];
  const ordinary: Listed[] = [];
  let order = 0;
  let counted = 0;
  return {
    add(looked, isCounted) {
      order += 1;
      if (isCounted) counted += 1;
      const list = ORDINARY.has(looked.verdict) ? ordinary : telling;
      // Whoever won is listed, however many came before.
      if (list.length >= limit && looked.verdict === 'chosen') list.pop();
      if (list.length < limit) list.push({ ...looked, order, isCounted });
    },
    end() {
      const kept = [...telling, ...ordinary.slice(0, limit - telling.length)];
      const omitted = counted - kept.filter(({ isCounted }) => isCounted).length;
      return { listed: kept.sort((left, right) => left.order - right.order), omitted };
    },
  };
}

/** What the CPE would be asked for. */
interface ReadFirst {
  readonly isFirst: boolean;
  /** As far as it is told. */
  readonly told: readonly string[];
}

function concluded(
  walked: Walk,
  { isFirst, told: reads }: ReadFirst,
  freeze: FreezeState,
  telling: Telling,
): Pick<DecisionExplanation, 'kind' | 'winner' | 'reason' | 'reads'> {
  const { kind, winner } = withoutReading(walked.winner, freeze);
  const reason = reasonOf(kind, walked, freeze, telling);
  if (!isFirst)
    return { kind, ...(winner !== undefined && telling.isTold(winner) && { winner: winner.id }), reason };
  const names = reads.slice(0, NAMES_SHOWN_MAX).join(', ') || 'what rules of the installation read';
  const more = reads.length > NAMES_SHOWN_MAX ? ` and ${reads.length - NAMES_SHOWN_MAX} more` : '';
  return {
    kind: 'read',
    reason: `The CPE would first be asked for ${names}${more}, then the rules are looked at. With what is known now: ${reason}`,
    reads,
  };
}

function withoutReading(
  winner: Winner | null,
  freeze: FreezeState,
): { readonly kind: 'nothing' | 'at-target' | 'frozen' | 'upgrade'; readonly winner?: StoredRule } {
  if (winner === null) return { kind: 'nothing' };
  if (winner.passed.atTarget) return { kind: 'at-target', winner: winner.rule };
  return freeze.frozen ? { kind: 'frozen' } : { kind: 'upgrade', winner: winner.rule };
}

function reasonOf(
  kind: ReturnType<typeof withoutReading>['kind'],
  { winner, second, beaten, stopped, isUntoldBeaten, isUntoldStopped }: Walk,
  { by, reason, sinceMs }: FreezeState,
  telling: Telling,
): string {
  if (winner === null) {
    if (stopped !== null) {
      const detail = stopped.detail === undefined ? '' : ` (${stopped.detail})`;
      return `No rule may upgrade it now. The condition of ${telling.name(stopped.candidate.rule)} holds, but it is stopped: ${stopped.verdict}${detail}.`;
    }
    return isUntoldStopped
      ? 'No rule may upgrade it now.'
      : 'No rule that is switched on has a condition that holds for this CPE.';
  }
  const name = telling.name(winner.rule);
  const id = capitalized(name);
  if (kind === 'at-target') {
    return `${id} is for this one CPE, which runs ${winner.passed.targetVersion} already: that is recorded, nothing is sent, and the other rules are looked at anew.`;
  }
  if (kind === 'frozen') {
    const since = sinceMs === undefined ? '' : ` since ${timeOf(sinceMs)}`;
    return `Upgrades are frozen${since}${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : ` (${reason})`}; else ${name} would upgrade it.`;
  }
  if (!telling.isTold(winner.rule)) return `${id} goes first.`;
  if (second === null)
    return isUntoldBeaten ? `${id} goes first.` : `${id} is the only rule that may upgrade it now.`;
  const more = beaten > 1 ? `, and before ${beaten - 1} more` : '';
  return `${id} goes before ${telling.name(second)}${more}: ${precedence(winner.rule, second)}.`;
}

/** Puts the findings beside the rules that are listed, within one more budget. */
async function explained(
  decider: Decider,
  input: DecisionInput,
  listed: readonly Looked[],
  telling: Telling,
): Promise<readonly RuleExplanation[]> {
  const { compiler } = decider;
  const evaluation = beginEvaluation(input, decider);
  const plain: object = Object.assign(Object.create(null), input.context);
  const context = async (withParameters: boolean): Promise<object> =>
    withParameters
      ? Object.assign(Object.create(null), plain, { parameters: await input.readParameters() })
      : plain;
  const rules: RuleExplanation[] = [];
  for (const { candidate, verdict, detail } of listed) {
    const pause = decider.pauses.due();
    if (pause !== null) await pause;
    const { rule, condition } = candidate;
    if (!telling.isTold(rule)) {
      rules.push({ ruleId: rule.id, verdict, priority: rule.priority, conjuncts: [] });
      continue;
    }
    const warning = warningOf(rule, compiler);
    const findings = await findingsOf(
      rule.condition,
      condition,
      { compiler, evaluation, context },
      verdict === 'condition-error' ? { verdict, ...(detail === undefined ? {} : { detail }) } : null,
    );
    rules.push({
      ruleId: rule.id,
      verdict,
      ...(detail === undefined ? {} : { detail }),
      priority: rule.priority,
      conjuncts: withoutNamesake(findings, verdict, detail),
      ...(warning === null ? {} : { warning }),
    });
  }
  return rules;
}
