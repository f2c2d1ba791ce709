import { suggest } from '../../../common/index.js';
import { conjunctsOf, isSyntaxNode, nodesOf, type SyntaxNode, slipInName } from '../../condition/index.js';
import { CONTEXT_FIELDS, type Condition, isSecretParameter } from '../../vocabulary/index.js';
import { callRemarks, chainedCalls } from './call-lints.js';
import { comparisonRemarks, fieldRemarks } from './comparison-lints.js';
import {
  calledBy,
  type Expression,
  type FieldPath,
  fieldOf,
  fieldPathOf,
  parseExpression,
  visitsOf,
} from './expression.js';
import type { NodeRemark, Remark } from './finding.js';
import { nakedCall, unknownFunctions } from './function-lint.js';
import { resultRemarks } from './result-lints.js';

/** Most remarks on one condition: after the first few they are echoes. */
const REMARKS_MAX = 20;
const LOGICAL: ReadonlySet<unknown> = new Set(['and', 'or']);
/** What these yield is never `true`. */
const NUMBERS_AND_TEXTS: ReadonlySet<string> = new Set(
  (
    'compareVersions bucket count length string number lowercase uppercase substring substringBefore substringAfter trim pad ' +
    'match replace split join sum max min average abs floor ceil round power sqrt now millis fromMillis toMillis keys type'
  ).split(' '),
);
const COMPARISONS: ReadonlySet<unknown> = new Set(['=', '<', '<=', '>', '>=', 'in']);
/** These are not true where what they look at is missing. */
const POSITIVE_CALLS: ReadonlySet<string> = new Set(['exists', 'contains', 'inSubnet']);

/** The traps of one condition that is valid. */
export function conditionRemarks(condition: Condition): readonly Remark[] {
  const remarks: Remark[] = [];
  for (const remark of typeof condition === 'string' ? textRemarks(condition) : objectRemarks(condition)) {
    if (remarks.push(remark) >= REMARKS_MAX) break;
  }
  return remarks;
}

function* objectRemarks(condition: Exclude<Condition, string>): Generator<Remark> {
  for (const [field, wanted] of Object.entries(condition)) {
    const at = (remark: NodeRemark): Remark => ({ ...remark, path: ['condition', field] });
    const remark = fieldRemark({ names: field.split('.'), whole: true });
    if (remark !== null) yield at(remark);
    for (const value of Array.isArray(wanted) ? wanted : [wanted]) {
      for (const remark of fieldRemarks(field, value)) yield at(remark);
    }
  }
}

function* textRemarks(text: string): Generator<Remark> {
  const expression = parseExpression(text);
  if (expression === null) return;
  const at = (node: SyntaxNode, remark: NodeRemark): Remark => ({
    ...remark,
    path: ['condition'],
    character: expression.startOf(node),
  });
  const conjuncts = conjunctsOf(expression.tree);
  // A conjunct that is a negation is none of those, so it does not vouch for itself.
  const named = fieldsNamedBySure(conjuncts);
  const nodes = [...nodesOf(expression.tree)].map(({ node }) => node);
  const chained = chainedCalls(nodes);
  const words = wordsMeantAsTexts(nodes);
  const naked = new Set(nodes.flatMap((node) => nakedCall(node)?.procedure ?? []));
  for (const conjunct of conjuncts) {
    for (const remark of uncomparedRemarks(conjunct)) yield at(conjunct, remark);
    for (const visit of visitsOf(conjunct)) {
      const { node } = visit;
      const path = naked.has(node) ? null : fieldPathOf(visit);
      const remark = path === null ? null : (words.get(node) ?? fieldRemark(path));
      if (remark !== null) yield at(node, remark);
      if (visit.atRoot) {
        for (const remark of comparisonRemarks(node)) yield at(node, remark);
        for (const remark of resultRemarks(node)) yield at(node, remark);
        for (const remark of chained.has(node) ? [] : callRemarks(node)) yield at(node, remark);
        for (const remark of negationRemarks(node, named)) yield at(node, remark);
      }
      for (const remark of logicRemarks(node)) yield at(node, remark);
    }
  }
  for (const { node, remark } of unknownFunctions(expression.tree)) yield at(node, remark);
  yield* wholeRemarks(expression, conjuncts);
}

