import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { validateDetailed } from 'node-cron';
import { type CpeId, epochMsOf, suggest, withoutSecrets } from '../../common/index.js';
import { ID_BYTES_MAX } from '../../store/index.js';
import { type ConditionCompiler, ConditionError, isReadAnew, TooManyStarsError } from '../condition/index.js';
import {
  CONDITION_OBJECT_BYTES_MAX,
  CONDITION_VALUES_TOGETHER_MAX,
  OWNED_ID_BEGINNING,
  RULE_SCHEMA,
  type Rule,
  type RuleProblem,
} from '../vocabulary/index.js';
import { credentialProblems, unusableFile } from './file-fields.js';

/** Most problems reported at once; who has more will come back. */
export const PROBLEMS_MAX = 100;
const FOUND_CHARACTERS_MAX = 80;
const FIELD_CHARACTERS_MAX = 256;
const CRON_FIELDS = 5;

/** A problem with where it is: the way down from the rule, which a dotted name cannot always say. */
export interface LocatedProblem extends RuleProblem {
  readonly path: readonly (string | number)[];
}

/** A rule that is fit to be stored; its author is named by the caller where the rule does not say. */
export interface ValidRule {
  readonly rule: Omit<Rule, 'author'> & { readonly author?: string };
  readonly pin: CpeId | null;
  /** The same by its cpeid or its serial number. */
  readonly name: string | null;
  /** How its condition is read makes a difference: from now on it is with patterns, unless it has more stars than are taken. */
  readonly isReadAnew: boolean;
  /**
   * Why a field is not taken although a rule with it could be decided on: a condition that more CPEs match than can be meant, a file that
   * no Download can carry, an id as rules have that have an owner. Whoever stores the rule says whether they matter: not where the same is stored already.
   */
  readonly refusals: readonly LocatedProblem[];
}

export type Validation =
  | { readonly valid: true; readonly value: ValidRule }
  | { readonly valid: false; readonly problems: readonly LocatedProblem[] };

export interface RuleValidator {
  /** Checks one body, which stays as it is, and fills in the defaults. */
  validate(body: unknown): Validation;
  /** What is wrong with a condition that is no rule's; empty where a rule could have it. The fields are below `condition`. */
  conditionProblems(condition: unknown): readonly LocatedProblem[];
}

/** What stands around a condition that is no rule's, for it to be held to all that a rule's is held to. */
const FRAME = { id: '-', file: 'http://192.0.2.1/' };

let compiled: ValidateFunction<ValidRule['rule']> | null = null;

/** Compiled once in a process, when it is first needed. */
function ruleCheck(): ValidateFunction<ValidRule['rule']> {
  compiled ??= new Ajv({
    strict: true,
    allowUnionTypes: true,
    allErrors: true,
    useDefaults: true,
    verbose: true,
    unicodeRegExp: true,
  }).compile<ValidRule['rule']>(RULE_SCHEMA);
  return compiled;
}

export function createRuleValidator(compiler: ConditionCompiler): RuleValidator {
  const check = ruleCheck();
  const validator: RuleValidator = {
    conditionProblems(condition) {
      const validation = validator.validate({ ...FRAME, condition });
      return validation.valid ? validation.value.refusals : validation.problems;
    },
    validate(body) {
      const tooMuch = excessOf(body);
      if (tooMuch !== null) return { valid: false, problems: [tooMuch] };
      const copy = copyOf(body);
      if (copy === null) return { valid: false, problems: [NOT_A_RULE] };
      withoutFindings(copy);
      if (!check(copy)) return { valid: false, problems: problemsOf(check.errors ?? []) };
      const { problems, starry, ...pinned } = checkMeaning(copy, compiler);
      const refusals = [
        ...idOfOthers(copy.id),
        ...badFile(copy.file),
        ...refusedCondition(copy.condition, compiler),
        ...starry,
      ];
      if (problems.length > 0) return { valid: false, problems: [...refusals, ...problems] };
      return {
        valid: true,
        value: {
          rule: copy,
          ...pinned,
          isReadAnew: starry.length === 0 && isReadAnew(copy.condition),
          refusals,
        },
      };
    },
  };
  return validator;
}

const NOT_A_RULE: LocatedProblem = {
  path: [],
  field: '',
  code: 'wrong-type',
  expected: RULE_SCHEMA.description,
};

/** Keys of a rule and of all that is in it: a condition may have 64, and there are some thirty other fields. */
const RULE_KEYS_MAX = 1_000;
/** Values in it, those of its arrays included: more than any condition may have, so that it is told of those first. */
const RULE_VALUES_MAX = 5 * CONDITION_VALUES_TOGETHER_MAX;

