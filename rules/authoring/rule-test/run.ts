import type { CountKey, RuleId } from '../../../common/index.js';
import {
  type Decision,
  type DecisionInput,
  type FileSigning,
  type ImageFacts,
  NO_COUNT,
  type RuleCount,
  type RuleExplanation,
  type Rules,
} from '../../vocabulary/index.js';
import type { Expectation, RuleTestCase } from './test-file.js';

/** Most rules told of a failed case: those that tell something go before the others. */
const RULES_TOLD_MAX = 20;

/** Rules to be tested, and the way to say which images there are while they decide. */
export interface RulesUnderTest {
  readonly rules: Pick<Rules, 'get' | 'decide' | 'explain' | 'countKey'>;
  /** What the engine's `resolveFile` answers from: see {@link imagesOf}. */
  useImages(images: RuleTestCase['images']): void;
}

/** What was decided, in the words of an expectation. */
export interface Outcome {
  readonly decision: Expectation['decision'];
  readonly rule?: string;
  readonly target?: string;
}

export interface CaseResult {
  readonly passed: boolean;
  readonly outcome: Outcome;
  /** What differs, a sentence each; empty where it passed. */
  readonly differences: readonly string[];
  /** Why: what became of the rules; empty where it passed. */
  readonly rules: readonly RuleExplanation[];
  /** How many more rules there are. */
  readonly omitted: number;
}

/**
 * Decides one case as a session would, and compares. Nothing is stored.
 * @param cpe  its counts are those of the case
 */
export async function runCase(
  { rules, useImages }: RulesUnderTest,
  test: RuleTestCase,
  cpe: DecisionInput,
): Promise<CaseResult> {
  useImages(test.images);
  const differences: string[] = [];
  const input = { ...cpe, counts: await countsOf(rules, test, differences) };
  const outcome = outcomeOf(await rules.decide(input));
  differences.push(...differencesOf(test.expect, outcome));
  differences.push(...(await verdictDifferences(rules, test.expect.verdicts ?? {}, input)));
  if (differences.length === 0) return { passed: true, outcome, differences, rules: [], omitted: 0 };
  const { rules: told, omitted } = await rules.explain(input, { limit: RULES_TOLD_MAX });
  return { passed: false, outcome, differences, rules: told, omitted };
}

async function countsOf(
  rules: Pick<Rules, 'get' | 'countKey'>,
  test: RuleTestCase,
  differences: string[],
): Promise<DecisionInput['counts']> {
  const counts: Record<CountKey, RuleCount> = {};
  for (const [id, { lastEnded, ...count }] of Object.entries(test.counts ?? {})) {
    const found = await rules.get(id as RuleId);
    if (found === null) {
      differences.push(`counts names a rule that there is not: ${JSON.stringify(id)}`);
      continue;
    }
    const ended = lastEnded === undefined ? {} : { lastEndedMs: Date.parse(lastEnded) };
    counts[rules.countKey(found.rule)] = { ...NO_COUNT, ...count, ...ended };
  }
  return counts;
}

/** A decision passes over the rules that cannot be true without a word; what became of these an explanation tells. */
async function verdictDifferences(
  rules: Pick<Rules, 'get' | 'explain'>,
  verdicts: NonNullable<Expectation['verdicts']>,
  input: DecisionInput,
): Promise<readonly string[]> {
  const differences: string[] = [];
  const ids: RuleId[] = [];
  for (const id of Object.keys(verdicts) as RuleId[]) {
    if ((await rules.get(id)) !== null) ids.push(id);
    else differences.push(`verdicts names a rule that there is not: ${JSON.stringify(id)}`);
  }
  if (ids.length === 0) return differences;
  const explained = await rules.explain(input, { ids });
  for (const { ruleId, verdict } of explained.rules) {
    const expected = verdicts[ruleId];
    if (verdict !== expected) {
      differences.push(`expected ${JSON.stringify(ruleId)} to be ${expected}, it is ${verdict}`);
    }
  }
  return differences;
}

/**
 * What a rule's `file` is in a case: an image that the case does not name is there, and nothing is known of it; so is a URL.
 */
export function imagesOf(images: RuleTestCase['images'], file: string): ImageFacts | null {
  return images !== undefined && Object.hasOwn(images, file) ? (images[file] ?? null) : {};
}

/** Whether it is signed in a case: an image is unless the case says otherwise, a file elsewhere never. */
export function signingIn(images: RuleTestCase['images'], file: string): FileSigning {
  if (file.includes('://')) return { isSigned: false, detail: 'the file is not in the library' };
  const named = images !== undefined && Object.hasOwn(images, file) ? images[file] : undefined;
  if (named?.signed === false) return { isSigned: false, detail: 'the image has no signature' };
  return { isSigned: true, unchanged: [] };
}

function outcomeOf(decision: Decision): Outcome {
  switch (decision.kind) {
    case 'upgrade':
    case 'at-target': {
      const { kind, rule, targetVersion } = decision;
      return {
        decision: kind,
        rule: rule.id,
        ...(targetVersion !== null && { target: targetVersion }),
      };
    }
    case 'nothing':
    // None of them comes of a store of its own, of a CPE that has nothing unread, and of rules that authors wrote.
    case 'frozen':
    case 'read':
    case 'unfit':
      return { decision: 'nothing' };
    default: {
      const never: never = decision;
      throw new Error(`Unknown decision ${String(never)}`);
    }
  }
}

function* differencesOf(expected: Expectation, outcome: Outcome): Generator<string> {
  if (expected.decision !== outcome.decision) {
    yield `expected ${expected.decision}, decided ${outcomeText(outcome)}`;
  } else if (expected.rule !== undefined && expected.rule !== outcome.rule) {
    yield `expected rule ${JSON.stringify(expected.rule)}, decided ${outcomeText(outcome)}`;
  } else if (expected.target !== undefined && expected.target !== outcome.target) {
    const found = outcome.target === undefined ? 'none is known' : JSON.stringify(outcome.target);
    yield `expected target ${JSON.stringify(expected.target)}, found ${found}`;
  }
}

function outcomeText({ decision, rule, target }: Outcome): string {
  if (rule === undefined) return decision;
  return `${decision} by ${JSON.stringify(rule)}${target === undefined ? '' : ` to ${JSON.stringify(target)}`}`;
}
