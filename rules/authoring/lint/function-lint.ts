import { suggest } from '../../../common/index.js';
import { isSyntaxNode, plainPathOf, type SyntaxNode } from '../../condition/index.js';
import { visitsOf } from './expression.js';
import type { NodeRemark } from './finding.js';

/** What JSONata and Ferry define; `$eval` and `$random` are refused before this is asked. */
export const FUNCTIONS: ReadonlySet<string> = new Set(
  (
    'abs append assert average base64decode base64encode boolean bucket ceil clone compareVersions contains count ' +
    'decodeUrl decodeUrlComponent distinct each encodeUrl encodeUrlComponent error exists filter floor formatBase ' +
    'formatInteger formatNumber fromMillis inSubnet join keys length lookup lowercase map match max merge millis min not now ' +
    'number pad parseInteger power reduce replace reverse round shuffle sift single sort split spread sqrt string substring ' +
    'substringAfter substringBefore sum toMillis trim type uppercase zip'
  ).split(' '),
);

/** `$name` that nothing defines: where it is called the condition fails, for every CPE. */
export function* unknownFunctions(
  tree: SyntaxNode,
): Generator<{ readonly node: SyntaxNode; readonly remark: NodeRemark }> {
  const bound = boundIn(tree);
  for (const { node } of visitsOf(tree)) {
    const naked = nakedCall(node);
    if (naked !== null) {
      const { name } = naked;
      const near = FUNCTIONS.has(name) ? name : suggest(name, [...FUNCTIONS]);
      const remedy = near === null ? 'docs.jsonata.org lists what there is' : `write $${near}(…)`;
      const message = `the names of functions begin with $, and there is no ${name.slice(0, 80)}(…); ${remedy}`;
      yield { node, remark: { code: 'unknown-function', message } };
    }
    const { type, value: name } = node;
    if (type !== 'variable' || typeof name !== 'string' || name === '' || name === '$') continue;
    if (FUNCTIONS.has(name) || bound.has(name)) continue;
    const near = suggest(name, [...FUNCTIONS, ...bound]);
    const remedy = near === null ? 'docs.jsonata.org lists what there is' : `did you mean $${near}?`;
    const message = `there is no $${name.slice(0, 80)}; ${remedy}`;
    yield { node, remark: { code: 'unknown-function', message } };
  }
}

/** A call of something whose name has no `$` before it, such as `not(…)`; null for anything else. */
export function nakedCall(
  node: SyntaxNode,
): { readonly name: string; readonly procedure: SyntaxNode } | null {
  const { type, procedure } = node;
  if (type !== 'function' || !isSyntaxNode(procedure)) return null;
  const [name, ...others] = plainPathOf(procedure) ?? [];
  return name === undefined || others.length > 0 ? null : { name, procedure };
}

/** Names that the expression itself gives: by `:=`, as parameters of its functions, by `@` and `#`. */
function boundIn(tree: SyntaxNode): ReadonlySet<string> {
  const bound = new Set<string>();
  const add = (name: unknown): void => {
    if (typeof name === 'string') bound.add(name);
  };
  for (const { node } of visitsOf(tree)) {
    const { type, lhs, focus, index } = node;
    if (type === 'bind') add(nameOf(lhs));
    if (type === 'lambda' && Array.isArray(node['arguments'])) node['arguments'].map(nameOf).forEach(add);
    add(focus);
    add(index);
  }
  return bound;
}

function nameOf(node: unknown): unknown {
  return typeof node === 'object' && node !== null && 'value' in node ? node.value : null;
}