/** What has so many fields that telling what is wrong with each would take a second. */
function excessOf(body: unknown): LocatedProblem | null {
  const open: unknown[] = [body];
  let keys = 0;
  let values = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const inside = Object.values(next);
    values += inside.length;
    if (!Array.isArray(next)) keys += inside.length;
    if (keys > RULE_KEYS_MAX)
      return excess(`at most ${RULE_KEYS_MAX} fields in a rule and all that is in it`);
    if (values > RULE_VALUES_MAX) return excess(`at most ${RULE_VALUES_MAX} values in a rule`);
    for (const each of inside) if (typeof each === 'object' && each !== null) open.push(each);
  }
  return null;
}

function excess(expected: string): LocatedProblem {
  return { path: [], field: '', code: 'too-many', expected };
}

/** The defaults are filled in on a copy; null where the body is nested so deeply that it cannot be copied. */
function copyOf(body: unknown): unknown {
  try {
    return structuredClone(body);
  } catch {
    return null;
  }
}

/** What an API shows beside a rule: whoever posts again what was shown need not take it out first. */
function withoutFindings(copy: unknown): void {
  if (typeof copy !== 'object' || copy === null) return;
  for (const name of SHOWN_BESIDE_RULES) Reflect.deleteProperty(copy, name);
}

const SHOWN_BESIDE_RULES = ['lastError', 'owner', 'stopped', 'suspended', 'warning'] as const;

function idOfOthers(id: string): readonly LocatedProblem[] {
  const beginning = Object.values(OWNED_ID_BEGINNING).find((each) => id.startsWith(each));
  if (beginning === undefined) return [];
  const expected = `another name: those that begin with "${beginning}" are for the rules that a batch makes`;
  return [{ path: ['id'], field: 'id', code: 'owned', expected, found: shorten(id) }];
}

function badFile(file: string): readonly LocatedProblem[] {
  const expected = unusableFile(file);
  return expected === null
    ? []
    : [{ path: ['file'], field: 'file', code: 'bad-file', expected, found: shorten(file, 'file') }];
}

function refusedCondition(
  condition: Rule['condition'],
  compiler: ConditionCompiler,
): readonly LocatedProblem[] {
  return compiler.refusals(condition).map(({ code, message, character }) => ({
    path: ['condition'],
    field: 'condition',
    code,
    expected: `a condition that rules out what it is not for: ${message} (column ${character + 1})`,
    found: shorten(condition),
  }));
}

const PINNED_TO_NONE = { starry: [], pin: null, name: null } as const;

/** What JSON Schema cannot say. */
function checkMeaning(
  rule: ValidRule['rule'],
  compiler: ConditionCompiler,
): {
  readonly problems: readonly LocatedProblem[];
  /** What is wrong with a condition that can be used by equality alone. */
  readonly starry: readonly LocatedProblem[];
} & Pick<ValidRule, 'pin' | 'name'> {
  const problems: LocatedProblem[] = [];
  const add = (path: readonly string[], code: string, expected: string, found: unknown): void => {
    problems.push({ path, field: path.join('.'), code, expected, found: shorten(found) });
  };
  if (Buffer.byteLength(rule.id) > ID_BYTES_MAX) {
    add(['id'], 'too-long', `a name of at most ${ID_BYTES_MAX} bytes in UTF-8; shorten it`, rule.id);
  }
  for (const problem of credentialProblems(rule)) problems.push({ ...problem, path: [problem.field] });
  if (rule.window !== undefined) {
    const cronProblem = checkCron(rule.window.cron);
    if (cronProblem !== null) add(['window', 'cron'], 'bad-cron', cronProblem, rule.window.cron);
    if (!isTimezone(rule.window.timezone)) {
      const { description } = RULE_SCHEMA.properties.window.properties.timezone;
      add(['window', 'timezone'], 'bad-timezone', description, rule.window.timezone);
    }
  }
  for (const problem of timeProblems(rule)) add(...problem);
  if (
    typeof rule.condition === 'object' &&
    Buffer.byteLength(JSON.stringify(rule.condition)) > CONDITION_OBJECT_BYTES_MAX
  ) {
    add(['condition'], 'too-long', `at most ${CONDITION_OBJECT_BYTES_MAX} bytes; use several rules`, '…');
    return { problems, ...PINNED_TO_NONE };
  }
  if (valuesOf(rule.condition) > CONDITION_VALUES_TOGETHER_MAX) {
    const expected = `at most ${CONDITION_VALUES_TOGETHER_MAX} values in all its arrays together; use several rules`;
    add(['condition'], 'too-long', expected, '…');
    return { problems, ...PINNED_TO_NONE };
  }
  try {
    const { pin, name } = compiler.compile(rule.condition, 'patterns');
    return { problems, starry: [], pin, name };
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    add(['condition'], 'bad-condition', describeProblem(error), rule.condition);
    if (error instanceof TooManyStarsError) {
      const starry = problems.splice(-1);
      const { pin, name } = compiler.compile(rule.condition, 'equality');
      return { problems, starry, pin, name };
    }
    return { problems, ...PINNED_TO_NONE };
  }
}

