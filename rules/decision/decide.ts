import { type CountKey, type CpeId, runsTarget } from '../../common/index.js';
import type { Change } from '../../store/index.js';
import { countKeyOf, findSlot, type OneAddress, type Slot } from '../campaign/index.js';
import type { ConditionCompiler } from '../condition/index.js';
import {
  type Candidate,
  type Fleet,
  type FleetRules,
  mergeInOrder,
  PARAMETERS_READ_MAX,
  type RuleSelection,
} from '../fleet/index.js';
import type { Freeze, Tables } from '../storage/index.js';
import {
  type Decision,
  type DecisionInput,
  type ImageFacts,
  NO_COUNT,
  type ParameterTree,
  type ResolveFile,
  type RuleCount,
  type StoredRule,
  type Subtrees,
} from '../vocabulary/index.js';
import type { WindowClock } from '../windows/index.js';
import { type BoardParameter, type BoardUnread, boardNotKnown, fitOf, withBoard } from './board.js';
import { beginExplanation, CONSIDERED_MAX, type Explanation } from './considered.js';
import { beginEvaluation, type Evaluation, type EvaluationMeans } from './evaluation.js';
import {
  executionsGate,
  organizationGate,
  type Refusal,
  retryGate,
  switchGate,
  targetOf,
  timeGate,
} from './gates.js';
import { ownerGate } from './owner-gate.js';
import { candidatesPinnedTo, type Pinned, pinnedBeside } from './pinned.js';
import { type SerialNumberMeans, serialNumberGate } from './serial-number.js';
import { type SignatureMeans, signingFor } from './signed.js';

/** What a decision is made with. */
export interface Decider extends EvaluationMeans, SerialNumberMeans {
  readonly tables: Tables;
  readonly compiler: ConditionCompiler;
  readonly fleet: Fleet;
  readonly freeze: Freeze;
  readonly windows: WindowClock;
  readonly resolveFile: ResolveFile;
  /** Where CPEs tell their board; null: only where their model or product class is one. */
  readonly board: BoardParameter | null;
  readonly signatures: SignatureMeans;
  /** Whether an address stands for so many CPEs that none of a rule's places are kept from it. */
  readonly isSharedAddress: (address: string) => Promise<boolean>;
  /** Told where CPEs of one address have most of a limit's places and few are left. */
  readonly onOneAddress: (rule: StoredRule, oneAddress: OneAddress, isHeldBack: boolean) => void;
  /** Whether what must be remembered of an address that is held back is stored. */
  readonly notesHeld: boolean;
  /** Told where a CPE was to have an image that is not there. */
  readonly onImageMissing: (rule: StoredRule, cpeid: CpeId, detail: string) => void;
  /** What only time holds back passes: a window, the wait after a failure, a time to come, the emergency brake. */
  readonly looksAhead?: boolean;
}

