import { isSyntaxNode, plainPathOf, type SyntaxNode } from '../syntax-tree.js';
import { type Constant, constantOf, type Scope, truthOf, withoutParentheses } from './constant.js';
import { compared, isListField, isPlain, type Outcome, Subject, type World } from './subject.js';

/** What an expression that is wanted true or false comes to, by what its subjects are. */
export type Logic =
  | { readonly kind: 'and' | 'or'; readonly node: SyntaxNode; readonly operands: readonly Logic[] }
  | { readonly kind: 'not'; readonly node: SyntaxNode; readonly operand: Logic }
  | {
      readonly kind: 'atom';
      readonly node: SyntaxNode;
      readonly subject: Subject;
      readonly holds: (world: World) => Outcome;
    }
  /** Whatever it may come to; the same `key`, the same outcome. */
  | { readonly kind: 'free'; readonly node: SyntaxNode; readonly key: string }
  | { readonly kind: 'fixed'; readonly node: SyntaxNode; readonly outcome: boolean };

const COMPARISONS: ReadonlySet<unknown> = new Set(['=', '!=', '<', '<=', '>', '>=']);
const MIRRORED: ReadonlyMap<string, string> = new Map([
  ['<', '>'],
  ['<=', '>='],
  ['>', '<'],
  ['>=', '<='],
]);

/** Makes {@link Logic} of a tree; the subjects gather what they are compared with on the way. */
export class LogicMaker {
  readonly #scope: Scope;
  readonly #subjects = new Map<string, Subject>();
  /** `$bucket(…) < 100`: every bucket, as the last step of a canary that is widened. */
  readonly wholeBuckets: SyntaxNode[] = [];

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  make(root: SyntaxNode): Logic {
    const inner = withoutParentheses(root);
    const node = isSyntaxNode(inner) ? inner : root;
    const { type, value } = node;
    if (type === 'binary' && (value === 'and' || value === 'or')) {
      return { kind: value, node, operands: operandsOf(node, value).map((operand) => this.make(operand)) };
    }
    const [negated] = callOf(node, 'not') ?? [];
    if (isSyntaxNode(negated)) return { kind: 'not', node, operand: this.make(negated) };
    const constant = constantOf(node, this.#scope);
    if (constant?.kind === 'value') return { kind: 'fixed', node, outcome: truthOf(constant.value) };
    return this.#atom(node) ?? { kind: 'free', node, key: keyOf(node) };
  }

  #atom(node: SyntaxNode): Logic | null {
    const { type, value, lhs, rhs } = node;
    if (type === 'binary' && value === 'in') return this.#membership(node, lhs, rhs);
    if (type === 'binary' && typeof value === 'string' && COMPARISONS.has(value)) {
      return (
        this.#comparison(node, value, lhs, rhs) ??
        this.#comparison(node, MIRRORED.get(value) ?? value, rhs, lhs)
      );
    }
    const [asked] = callOf(node, 'exists') ?? [];
    const path = asked === undefined ? null : pathFrom(asked);
    if (path === null) return null;
    const subject = this.#subject(path);
    subject.asked();
    return { kind: 'atom', node, subject, holds: (world) => world.value !== undefined };
  }

