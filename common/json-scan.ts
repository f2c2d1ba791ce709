import { JsonFault, type JsonFaultKind, type JsonSyntax } from './json-fault.js';

/** One text, escapes and all: what is cut out and made a value in one go. Nothing that Ferry reads has one of a tenth of it. */
export const JSON_TEXT_BYTES_MAX = 1024 * 1024;
/** The longest number that a double can need written out has some 770 digits that matter. */
export const JSON_NUMBER_CHARACTERS_MAX = 1_000;
/** So much is looked at before others may have their turn: about a millisecond. */
export const STEP_BYTES = 64 * 1024;
export const STEP_TOKENS = 4_096;
/** A run of blanks from here on is left out before anything is made of the text around it. */
export const LONG_BLANK_BYTES = 256;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const STAR = 0x2a;
/** What no byte is. */
const END = -1;
const ESCAPED = new Set([...'"\\/bfnrt'].map((character) => character.charCodeAt(0)));
/** Where a word or anything else that is none of JSON's tokens ends. */
const WORD_ENDS = new Set([END, ...[...'}]{[":,/ \t\n\r'].map((character) => character.charCodeAt(0))]);
const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

export interface JsonBounds {
  /** Objects and arrays within each other. */
  readonly depthMax: number;
  /** Values, keys, brackets, commas and colons: small ones cost far more memory as values than sent. */
  readonly tokensMax: number;
  /** Keys of one object. */
  readonly keysMax: number;
}

/** What is told what the scan passes, in order. */
export interface JsonSink {
  open(at: number, isObject: boolean): unknown;
  key(key: string): unknown;
  comma(at: number): unknown;
  close(at: number): unknown;
  /** A value begins, within so many brackets. */
  begins(at: number, depth: number): unknown;
  /** A long run of blanks. */
  blank(from: number, to: number): unknown;
}

/** An object or array that the scan is in. */
interface Open {
  readonly isObject: boolean;
  /** Those so far; null while there are none. */
  keys: Set<string> | null;
  /** Whose value comes or has come; empty in an array, and where a key is due. */
  key: string;
}

type Expected = 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'comma' | 'end';

/**
 * Goes through JSON (RFC 8259) in UTF-8, byte by byte and in steps, and holds it to the grammar, to bounds, and to what two readers
 * would understand alike: no key twice in an object, no `__proto__`, no half of a surrogate pair. Allocates nothing but the keys
 * of the objects it is in.
 */
export class JsonScan {
  readonly #bytes: Buffer;
  readonly #bounds: JsonBounds;
  readonly #sink: JsonSink;
  readonly #isOne: boolean;
  readonly #open: Open[] = [];
  #at: number;
  /** Where the blanks began that the scan is in. */
  #blankFrom: number;
  #tokens = 0;
  #expected: Expected = 'value';
  /** Of the key whose colon is due. */
  #keyFrom = 0;
  #keyTo = 0;
  #isKeyPlain = true;
  /** Whether the last text has neither escapes nor anything but ASCII, and whether an escape of it is half of a surrogate pair. */
  #isPlain = true;
  #hasSurrogate = false;

  /** @param isOne  whether what follows the value that begins at `from` is none of the scan's business */
  constructor(bytes: Buffer, bounds: JsonBounds, sink: JsonSink, from: number, isOne = false) {
    this.#isOne = isOne;
    this.#bytes = bytes;
    this.#bounds = bounds;
    this.#sink = sink;
    this.#at = from;
    this.#blankFrom = from;
  }

