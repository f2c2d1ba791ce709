/** What may be wrong with the grammar of a JSON text, in the words that editors have for it, too. */
export type JsonSyntax =
  | 'CloseBraceExpected'
  | 'CloseBracketExpected'
  | 'ColonExpected'
  | 'CommaExpected'
  | 'EndOfFileExpected'
  | 'InvalidCharacter'
  | 'InvalidCommentToken'
  | 'InvalidEscapeCharacter'
  | 'InvalidSymbol'
  | 'InvalidUnicode'
  | 'PropertyNameExpected'
  | 'UnexpectedEndOfNumber'
  | 'UnexpectedEndOfString'
  | 'ValueExpected';

export type JsonFaultKind =
  | { readonly kind: 'syntax'; readonly syntax: JsonSyntax }
  | { readonly kind: 'not-utf8' }
  /** Two readers would understand it differently. */
  | { readonly kind: 'key-twice'; readonly key: string }
  | { readonly kind: 'proto-key' }
  /** An escape brings about half a surrogate pair, which UTF-8 cannot hold. */
  | { readonly kind: 'half-surrogate'; readonly path: readonly string[] }
  /** More than a bound allows: of levels, tokens, keys in an object, bytes of a text, characters of a number. */
  | {
      readonly kind: 'too-many';
      readonly what: 'levels' | 'tokens' | 'keys' | 'text' | 'number';
      readonly max: number;
    };

/** The first thing that is wrong with a JSON text, and at which of its bytes. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';

  constructor(
    readonly what: JsonFaultKind,
    readonly offset: number,
  ) {
    super(what.kind === 'syntax' ? what.syntax : what.kind);
  }
}

/** What a text should be that is valid JSON and goes beyond a bound, or cannot be taken as it is; null for the other kinds. */
export function expectedInstead(what: JsonFaultKind): string | null {
  switch (what.kind) {
    case 'syntax':
    case 'not-utf8':
    case 'key-twice':
      return null;
    case 'proto-key':
      return 'no key named __proto__';
    case 'half-surrogate':
      return 'well-formed Unicode: \\ud800 to \\udfff only in pairs';
    case 'too-many':
      return MORE_THAN[what.what](what.max);
    default:
      return what satisfies never;
  }
}

const MORE_THAN = {
  levels: (max: number) => `at most ${max} levels`,
  tokens: (max: number) => `at most ${max} values in a body`,
  keys: (max: number) => `at most ${max} keys in an object`,
  text: (max: number) => `a text of at most ${max} bytes`,
  number: (max: number) => `a number of at most ${max} characters`,
} as const;
