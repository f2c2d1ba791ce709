import { type Token, tokensOf } from './text.js';

/** What another language would have there, and what JSONata has instead. */
export interface Slip {
  /** As a clause: what was found, and what to write. */
  readonly message: string;
  /** Where in the text, counted from 0. */
  readonly at: number;
}

interface Placed extends Token {
  readonly at: number;
}

/** What stands before a place: whether an operator or an operand is due there. */
interface Before {
  /** The token before, blanks left out; null at the beginning. */
  readonly last: Placed | null;
  readonly afterOperand: boolean;
}

const OPERATOR_WORDS: ReadonlySet<string> = new Set(['and', 'or', 'in']);
const NO_QUOTES = /[\u2018-\u201f\u00ab\u00bb\u00b4\u2039\u203a\u2032\u2033]/;
/** What looks like a blank and is none to JSONata. */
const NO_BLANK = /[^\S \t\n\r\v]/;
const SHOWN_CHARACTERS_MAX = 40;

/** Marks that follow each other, which are an operator elsewhere; the longer of two first. */
const MARKS: readonly (readonly [marks: string, remedy: string])[] = [
  ['===', 'write ='],
  ['!==', 'write !='],
  ['==', 'write ='],
  ['=~', 'write $contains(…, /…/)'],
  ['!~', 'write $not($contains(…, /…/))'],
  ['=>', 'write >='],
  ['=<', 'write <='],
  ['=!', 'write !='],
  ['<>', 'write !='],
  ['&&', 'write and'],
  ['||', 'write or'],
];

/** Words that stand between two operands elsewhere. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['like', 'write $contains(…, /^X/), or the condition as an object, {"modelName": "X*"}'],
  ['ilike', 'write $contains(…, /^x/i)'],
  ['matches', 'write $contains(…, /…/)'],
  ['regexp', 'write $contains(…, /…/)'],
  ['contains', 'write $contains(…, "…"), or "…" in tags for a list'],
  ['startswith', 'write $contains(…, /^X/)'],
  ['endswith', 'write $contains(…, /X$/)'],
  ['between', 'write … >= 1 and … <= 2'],
  ['is', 'write =; what is not known is $not($exists(…))'],
  ['not', 'write $not(… in ["X", "Y"])'],
  ['xor', 'write $boolean(…) != $boolean(…)'],
  ['eq', 'write ='],
  ['ne', 'write !='],
  ['lt', 'write <'],
  ['le', 'write <='],
  ['gt', 'write >'],
  ['ge', 'write >='],
]);

/**
 * The first slip of a text that JSONata does not understand: an operator, a quote, a comment … of another language. Null where there is
 * none up to the place at which JSONata gave up; what comes after that may be right.
 * @param until  where JSONata gave up, counted from 0; null where it does not say
 */
export function slipOf(text: string, until: number | null): Slip | null {
  const tokens = placed(text);
  let last: Placed | null = null;
  let afterOperand = false;
  for (const [index, token] of tokens.entries()) {
    // JSONata may blame what stands left of the slip.
    if (until !== null && last !== null && last.at > until) return null;
    const message = slipAt(text, tokens, index, { last, afterOperand });
    if (message !== null) return { message, at: token.at };
    if (token.kind === 'space') continue;
    afterOperand = isOperand(token, afterOperand);
    last = token;
  }
  return null;
}

/** What is amiss with a name that can only have come about by a slip: quotes that are none, blanks that are none. */
export function slipInName(name: string): string | null {
  if (NO_QUOTES.test(name)) {
    const [first = ''] = NO_QUOTES.exec(name) ?? [];
    return quoteSlip(first);
  }
  const [blank] = NO_BLANK.exec(name) ?? [];
  return blank === undefined ? null : blankSlip(blank);
}

function placed(text: string): readonly Placed[] {
  const tokens: Placed[] = [];
  let at = 0;
  for (const token of tokensOf(text)) {
    tokens.push({ ...token, at });
    at += token.text.length;
  }
  return tokens;
}

function isOperand({ kind, text }: Token, afterOperand: boolean): boolean {
  if (kind === 'mark') return text === ')' || text === ']' || text === '}';
  return kind !== 'name' || !(afterOperand && OPERATOR_WORDS.has(text));
}

function slipAt(text: string, tokens: readonly Placed[], index: number, before: Before): string | null {
  const token = tokens[index];
  if (token === undefined) return null;
  switch (token.kind) {
    case 'space':
      return spaceSlip(token.text);
    case 'mark':
      return markSlip(text, token, tokens, index, before);
    case 'pattern':
      return token.text.startsWith('//') ? COMMENT_SLIP : null;
    case 'name':
      return nameSlip(token, tokens, index, before);
    case 'string':
    case 'number':
    case 'step':
      return before.afterOperand ? missingOperator(token, before) : null;
    default:
      return token.kind satisfies never;
  }
}

