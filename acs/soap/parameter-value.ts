import type { ParameterValue } from '../../rules/index.js';

const INTEGER_TYPES: ReadonlySet<string> = new Set([
  'int',
  'unsignedInt',
  'long',
  'unsignedLong',
  'short',
  'unsignedShort',
  'byte',
  'unsignedByte',
  'integer',
  'nonNegativeInteger',
  'positiveInteger',
]);

/**
 * The JS value of a parameter: a boolean for boolean, a number for the integer types where it is exact, else the text. Blanks around it are
 * no part of it: some CPEs pad what rules compare. Text that does not read as its type stays as it came, so that nothing a CPE said is lost.
 *
 * @param xsdType  the type's name without prefix
 * @see   TR-106 3.2, XML Schema part 2
 */
export function parameterValue(text: string, xsdType: string): ParameterValue {
  const trimmed = text.trim();
  if (INTEGER_TYPES.has(xsdType)) return integerValue(trimmed);
  return xsdType === 'boolean' ? booleanValue(trimmed) : trimmed;
}

function integerValue(text: string): ParameterValue {
  if (!/^[+-]?\d+$/.test(text)) return text;
  const value = Number(text);
  // -0 would not be equal to 0 everywhere.
  return Number.isSafeInteger(value) ? value + 0 : text;
}

function booleanValue(text: string): ParameterValue {
  switch (text.toLowerCase()) {
    case '1':
    case 'true':
      return true;
    case '0':
    case 'false':
      return false;
    default:
      return text;
  }
}
