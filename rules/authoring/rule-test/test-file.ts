import { type Position, parseRuleFile, type RuleFileProblem } from '../../files/index.js';
import { ajvWithTimes, type CpeFields, type LocatedProblem, problemsOf } from '../../validation/index.js';
import type { ImageFacts, RuleCount, Verdict } from '../../vocabulary/index.js';
import { RULE_TEST_SCHEMA } from './schema.js';

export interface Expectation {
  readonly decision: 'upgrade' | 'nothing' | 'at-target';
  readonly rule?: string;
  readonly target?: string;
  readonly verdicts?: Readonly<Record<string, Verdict>>;
}

/** One case as its author writes it. */
export interface RuleTestCase {
  readonly name: string;
  readonly inform?: string;
  readonly cpe?: CpeFields;
  readonly now?: string;
  readonly requested?: boolean;
  readonly counts?: Readonly<
    Record<
      string,
      Partial<Omit<RuleCount, 'lastEndedMs'>> & {
        readonly lastEnded?: string;
      }
    >
  >;
  readonly images?: Readonly<Record<string, (ImageFacts & { readonly signed?: boolean }) | null>>;
  readonly expect: Expectation;
}

export interface LocatedCase {
  readonly test: RuleTestCase;
  /** Where a field of it stands. */
  locate(path: readonly (string | number)[]): Position;
}

export type ParsedTestFile =
  | { readonly parsed: true; readonly cases: readonly LocatedCase[] }
  | { readonly parsed: false; readonly problems: readonly RuleFileProblem[] };

/** Reads the tests of rules: strict JSON in UTF-8, held to {@link RULE_TEST_SCHEMA}. */
export function createTestFileParser(): (file: string, bytes: Buffer) => ParsedTestFile {
  const check = ajvWithTimes().compile<{ readonly cases: readonly RuleTestCase[] }>(RULE_TEST_SCHEMA);
  return (file, bytes) => {
    const parsed = parseRuleFile(file, bytes);
    if (!parsed.parsed) return parsed;
    const [entry, ...others] = parsed.entries;
    if (entry === undefined || others.length > 0 || entry.item !== null) {
      const expected = `${RULE_TEST_SCHEMA.description}, such as {"cases": [{"name": "…", "expect": {…}}]}`;
      return {
        parsed: false,
        problems: [{ file, field: '', code: 'wrong-type', expected, line: 1, column: 1 }],
      };
    }
    const located = ({ path, ...problem }: LocatedProblem): RuleFileProblem => {
      // The second step counts the cases.
      const steps = path.map((step, depth) => (depth === 1 ? Number(step) : step));
      return { ...problem, file, ...entry.locate(steps) };
    };
    const { body } = entry;
    if (!check(body)) return { parsed: false, problems: problemsOf(check.errors ?? []).map(located) };
    const twice = secondOfName(body.cases);
    if (twice !== null) return { parsed: false, problems: [located(twice)] };
    const cases = body.cases.map(
      (test, index): LocatedCase => ({ test, locate: (path) => entry.locate(['cases', index, ...path]) }),
    );
    return { parsed: true, cases };
  };
}

function secondOfName(cases: readonly RuleTestCase[]): LocatedProblem | null {
  const names = new Set<string>();
  for (const [index, { name }] of cases.entries()) {
    if (names.has(name)) {
      return {
        path: ['cases', String(index), 'name'],
        field: `cases.${index}.name`,
        code: 'duplicate',
        expected: 'a name of its own; an earlier case has the same',
        found: JSON.stringify(name).slice(0, 80),
      };
    }
    names.add(name);
  }
  return null;
}
