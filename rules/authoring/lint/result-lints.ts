import { isSyntaxNode, type SyntaxNode } from '../../condition/index.js';
import { CONTEXT_FIELDS } from '../../vocabulary/index.js';
import { calledBy, constantOf, constantsOf, fieldOf } from './expression.js';
import { type NodeRemark, quoted } from './finding.js';

const ORDERS: ReadonlySet<unknown> = new Set(['<', '<=', '>', '>=']);
const TEXTS: ReadonlySet<string> = new Set(
  'string lowercase uppercase substring substringBefore substringAfter trim pad replace join fromMillis formatNumber type'.split(
    ' ',
  ),
);
const NUMBERS: ReadonlySet<string> = new Set(
  'length count number sum abs floor ceil round power sqrt toMillis millis bucket compareVersions'.split(' '),
);
/** 2001 to 2286 in seconds, and 1970 in milliseconds. */
const SECONDS_FROM = 1e9;
const SECONDS_TO = 1e10;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_SECONDS = 3_600;

/** The traps of comparing what a function gives, or a time, with a constant. */
export function* resultRemarks(node: SyntaxNode): Generator<NodeRemark> {
  const { type, value: operator, lhs, rhs } = node;
  if (type !== 'binary') return;
  if (operator === '=' || operator === '!=' || ORDERS.has(operator)) {
    for (const [result, other] of [
      [lhs, rhs],
      [rhs, lhs],
    ]) {
      const value = constantOf(other);
      if (value === undefined) continue;
      yield* constantRemarks(result, value, ORDERS.has(operator));
      yield* timeRemarks(result, value);
    }
  } else if (operator === 'in') {
    for (const value of constantsOf(rhs) ?? []) yield* constantRemarks(lhs, value, false);
  }
}

function* constantRemarks(result: unknown, value: unknown, isOrder: boolean): Generator<NodeRemark> {
  const name = calledBy(result);
  if (name === null || !isSyntaxNode(result)) return;
  // `$split(…)[1]` is one text of several.
  const isText = TEXTS.has(name) || (name === 'split' && result['predicate'] !== undefined);
  if (isText && typeof value === 'number') {
    const remedy = isOrder ? `$number($${name}(…))` : `"${value}"`;
    yield { code: 'unlike-types', message: `$${name} gives a text, never a number; write ${remedy}` };
  } else if (NUMBERS.has(name) && typeof value === 'string') {
    const number = value.trim() === '' ? Number.NaN : Number(value);
    const remedy = Number.isFinite(number) ? `write ${number}` : 'compare it with a number';
    yield { code: 'unlike-types', message: `$${name} gives a number, never a text; ${remedy}` };
  } else if (name === 'bucket' && typeof value === 'number' && !Number.isInteger(value)) {
    yield { code: 'bucket-fraction', message: fractionMessage(value) };
  } else if (typeof value === 'string' && name === 'lowercase' && value !== value.toLowerCase()) {
    yield {
      code: 'letter-case',
      message: `$lowercase gives no capitals; write ${quoted(value.toLowerCase())}`,
    };
  } else if (typeof value === 'string' && name === 'uppercase' && value !== value.toUpperCase()) {
    yield {
      code: 'letter-case',
      message: `$uppercase gives capitals only; write ${quoted(value.toUpperCase())}`,
    };
  }
}

function fractionMessage(value: number): string {
  const percent = value > 0 && value < 1 ? Number((value * 100).toPrecision(3)) : Math.round(value);
  return `buckets are whole numbers from 0 to 99, one for each percent, so ${value} is not what a share of ${percent} % is; write ${Math.max(1, Math.round(percent))}`;
}

function* timeRemarks(result: unknown, value: unknown): Generator<NodeRemark> {
  if (typeof value !== 'number') return;
  if (isTime(result) && value >= SECONDS_FROM && value < SECONDS_TO) {
    const iso = new Date(value * SECOND_MS).toISOString().replace('.000', '');
    yield {
      code: 'seconds',
      message: `times are in milliseconds, and ${value} looks like seconds; write $toMillis("${iso}")`,
    };
  } else if (isDuration(result) && looksLikeSeconds(value)) {
    yield {
      code: 'seconds',
      message: `times are in milliseconds, and ${value} looks like seconds; write ${value * SECOND_MS}`,
    };
  }
}

function isTime(node: unknown): boolean {
  const field = fieldOf(node);
  return (field !== null && CONTEXT_FIELDS.get(field)?.type === 'number') || calledBy(node) === 'millis';
}

function isDuration(node: unknown): boolean {
  return (
    isSyntaxNode(node) &&
    node['type'] === 'binary' &&
    node['value'] === '-' &&
    isTime(node['lhs']) &&
    isTime(node['rhs'])
  );
}

/** Hours and days in seconds are no whole number of seconds, or of minutes, in milliseconds. */
function looksLikeSeconds(value: number): boolean {
  return value > 0 && (value % SECOND_MS !== 0 || (value % HOUR_SECONDS === 0 && value % MINUTE_MS !== 0));
}
