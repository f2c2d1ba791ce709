import { tokensOf } from './text.js';

/**
 * Where in a condition's own text a token begins, told from where JSONata says that it ends: JSONata counts in the text in which
 * numeric steps have their quotes.
 */
export interface SourceMap {
  /** @param end  `position` of a node of the syntax tree, or of an error  @returns an offset in the author's text */
  startOf(end: number): number;
}

export function sourceMapOf(text: string): SourceMap {
  const starts = new Map<number, number>();
  let offset = 0;
  let quotedOffset = 0;
  let lastStart = 0;
  let previousEnd = -1;
  let previousStart = 0;
  for (const token of tokensOf(text)) {
    const length = token.text.length;
    quotedOffset += length + (token.kind === 'step' ? QUOTES : 0);
    if (token.kind !== 'space') {
      // JSONata's operators of two marks (`!=`, `<=`) are two tokens here, with nothing between them.
      const joined = token.kind === 'mark' && previousEnd === offset;
      const start =
        joined && OPERATORS.has(text.slice(previousStart, offset + length)) ? previousStart : offset;
      starts.set(quotedOffset, start);
      lastStart = start;
      previousStart = offset;
    }
    previousEnd = token.kind === 'mark' ? offset + length : -1;
    offset += length;
  }
  return { startOf: (end) => starts.get(end) ?? Math.min(lastStart, Math.max(0, end - 1)) };
}

const QUOTES = 2;
const OPERATORS: ReadonlySet<string> = new Set(['!=', '<=', '>=', ':=', '~>', '..', '**']);
