import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DescriptionError, describedContext } from '../../../acs/index.js';
import { silentLogger, systemClock } from '../../../common/index.js';
import {
  type CaseResult,
  checkRuleFiles,
  createTestFileParser,
  type Finding,
  imagesOf,
  type LocatedCase,
  openRules,
  parseRuleFile,
  type RuleFileContent,
  type RulesUnderTest,
  type RuleTestCase,
  readBounded,
  runCase,
} from '../../../rules/index.js';
import { openLmdbStore } from '../../../store/index.js';
import { readNamed } from './sources.js';

/** Who is named as the author of rules under test that name none. */
const AUTHOR = 'test';
/** When a CPE calls, where a case does not say: so that a test says the same on every day. */
const DEFAULT_NOW = '2026-01-01T12:00:00Z';

/** What became of one case. */
export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly line: number;
  readonly column: number;
  readonly passed: boolean;
  readonly differences: readonly string[];
  readonly expected: RuleTestCase['expect'];
  /** Absent where the case says something that cannot be. */
  readonly decided?: CaseResult['outcome'];
  readonly considered: CaseResult['considered'];
}

/** Rules that decide together, and the files that test them. */
export interface TestGroup {
  readonly ruleFiles: readonly RuleFileContent[];
  readonly testFiles: readonly string[];
}

export type GroupOutcome =
  | { readonly kind: 'run'; readonly results: readonly TestResult[] }
  /** The rules or the tests are broken: nothing was run. */
  | { readonly kind: 'broken'; readonly findings: readonly Finding[] };

/** Runs the tests of some rules on the engine that the server has, on a store of its own that is gone afterwards. */
export async function runTests(group: TestGroup): Promise<GroupOutcome> {
  const { findings: checked } = await checkRuleFiles(group.ruleFiles);
  const { cases, findings: broken } = await readTests(group.testFiles);
  const findings = [...checked.filter(({ severity }) => severity === 'error'), ...broken];
  if (findings.length > 0) return { kind: 'broken', findings };
  return withRules(group.ruleFiles, async (rules) => {
    const results: TestResult[] = [];
    for (const [file, located] of cases) {
      for (const one of located) results.push(await resultOf(rules, file, one));
    }
    return { kind: 'run', results };
  });
}

async function readTests(files: readonly string[]): Promise<{
  readonly cases: ReadonlyMap<string, readonly LocatedCase[]>;
  readonly findings: readonly Finding[];
}> {
  const parse = createTestFileParser();
  const cases = new Map<string, readonly LocatedCase[]>();
  const findings: Finding[] = [];
  for (const file of files) {
    const parsed = parse(file, await readNamed(file));
    if (parsed.parsed) cases.set(file, parsed.cases);
    else {
      for (const { field, code, expected, found, line, column } of parsed.problems) {
        const what = found === undefined ? '' : `, found ${found}`;
        findings.push({
          severity: 'error',
          code,
          message: `${field === '' ? '' : `${field}: `}expected ${expected}${what}`,
          file,
          field,
          ...(line !== undefined && { line }),
          ...(column !== undefined && { column }),
        });
      }
    }
  }
  return { cases, findings };
}

async function withRules<Result>(
  files: readonly RuleFileContent[],
  run: (rules: RulesUnderTest) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-rules-test-'));
  try {
    const store = await openLmdbStore({ directory });
    try {
      let images: RuleTestCase['images'];
      const rules = await openRules({
        store,
        clock: systemClock,
        logger: silentLogger,
        resolveFile: async (file) => imagesOf(images, file),
      });
      await rules.put(files.flatMap(bodiesOf), { author: AUTHOR, onlyNew: true });
      const result = await run({
        rules,
        useImages(next) {
          images = next;
        },
      });
      await rules.close();
      return result;
    } finally {
      await store.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function bodiesOf({ name, bytes }: RuleFileContent): readonly unknown[] {
  const parsed = parseRuleFile(name, bytes);
  return parsed.parsed ? parsed.entries.map(({ body }) => body) : [];
}

async function resultOf(
  rules: RulesUnderTest,
  file: string,
  { test, locate }: LocatedCase,
): Promise<TestResult> {
  const common = { file, name: test.name, expected: test.expect, ...locate([]) };
  try {
    const result = await runCase(rules, test, await cpeOf(file, test));
    const { passed, differences, outcome, considered } = result;
    return { ...common, passed, differences, decided: outcome, considered };
  } catch (error) {
    if (!(error instanceof DescriptionError)) throw error;
    const differences = [`${error.field}: ${error.message}`];
    return { ...common, ...locate([error.field]), passed: false, differences, considered: [] };
  }
}

async function cpeOf(file: string, { cpe, inform, parameters, now }: RuleTestCase) {
  return describedContext({
    nowMs: Date.parse(now ?? DEFAULT_NOW),
    ...(cpe !== undefined && { cpe }),
    ...(parameters !== undefined && { parameters }),
    ...(inform !== undefined && { inform: await informOf(join(dirname(file), inform)) }),
  });
}

async function informOf(path: string): Promise<Buffer> {
  const bytes = await readBounded(path);
  if (bytes === 'not-a-file') throw new DescriptionError('inform', `there is no file ${path}`);
  if (typeof bytes === 'string') throw new DescriptionError('inform', `${path}: expected ${bytes}`);
  return bytes;
}