/** What the pattern takes and no calendar has, and times that are never. */
function* timeProblems({
  notBefore,
  notAfter,
}: ValidRule['rule']): Generator<[path: readonly string[], code: string, expected: string, found: unknown]> {
  const from = notBefore === undefined ? Number.NEGATIVE_INFINITY : epochMsOf(notBefore);
  const until = notAfter === undefined ? Number.POSITIVE_INFINITY : epochMsOf(notAfter);
  const { properties } = RULE_SCHEMA;
  if (from === null) yield [['notBefore'], 'bad-time', properties.notBefore.description, notBefore];
  if (until === null) yield [['notAfter'], 'bad-time', properties.notAfter.description, notAfter];
  if (from === null || until === null || from < until) return;
  yield [['notAfter'], 'not-after-before', `a time after "notBefore", which is ${notBefore}`, notAfter];
}

function valuesOf(condition: Rule['condition']): number {
  if (typeof condition === 'string') return 0;
  return Object.values(condition).reduce<number>(
    (sum, value) => sum + (Array.isArray(value) ? value.length : 1),
    0,
  );
}

function describeProblem({ message, column }: ConditionError): string {
  return column === null ? message : `${message} (column ${column})`;
}

function checkCron(cron: string): string | null {
  const { description } = RULE_SCHEMA.properties.window.properties.cron;
  // node-cron would take a sixth field for seconds; a window opens at a minute.
  if (cron.trim().split(/\s+/).length !== CRON_FIELDS) return description;
  const { valid, errors } = validateDetailed(cron);
  return valid ? null : `${description} (${errors.map(({ message }) => message).join('; ') || 'not valid'})`;
}

function isTimezone(timezone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    return true;
  } catch {
    return false;
  }
}

/** What ajv found (`allErrors`, `verbose`), in the words of the schema's own descriptions. */
export function problemsOf(errors: readonly ErrorObject[]): readonly LocatedProblem[] {
  const problems = new Map<string, LocatedProblem>();
  for (const error of errors) {
    // The error of the name itself says it all.
    if (error.keyword === 'propertyNames') continue;
    const problem = problemOf(error);
    // One field may break several keywords of which each has the same remedy.
    const key = JSON.stringify(problem.path);
    if (!problems.has(key)) problems.set(key, problem);
    if (problems.size >= PROBLEMS_MAX) break;
  }
  return [...problems.values()];
}

function problemOf(error: ErrorObject): LocatedProblem {
  const parent: readonly string[] = error.instancePath.split('/').slice(1).map(unescapePointer);
  const described: unknown = error.parentSchema?.['description'];
  const expected = typeof described === 'string' ? described : (error.message ?? 'something else');
  const at = (path: readonly string[], code: string, text: string, found: unknown): LocatedProblem => ({
    path,
    field: path.join('.').slice(0, FIELD_CHARACTERS_MAX),
    code,
    expected: text,
    // A password is told to nobody, not even to whoever has just sent it: an answer ends in logs.
    ...(found === undefined || path[0] === 'password' ? {} : { found: shorten(found, path.at(-1)) }),
  });
  const params: Readonly<Record<string, unknown>> = error.params;
  if (error.keyword === 'additionalProperties') {
    const name = String(params['additionalProperty']);
    return at([...parent, name], 'unknown-field', unknownField(name, error.parentSchema), undefined);
  }
  if (error.keyword === 'required') {
    const name = String(params['missingProperty']);
    return at([...parent, name], 'missing', `required: ${describe(error.parentSchema, name)}`, undefined);
  }
  if (error.propertyName !== undefined) {
    return at([...parent, error.propertyName], 'bad-name', expected, error.propertyName);
  }
  return at(parent, error.keyword === 'type' ? 'wrong-type' : 'out-of-range', expected, error.data);
}

function unknownField(name: string, schema: unknown): string {
  const names = Object.keys(propertiesOf(schema));
  const near = suggest(name, names);
  return near === null
    ? `no such field; remove it (there are ${names.join(', ')})`
    : `no such field; did you mean "${near}"?`;
}

function describe(schema: unknown, name: string): string {
  const property: unknown = propertiesOf(schema)[name];
  return typeof property === 'object' && property !== null && 'description' in property
    ? String(property.description)
    : 'it must be there';
}

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
  return typeof schema === 'object' && schema !== null && 'properties' in schema
    ? { ...(schema.properties as object) }
    : {};
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** Whoever puts a password into a URL is not told it back: answers and what is said of rule files end in logs. @param name  of its field */
function shorten(found: unknown, name = ''): string {
  const json = JSON.stringify(withoutSecrets(name, found), withoutSecrets) ?? String(found);
  return json.length > FOUND_CHARACTERS_MAX ? `${json.slice(0, FOUND_CHARACTERS_MAX)}…` : json;
}
