import type { CpeId } from '../../common/index.js';
import { type ObjectReading, parametersOfField, type Subtrees } from '../vocabulary/index.js';
import type { Closure, CompiledCondition, ConditionSource, Conjunct, Requirement } from './compiled.js';
import {
  closureOf,
  expressionOf,
  type Membership,
  membershipsOf,
  type ObjectCondition,
  textOf,
} from './membership.js';
import { subtreeAt } from './parameter-subtrees.js';

/**
 * A condition in object form. It needs no parser: what JSONata would evaluate (`$count(k[$ in [v…]]) > 0` for each key) is made only
 * where somebody asks for it, so that a million rules that differ in their cpeid cost no more than their few objects.
 */
export class CompiledObject implements CompiledCondition {
  readonly closure: Closure;
  readonly #memberships: readonly Membership[];
  /** Made when it is first asked: it may be of ten thousand values. */
  #byCpeId: Closure | null = null;

  /** @throws ConditionError */
  constructor(condition: ObjectCondition, reading: ObjectReading) {
    this.#memberships = membershipsOf(condition, reading);
    const [only, ...others] = this.#memberships.map(closureOf);
    this.closure =
      only !== undefined && others.length === 0
        ? only
        : (context, steps) =>
            only?.(context, steps) === true && others.every((closure) => closure(context, steps) === true);
  }

  get pin(): CpeId | null {
    return pinOf(this.#memberships);
  }

  get name(): string | null {
    return onlyValueOf(this.#memberships.filter(({ orPath }) => orPath !== undefined));
  }

  readonly isBySerialNumber = (context: object): boolean => {
    const named = this.#memberships.find(({ orPath }) => orPath !== undefined);
    if (named === undefined) return false;
    const { orPath: _, ...alone } = named;
    this.#byCpeId ??= closureOf(alone);
    return this.#byCpeId(context) !== true;
  };

  get requirements(): readonly Requirement[] {
    return this.#memberships;
  }

  /** The values are variables (`$v0`, `$v1` …), so that rules that differ in them only are one expression. */
  get source(): ConditionSource {
    return {
      text: this.#memberships
        .map((membership, index) => expressionOf(membership, `$v${index}`))
        .join(' and '),
      bindings: Object.fromEntries(this.#memberships.map(({ values }, index) => [`v${index}`, values])),
    };
  }

  get conjuncts(): readonly Conjunct[] {
    return this.#memberships.map((membership) => ({
      text: textOf(membership),
      column: null,
      closure: closureOf(membership),
      paths: [membership.key, ...(membership.orPath === undefined ? [] : [membership.orPath.join('.')])],
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

/** The one CPE for which these can all hold, by its cpeid; null where they name none or several. */
export function pinOf(requirements: readonly Requirement[]): CpeId | null {
  return onlyValueOf(
    requirements.filter(
      ({ path, orPath }) => path.length === 1 && path[0] === 'cpeid' && orPath === undefined,
    ),
  ) as CpeId | null;
}

/** The text that the first of these with a single one demands. */
function onlyValueOf(requirements: readonly Requirement[]): string | null {
  for (const { values, patterns = [] } of requirements) {
    const [only] = values;
    if (values.length === 1 && patterns.length === 0 && typeof only === 'string') return only;
  }
  return null;
}
