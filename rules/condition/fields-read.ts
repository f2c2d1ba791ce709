import type { Condition } from '../vocabulary/index.js';
import { parse } from './parse.js';
import { isSyntaxNode, nodesOf, type SyntaxNode } from './syntax-tree.js';

/** Which fields of a CPE a condition looks at, as far as its text tells. */
export interface FieldsRead {
  /** Their first names: `parameters`, `softwareVersion`. */
  readonly names: ReadonlySet<string>;
  /** It may look at others too: at all there are (`*`, `$`), or at what the clock says. */
  readonly mayReadMore: boolean;
}

/** Steps that lead to more than one name, or to no name at all. */
const OPEN_STEPS: ReadonlySet<unknown> = new Set(['wildcard', 'descendant', 'parent']);
/** What they give is another at each moment. */
const CLOCKS: ReadonlySet<unknown> = new Set(['now', 'millis']);

/** @throws ConditionError for a text that is no condition */
export function fieldsReadBy(condition: Condition): FieldsRead {
  if (typeof condition !== 'string')
    return {
      names: new Set(Object.keys(condition).map((key) => key.split('.', 1)[0] ?? key)),
      mayReadMore: false,
    };
  const names = new Set<string>();
  let mayReadMore = false;
  for (const { node } of nodesOf(parse(condition).tree)) {
    const { type, value } = node;
    // The context as a whole, which may then be looked through by any name.
    const isContext = type === 'variable' && (value === '' || value === '$');
    if (isContext || OPEN_STEPS.has(type) || (type === 'variable' && CLOCKS.has(value))) mayReadMore = true;
    const first = type === 'path' ? firstName(node) : null;
    if (first !== null) names.add(first);
  }
  return { names, mayReadMore };
}

/** The first name of a path, whatever variable it begins at. */
function firstName({ steps }: SyntaxNode): string | null {
  if (!Array.isArray(steps)) return null;
  const first = (steps as readonly unknown[]).find((step) => isSyntaxNode(step) && step['type'] === 'name');
  return isSyntaxNode(first) && typeof first['value'] === 'string' ? first['value'] : null;
}
