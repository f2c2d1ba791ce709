import type { JsonSyntax } from './json-fault.js';

/** So far back and on is looked for what stands around a place: farther away nothing explains it. */
const LOOK_BYTES_MAX = 4_096;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BLANKS: ReadonlySet<number> = new Set([0x09, LINE_FEED, CARRIAGE_RETURN, 0x20]);
/** Characters of three bytes such as “ and ’: U+2018 to U+201F. */
const SMART_QUOTES = /^\xe2\x80[\x98-\x9f]/;
/** What other languages have for JSON's words. */
const OTHER_WORDS = /^(?:True|TRUE|False|FALSE|Null|NULL|None|undefined|NaN|nil|yes|no)(?![A-Za-z0-9_])/;

/**
 * What was most likely done where a text is no JSON, and what to do instead; in words, and without a word of the text, which may be a
 * password.
 * @param offset  of the first thing that is wrong, in bytes
 */
export function jsonSlip(bytes: Buffer, offset: number, syntax: JsonSyntax): string {
  const around = { before: lastBefore(bytes, offset), here: charAt(bytes, offset), bytes, offset };
  switch (syntax) {
    case 'InvalidCommentToken':
      return 'there are no comments in it; take this one out';
    case 'ValueExpected':
      return valueSlip(around);
    case 'PropertyNameExpected':
      return around.before === ',' && around.here === '}'
        ? 'no comma stands before }; take it out'
        : 'a name in double quotes is due here, such as "id"';
    case 'ColonExpected':
      return isWithinText(around) ? QUOTE_SLIP : 'a colon is missing before this';
    case 'CommaExpected':
      return commaSlip(around);
    case 'InvalidSymbol':
      return symbolSlip(around);
    case 'CloseBraceExpected':
      return 'a } is missing at the end';
    case 'CloseBracketExpected':
      return 'a ] is missing at the end';
    case 'EndOfFileExpected':
      return 'nothing stands behind its end; put several into one array, […, …]';
    case 'InvalidCharacter':
      return 'this text has a control character in it, such as a tab; write \\t for it';
    case 'InvalidEscapeCharacter':
      return 'this text has a \\ in it that escapes nothing; write \\\\ for one';
    case 'InvalidUnicode':
      return 'this text has a \\u in it without four hexadecimal digits; write \\\\ for a backslash';
    case 'UnexpectedEndOfNumber':
      return 'a digit is missing in this number';
    case 'UnexpectedEndOfString':
      return endOfTextSlip(bytes, offset);
    default:
      return syntax satisfies never;
  }
}

interface Around {
  /** The character before, blanks left out, and the one at the place; empty where there is none. */
  readonly before: string;
  readonly here: string;
  readonly bytes: Buffer;
  readonly offset: number;
}

const QUOTE_SLIP = 'a text ends right before this; within a text write \\" for a quotation mark, or \'';

/** A quotation mark in a text ends it, and what follows stands right behind. */
function isWithinText({ bytes, offset }: Around): boolean {
  return charAt(bytes, offset - 1) === '"';
}

function valueSlip({ before, here }: Around): string {
  if (here === '') return 'it ends where a value is due; what follows is missing';
  if (before === ',' && (here === ']' || here === ',')) return `no comma stands before ${here}; take it out`;
  return before === ':' ? 'a value is missing behind the colon' : 'a value is missing before this';
}

function commaSlip(around: Around): string {
  const { here } = around;
  if (here === '}') return 'what was opened last is an array; close it by ]';
  if (here === ']') return 'what was opened last is an object; close it by }';
  return isWithinText(around) ? QUOTE_SLIP : 'a comma is missing before this';
}

function symbolSlip(around: Around): string {
  const { before, here, bytes, offset } = around;
  const text = bytes.toString('latin1', offset, offset + 16);
  if (SMART_QUOTES.test(text)) return 'this is no quotation mark; write "';
  if (isWithinText(around)) return QUOTE_SLIP;
  if (here === "'" || here === '`') return 'a text has double quotes; write "';
  if (here === '#') return 'there are no comments in it; take this one out';
  if (here === '=') return 'a colon stands between a name and its value; write :';
  if (here === ';') return 'a comma stands between two values; write ,';
  if (OTHER_WORDS.test(text)) return 'there are no words but true, false and null; write one of these';
  if (here === '+' || here === '.') return 'a number begins with a digit, or with - and a digit';
  if (before === '{') return 'a name has double quotes; write "…" around it';
  return 'a text, or a name, has double quotes; write "…" around it';
}

/** A line break in a text, or a text that is never closed: what follows looks like the next member, or like more of the text. */
function endOfTextSlip(bytes: Buffer, offset: number): string {
  let at = offset + 1;
  const end = Math.min(bytes.length, offset + LOOK_BYTES_MAX);
  while (at < end && bytes[at] !== LINE_FEED && bytes[at] !== CARRIAGE_RETURN) at++;
  while (at < end && BLANKS.has(bytes[at] ?? 0)) at++;
  const next = at < bytes.length ? charAt(bytes, at) : '';
  return next === '' || '"}]'.includes(next)
    ? 'this text has no quotation mark at its end; write " there'
    : 'a text ends on the line on which it begins; write \\n for a line break, or one line';
}

function lastBefore(bytes: Buffer, offset: number): string {
  const from = Math.max(0, offset - LOOK_BYTES_MAX);
  let at = offset - 1;
  while (at >= from && BLANKS.has(bytes[at] ?? 0)) at--;
  return at < from ? '' : charAt(bytes, at);
}

function charAt(bytes: Buffer, at: number): string {
  return at < 0 || at >= bytes.length ? '' : String.fromCharCode(bytes[at] ?? 0);
}