/** Finds the first rule, in order of priority, that may upgrade this CPE now. */
export async function decide(decider: Decider, asked: DecisionInput): Promise<Decision> {
  const pause = decider.pauses.due();
  if (pause !== null) await pause;
  // Where nobody asks for the verdict on one rule, those that are done with this CPE are as good as not there.
  const wanted: Pinned = asked.about === undefined ? { ...asked, isDone: isDoneWith(asked) } : asked;
  const { pinned, rules } = await pinnedBeside(decider, wanted, rulesFor(decider, asked));
  const fleet = rules.of(asked.organization);
  // No rule may concern this CPE: so it is in most sessions.
  if (pinned.length === 0 && fleet.size === 0) return { kind: 'nothing', considered: [] };
  const paths = parametersOf(pinned, fleet);
  const names = paths.length === 0 ? [] : await asked.unread(paths);
  if (names.length > 0) return { kind: 'read', names };
  const looked = subtreesOf(pinned, fleet.parameterSubtrees());
  const input = readingOnce(asked, withBoard(decider.board, looked));
  const selected = await selectFrom(fleet, input);
  if (pinned.length === 0 && selected.length === 0) return { kind: 'nothing', considered: [] };
  const evaluation = beginEvaluation(input, decider);
  const explanation = beginExplanation(input.about);
  const candidates = mergeInOrder(pinned, selected);
  for (const candidate of candidates) {
    const { rule } = candidate;
    if (asked.passedOver?.has(rule.id)) continue;
    const off = switchGate(rule, input.requested);
    if (off !== null) {
      explanation.add(rule.id, off);
      continue;
    }
    const outcome = await consider(decider, input, evaluation, candidate, 'last');
    if ('read' in outcome) {
      if (input.about === undefined || input.about === rule.id) return { kind: 'read', names: outcome.read };
      explanation.add(rule.id, boardNotKnown(outcome));
      continue;
    }
    if ('verdict' in outcome) {
      explanation.add(rule.id, outcome);
      const unfit = await unfitFor(decider, candidate, outcome, input);
      if (unfit !== null) return { ...unfit, considered: explanation.list() };
      continue;
    }
    const { countKey, targetVersion, isTargetRead, imageSha256, atTarget, slot } = outcome;
    if (atTarget && targetVersion !== null) {
      explanation.add(rule.id, { verdict: 'at-target', detail: `it runs ${targetVersion} already` });
      const conditions = [decider.tables.rules.requiring(rule.id, candidate.revision), ...outcome.unchanged];
      const considered = explanation.list();
      return { kind: 'at-target', rule, countKey, targetVersion, isTargetRead, conditions, considered };
    }
    // The brake is looked at last, as most decisions come to nothing; the commit refuses if it is pulled after this.
    const brake = await decider.freeze.read(input.organization);
    if (brake.state.frozen && decider.looksAhead !== true) return { kind: 'frozen' };
    explanation.add(rule.id, { verdict: 'chosen' });
    explainRest(explanation, candidates);
    return {
      kind: 'upgrade',
      rule,
      countKey,
      targetVersion,
      isTargetRead,
      ...(imageSha256 !== undefined && { imageSha256 }),
      conditions: [
        decider.tables.rules.requiring(rule.id, candidate.revision),
        ...brake.unchanged,
        ...outcome.unchanged,
        ...slot.changes,
      ],
      share: slot.share,
      ...(slot.addressBucket !== undefined && { addressBucket: slot.addressBucket }),
      considered: explanation.list(),
    };
  }
  return { kind: 'nothing', considered: explanation.list() };
}

/**
 * A batch's rules, one for each of its CPEs, stay stored until it ends, though most of its CPEs are done by then: they are left out before
 * anything is made of them, so that a session costs what it costs without.
 */
function isDoneWith({ counts }: DecisionInput): (rule: StoredRule) => boolean {
  return (rule) =>
    rule.owner !== undefined && executionsGate(rule, counts[countKeyOf(rule)] ?? NO_COUNT) !== null;
}

/**
 * What is told to the owner of a rule of which a CPE will get nothing: of one that is pinned, as somebody waits for its one CPE; and where a
 * serial number stands for several, whoever it is. Null where nobody waits for that.
 */
async function unfitFor(
  { tables }: Decider,
  { rule, revision }: Candidate,
  { verdict, detail = verdict, isProvisional }: Refusal,
  { about }: DecisionInput,
): Promise<Omit<Extract<Decision, { kind: 'unfit' }>, 'considered'> | null> {
  if (rule.owner === undefined || about !== undefined) return null;
  if (verdict !== 'ambiguous-serial') {
    if (rule.pin === undefined) return null;
    if (verdict !== 'image-does-not-fit' && verdict !== 'image-missing') return null;
  }
  // The CPE may tell its board yet.
  if (isProvisional) return null;
  // It was open when the rule came to be held against its image.
  const owner = await ownerGate(tables, rule);
  if ('verdict' in owner) return null;
  const conditions = [tables.rules.requiring(rule.id, revision), ...owner.unchanged];
  return { kind: 'unfit', rule, countKey: countKeyOf(rule), verdict, detail, conditions };
}

function rulesFor({ fleet }: Decider, { afresh }: DecisionInput): Promise<FleetRules> {
  return afresh === true ? fleet.latest() : fleet.current();
}