function fieldRemark({ names, whole }: FieldPath): NodeRemark | null {
  const [first = '', ...below] = names;
  const dotted = names.join('.');
  if (/^(?:Device|InternetGatewayDevice)(?:\.|$)/.test(first)) {
    return {
      code: 'missing-prefix',
      message: `the data model hangs under "parameters"; write parameters.${dotted}${whole ? '' : '…'}`,
    };
  }
  if (first === 'parameters' && whole && isSecretParameter(dotted)) {
    return {
      code: 'secret-parameter',
      message: `${dotted} is a secret: no CPE is asked for it, and of one that is told only "set" is kept, or "" where it is empty`,
    };
  }
  if (first === 'parameters' && below.some((name) => name.includes('.'))) {
    return {
      code: 'unknown-path',
      message: `a name in quotes is one step of a path, and there is none with a point in it; write ${dotted}${whole ? '' : '…'}`,
    };
  }
  if (first === 'tags') return NO_TAGS;
  const field = CONTEXT_FIELDS.get(first);
  if (field === undefined) {
    const slip = slipInName(first);
    if (slip !== null) return { code: 'unknown-path', message: slip };
    const near = suggest(first, [...CONTEXT_FIELDS.keys()]);
    const remedy =
      near === null ? `there are ${[...CONTEXT_FIELDS.keys()].join(', ')}` : `did you mean ${near}?`;
    return { code: 'unknown-path', message: `no CPE has a field ${quotedName(first)}; ${remedy}` };
  }
  if (field.type === 'tree' || below.length === 0) return null;
  return { code: 'unknown-path', message: `${first} has no fields of its own; write ${first}` };
}

const NO_TAGS: NodeRemark = {
  code: 'no-tags',
  message: 'nothing sets tags yet, so that no CPE has any; name the CPEs by another field',
};

/** Words that no CPE has as a field, where a field is compared with them: texts whose quotes are missing. */
function wordsMeantAsTexts(nodes: readonly SyntaxNode[]): ReadonlyMap<SyntaxNode, NodeRemark> {
  const words = new Map<SyntaxNode, NodeRemark>();
  for (const { type, value: operator, lhs, rhs } of nodes) {
    if (type !== 'binary' || !(COMPARISONS.has(operator) || operator === '!=')) continue;
    for (const [field, other] of [
      [lhs, rhs],
      [rhs, lhs],
    ]) {
      const isText = CONTEXT_FIELDS.get(fieldOf(field) ?? '')?.type === 'text';
      const list =
        isSyntaxNode(other) && Array.isArray(other['expressions']) ? other['expressions'] : [other];
      for (const word of isText ? list : []) {
        const name = fieldOf(word);
        const isWord = name !== null && /^\w+$/.test(name) && !CONTEXT_FIELDS.has(name);
        if (!isWord || suggest(name, [...CONTEXT_FIELDS.keys()]) !== null) continue;
        const message = `no CPE has a field ${quotedName(name)}; a text has quotes: did you mean "${name.slice(0, 80)}"?`;
        words.set(word, { code: 'unknown-path', message });
      }
    }
  }
  return words;
}

function quotedName(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}

/** Fields without which these conjuncts are not true: a negation beside them meets no CPE where they are missing. */
function fieldsNamedBySure(conjuncts: readonly SyntaxNode[]): ReadonlySet<string> {
  const sure = conjuncts.filter(
    (conjunct) =>
      (conjunct['type'] === 'binary' && COMPARISONS.has(conjunct['value'])) ||
      POSITIVE_CALLS.has(calledBy(conjunct) ?? ''),
  );
  return new Set(sure.flatMap(pathsIn).map(({ names }) => names.join('.')));
}

function pathsIn(node: SyntaxNode): readonly FieldPath[] {
  return [...visitsOf(node)].flatMap((visit) => fieldPathOf(visit) ?? []);
}

/**
 * `$not` of what is false of a missing value: `=`, `!=`, `in`, and what `and` and `or` make of it. (`<` and most functions are missing
 * themselves then, and so is their negation.)
 */
