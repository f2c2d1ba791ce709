/** A condition that cannot be used, with the remedy. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError';
  constructor(
    message: string,
    /** Where in the condition's text, counted from 1; null where it is no single place. */
    readonly column: number | null = null,
  ) {
    super(message);
  }
}

/** A condition in object form with more stars than are taken: by equality, as it was read before there were patterns, it can be used. */
export class TooManyStarsError extends ConditionError {}

/** An error of JSONata (an object, not always an Error), or of a function called from it, as one short line. */
export function describeError(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
      ? error.message
      : String(error);
  return message.slice(0, 300);
}

/** The code of an error that JSONata threw (`D1012`: it took too long); null where it has none. */
export function errorCode(error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}