/** The fleet rules that may be true for this CPE; its data model is read only where they cannot be told without. */
export async function selectFrom(
  fleet: RuleSelection,
  { context, readParameters }: DecisionInput,
): Promise<readonly Candidate[]> {
  return fleet.select(context, null) ?? fleet.select(context, await readParameters()) ?? [];
}

/** The parameter paths that the conditions of enabled rules name which may concern this CPE, and those of its board. */
export async function parametersNamed(
  decider: Decider,
  context: Pinned['context'],
  organization: string | undefined,
): Promise<readonly string[]> {
  const about = { context, ...(organization !== undefined && { organization }) };
  const pinned = await candidatesPinnedTo(decider, about);
  const ofRules = parametersOf(pinned, (await decider.fleet.current()).of(organization));
  return [...(decider.board?.paths ?? []), ...ofRules];
}

/** What the conditions of enabled rules read of the data model. */
function parametersOf(pinned: readonly Candidate[], fleet: RuleSelection): readonly string[] {
  const ofPinned = pathsReadBy(pinned);
  const ofFleet = fleet.parameterPaths();
  if (ofPinned.length === 0) return ofFleet;
  return [...new Set([...ofPinned, ...ofFleet])].slice(0, PARAMETERS_READ_MAX);
}

export function pathsReadBy(candidates: readonly Candidate[]): readonly string[] {
  return candidates.flatMap(({ rule, condition }) =>
    rule.enabled && typeof condition !== 'string' ? condition.parameterPaths : [],
  );
}

/** What these, and whoever looks at `others`, look at of the data model. */
export function subtreesOf(candidates: readonly Candidate[], others: Subtrees = []): Subtrees {
  if (candidates.length === 0 || others === null) return others;
  const subtrees = new Set(others);
  for (const { condition } of candidates) {
    if (typeof condition === 'string') continue;
    if (condition.parameterSubtrees === null) return null;
    for (const subtree of condition.parameterSubtrees) subtrees.add(subtree);
  }
  return [...subtrees];
}

/** Index, conditions and whatever else looks at the data model share one reading, of what all of them look at. */
export function readingOnce<Input extends Pick<DecisionInput, 'readParameters'>>(
  input: Input,
  subtrees: Subtrees,
): Input {
  let parameters: Promise<ParameterTree> | null = null;
  return {
    ...input,
    readParameters: () => {
      parameters ??= input.readParameters(subtrees);
      return parameters;
    },
  };
}

/** A rule that passed every gate. */
export interface Passed {
  readonly countKey: CountKey;
  readonly targetVersion: string | null;
  readonly isTargetRead: boolean;
  readonly imageSha256: string | undefined;
  /** It is pinned, and its CPE runs the target already. */
  readonly atTarget: boolean;
  readonly slot: FreeSlot;
  /** What it rests on beside the rule. */
  readonly unchanged: readonly Change[];
}

type FreeSlot = Extract<Slot, { kind: 'free' }>;

/**
 * Takes one rule through the gates, the cheap ones first; whoever stops it says why. The last may need to know more of the CPE.
 * @param namesakes  when others of its serial number are looked for: before it is asked what the rule waits for, as whoever wants to know what
 *   a condition matches does; or after, so that nothing is looked for in every session of a CPE that is done, or waits
 */
