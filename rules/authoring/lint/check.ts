import { setImmediate } from 'node:timers/promises';
import { type Clock, systemClock } from '../../../common/index.js';
import {
  type ConditionCompiler,
  ConditionError,
  createConditionCompiler,
  loadGuards,
} from '../../condition/index.js';
import { parseRuleFile, type RuleFileContent, type RuleFileEntry } from '../../files/index.js';
import {
  createRuleValidator,
  type LocatedProblem,
  problemsInFile,
  type RuleValidator,
  type ValidRule,
  warningsInFile,
} from '../../validation/index.js';
import { type Finding, LINTS, type Remark } from './finding.js';
import { ruleRemarks } from './rule-lints.js';
import { setRemarks } from './set-lints.js';

/** Most findings of one check: who has more will come back. */
export const FINDINGS_MAX = 10_000;
/** Others, such as a progress bar, get their turn after so many rules. */
const RULES_AT_ONCE = 50;

/** A rule file's content, and its name as it is to be reported. */
export type FileToCheck = RuleFileContent;

export interface CheckReport {
  readonly files: number;
  readonly rules: number;
  /** By file, in the order they were handed in, then by place; at most {@link FINDINGS_MAX}. */
  readonly findings: readonly Finding[];
  /** How many more there were. */
  readonly omitted: number;
}

interface CheckedRule {
  readonly file: string;
  readonly entry: RuleFileEntry;
  readonly rule: ValidRule['rule'];
}

/**
 * Checks rule files the way the server does before it applies them, and for what is valid but hardly meant. Needs no store.
 * @param files  all that will be in one directory: rules are looked at together, too
 * @param onFile  called after each
 * @param clock  tells which rules are over by now
 */
