const HEX_32 = /^[0-9a-f]{32}$/;
const PARTS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;
const TEXT_CHARACTERS_MAX = 100;

/** What stands for an id in a path: nothing else is one. */
export const PATH_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUID in any of the spellings that the reference takes in bodies and filters; null for what is none. */
export function uuidIn(text: string): string | null {
  if (text.length > TEXT_CHARACTERS_MAX) return null;
  const digits = text.replaceAll('urn:', '').replaceAll('uuid:', '').replaceAll(/[{}-]/g, '').toLowerCase();
  if (!HEX_32.test(digits)) return null;
  return digits.replace(PARTS, '$1-$2-$3-$4-$5');
}

export function noUuid(text: string): string {
  return `“${text.slice(0, TEXT_CHARACTERS_MAX)}” is not a valid UUID.`;
}