  /**
   * Goes on for about {@link STEP_BYTES} or {@link STEP_TOKENS}.
   * @returns whether anything is left
   * @throws JsonFault with the first thing that is wrong
   */
  step(): boolean {
    const stopAt = this.#at + STEP_BYTES;
    const stopTokens = this.#tokens + STEP_TOKENS;
    while (this.#at < stopAt && this.#tokens < stopTokens) {
      if (this.#isOne && this.#expected === 'end') return false;
      this.#skipBlanks(stopAt);
      const isAtEnd = this.#at >= this.#bytes.length;
      // Still in blanks: the step ends within them.
      if (this.#at >= stopAt && !isAtEnd) return true;
      if (this.#at - this.#blankFrom >= LONG_BLANK_BYTES) this.#sink.blank(this.#blankFrom, this.#at);
      if (isAtEnd) {
        this.#end();
        return false;
      }
      this.#token();
      this.#blankFrom = this.#at;
    }
    return true;
  }

  #skipBlanks(stopAt: number): void {
    const bytes = this.#bytes;
    const end = Math.min(stopAt, bytes.length);
    let at = this.#at;
    while (at < end && isBlank(bytes[at] ?? END)) at++;
    this.#at = at;
  }

  #token(): void {
    const at = this.#at;
    const byte = this.#bytes[at] ?? END;
    if (byte === QUOTE) this.#text(at);
    else if (byte === COMMA) this.#comma(at);
    else if (byte === COLON) this.#colon(at);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#opens(at, byte === OPEN_BRACE);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#closes(at, byte === CLOSE_BRACE);
    else if (byte === MINUS || isDigit(byte)) this.#number(at);
    else this.#word(at, byte);
  }

  #count(at: number): void {
    const { tokensMax } = this.#bounds;
    if (++this.#tokens > tokensMax) throw tooMany('tokens', tokensMax, at);
  }

  #opens(at: number, isObject: boolean): void {
    this.#value(at);
    const { depthMax } = this.#bounds;
    if (this.#open.length >= depthMax) throw tooMany('levels', depthMax, at);
    this.#open.push({ isObject, keys: null, key: '' });
    this.#sink.open(at, isObject);
    this.#expected = isObject ? 'first-key' : 'first-value';
    this.#at = at + 1;
  }

  #closes(at: number, isObject: boolean): void {
    this.#count(at);
    const inside = this.#open.at(-1);
    const mayClose =
      this.#expected === 'comma' || this.#expected === (isObject ? 'first-key' : 'first-value');
    if (inside?.isObject !== isObject || !mayClose) throw this.#unexpected(at);
    this.#sink.close(at);
    this.#open.pop();
    this.#expected = this.#open.length === 0 ? 'end' : 'comma';
    this.#at = at + 1;
  }

