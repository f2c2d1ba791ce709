import { LinearRegExp, PatternError } from '../../common/index.js';
import { invalid } from '../http/index.js';

/** A regular expression over whole ids, with what an index can make of it. */
export interface IdPattern {
  /** Every id matches. */
  readonly all: boolean;
  /** The only ids that can match; null where they cannot be listed. */
  readonly ids: readonly string[] | null;
  /** What every id that matches begins with. */
  readonly prefix: string;
  /** It is not the ids that it is about but the keys of entries, see `Entry`. */
  readonly isOfKeys?: true;
  matches(id: string): boolean;
}

export const EVERY_ID: IdPattern = { all: true, ids: null, prefix: '', matches: () => true };

/** Entries by their keys, however these are written. */
export function onlyKeys(keys: readonly string[]): IdPattern {
  const set = new Set(keys);
  return { all: false, ids: keys, prefix: '', isOfKeys: true, matches: (key) => set.has(key) };
}

/** What in a pattern stands for more than itself. */
const META = /[\\^$.*+?()[\]{}|]/;
const EVERYTHING: ReadonlySet<string> = new Set(['.*', '.+', '^.*', '.*$', '^.*$', '^.+$', '(.*)', '(.+)']);

/**
 * @param source  RE2 syntax, as it stood in the path
 * @throws ApiError 400 where it is empty or does not compile
 */
export function parseIdPattern(source: string): IdPattern {
  if (source === '')
    throw invalid('pattern', 'a regular expression after the storage in the path; .* is all');
  if (EVERYTHING.has(source)) return EVERY_ID;
  let expression: LinearRegExp;
  try {
    expression = new LinearRegExp(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw invalid('pattern', `a regular expression in RE2 syntax (${error.message})`, source);
  }
  const alternatives = source.split('|');
  const listed = alternatives.every((alternative) => !META.test(alternative));
  return {
    all: false,
    ids: listed ? [...new Set(alternatives)] : null,
    prefix: listed ? (alternatives.length === 1 ? source : '') : literalPrefix(source),
    matches: (id) => expression.matchesWhole(id),
  };
}

/** Errs on the side of less: an empty prefix is always true. */
function literalPrefix(source: string): string {
  if (source.includes('|')) return '';
  const anchored = source.startsWith('^') ? source.slice(1) : source;
  let prefix = '';
  for (let index = 0; index < anchored.length; index++) {
    let character = anchored.charAt(index);
    if (character === '\\') {
      character = anchored.charAt(++index);
      if (!/[^A-Za-z0-9]/.test(character)) return prefix;
    } else if (META.test(character)) return prefix;
    // What a quantifier follows need not be there. Surrogates stay together: half of one is no prefix of anything.
    if (/[*?{]/.test(anchored.charAt(index + 1)) || /[\uD800-\uDFFF]/.test(character)) return prefix;
    prefix += character;
  }
  return prefix;
}
