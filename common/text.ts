/**
 * The beginning of a text, at most so many UTF-16 units long. A surrogate pair is never cut in half: half of one is no text, cannot be
 * written as UTF-8, and is refused by the store.
 */
export function cutText(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const last = text.charCodeAt(charactersMax - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? charactersMax - 1 : charactersMax);
}

/**
 * Characters by which a text from elsewhere could steer a terminal, end a line, be read as nothing or as something else: controls (C0, DEL,
 * C1), marks of direction, separators of lines, halves of surrogate pairs, and whatever is not seen.
 */
export const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800]/gu;
