const TEXT_CHARACTERS_MAX = 120;
/** A longer text is not cut but only measured: one that was put together from many is made whole, all of it, by cutting. */
const TEXT_CHARACTERS_CUT_MAX = 64 * 1_024;
export const ITEMS_SHOWN_MAX = 5;

/** A value as short JSON. Only plain values and short lists of them: what an expression made may be of any size and shape. */
export function shorten(value: unknown): string {
  if (typeof value === 'string') {
    if (value.length > TEXT_CHARACTERS_CUT_MAX) return `a text of ${value.length} characters`;
    const cut = value.length > TEXT_CHARACTERS_MAX;
    return JSON.stringify(cut ? `${value.slice(0, TEXT_CHARACTERS_MAX)}…` : value);
  }
  if (Array.isArray(value)) {
    const plain = value.length <= ITEMS_SHOWN_MAX && value.every((item) => typeof item !== 'object');
    return plain ? `[${value.map(shorten).join(', ')}]` : `a list of ${value.length}`;
  }
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