  #comma(at: number): void {
    this.#count(at);
    const inside = this.#open.at(-1);
    if (this.#expected !== 'comma' || inside === undefined) {
      throw this.#expected === 'first-key' ? syntax('ValueExpected', at) : this.#unexpected(at);
    }
    this.#sink.comma(at);
    inside.key = '';
    this.#expected = inside.isObject ? 'key' : 'value';
    this.#at = at + 1;
  }

  #colon(at: number): void {
    this.#count(at);
    if (this.#expected !== 'colon') throw this.#unexpected(at);
    const key = this.#isKeyPlain
      ? this.#bytes.toString('latin1', this.#keyFrom + 1, this.#keyTo - 1)
      : this.#textOf(this.#keyFrom, this.#keyTo);
    this.#takeKey(key);
    this.#sink.key(key);
    this.#expected = 'value';
    this.#at = at + 1;
  }

  #takeKey(key: string): void {
    const inside = this.#open.at(-1);
    const at = this.#keyFrom;
    if (key === '__proto__') throw new JsonFault({ kind: 'proto-key' }, at);
    if (inside === undefined) return;
    inside.keys ??= new Set();
    if (inside.keys.has(key)) throw new JsonFault({ kind: 'key-twice', key }, at);
    if (inside.keys.size >= this.#bounds.keysMax) throw tooMany('keys', this.#bounds.keysMax, at);
    inside.keys.add(key);
    inside.key = key;
  }

  /** Something that is or begins a value has come. */
  #value(at: number): void {
    this.#count(at);
    if (this.#expected !== 'value' && this.#expected !== 'first-value') throw this.#unexpected(at);
    this.#sink.begins(at, this.#open.length);
    this.#expected = this.#open.length === 0 ? 'end' : 'comma';
  }

  #text(at: number): void {
    const end = this.#endOfText(at);
    if (this.#hasSurrogate && LONE_SURROGATE.test(this.#textOf(at, end))) {
      const path = this.#open.map(({ key }) => key).filter((key) => key !== '');
      throw new JsonFault({ kind: 'half-surrogate', path }, at);
    }
    if (this.#expected === 'key' || this.#expected === 'first-key') {
      this.#count(at);
      this.#keyFrom = at;
      this.#keyTo = end;
      this.#isKeyPlain = this.#isPlain;
      this.#expected = 'colon';
    } else {
      this.#value(at);
    }
    this.#at = end;
  }

  /** Where the text ends, behind its quote. Of several things that are wrong with it the last is told. */
  #endOfText(from: number): number {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, from + JSON_TEXT_BYTES_MAX + 2);
    let wrong: JsonSyntax | null = null;
    this.#isPlain = true;
    this.#hasSurrogate = false;
    let at = from + 1;
    while (at < end) {
      const byte = bytes[at] ?? END;
      if (byte === QUOTE) {
        if (wrong !== null) throw syntax(wrong, from);
        return at + 1;
      }
      if (byte === BACKSLASH) {
        const { behind, isRight } = this.#escape(at);
        if (!isRight) wrong = bytes[at + 1] === 0x75 ? 'InvalidUnicode' : 'InvalidEscapeCharacter';
        at = behind;
        continue;
      }
      if (byte === LINE_FEED || byte === CARRIAGE_RETURN) break;
      if (byte < SPACE) wrong = 'InvalidCharacter';
      else if (byte > 0x7f) this.#isPlain = false;
      at++;
    }
    if (at >= end && end < bytes.length) throw tooMany('text', JSON_TEXT_BYTES_MAX, from);
    throw syntax('UnexpectedEndOfString', from);
  }

  #escape(at: number): { readonly behind: number; readonly isRight: boolean } {
    this.#isPlain = false;
    const escaped = this.#bytes[at + 1] ?? END;
    if (escaped !== 0x75) return { behind: at + 2, isRight: ESCAPED.has(escaped) };
    let digits = 0;
    while (digits < 4 && isHexDigit(this.#bytes[at + 2 + digits] ?? END)) digits++;
    // \ud800 to \udfff
    if (((this.#bytes[at + 2] ?? 0) | 0x20) === 0x64 && (this.#bytes[at + 3] ?? 0) >= 0x38)
      this.#hasSurrogate = true;
    return { behind: at + 2 + digits, isRight: digits === 4 };
  }

  #textOf(from: number, to: number): string {
    return String(JSON.parse(this.#bytes.toString('utf8', from, to)));
  }

  #number(from: number): void {
    const bytes = this.#bytes;
    let at = bytes[from] === MINUS ? from + 1 : from;
    if (!isDigit(bytes[at] ?? END)) throw syntax('InvalidSymbol', from);
    at = bytes[at] === ZERO ? at + 1 : this.#digits(at, from);
    if (bytes[at] === POINT) {
      if (!isDigit(bytes[at + 1] ?? END)) throw syntax('UnexpectedEndOfNumber', from);
      at = this.#digits(at + 1, from);
    }
    // Also 'E'; what is behind the end is neither.
    if (((bytes[at] ?? 0) | 0x20) === 0x65) {
      at += bytes[at + 1] === PLUS || bytes[at + 1] === MINUS ? 2 : 1;
      if (!isDigit(bytes[at] ?? END)) throw syntax('UnexpectedEndOfNumber', from);
      at = this.#digits(at, from);
    }
    if (at - from > JSON_NUMBER_CHARACTERS_MAX) throw tooMany('number', JSON_NUMBER_CHARACTERS_MAX, from);
    this.#value(from);
    this.#at = at;
  }

  /** Where the digits end, or what a number may have does. */
  #digits(at: number, from: number): number {
    let end = at;
    while (isDigit(this.#bytes[end] ?? END) && end - from <= JSON_NUMBER_CHARACTERS_MAX) end++;
    return end;
  }

  #word(from: number, first: number): void {
    const next = this.#bytes[from + 1] ?? END;
    if (first === SLASH && (next === SLASH || next === STAR)) throw syntax('InvalidCommentToken', from);
    const word = WORDS.find((each) => each[0] === first);
    const end = from + (word?.length ?? 0);
    const isWord =
      word !== undefined &&
      WORD_ENDS.has(this.#bytes[end] ?? END) &&
      word.equals(this.#bytes.subarray(from, end));
    if (!isWord) throw syntax('InvalidSymbol', from);
    this.#value(from);
    this.#at = end;
  }

  #end(): void {
    if (this.#expected === 'end') return;
    const isAfterValue = this.#expected === 'comma' || this.#expected.startsWith('first-');
    const at = this.#bytes.length;
    if (!isAfterValue) throw this.#unexpected(at);
    throw syntax(this.#open.at(-1)?.isObject === true ? 'CloseBraceExpected' : 'CloseBracketExpected', at);
  }

  /** For a token, or the end, that none of what is expected. */
  #unexpected(at: number): JsonFault {
    switch (this.#expected) {
      case 'value':
      case 'first-value':
        return syntax('ValueExpected', at);
      case 'key':
      case 'first-key':
        return syntax('PropertyNameExpected', at);
      case 'colon':
        return syntax('ColonExpected', at);
      case 'comma':
        return syntax('CommaExpected', at);
      case 'end':
        return syntax('EndOfFileExpected', at);
      default:
        return this.#expected satisfies never;
    }
  }
}

/** A half of a surrogate pair without its other half, which only an escape can bring about in UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function syntax(code: JsonSyntax, at: number): JsonFault {
  return new JsonFault({ kind: 'syntax', syntax: code }, at);
}

function tooMany(
  what: Extract<JsonFaultKind, { readonly kind: 'too-many' }>['what'],
  max: number,
  at: number,
): JsonFault {
  return new JsonFault({ kind: 'too-many', what, max }, at);
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === TAB || byte === CARRIAGE_RETURN;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isHexDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66);
}