  #membership(node: SyntaxNode, lhs: unknown, rhs: unknown): Logic | null {
    const path = pathFrom(lhs);
    const constant = this.#valueOf(rhs);
    if (path === null || constant === null) return null;
    const values: readonly unknown[] = Array.isArray(constant.value) ? constant.value : [constant.value];
    if (!values.every(isPlain)) return null;
    const subject = this.#subject(path);
    subject.equated(values);
    const among = new Set(values);
    return { kind: 'atom', node, subject, holds: ({ value }) => value !== undefined && among.has(value) };
  }

  #comparison(node: SyntaxNode, operator: string, operand: unknown, other: unknown): Logic | null {
    const constant = this.#valueOf(other);
    if (constant === null) return null;
    const { value: wanted } = constant;
    const bucket = callOf(operand, 'bucket');
    if (bucket?.length === 2) return this.#bucket(node, operator, operand, wanted);
    const versions = callOf(operand, 'compareVersions');
    if (versions?.length === 2) return this.#versions(node, operator, versions, wanted);
    const path = pathFrom(operand);
    // A list may equal a list; a text, a number or a parameter never does.
    if (path === null || !(isPlain(wanted) || (Array.isArray(wanted) && !isListField(path)))) return null;
    const subject = this.#subject(path);
    if (MIRRORED.has(operator)) subject.ordered(wanted);
    else subject.equated([wanted]);
    return { kind: 'atom', node, subject, holds: ({ value }) => compared(operator, value, wanted) };
  }

  #bucket(node: SyntaxNode, operator: string, call: unknown, wanted: unknown): Logic | null {
    if (!isPlain(wanted) || !isSyntaxNode(call)) return null;
    const isWhole =
      (operator === '<' && wanted === 100) || (operator === '<=' && (wanted === 99 || wanted === 100));
    if (isWhole) {
      this.wholeBuckets.push(node);
      return { kind: 'free', node, key: keyOf(node) };
    }
    const subject = this.#subject(null, keyOf(call));
    return { kind: 'atom', node, subject, holds: ({ value }) => compared(operator, value, wanted) };
  }

  #versions(
    node: SyntaxNode,
    operator: string,
    [left, right]: readonly unknown[],
    wanted: unknown,
  ): Logic | null {
    const [leftPath, rightPath] = [pathFrom(left), pathFrom(right)];
    const version = this.#valueOf(leftPath === null ? left : right)?.value;
    const path = leftPath ?? rightPath;
    if (path === null || typeof version !== 'string' || !isPlain(wanted)) return null;
    const subject = this.#subject(path);
    if (!subject.versioned(version)) return null;
    const side = leftPath === null ? -1 : 1;
    return {
      kind: 'atom',
      node,
      subject,
      holds(world) {
        const order = subject.comparedTo(world, version);
        if (order === 'fault') return 'fault';
        return compared(operator, order === 'missing' ? undefined : side * order, wanted);
      },
    };
  }

  #valueOf(node: unknown): Extract<Constant, { kind: 'value' }> | null {
    const constant = constantOf(node, this.#scope);
    return constant?.kind === 'value' ? constant : null;
  }

  #subject(path: readonly string[] | null, call = ''): Subject {
    const key = path === null ? call : JSON.stringify(path);
    const subject = this.#subjects.get(key) ?? new Subject(path);
    this.#subjects.set(key, subject);
    return subject;
  }
}

/** The operands of a chain of one operator, in their order; iterative, as there may be a thousand. */
export function operandsOf(root: SyntaxNode, operator: 'and' | 'or'): readonly SyntaxNode[] {
  const operands: SyntaxNode[] = [];
  const open: unknown[] = [root];
  while (open.length > 0) {
    const node = withoutParentheses(open.pop());
    if (!isSyntaxNode(node)) continue;
    if (node['type'] === 'binary' && node['value'] === operator) open.push(node['rhs'], node['lhs']);
    else operands.push(node);
  }
  return operands;
}

/** The arguments of a call of the function `name`; null for anything else. */
export function callOf(node: unknown, name: string): readonly unknown[] | null {
  const inner = withoutParentheses(node);
  if (!isSyntaxNode(inner) || inner['type'] !== 'function' || inner['predicate'] !== undefined) return null;
  const { procedure, arguments: given } = inner;
  if (!isSyntaxNode(procedure) || procedure['type'] !== 'variable' || procedure['value'] !== name)
    return null;
  return Array.isArray(given) ? given : null;
}

/** The names of a path from the context that is nothing but names (`$.a` and `$$.a` are `a`); null for anything else. */
export function pathFrom(node: unknown): readonly string[] | null {
  const inner = withoutParentheses(node);
  if (!isSyntaxNode(inner) || inner['type'] !== 'path' || !Array.isArray(inner['steps'])) return null;
  const [first, ...steps]: readonly unknown[] = inner['steps'];
  const isContext =
    isSyntaxNode(first) && first['type'] === 'variable' && (first['value'] === '' || first['value'] === '$');
  const path = plainPathOf(isContext ? { ...inner, steps } : inner);
  return path?.length === 0 ? null : path;
}

/** The same for two expressions that are written the same, wherever they stand. */
function keyOf(node: SyntaxNode): string {
  return JSON.stringify(node, (name, value: unknown) =>
    name === 'position' ? undefined : value instanceof RegExp ? String(value) : value,
  );
}

/** What comes of it where each subject is the world that `worldOf` says, and what is free that which `freely` says. */
export function outcomeOf(
  logic: Logic,
  worldOf: (subject: Subject) => World,
  freely: (key: string) => Outcome,
): Outcome {
  switch (logic.kind) {
    case 'atom':
      return logic.holds(worldOf(logic.subject));
    case 'free':
      return freely(logic.key);
    case 'fixed':
      return logic.outcome;
    case 'not': {
      const outcome = outcomeOf(logic.operand, worldOf, freely);
      return typeof outcome === 'boolean' ? !outcome : outcome;
    }
    case 'and':
    case 'or': {
      const decisive = logic.kind === 'or';
      for (const operand of logic.operands) {
        const outcome = outcomeOf(operand, worldOf, freely);
        if (outcome === 'fault') return outcome;
        if ((outcome === true) === decisive) return decisive;
      }
      return !decisive;
    }
    default:
      return logic satisfies never;
  }
}
