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
