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
const STRING = /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/y;
const QUOTED_NAME = /`[^`]*`/y;
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
      if (mark === '/' && !afterOperand) {
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
