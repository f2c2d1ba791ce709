/** Stars that part something in one pattern: more than anybody has written. */
export const STARS_MAX = 8;

/** A text in which a star stands for any run of characters, none included. */
export interface Pattern {
  /** As its author wrote it. */
  readonly written: string;
  /** What a text must begin with; empty where the pattern begins with a star. */
  readonly prefix: string;
  readonly stars: number;
  /** Whether a text can match, by its beginning and its end: so much that it costs nothing. */
  mayMatch(text: string): boolean;
  /** Takes time that grows with the length of the text, whatever the pattern. */
  matches(text: string): boolean;
  /** The same as a regular expression, in ASCII but for what is none in the pattern, to stand between slashes. */
  readonly regexp: string;
}

/**
 * Reads a value of a condition in object form: `*` is any run of characters, `\*` a star, and everything else itself.
 * @returns a text where nothing in it is a pattern: the one that is meant
 */
export function patternOf(written: string): Pattern | string {
  if (!written.includes('*')) return written;
  const pieces = piecesOf(written);
  const [prefix = '', ...others] = pieces;
  const suffix = others.pop();
  if (suffix === undefined) return prefix;
  const middle = others.filter((piece) => piece !== '').map(searchFor);
  const mayMatch = (text: string): boolean =>
    text.length >= prefix.length + suffix.length && text.startsWith(prefix) && text.endsWith(suffix);
  return {
    written,
    prefix,
    stars: pieces.length - 1,
    mayMatch,
    matches(text) {
      if (!mayMatch(text)) return false;
      const end = text.length - suffix.length;
      let from = prefix.length;
      for (const find of middle) {
        from = find(text, from, end);
        if (from === -1) return false;
      }
      return true;
    },
    get regexp() {
      return pieces.map(escaped).join('[\\s\\S]*');
    },
  };
}

/** What stands between the stars; several in a row are one. */
function piecesOf(written: string): readonly string[] {
  const pieces: string[] = [];
  let piece = '';
  for (let at = 0; at < written.length; at++) {
    const character = written[at] ?? '';
    if (character === '\\' && written[at + 1] === '*') {
      piece += '*';
      at += 1;
    } else if (character !== '*') {
      piece += character;
    } else {
      pieces.push(piece);
      piece = '';
      while (written[at + 1] === '*') at += 1;
    }
  }
  return [...pieces, piece];
}

/** Where the first of some texts that lie between two places ends; -1 where there is none. */
type Search = (text: string, from: number, end: number) => number;

/** Knuth, Morris and Pratt's: `indexOf` compares a text with itself again and again where both repeat themselves. */
function searchFor(piece: string): Search {
  let borders: readonly number[] | null = null;
  return (text, from, end) => {
    borders ??= bordersOf(piece);
    let matched = 0;
    for (let at = from; at < end; at++) {
      matched = extended(piece, borders, matched, text[at]);
      if (matched === piece.length) return at + 1;
    }
    return -1;
  };
}

/** For each beginning of a text the length of the longest shorter one that it ends with. */
function bordersOf(piece: string): readonly number[] {
  const borders = [0];
  let matched = 0;
  for (let at = 1; at < piece.length; at++) {
    matched = extended(piece, borders, matched, piece[at]);
    borders.push(matched);
  }
  return borders;
}

/** How much of the text is matched once one more character is read. */
function extended(
  piece: string,
  borders: readonly number[],
  before: number,
  character: string | undefined,
): number {
  let matched = before;
  while (matched > 0 && piece[matched] !== character) matched = borders[matched - 1] ?? 0;
  return piece[matched] === character ? matched + 1 : 0;
}

const NOT_PLAIN = /[^A-Za-z0-9_\u0080-\uffff]/g;

function escaped(piece: string): string {
  return piece.replace(
    NOT_PLAIN,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