export async function consider(
  decider: Decider,
  input: DecisionInput,
  evaluation: Evaluation,
  { rule, condition }: Candidate,
  namesakes: 'first' | 'last' = 'first',
): Promise<Refusal | BoardUnread | Passed> {
  const { context } = input;
  const foreign = organizationGate(rule, input.organization);
  if (foreign !== null) return foreign;
  const refusal = await evaluation.conditionGate(condition, rule);
  if (refusal !== null) return refusal;
  const shared = () => serialNumberGate(decider, { rule, condition }, input);
  const sharedFirst = namesakes === 'first' ? await shared() : null;
  if (sharedFirst !== null) return sharedFirst;
  const countKey = countKeyOf(rule);
  const count = input.counts[countKey] ?? NO_COUNT;
  const notYet = executionsGate(rule, count) ?? notNow(decider, rule, count, context.now);
  if (notYet !== null) return notYet;
  const sharedLast = namesakes === 'last' ? await shared() : null;
  if (sharedLast !== null) return sharedLast;
  const owner = await ownerGate(decider.tables, rule);
  if ('verdict' in owner) return owner;
  const slot = await slotFor(decider, rule, countKey, context);
  if (slot.kind === 'none') return { verdict: 'limit-reached', detail: slot.reached };
  const image = await decider.resolveFile(rule.file, rule.organization);
  if (image === null) {
    const detail = `no image ${JSON.stringify(rule.file)} in the library`;
    decider.onImageMissing(rule, context.cpeid, detail);
    return { verdict: 'image-missing', detail };
  }
  const unfit = await fitOf(decider.board, image, input);
  if (unfit !== null) return unfit;
  const signing = await signingFor(decider.signatures, rule);
  if ('verdict' in signing) return signing;
  return passed(input, {
    rule,
    image,
    countKey,
    slot,
    unchanged: [...owner.unchanged, ...signing.unchanged],
  });
}

function notNow(decider: Decider, rule: StoredRule, count: RuleCount, nowMs: number): Refusal | null {
  const outside = timeGate(rule, nowMs);
  if (decider.looksAhead === true) return outside?.verdict === 'too-late' ? outside : null;
  return retryGate(rule, count, nowMs) ?? outside ?? windowGate(decider, rule, nowMs);
}

async function slotFor(
  decider: Decider,
  rule: StoredRule,
  countKey: CountKey,
  { cpeid, ip, identity, now }: DecisionInput['context'],
): Promise<Slot> {
  const { tables, isSharedAddress } = decider;
  const asking = { cpeid, ip, isProven: identity.proven, nowMs: now, isSharedAddress };
  const slot = await findSlot(tables, rule, countKey, asking);
  if (slot.oneAddress !== undefined) decider.onOneAddress(rule, slot.oneAddress, slot.kind === 'none');
  if (slot.kind === 'none' && slot.noting !== undefined && decider.notesHeld) {
    // Where something else has moved the campaign meanwhile, the next of these CPEs notes it.
    await tables.campaigns.replace(slot.noting.campaign, slot.noting.revision);
  }
  return slot;
}

function passed(
  { context }: DecisionInput,
  {
    rule,
    image,
    countKey,
    slot,
    unchanged,
  }: Pick<Passed, 'countKey' | 'slot' | 'unchanged'> & {
    readonly rule: Candidate['rule'];
    readonly image: ImageFacts;
  },
): Refusal | Passed {
  const target = targetOf(rule, image);
  const { softwareVersion } = context;
  const isThere = target !== null && softwareVersion !== undefined && runsTarget(softwareVersion, target);
  const atTarget = isThere && rule.force !== true;
  const targetVersion = target?.version ?? null;
  // Of a pinned rule someone waits for the result; a fleet rule merely has nothing to do here.
  if (atTarget && rule.pin === undefined) {
    return { verdict: 'at-target', detail: `it runs ${targetVersion} already` };
  }
  const isTargetRead = target?.isRead ?? false;
  return { countKey, targetVersion, isTargetRead, imageSha256: image.sha256, atTarget, slot, unchanged };
}

export function windowGate(decider: Decider, { window }: Candidate['rule'], nowMs: number): Refusal | null {
  if (window === undefined || decider.windows.isOpen(window, nowMs)) return null;
  const { cron, timezone, durationMinutes } = window;
  return { verdict: 'window-closed', detail: `${cron} ${timezone} for ${durationMinutes} min` };
}

/** What comes after the winner was not looked at; its beginning is listed so that nobody misses a rule. */
function explainRest(explanation: Explanation, rest: Iterable<Candidate>): void {
  let listed = 0;
  for (const { rule } of rest) {
    if (listed++ >= CONSIDERED_MAX) return;
    explanation.add(rule.id, rule.enabled ? { verdict: 'lower-priority' } : { verdict: 'disabled' });
  }
}
