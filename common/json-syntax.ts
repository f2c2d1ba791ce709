import { printParseErrorCode, visit } from 'jsonc-parser';

/**
 * Where a text is no JSON, and in what way, without a word of it: the text around the place may be a password.
 * @returns as in `line 3, column 5: CommaExpected`
 */
export function jsonSyntaxError(text: string): string {
  let found: string | null = null;
  const onError: NonNullable<Parameters<typeof visit>[1]['onError']> = (
    code,
    _offset,
    _length,
    line,
    column,
  ) => {
    found ??= `line ${line + 1}, column ${column + 1}: ${printParseErrorCode(code)}`;
  };
  try {
    visit(text, { onError }, { disallowComments: true, allowTrailingComma: false });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return 'it nests too deeply';
  }
  return found ?? 'it is not what JSON allows';
}