export async function checkRuleFiles(
  files: readonly FileToCheck[],
  onFile: () => void = () => {},
  clock: Clock = systemClock,
): Promise<CheckReport> {
  const nowMs = clock();
  const compiler = createConditionCompiler(await loadGuards());
  const validator = createRuleValidator(compiler);
  const findings: Finding[] = [];
  const rules: CheckedRule[] = [];
  let entries = 0;
  for (const { name, bytes } of files) {
    const parsed = parseRuleFile(name, bytes);
    if (!parsed.parsed) {
      findings.push(
        ...parsed.problems.map(({ field, code, expected, line, column }): Finding => {
          const place = { ...(line !== undefined && { line }), ...(column !== undefined && { column }) };
          return { severity: 'error', code, message: `expected ${expected}`, file: name, field, ...place };
        }),
      );
    } else {
      for (const entry of parsed.entries) {
        if (++entries % RULES_AT_ONCE === 0) await setImmediate();
        const rule = checkEntry({ validator, compiler, nowMs }, name, entry, findings);
        if (rule !== null) rules.push({ file: name, entry, rule });
      }
    }
    onFile();
  }
  findings.push(...duplicates(rules), ...together(rules));
  const order = new Map(files.map(({ name }, index) => [name, index]));
  const sorted = findings.sort(
    (a, b) =>
      (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
  return {
    files: files.length,
    rules: entries,
    findings: sorted.slice(0, FINDINGS_MAX),
    omitted: Math.max(0, sorted.length - FINDINGS_MAX),
  };
}

function checkEntry(
  {
    validator,
    compiler,
    nowMs,
  }: { readonly validator: RuleValidator; readonly compiler: ConditionCompiler; readonly nowMs: number },
  file: string,
  entry: RuleFileEntry,
  findings: Finding[],
): ValidRule['rule'] | null {
  const validation = validator.validate(entry.body);
  if (validation.valid) {
    const { rule, isReadAnew } = validation.value;
    const reading = isReadAnew ? 'patterns' : 'equality';
    const flaws = compiler.flaws(rule.condition);
    for (const remark of ruleRemarks(rule, compiler.compile(rule.condition, reading), flaws, nowMs)) {
      findings.push(findingOf(file, entry, rule.id, remark));
    }
    const starry = warningsInFile(validation.value).filter(({ code }) => code === BAD_CONDITION);
    for (const problem of [...problemsInFile(validation.value), ...starry]) {
      const { path, field, code } = problem;
      const place = { file, field, ruleId: rule.id, ...entry.locate(path) };
      findings.push({ severity: 'error', code, message: errorText(problem), ...place });
    }
    return rule;
  }
  const ruleId = idOf(entry.body);
  const conditionError = conditionErrorOf(compiler, entry.body);
  const problems = [...validation.problems, ...conditionProblems(conditionError, validation.problems)];
  for (const problem of problems) {
    const { path, field, code, expected } = problem;
    const column = code === BAD_CONDITION ? (conditionError?.column ?? null) : null;
    findings.push({
      severity: 'error',
      code,
      // The place says in which column; the file has another than the condition's text.
      message:
        code === BAD_CONDITION ? `${field}: ${conditionError?.message ?? expected}` : errorText(problem),
      file,
      field,
      ...(ruleId !== null && { ruleId }),
      ...(column === null ? entry.locate(path) : entry.locateInText(path, column - 1)),
    });
  }
  return null;
}

const BAD_CONDITION = 'bad-condition';
/** What is said of these is a sentence already, not something that is expected. */
const SENTENCES: ReadonlySet<string> = new Set(['unknown-field', 'missing']);

function errorText({ field, code, expected, found }: LocatedProblem): string {
  const what = SENTENCES.has(code) ? expected : `expected ${expected}`;
  return `${field || 'rule'}: ${what}${found === undefined ? '' : `, found ${found}`}`;
}

/** A rule that is not as the schema says was not looked at further; its author wants to hear of its condition all the same. */
function conditionProblems(
  error: ConditionError | null,
  problems: readonly LocatedProblem[],
): readonly LocatedProblem[] {
  if (error === null || problems.some(({ path }) => path[0] === 'condition')) return [];
  return [{ path: ['condition'], field: 'condition', code: BAD_CONDITION, expected: error.message }];
}

/** What is wrong with a condition that is a text, also in a rule that is not right otherwise. */
function conditionErrorOf(compiler: ConditionCompiler, body: unknown): ConditionError | null {
  const condition = typeof body === 'object' && body !== null && 'condition' in body ? body.condition : null;
  if (typeof condition !== 'string') return null;
  try {
    compiler.compile(condition);
    return null;
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return error;
  }
}

function idOf(body: unknown): string | null {
  return typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string'
    ? body.id
    : null;
}

function findingOf(file: string, entry: RuleFileEntry, ruleId: string, remark: Remark): Finding {
  const { code, message, path, character } = remark;
  return {
    severity: LINTS[code].severity,
    code,
    message,
    file,
    field: path.join('.'),
    ruleId,
    ...(character === undefined ? entry.locate(path) : entry.locateInText(path, character)),
  };
}

function duplicates(rules: readonly CheckedRule[]): readonly Finding[] {
  const seen = new Map<string, CheckedRule>();
  return rules.flatMap((rule): Finding[] => {
    const { file, entry } = rule;
    const { id } = rule.rule;
    const other = seen.get(id);
    if (other === undefined) seen.set(id, rule);
    if (other === undefined) return [];
    const { line } = other.entry.locate(['id']);
    return [
      {
        severity: 'error',
        code: 'duplicate',
        message: `id: expected an id of its own; ${other.file}:${line} has a rule of the same`,
        file,
        field: 'id',
        ruleId: id,
        ...entry.locate(['id']),
      },
    ];
  });
}

function together(rules: readonly CheckedRule[]): readonly Finding[] {
  return setRemarks(rules.map(({ rule }) => rule)).flatMap(({ index, ...remark }) => {
    const found = rules[index];
    return found === undefined ? [] : [findingOf(found.file, found.entry, found.rule.id, remark)];
  });
}
