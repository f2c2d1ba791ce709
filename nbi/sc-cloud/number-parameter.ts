import { CODES } from './codes.js';
import { CloudError } from './dialect.js';

const NUMBER_MAX = 999_999_999;

/** What numbers of families, models and images are, and 0. */
export const NUMBER = {
  type: 'integer',
  minimum: 0,
  maximum: NUMBER_MAX,
  expected: `a whole number from 0 to ${NUMBER_MAX}`,
} as const;

/** @throws CloudError where it is not said */
export function required<T>(value: T | undefined, field: string, expected: string): T {
  if (value === undefined) throw new CloudError(CODES.wrongBody, field, expected);
  return value;
}