function* negationRemarks(node: SyntaxNode, named: ReadonlySet<string>): Generator<NodeRemark> {
  if (calledBy(node) !== 'not' || !Array.isArray(node['arguments'])) return;
  const [negated]: readonly unknown[] = node['arguments'];
  const inner = unwrapped(negated);
  if (inner === null || inner['type'] !== 'binary') return;
  const { value: operator } = inner;
  if (operator !== '=' && operator !== '!=' && operator !== 'in' && !LOGICAL.has(operator)) return;
  const missing = pathsIn(inner).find(
    ({ names }) => CONTEXT_FIELDS.get(names[0] ?? '')?.mayBeMissing === true && !named.has(names.join('.')),
  );
  if (missing === undefined) return;
  const field = missing.names.join('.');
  yield {
    code: 'negated-missing',
    message: `this also holds where ${field} is not known; ${operator === '=' ? 'write != instead, which does not' : `put $exists(${field}) and before it`}`,
  };
}

/** Without the parentheses around it. */
function unwrapped(node: unknown): SyntaxNode | null {
  let inner = node;
  while (isSyntaxNode(inner) && inner['type'] === 'block' && Array.isArray(inner['expressions'])) {
    if (inner['expressions'].length !== 1) break;
    inner = inner['expressions'][0];
  }
  return isSyntaxNode(inner) ? inner : null;
}

function* logicRemarks(node: SyntaxNode): Generator<NodeRemark> {
  if (node['type'] !== 'binary' || !LOGICAL.has(node['value'])) return;
  const operands = [node['lhs'], node['rhs']].filter(isSyntaxNode);
  const mixed = operands.some(({ type, value }) => type === 'binary' && value === 'and');
  if (node['value'] === 'or' && mixed) {
    yield {
      code: 'and-or-mixed',
      message: '`and` goes before `or`; put parentheses around what belongs together',
    };
  }
  for (const operand of operands) yield* uncomparedRemarks(operand);
}

function* uncomparedRemarks(operand: SyntaxNode): Generator<NodeRemark> {
  if (operand['type'] === 'apply' && isSyntaxNode(operand['rhs']) && operand['rhs']['type'] === 'regex') {
    const field = fieldOf(operand['lhs']) ?? '…';
    yield {
      code: 'no-comparison',
      message: `~> with a pattern gives a match, and neither true nor false; write $contains(${field}, /…/)`,
    };
    return;
  }
  const name = calledBy(operand);
  if (name === null || !NUMBERS_AND_TEXTS.has(name)) return;
  const shape =
    name === 'compareVersions' || name === 'bucket'
      ? ` such as $${name}(…) < ${name === 'bucket' ? 5 : 0}`
      : '';
  yield {
    code: 'no-comparison',
    message: `$${name} gives no true or false; compare its result with something${shape}`,
  };
}

/** Of the condition as a whole. */
function* wholeRemarks(expression: Expression, conjuncts: readonly SyntaxNode[]): Generator<Remark> {
  const at = (remark: NodeRemark): Remark => ({ ...remark, path: ['condition'], character: 0 });
  if (!readsAnything(expression.tree)) {
    yield at({
      code: 'constant-condition',
      message: 'the condition reads no field, so it is the same for every CPE; name the CPEs it is for',
    });
    return;
  }
  const [only, ...others] = conjuncts;
  if (only === undefined || others.length > 0) return;
  const path = fieldPathOf({ node: only, atRoot: true });
  if (path !== null && CONTEXT_FIELDS.has(path.names[0] ?? '') && path.names[0] !== 'parameters') {
    yield at({
      code: 'no-comparison',
      message: `${path.names.join('.')} is never true; compare it with something, or write $exists(…)`,
    });
  }
}

function readsAnything(tree: SyntaxNode): boolean {
  return [...visitsOf(tree)].some(
    ({ node: { type, value } }) =>
      type === 'path' ||
      type === 'wildcard' ||
      type === 'descendant' ||
      type === 'parent' ||
      (type === 'variable' && (value === '' || value === '$')),
  );
}
