import { RE2JS } from 're2js';
import { patternSizeOf } from './pattern-size.js';

/** Longest pattern accepted from outside: RE2 is linear in the text, but a pattern is compiled once per use. */
export const PATTERN_CHARACTERS_MAX = 1_024;

/** Most instructions of one pattern: a thousand characters can ask for a million (`(?:…){1000}`), which take a second to compile. */
export const PATTERN_SIZE_MAX = 10_000;

export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/**
 * A regular expression that takes time linear in its input, whatever the pattern (RE2's engine): for every pattern
 * that comes from outside. It has as much of RegExp's face as JSONata's `RegexEngine` option needs.
 * Back-references and look-around, which no linear-time engine has, are refused. What is a line, a blank and a letter is RE2's too
 * (findings/re2js-other-characters.sh).
 *
 * @example new LinearRegExp('(a+)+$').test('a'.repeat(100_000) + 'b') // false, at once
 */
export class LinearRegExp {
  readonly source: string;
  readonly flags: string;
  readonly global: boolean;
  lastIndex = 0;
  readonly #compiled: RE2JS;

  /**
   * @param pattern  RE2 syntax, or a RegExp whose source and flags are taken over
   * @throws PatternError when it does not compile or is larger than {@link PATTERN_CHARACTERS_MAX} or {@link PATTERN_SIZE_MAX}
   */
  constructor(pattern: string | RegExp, flags?: string) {
    this.source = typeof pattern === 'string' ? pattern : pattern.source;
    this.flags = flags ?? (typeof pattern === 'string' ? '' : pattern.flags);
    this.global = this.flags.includes('g');
    if (this.source.length > PATTERN_CHARACTERS_MAX) {
      throw new PatternError(`a pattern may have at most ${PATTERN_CHARACTERS_MAX} characters`);
    }
    // The same counted after compiling would be too late.
    if (patternSizeOf(this.source) > PATTERN_SIZE_MAX) {
      throw new PatternError(
        `its repetitions written out come to more than ${PATTERN_SIZE_MAX} instructions; repeat less`,
      );
    }
    let compileFlags = 0;
    if (this.flags.includes('i')) compileFlags |= RE2JS.CASE_INSENSITIVE;
    if (this.flags.includes('m')) compileFlags |= RE2JS.MULTILINE;
    if (this.flags.includes('s')) compileFlags |= RE2JS.DOTALL;
    try {
      this.#compiled = RE2JS.compile(this.source, compileFlags);
    } catch (error) {
      throw new PatternError(error instanceof Error ? error.message : String(error));
    }
  }

  /** How many instructions it has: matching costs at most so many steps for each character. */
  get programSize(): number {
    return this.#compiled.programSize();
  }

  /** Like RegExp's: the match at or after `lastIndex` (with the flag `g`), else from the start; null where there is none. */
  exec(text: string): RegExpExecArray | null {
    const matcher = this.#compiled.matcher(text);
    const start = this.global ? this.lastIndex : 0;
    if (start > text.length || !matcher.find(start)) {
      this.lastIndex = 0;
      return null;
    }
    const groups: (string | undefined)[] = [];
    for (let group = 0; group <= matcher.groupCount(); group++)
      groups.push(matcher.group(group) ?? undefined);
    if (this.global) this.lastIndex = matcher.end();
    return Object.assign(groups, { index: matcher.start(), input: text }) as unknown as RegExpExecArray;
  }

  test(text: string): boolean {
    return this.exec(text) !== null;
  }

  /** True where the pattern matches the whole of `text`. */
  matchesWhole(text: string): boolean {
    return this.#compiled.matches(text);
  }
}
