/**
 * Whether a context comes to more than so many characters of names and values: what is sent to an evaluator is copied in one go
 * while nothing else happens. It stops counting as soon as it knows.
 */
export function isLargerThan(context: object, charactersMax: number): boolean {
  let characters = 0;
  const open: object[] = [context];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const [name, value] of Object.entries(next)) {
      characters += name.length + (typeof value === 'string' ? value.length : VALUE_CHARACTERS);
      if (characters > charactersMax) return true;
      if (typeof value === 'object' && value !== null) open.push(value);
    }
  }
  return false;
}

/** What a number, a truth value or the beginning of an object counts. */
const VALUE_CHARACTERS = 8;
