import { countKeyOf, stoppedBy } from '../campaign/index.js';
import { type ConditionCompiler, hasStars } from '../condition/index.js';
import {
  type Condition,
  type Pauses,
  type RuleFindings,
  type RuleWarning,
  readingOf,
  type StoredRule,
} from '../vocabulary/index.js';
import type { RuleErrorLog } from './rule-errors.js';
import type { Tables } from './tables.js';

/** What is to be said of a condition that would not be taken today; null where it would. */
export function warningOf(
  { condition }: Pick<StoredRule, 'condition'>,
  compiler: ConditionCompiler,
): RuleWarning | null {
  const [first] = compiler.refusals(condition);
  if (first === undefined) return null;
  const { code, message, character } = first;
  return { code, message: `${message} (column ${character + 1})` };
}

const READ_BY_EQUALITY: RuleWarning = {
  code: 'read-by-equality',
  message:
    'it was stored before a * was a pattern, and is read as it was then: each * is itself; post the rule again for patterns, or write \\* for a star',
};

/** See {@link Rules.withFindings}. */
export async function* withFindings(
  rules: AsyncIterable<StoredRule>,
  {
    errors,
    compiler,
    pauses,
    tables,
    unknownFieldIn,
  }: {
    readonly errors: RuleErrorLog;
    readonly compiler: ConditionCompiler;
    readonly pauses: Pauses;
    readonly tables: Pick<Tables, 'campaigns'>;
    /** What a condition names that no CPE has, in words. */
    readonly unknownFieldIn: (condition: Condition) => string | null;
  },
): AsyncGenerator<RuleFindings> {
  for await (const [rule, lastError] of errors.join(rules)) {
    const pause = pauses.due();
    if (pause !== null) await pause;
    yield {
      rule,
      lastError,
      stopped: await stoppedNow(rule, tables),
      warning:
        warningOf(rule, compiler) ?? readingWarningOf(rule) ?? unknownWarning(unknownFieldIn(rule.condition)),
    };
  }
}

async function stoppedNow(
  rule: StoredRule,
  { campaigns }: Pick<Tables, 'campaigns'>,
): Promise<string | null> {
  // Of most rules nothing more need be read.
  if (rule.limits?.stopAfterFailures === undefined) return null;
  return stoppedBy(rule.limits, (await campaigns.get(countKeyOf(rule)))?.document ?? null);
}

function unknownWarning(message: string | null): RuleWarning | null {
  return message === null ? null : { code: 'unknown-field', message };
}

function readingWarningOf(rule: StoredRule): RuleWarning | null {
  return readingOf(rule) === 'equality' && hasStars(rule.condition) ? READ_BY_EQUALITY : null;
}
