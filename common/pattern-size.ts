/**
 * About how many instructions a regular expression compiles to, told from its text alone: compiling writes every repetition out, so
 * that a thousand characters may become a million instructions. Never much less than it is; for what does not parse, anything.
 */
export function patternSizeOf(source: string): number {
  /** Sizes of the groups that are open, the whole first; and of what came last in each. */
  const open: { size: number; last: number }[] = [{ size: 1, last: 0 }];
  let position = 0;
  while (position < source.length) {
    const group = open.at(-1) ?? { size: 0, last: 0 };
    const add = (size: number): void => {
      group.size += size;
      group.last = size;
    };
    LEXEME.lastIndex = position;
    const [lexeme = source[position] ?? '', quoted, atLeast, atMost] = LEXEME.exec(source) ?? [];
    position += lexeme.length;
    if (quoted !== undefined) {
      add(quoted.length);
    } else if (atLeast !== undefined) {
      const least = Number(atLeast);
      const most = Math.max(1, least, Number(atMost || 0));
      // Each that may be left out takes an instruction of its own.
      const size = group.last * most + (most - least + 1);
      group.size += size - group.last;
      group.last = size;
    } else if (lexeme === '(') {
      open.push({ size: 2, last: 0 });
    } else if (lexeme === ')' && open.length > 1) {
      open.pop();
      const around = open.at(-1) ?? group;
      around.size += group.size;
      around.last = group.size;
    } else if ('*+?|'.includes(lexeme)) {
      group.size += 1;
      group.last += 1;
    } else {
      add(1);
    }
  }
  return open.reduce((sum, { size }) => sum + size, 0);
}

/** Quoted text, an escape, a class, a counted repetition, or any character. */
const LEXEME =
  /\\Q((?:(?!\\E)[\s\S])*)(?:\\E|$)|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|[\s\S]/y;
