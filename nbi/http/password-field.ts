import { checkPassword, UserError } from '../users/index.js';
import { invalid } from './api-error.js';

/** The password of a user in a body. Without `expected`: an answer would repeat what is wrong with it. */
export const PASSWORD_SCHEMA = { type: 'string', minLength: 8, maxLength: 1_024, writeOnly: true } as const;

/**
 * A new password.
 * @returns undefined where there is none
 * @throws ApiError 400 that does not repeat it
 */
export function passwordOf(field: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw invalid(field, 'a string');
  try {
    checkPassword(value);
  } catch (error) {
    throw error instanceof UserError ? invalid(field, error.message) : error;
  }
  return value;
}
