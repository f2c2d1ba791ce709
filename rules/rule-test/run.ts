import type { CountKey, RuleId } from '../../common/index.js';
import {
  type Considered,
  type Context,
  type Decision,
  type ImageFacts,
  NO_COUNT,
  type ParameterTree,
  type RuleCount,
  type Rules,
} from '../rule.js';
import type { Expectation, RuleTestCase } from './test-file.js';

/** Rules to be tested, and the way to say which images there are while they decide. */
export interface RulesUnderTest {
  readonly rules: Pick<Rules, 'get' | 'decide' | 'countKey'>;
  /** What the engine's `resolveFile` answers from: see {@link imagesOf}. */
  useImages(images: RuleTestCase['images']): void;
}

export interface DescribedCpe {
  readonly context: Omit<Context, 'parameters'>;
  readonly parameters: ParameterTree;
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
  /** Why: what became of each rule. */
  readonly considered: readonly Considered[];
}

/** Decides one case as a session would, and compares. Nothing is stored. */
export async function runCase(
  { rules, useImages }: RulesUnderTest,
  test: RuleTestCase,
  { context, parameters }: DescribedCpe,
): Promise<CaseResult> {
  useImages(test.images);
  const counts: Record<CountKey, RuleCount> = {};
  const differences: string[] = [];
  for (const [id, { lastEnded, ...count }] of Object.entries(test.counts ?? {})) {
    const found = await rules.get(id as RuleId);
    if (found === null) {
      differences.push(`counts names a rule that there is not: ${JSON.stringify(id)}`);
      continue;
    }
    const ended = lastEnded === undefined ? {} : { lastEndedMs: Date.parse(lastEnded) };
    counts[rules.countKey(found.rule)] = { ...NO_COUNT, ...count, ...ended };
  }
  const decision = await rules.decide({
    context,
    readParameters: async () => parameters,
    // All that is known of the CPE is in the case; what is not stays missing.
    unread: async () => [],
    counts,
    requested: test.requested ?? false,
  });
  const outcome = outcomeOf(decision);
  const considered = 'considered' in decision ? decision.considered : [];
  differences.push(...differencesOf(test.expect, outcome, considered));
  return { passed: differences.length === 0, outcome, differences, considered };
}

/**
 * What a rule's `file` is in a case: an image that the case does not name is there, and nothing is known of it; so is a URL.
 */
export function imagesOf(images: RuleTestCase['images'], file: string): ImageFacts | null {
  return images !== undefined && Object.hasOwn(images, file) ? (images[file] ?? null) : {};
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
    // Neither comes of a store of its own and of a CPE that has nothing unread.
    case 'frozen':
    case 'read':
      return { decision: 'nothing' };
    default: {
      const never: never = decision;
      throw new Error(`Unknown decision ${String(never)}`);
    }
  }
}

function* differencesOf(
  expected: Expectation,
  outcome: Outcome,
  considered: readonly Considered[],
): Generator<string> {
  if (expected.decision !== outcome.decision) {
    yield `expected ${expected.decision}, decided ${outcomeText(outcome)}`;
  } else if (expected.rule !== undefined && expected.rule !== outcome.rule) {
    yield `expected rule ${JSON.stringify(expected.rule)}, decided ${outcomeText(outcome)}`;
  } else if (expected.target !== undefined && expected.target !== outcome.target) {
    const found = outcome.target === undefined ? 'none is known' : JSON.stringify(outcome.target);
    yield `expected target ${JSON.stringify(expected.target)}, found ${found}`;
  }
  for (const [id, verdict] of Object.entries(expected.verdicts ?? {})) {
    const found = considered.find(({ ruleId }) => ruleId === id)?.verdict ?? 'not considered';
    if (found !== verdict) yield `expected ${JSON.stringify(id)} to be ${verdict}, it is ${found}`;
  }
}

function outcomeText({ decision, rule, target }: Outcome): string {
  if (rule === undefined) return decision;
  return `${decision} by ${JSON.stringify(rule)}${target === undefined ? '' : ` to ${JSON.stringify(target)}`}`;
}
