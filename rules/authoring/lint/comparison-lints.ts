import { EVENT_CODES, suggest } from '../../../common/index.js';
import { isSyntaxNode, type SyntaxNode } from '../../condition/index.js';
import { CONTEXT_FIELDS, isLikeCpeId } from '../../vocabulary/index.js';
import { calledBy, constantOf, constantsOf, fieldOf, isList } from './expression.js';
import { type LintCode, quoted } from './finding.js';

/** Something to be said of a node. */
export interface NodeRemark {
  readonly code: LintCode;
  readonly message: string;
}

const ORDERS: ReadonlySet<unknown> = new Set(['<', '<=', '>', '>=']);
const EQUALITIES: ReadonlySet<unknown> = new Set(['=', '!=']);

/** The traps of one comparison (`=`, `!=`, `<` …, `in`) whose operands are fields of the context. */
export function* comparisonRemarks(node: SyntaxNode): Generator<NodeRemark> {
  const { type, value: operator, lhs, rhs } = node;
  if (type !== 'binary') return;
  if (EQUALITIES.has(operator) || operator === 'in') yield* patternRemarks(lhs, rhs);
  if (operator === 'in') {
    yield* membershipRemarks(lhs, rhs);
  } else if (EQUALITIES.has(operator) || ORDERS.has(operator)) {
    yield* operandRemarks(String(operator), lhs, rhs, '');
    // `5 > x` says what `x < 5` says.
    yield* operandRemarks(String(operator), rhs, lhs, 'mirrored');
    yield* compareVersionsRemarks(String(operator), lhs, rhs);
    yield* compareVersionsRemarks(String(operator), rhs, lhs);
  }
}

function* patternRemarks(...operands: readonly unknown[]): Generator<NodeRemark> {
  if (!operands.some((operand) => isSyntaxNode(operand) && operand['type'] === 'regex')) return;
  const field = operands.map(fieldOf).find((name) => name !== null) ?? 'field';
  yield {
    code: 'pattern-equality',
    message: `no value equals a pattern; write $contains(${field}, /…/)`,
  };
}

function* membershipRemarks(lhs: unknown, rhs: unknown): Generator<NodeRemark> {
  const field = fieldOf(lhs);
  if (field !== null) {
    if (isListField(field)) {
      yield listRemark(field, constantsOf(rhs)?.[0]);
    } else {
      for (const value of constantsOf(rhs) ?? []) yield* valueRemarks(field, value);
    }
  }
  const container = fieldOf(rhs);
  const value = constantOf(lhs);
  if (container !== null && value !== undefined) yield* valueRemarks(container, value);
}

function* operandRemarks(
  operator: string,
  fieldNode: unknown,
  other: unknown,
  side: '' | 'mirrored',
): Generator<NodeRemark> {
  const field = fieldOf(fieldNode);
  if (field === null) return;
  const value = constantOf(other);
  if (isListField(field)) {
    // Two lists may well be equal; nobody compares a list with what is computed.
    if (value !== undefined) yield listRemark(field, value);
    return;
  }
  if (value === undefined) return;
  const unlike = [...valueRemarks(field, value)];
  yield* unlike;
  if (unlike.length > 0 || !ORDERS.has(operator) || typeof value !== 'string' || !isVersion(field)) return;
  const order = side === 'mirrored' ? mirrored(operator) : operator;
  yield {
    code: 'version-as-text',
    message: `as a text "10.0" comes before "9.0"; write $compareVersions(${field}, ${quoted(value)}) ${order} 0`,
  };
}

function isListField(field: string): boolean {
  return CONTEXT_FIELDS.get(field)?.type === 'list';
}

function listRemark(field: string, value: unknown): NodeRemark {
  const wanted = quoted(value ?? '…');
  return {
    code: 'list-equality',
    message: `${field} is a list, and a list never equals one value; write ${wanted} in ${field}`,
  };
}

/** What is wrong with expecting a value at a field, in a text. */
function* valueRemarks(field: string, value: unknown): Generator<NodeRemark> {
  yield* typeRemarks(field, value);
  if (typeof value !== 'string') return;
  if (field === 'events') yield* eventRemarks(value);
  if (field === 'cpeid' && !isLikeCpeId(value)) {
    yield {
      code: 'not-a-cpeid',
      message: `${quoted(value)} is no cpeid: those are OUI-ProductClass-SerialNumber, with any byte outside A-Z a-z 0-9 _ . as ~XX; a serial number is serialNumber = ${quoted(value)}`,
    };
    return;
  }
  if (value.includes('*') && CONTEXT_FIELDS.get(field)?.type === 'text') {
    yield {
      code: 'star-in-text',
      message: `in a text * is a character like others; write the condition as an object, {${JSON.stringify(field)}: ${quoted(value)}}, or $contains(${field}, /…/)`,
    };
  }
}

/** The same in object form, where a serial number may stand for a cpeid, and a star for anything. */
export function* fieldRemarks(field: string, value: unknown): Generator<NodeRemark> {
  yield* typeRemarks(field, value);
  if (field === 'events' && typeof value === 'string' && !value.includes('*')) yield* eventRemarks(value);
}

function* typeRemarks(field: string, value: unknown): Generator<NodeRemark> {
  const type = CONTEXT_FIELDS.get(field)?.type;
  if ((type === 'text' || type === 'list') && typeof value !== 'string') {
    const remedy = typeof value === 'number' ? `; write "${value}"` : '';
    const what = type === 'text' ? 'a text' : 'a list of texts';
    yield {
      code: 'unlike-types',
      message: `${field} is ${what}, never ${kindOf(value)}${remedy}`,
    };
    return;
  }
  if (type === 'number' && typeof value !== 'number') {
    const remedy = typeof value === 'string' ? `; write $toMillis(${quoted(value)})` : '';
    yield {
      code: 'unlike-types',
      message: `${field} is a number of milliseconds, never ${kindOf(value)}${remedy}`,
    };
  }
}

function* eventRemarks(event: string): Generator<NodeRemark> {
  if (EVENT_CODES.includes(event) || /^[MX] ./.test(event)) return;
  const word = event.replace(/^\d+ +/, '').toUpperCase();
  const near = EVENT_CODES.find((code) => code.replace(/^\d+ /, '') === word) ?? suggest(event, EVENT_CODES);
  yield {
    code: 'unknown-event',
    message: `there is no event ${quoted(event)}${near === null ? '; TR-069 has such as "1 BOOT" and "2 PERIODIC"' : `; did you mean "${near}"?`}`,
  };
}

function kindOf(value: unknown): string {
  return value === null
    ? 'null'
    : typeof value === 'string'
      ? 'a text'
      : typeof value === 'number'
        ? 'a number'
        : String(value);
}

function isVersion(field: string): boolean {
  return /version$/i.test(field);
}

function mirrored(operator: string): string {
  return operator.startsWith('<') ? operator.replace('<', '>') : operator.replace('>', '<');
}

/** Its result is below 0, 0 or above: which number exactly is nobody's business. */
function* compareVersionsRemarks(operator: string, call: unknown, other: unknown): Generator<NodeRemark> {
  if (calledBy(call) !== 'compareVersions' || !EQUALITIES.has(operator) || isList(other)) return;
  const value = constantOf(other);
  if (typeof value !== 'number' || value === 0) return;
  yield {
    code: 'compare-versions-equals',
    message: `$compareVersions gives a number below 0, 0 or above; write $compareVersions(…) ${value < 0 ? '<' : '>'} 0`,
  };
}
