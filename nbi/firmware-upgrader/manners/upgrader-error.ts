import { ApiError, type JsonObject } from '../../http/index.js';

/** An answer in the very words of the reference: its body is sent as it stands. */
export class UpgraderError extends ApiError {
  constructor(
    status: number,
    readonly body: JsonObject,
    headers: Readonly<Record<string, string>> = {},
  ) {
    const problems = Object.entries(body).map(([field, expected]) => ({
      field: field === 'detail' ? '' : field,
      expected: [expected].flat().join(' '),
    }));
    super(status, problems, headers);
  }
}

/** What is wrong by field, each with one text or more. */
export type FieldProblems = Readonly<Record<string, readonly string[]>>;

/** An answer of one sentence. */
export function detail(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): UpgraderError {
  return new UpgraderError(status, { detail: text }, headers);
}

/** A 400 about fields. */
export function wrongFields(problems: FieldProblems): UpgraderError {
  return new UpgraderError(400, { ...problems });
}

/** What several fields must not have together with another object. */
export function notUnique(...fields: readonly string[]): UpgraderError {
  return wrongFields({ non_field_errors: [`The fields ${fields.join(', ')} must make a unique set.`] });
}

/** What is wrong with the object as a whole. */
export function wrongObject(text: string): UpgraderError {
  return wrongFields({ __all__: [text] });
}

/** The same for one that there is not and for another's. @param model  as the reference calls it: `Build` */
export function noObject(model: string): UpgraderError {
  return detail(404, `No ${model} matches the given query.`);
}

/** As {@link noObject}, of views that word it otherwise. @param what  as people call it */
export function noneOf(what: string): UpgraderError {
  return detail(404, `No ${what} found matching the query`);
}

export const NO_PERMISSION = 'You do not have permission to perform this action.';
export const NO_MANAGER =
  'User is not a manager of the organization to which the requested resource belongs.';

/** Of a user who may not do that, whatever it is about. */
export function noPermission(): UpgraderError {
  return detail(403, NO_PERMISSION);
}

/** What whoever asks too often is told, in whole seconds. */
export function throttledText(seconds: number): string {
  return `Request was throttled. Expected available in ${seconds} second${seconds === 1 ? '' : 's'}.`;
}
