import { ApiError } from './api-error.js';

/** The 429 for whoever has tried to log in too often. @param field  where his attempt stood */
export function throttled(retryAfterSeconds: number, field = 'Authorization'): ApiError {
  const expected = `fewer attempts to log in: wait ${retryAfterSeconds} seconds`;
  return new ApiError(429, [{ field, expected }], { 'Retry-After': String(retryAfterSeconds) });
}
