import type { Request } from 'express';
import type { ApiError } from './api-error.js';

/** What was asked, as far as an error is worded by it. */
export interface Asked {
  readonly request: Request;
  /** The methods that are served at the path, as `Allow` tells them; null where no route is there. */
  readonly allow: string | null;
}

/** An answer as it goes out. */
export interface Rendered {
  /** Where the API says in the body what became of a request, and not by the status. Default: that of the error. */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * How one API words its errors, whatever they come from: its handlers, the checks before them, a path or a method that it does not
 * serve (`routing-errors.ts`), or a fault inside (500 without any problem).
 */
export interface Dialect {
  error(error: ApiError, asked: Asked): Rendered;
}

export function renderJson(value: unknown): Rendered {
  return { headers: { 'Content-Type': 'application/json; charset=utf-8' }, body: JSON.stringify(value) };
}