const COMMENT_SLIP = 'a comment is not written // …; write /* … */';

function spaceSlip(space: string): string | null {
  // What is within a comment is nobody's business.
  const [blank] = space.includes('/*') ? [] : (NO_BLANK.exec(space) ?? []);
  return blank === undefined ? null : blankSlip(blank);
}

function blankSlip(blank: string): string {
  const code = (blank.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `there is a character that only looks like a blank (U+${code}); write a blank`;
}

function quoteSlip(quote: string): string {
  return `${quote} is no quotation mark here; write " or '`;
}

function markSlip(
  text: string,
  token: Placed,
  tokens: readonly Placed[],
  index: number,
  before: Before,
): string | null {
  const { at, text: mark } = token;
  const found = MARKS.find(([marks]) => text.startsWith(marks, at));
  if (found !== undefined) return `there is no operator ${found[0]}; ${found[1]}`;
  if (NO_QUOTES.test(mark)) return quoteSlip(mark);
  if (mark === '/' && tokens[index + 1]?.text.startsWith('/') === true) return COMMENT_SLIP;
  if (mark === '#' && tokens[index + 1]?.text.startsWith('$') !== true)
    return 'a comment is not written # …; write /* … */';
  if (mark === '!' && text[at + 1] !== '=') return 'there is no operator !; write $not(…)';
  if (mark === ':' && text[at + 1] === '=' && before.last?.text.startsWith('$') !== true) {
    return ':= is for variables, whose names begin with $; write = to compare';
  }
  if (mark === '.' && before.last?.kind === 'number' && adjoins(before.last, token)) {
    return dottedNumber(text, before.last);
  }
  if (mark === ';' && isLast(tokens, index)) return 'nothing ends with ; here; leave it out';
  if (mark === '(') return listSlip(tokens, index, before);
  return null;
}

function adjoins(last: Placed, token: Placed): boolean {
  return last.at + last.text.length === token.at;
}

function isLast(tokens: readonly Placed[], index: number): boolean {
  return tokens.slice(index + 1).every(({ kind }) => kind === 'space');
}

const DOTTED = /[0-9]+(?:\.[\w-]+)+/y;

/** `1.2.3`, `10.0.0.1`: a version, or an address. */
function dottedNumber(text: string, number: Placed): string | null {
  DOTTED.lastIndex = number.at;
  const [dotted = ''] = DOTTED.exec(text) ?? [];
  return dotted === ''
    ? null
    : `${shown(dotted)} is no number, and a text has quotes; write "${shown(dotted)}"`;
}

/** `in ('a', 'b')`: a comma right within parentheses that call nothing. */
function listSlip(tokens: readonly Placed[], index: number, { last, afterOperand }: Before): string | null {
  // What orders (`^(a, b)`) and what is called has commas.
  if (afterOperand || last?.text === '^') return null;
  let depth = 0;
  for (const { kind, text } of tokens.slice(index)) {
    if (kind !== 'mark') continue;
    if ('([{'.includes(text)) depth += 1;
    if (')]}'.includes(text)) depth -= 1;
    if (depth === 0) return null;
    if (depth === 1 && text === ',') return 'a list has brackets and no parentheses; write ["X", "Y"]';
  }
  return null;
}

function nameSlip(token: Placed, tokens: readonly Placed[], index: number, before: Before): string | null {
  const word = token.text.toLowerCase();
  if (!before.afterOperand) {
    // `not(…)` would be a call, which JSONata understands, and which fails.
    const next = tokens.slice(index + 1).find(({ kind }) => kind !== 'space');
    const isAlone = next !== undefined && (next.kind === 'name' || next.kind === 'string');
    return word === 'not' && isAlone ? 'there is no operator not; write $not(…)' : null;
  }
  if (OPERATOR_WORDS.has(token.text)) return null;
  if (OPERATOR_WORDS.has(word)) return `there is no operator ${token.text}; write ${word}`;
  const remedy = WORDS.get(word);
  return remedy === undefined
    ? missingOperator(token, before)
    : `there is no operator ${shown(token.text)}; ${remedy}`;
}

/** One operand after another: a text of several words without quotes, or nothing that joins two comparisons. */
function missingOperator(token: Placed, { last }: Before): string | null {
  if (last === null || adjoins(last, token)) return null;
  const isWord = last.kind === 'name' || last.kind === 'number';
  if (isWord && token.kind !== 'string') {
    return `an operator is missing before ${shown(token.text)}; write and or or there, or quotes around a text of several words`;
  }
  return `an operator is missing before ${shown(token.text)}; write and, or, = or in there`;
}

function shown(text: string): string {
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}
