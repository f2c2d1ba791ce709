/** Deepest nesting of brackets in a condition: its parser is recursive. */
export const CONDITION_NESTING_MAX = 64;

type Bracket = '(' | '[' | '{';
const CLOSES: Readonly<Record<string, Bracket>> = { ')': '(', ']': '[', '}': '{' };
/** Words that are operators, so that a `/` after them begins a regular expression. */
const OPERATOR_WORDS: ReadonlySet<string> = new Set(['and', 'or', 'in']);

/** One lexical unit of a condition: enough of JSONata's grammar to tell paths from strings, patterns and comments. */
export interface Token {
  readonly kind: 'space' | 'string' | 'pattern' | 'name' | 'number' | 'step' | 'mark';
  readonly text: string;
}

const SPACE = /(?:\s+|\/\*[\s\S]*?\*\/)+/y;
// One that is not closed reaches to the end: JSONata will say so.
const STRING = /"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|'(?:[^'\\]|\\[\s\S])*(?:'|\\?$)/y;
const QUOTED_NAME = /`[^`]*(?:`|$)/y;
const NAME = /\$*[\p{L}_][\p{L}\p{N}_]*|\$+/uy;
const NUMBER = /[0-9]+(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?/y;
/** A step that begins with a digit (`1`, `2GHz`), which JSONata itself wants in back-quotes. */
const NUMERIC_STEP = /[0-9][\p{L}\p{N}_]*/uy;
const PATTERN_FLAGS = /[im]*/y;

/**
 * Lets paths have numeric steps without quotes: `Interface.1.Status` becomes `` Interface.`1`.Status ``. JSONata would refuse
 * every text that this changes, so nothing that it understands gets another meaning.
 */
export function quoteNumericSteps(text: string): string {
  let quoted = '';
  for (const token of tokensOf(text)) quoted += token.kind === 'step' ? `\`${token.text}\`` : token.text;
  return quoted;
}

/** How deep the brackets of a condition nest, those in strings, patterns and comments not counted. */
export function nestingOf(text: string): number {
  const open: string[] = [];
  let deepest = 0;
  for (const { kind, text: mark } of tokensOf(text)) {
    if (kind !== 'mark') continue;
    if (mark === '(' || mark === '[' || mark === '{') deepest = Math.max(deepest, open.push(mark));
    else if (CLOSES[mark] !== undefined) open.pop();
  }
  return deepest;
}

/** Where something that JSONata reports at `position` of the quoted text begins in the author's, counted from 1. */
export function columnOf(text: string, position: number): number {
  let [own, quoted] = [0, 0];
  for (const { kind, text: token } of tokensOf(text)) {
    const quotedLength = token.length + (kind === 'step' ? 2 : 0);
    // JSONata names the end of what it read last: the token's beginning helps more, or where inside of it the trouble is.
    if (kind !== 'space' && position <= quoted + quotedLength) {
      const within = position - quoted;
      return own + 1 + (kind === 'string' && within < quotedLength ? Math.max(0, within) : 0);
    }
    own += token.length;
    quoted += quotedLength;
  }
  return text.length + 1;
}

/** One operand of a chain of `and`s, without the blanks and comments around it. */
export interface Slice {
  readonly text: string;
  /** Where it begins, counted from 0. */
  readonly start: number;
}

/** The text without the blanks and comments around it. */
export function trimmed(text: string, from = 0): Slice {
  let position = 0;
  let [start, end] = [text.length, 0];
  for (const { kind, text: token } of tokensOf(text)) {
    if (kind !== 'space') {
      start = Math.min(start, position);
      end = position + token.length;
    }
    position += token.length;
  }
  return { text: text.slice(start, end), start: from + start };
}

