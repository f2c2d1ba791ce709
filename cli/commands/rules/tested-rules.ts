import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CpeDescriptionError, type DescribedCpe, describedCpe } from '../../../acs/index.js';
import { createSecrets, epochMsOf, silentLogger, systemClock } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
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
  signingIn,
} from '../../../rules/index.js';
import { openLmdbStore } from '../../../store/index.js';
import { readNamed } from './sources.js';

/** Who is named as the author of rules under test that name none. */
const AUTHOR = 'test';
/** When a CPE calls, where a case does not say: so that a test says the same on every day. */
const DEFAULT_NOW_MS = Date.UTC(2026, 0, 1, 12);

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
  readonly rules: CaseResult['rules'];
  readonly omitted: number;
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

/**
 * Runs the tests of some rules on the engine that the server has, on a store of its own that is gone afterwards.
 * @param boardParameter  by which CPEs tell their board; empty: none
 */
export async function runTests(group: TestGroup, boardParameter = ''): Promise<GroupOutcome> {
  const { findings: checked } = await checkRuleFiles(group.ruleFiles);
  const { cases, findings: broken } = await readTests(group.testFiles);
  const findings = [...checked.filter(({ severity }) => severity === 'error'), ...broken];
  if (findings.length > 0) return { kind: 'broken', findings };
  return withRules(group.ruleFiles, boardParameter, async (rules) => {
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
  boardParameter: string,
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
        // The store is gone with the tests, and so may be what seals in it.
        secrets: createSecrets(randomBytes(32)),
        resolveFile: async (file) => imagesOf(images, file),
        boardParameter,
        signingOf: async (file) => signingIn(images, file),
      });
      await rules.put(files.flatMap(bodiesOf), { by: byCommand(AUTHOR), onlyNew: true });
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
    const { outcome, ...result } = await runCase(rules, test, (await cpeOf(file, test)).input);
    return { ...common, ...result, decided: outcome };
  } catch (error) {
    if (!(error instanceof CpeDescriptionError)) throw error;
    const [first] = error.problems;
    const differences = error.problems.map(({ field, expected, found }) => {
      return `${field}: expected ${expected}${found === undefined ? '' : `, found ${found}`}`;
    });
    return { ...common, ...locate(first?.path ?? []), passed: false, differences, rules: [], omitted: 0 };
  }
}

async function cpeOf(
  file: string,
  { cpe, inform, now, requested = false }: RuleTestCase,
): Promise<DescribedCpe> {
  const told = inform === undefined ? {} : { inform: await informOf(join(dirname(file), inform)) };
  const nowMs = now === undefined ? null : epochMsOf(now);
  return describedCpe({ cpe, ...told }, { nowMs: nowMs ?? DEFAULT_NOW_MS, requested });
}

async function informOf(path: string): Promise<Buffer> {
  const bytes = await readBounded(path);
  if (typeof bytes !== 'string') return bytes;
  const expected = bytes === 'not-a-file' ? `a file; there is no ${path}` : `${bytes} in ${path}`;
  throw new CpeDescriptionError([{ path: ['inform'], field: 'inform', code: 'bad-inform', expected }]);
}
