import type { CpeId } from '../../common/index.js';
import { type Condition, parametersOfField, type Scalar, type Subtrees } from '../vocabulary/index.js';
import type { Closure, CompiledCondition, ConditionSource, Conjunct } from './compiled.js';
import { ConditionError } from './condition-error.js';
import { subtreeAt } from './parameter-subtrees.js';
import { isNameRefused, nameProblem } from './parse.js';
import { someReached } from './reach.js';

export type ObjectCondition = Exclude<Condition, string>;

/** More values than these are looked up by hash. */
const VALUES_SCANNED_MAX = 8;
const VALUES_SHOWN_MAX = 5;
const VALUE_CHARACTERS_MAX = 80;

/** One key of a condition in object form: some value found at `path` must be one of `values`. */
export interface Membership {
  readonly key: string;
  readonly path: readonly string[];
  readonly values: readonly Scalar[];
}

/**
 * A condition in object form. It needs no parser: what JSONata would evaluate (`$count(k[$ in [v…]]) > 0` for each key) is made only
 * where somebody asks for it, so that a million rules that differ in their cpeid cost no more than their few objects.
 */
export class CompiledObject implements CompiledCondition {
  readonly closure: Closure;
  readonly #memberships: readonly Membership[];

  /** @throws ConditionError */
  constructor(condition: ObjectCondition) {
    this.#memberships = membershipsOf(condition);
    const [only, ...others] = this.#memberships.map(closureOf);
    this.closure =
      only !== undefined && others.length === 0
        ? only
        : (context) => only?.(context) === true && others.every((closure) => closure(context) === true);
  }

  get pin(): CpeId | null {
    return pinOf(this.#memberships);
  }

  get requirements(): readonly Membership[] {
    return this.#memberships;
  }

  /** The values are variables (`$v0`, `$v1` …), so that rules that differ in them only are one expression. */
  get source(): ConditionSource {
    return {
      text: this.#memberships
        .map(
          ({ path }, index) => `$count(${path.map((step) => `\`${step}\``).join('.')}[$ in $v${index}]) > 0`,
        )
        .join(' and '),
      bindings: Object.fromEntries(this.#memberships.map(({ values }, index) => [`v${index}`, values])),
    };
  }

  get conjuncts(): readonly Conjunct[] {
    return this.#memberships.map((membership) => ({
      text: textOf(membership),
      column: null,
      closure: closureOf(membership),
      paths: [membership.key],
    }));
  }

  get readsParameters(): boolean {
    return this.#memberships.some(({ path }) => path[0] === 'parameters');
  }

  get parameterSubtrees(): Subtrees {
    const subtrees = new Set<string>();
    for (const { path } of this.#memberships) {
      if (path[0] !== 'parameters') continue;
      const subtree = subtreeAt(path);
      if (subtree === null) return null;
      subtrees.add(subtree);
    }
    return [...subtrees];
  }

  get parameterPaths(): readonly string[] {
    return this.#memberships.flatMap(({ path }) => {
      const [first = '', ...names] = path;
      if (names.length === 0) return parametersOfField(first);
      // A single step (`Device`) would ask for the whole data model.
      return first === 'parameters' && names.length > 1 ? [names.join('.')] : [];
    });
  }
}

/** The one CPE for which these can all hold; null where they name none or several. */
export function pinOf(
  requirements: readonly { readonly path: readonly string[]; readonly values: readonly unknown[] }[],
): CpeId | null {
  for (const { path, values } of requirements) {
    const [only] = values;
    if (path.length === 1 && path[0] === 'cpeid' && values.length === 1 && typeof only === 'string') {
      return only as CpeId;
    }
  }
  return null;
}

function membershipsOf(condition: ObjectCondition): readonly Membership[] {
  const memberships = Object.entries(condition).map(([key, value]) => {
    const path = key.split('.');
    const refused = path.find(isNameRefused);
    if (refused !== undefined) throw new ConditionError(nameProblem(refused));
    if (key.includes('`'))
      throw new ConditionError(`a field path has no back-quotes, unlike ${JSON.stringify(key)}`);
    return { key, path, values: isList(value) ? value : [value] };
  });
  if (memberships.length === 0) throw new ConditionError('an object condition needs at least one field');
  return memberships;
}

function isList(value: Scalar | readonly Scalar[]): value is readonly Scalar[] {
  return Array.isArray(value);
}

function closureOf({ path, values }: Membership): Closure {
  const [only] = values;
  if (values.length === 1) return (context) => someReached(context, path, (found) => found === only);
  if (values.length <= VALUES_SCANNED_MAX) {
    return (context) => someReached(context, path, (found) => values.some((value) => value === found));
  }
  let hashed: ReadonlySet<unknown> | null = null;
  return (context) => {
    // Made when first asked: most rules in such number are never evaluated.
    hashed ??= new Set(values);
    const among = hashed;
    return someReached(context, path, (found) => among.has(found));
  };
}

function textOf({ key, values }: Membership): string {
  const shown = values.slice(0, VALUES_SHOWN_MAX).map(shorten).join(', ');
  if (values.length === 1) return `${key}: ${shown}`;
  return `${key}: one of ${shown}${values.length > VALUES_SHOWN_MAX ? ` … (${values.length} values)` : ''}`;
}

function shorten(value: Scalar): string {
  const cut = typeof value === 'string' && value.length > VALUE_CHARACTERS_MAX;
  return JSON.stringify(cut ? `${value.slice(0, VALUE_CHARACTERS_MAX)}…` : value);
}
