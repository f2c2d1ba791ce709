import { subnetList } from '../common/index.js';
import { DEFAULT_ORDER, type OrganizationFields, RULES_EACH_MAX } from './organization.js';
import { OrganizationError, type OrganizationProblem } from './organization-error.js';

/** What is wrong with a condition: the fields begin with `condition`. It stands in rules/, which is above. */
export type CheckCondition = (condition: unknown) => readonly OrganizationProblem[];

const NAME_CHARACTERS_MAX = 100;
const USERNAME_CHARACTERS_MAX = 256;
const ORDER_MAX = 1_000_000;
const SUBNET_CHARACTERS_MAX = 64;
const PROBLEMS_MAX = 100;
const FOUND_CHARACTERS_MAX = 80;

export const SLUG = /^[a-z0-9-]{1,40}$/;
/** Nothing that a terminal, a log line or an HTTP header would trip over. */
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;

type JsonObject = Readonly<Record<string, unknown>>;
type Add = (field: string, code: string, expected: string, found?: unknown) => void;

/**
 * What somebody says of an organization, over what is known of it.
 * @param said  fields to be changed; of a new organization with `name` and `slug` at least
 * @throws OrganizationError `invalid`, with each problem
 */
export function checkedFields(
  said: JsonObject,
  known: OrganizationFields | null,
  checkCondition: CheckCondition,
): OrganizationFields {
  const problems: OrganizationProblem[] = [];
  const add: Add = (field, code, expected, found) => {
    if (problems.length < PROBLEMS_MAX)
      problems.push({ field, code, expected, ...(found !== undefined && { found: shown(found) }) });
  };
  for (const name of Object.keys(said)) {
    if (!Object.hasOwn(CHECKS, name)) add(name.slice(0, FOUND_CHARACTERS_MAX), 'unknown-field', UNKNOWN);
  }
  const before: Partial<OrganizationFields> = known ?? { active: true, order: DEFAULT_ORDER, rules: [] };
  const fields: Record<string, unknown> = { ...before };
  for (const [name, check] of Object.entries(CHECKS)) {
    const value = said[name];
    if (value === undefined) {
      if (before[name as keyof OrganizationFields] === undefined) check(value, add, checkCondition);
      continue;
    }
    check(value, add, checkCondition);
    fields[name] = value;
  }
  if (problems.length > 0) throw new OrganizationError('invalid', problems);
  // Each has been checked, and there are no others.
  return {
    name: fields['name'],
    slug: fields['slug'],
    active: fields['active'],
    order: fields['order'],
    rules: fields['rules'],
  } as OrganizationFields;
}

const CHECKS: Readonly<
  Record<keyof OrganizationFields, (value: unknown, add: Add, checkCondition: CheckCondition) => void>
> = {
  name(value, add) {
    const isName =
      typeof value === 'string' &&
      value.trim() !== '' &&
      value.length <= NAME_CHARACTERS_MAX &&
      PRINTABLE.test(value);
    if (!isName) add('name', 'bad-name', `1 to ${NAME_CHARACTERS_MAX} printable characters`, value);
  },
  slug(value, add) {
    if (typeof value !== 'string' || !SLUG.test(value))
      add('slug', 'bad-slug', '1 to 40 of the characters a to z, 0 to 9 and -', value);
  },
  active(value, add) {
    if (typeof value !== 'boolean') add('active', 'wrong-type', 'true or false', value);
  },
  order(value, add) {
    if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > ORDER_MAX)
      add(
        'order',
        'out-of-range',
        `a whole number from 0 to ${ORDER_MAX}; the smallest is looked at first`,
        value,
      );
  },
  rules(value, add, checkCondition) {
    if (!Array.isArray(value) || value.length > RULES_EACH_MAX) {
      add('rules', 'too-many', `an array of at most ${RULES_EACH_MAX} rules`, value);
      return;
    }
    for (const [index, rule] of value.entries()) checkRule(rule, `rules.${index}`, add, checkCondition);
  },
};

const UNKNOWN = `no such field; there are ${Object.keys(CHECKS).join(', ')}`;
const ONE_KIND =
  'an object with one of "subnet" ("192.0.2.0/24"), "username" ("north-*") and "condition", and nothing else';

function checkRule(rule: unknown, field: string, add: Add, checkCondition: CheckCondition): void {
  const entries =
    typeof rule === 'object' && rule !== null && !Array.isArray(rule) ? Object.entries(rule) : [];
  const [[kind, value] = [], ...others] = entries;
  switch (others.length > 0 ? undefined : kind) {
    case 'subnet':
      if (!isSubnet(value))
        add(`${field}.subnet`, 'bad-subnet', 'an address or CIDR notation, as in 192.0.2.0/24', value);
      return;
    case 'username':
      if (!isUsername(value))
        add(
          `${field}.username`,
          'bad-username',
          `a user name of 1 to ${USERNAME_CHARACTERS_MAX} printable characters, or how it begins and a * at its end`,
          value,
        );
      return;
    case 'condition':
      for (const problem of checkCondition(value)) {
        const { code = 'bad-condition', expected } = problem;
        add(`${field}.${problem.field}`, code, expected, value);
      }
      return;
    default:
      add(field, 'wrong-type', ONE_KIND, rule);
  }
}

function isSubnet(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > SUBNET_CHARACTERS_MAX) return false;
  try {
    subnetList([value]);
    return value.split('/').length <= 2;
  } catch {
    return false;
  }
}

function isUsername(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > USERNAME_CHARACTERS_MAX || !PRINTABLE.test(value))
    return false;
  const star = value.indexOf('*');
  return value !== '' && star !== 0 && (star < 0 || star === value.length - 1);
}

function shown(found: unknown): string {
  if (Array.isArray(found)) return `an array of ${found.length}`;
  const text = JSON.stringify(found) ?? String(found);
  return text.length > FOUND_CHARACTERS_MAX ? `${text.slice(0, FOUND_CHARACTERS_MAX)}…` : text;
}