/** The text cut at each `and` outside of brackets. What a name `and` does to it, the caller finds by parsing the slices. */
export function slicesOf(text: string, from = 0): readonly Slice[] {
  const slices: Slice[] = [];
  let depth = 0;
  let position = 0;
  let [start, end] = [-1, -1];
  const close = (): void => {
    if (start >= 0) slices.push({ text: text.slice(start, end), start: from + start });
    start = -1;
  };
  for (const { kind, text: token } of tokensOf(text)) {
    if (kind === 'mark' && '([{'.includes(token)) depth += 1;
    if (kind === 'mark' && CLOSES[token] !== undefined) depth -= 1;
    if (depth === 0 && kind === 'name' && token === 'and') {
      close();
    } else if (kind !== 'space') {
      if (start < 0) start = position;
      end = position + token.length;
    }
    position += token.length;
  }
  close();
  return slices;
}

/** What stands left and right of the only comparison outside of brackets; null where there is none, or more than one. */
export function sidesOf(text: string): readonly [left: string, right: string] | null {
  let depth = 0;
  let position = 0;
  let [start, end] = [-1, -1];
  for (const { kind, text: token } of tokensOf(text)) {
    if (kind === 'mark' && '([{'.includes(token)) depth += 1;
    if (kind === 'mark' && CLOSES[token] !== undefined) depth -= 1;
    if (depth === 0 && kind === 'mark' && COMPARISON_MARKS.includes(token)) {
      // Operators of two marks are two tokens, with nothing between them.
      if (start < 0) start = position;
      else if (end !== position) return null;
      end = position + 1;
    }
    position += token.length;
  }
  return start < 0 ? null : [trimmed(text.slice(0, start)).text, trimmed(text.slice(end)).text];
}

const COMPARISON_MARKS = '<>=!';

export function* tokensOf(text: string): Generator<Token> {
  let position = 0;
  /** Whether what came last can stand left of an operator: then `/` divides and `.` continues a path. */
  let afterOperand = false;
  let inPath = false;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = position;
    return pattern.exec(text)?.[0] ?? null;
  };
  while (position < text.length) {
    let token: Token;
    const space = take(SPACE);
    const string = space ?? take(STRING);
    const name = string ?? take(QUOTED_NAME) ?? take(NAME);
    const number = name ?? take(NUMBER);
    if (space !== null) {
      token = { kind: 'space', text: space };
    } else if (string !== null) {
      token = { kind: 'string', text: string };
      [afterOperand, inPath] = [true, false];
    } else if (name !== null) {
      token = { kind: 'name', text: name };
      afterOperand = !OPERATOR_WORDS.has(name);
      inPath = afterOperand;
    } else if (number !== null) {
      token = { kind: 'number', text: number };
      [afterOperand, inPath] = [true, false];
    } else {
      const mark = text[position] ?? '';
      if (text.startsWith('/*', position)) {
        // Not closed, or it were a space: taken whole, as each `/*` in it would be looked at to the end of the text.
        token = { kind: 'mark', text: text.slice(position) };
      } else if (mark === '/' && !afterOperand) {
        token = { kind: 'pattern', text: patternAt(text, position) };
        [afterOperand, inPath] = [true, false];
      } else {
        token = { kind: 'mark', text: mark };
        if (mark === '.' && inPath) {
          yield token;
          position += 1;
          const step = take(NUMERIC_STEP);
          if (step === null) {
            // `..` is the range operator, anything else an ordinary step.
            [afterOperand, inPath] = [false, false];
            continue;
          }
          token = { kind: 'step', text: step };
        } else {
          afterOperand = CLOSES[mark] !== undefined;
          inPath = afterOperand;
        }
      }
    }
    yield token;
    position += token.text.length;
  }
}

/** The regular expression literal that begins at `start`; JSONata ends it at the first `/` outside brackets. */
function patternAt(text: string, start: number): string {
  let depth = 0;
  let position = start + 1;
  for (; position < text.length; position++) {
    const character = text[position] ?? '';
    if (character === '\\') {
      position += 1;
    } else if ('([{'.includes(character)) {
      depth += 1;
    } else if (')]}'.includes(character)) {
      depth -= 1;
    } else if (character === '/' && depth === 0) {
      PATTERN_FLAGS.lastIndex = position + 1;
      return text.slice(start, position + 1) + (PATTERN_FLAGS.exec(text)?.[0] ?? '');
    }
  }
  return text.slice(start);
}
