/** More edits than this and the word was meant otherwise. */
const EDITS_MAX = 2;
/** Longer names cannot be near any of ours. */
const NAME_CHARACTERS_MAX = 64;

/** For messages: the name that `found` was probably meant to be: case aside at most two edits away; null where none is near. */
export function suggest(found: string, names: readonly string[]): string | null {
  if (found.length > NAME_CHARACTERS_MAX) return null;
  let nearest: string | null = null;
  let fewest = EDITS_MAX + 1;
  for (const name of names) {
    const edits = editsBetween(found.toLowerCase(), name.toLowerCase());
    if (edits < fewest && edits < name.length) [nearest, fewest] = [name, edits];
  }
  return nearest;
}

/** Levenshtein distance. */
function editsBetween(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
