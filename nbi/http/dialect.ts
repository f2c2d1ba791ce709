import type { ApiError, Problem } from './api-error.js';

/** How one API words its answers; the only place that knows the shape of their bodies. */
export interface Dialect {
  error(error: ApiError): unknown;
}

export interface DynDialect extends Dialect {
  readonly name: string;
  readonly message: string;
  /** The body of an answer that carries something, or nothing (`''`). */
  answer(code: number, details: unknown): unknown;
  /** What stands before and after the entries of a list that is streamed. */
  readonly listHead: string;
  readonly listTail: string;
}

/** `{"code":200,"message":"response from FirmwareStorage","details":…}`, as `/v1/dyn` answers. */
export function dynDialect(name: string): DynDialect {
  const message = `response from ${name}`;
  const answer = (code: number, details: unknown) => ({ code, message, details });
  return {
    name,
    message,
    answer,
    error: ({ status, problems }) => answer(status, problems.length === 0 ? '' : problems),
    listHead: `{"code":200,"message":${JSON.stringify(message)},"details":[`,
    listTail: ']}',
  };
}

export interface MethodAnswer {
  readonly code: number;
  readonly message: string;
  readonly details?: unknown;
}

/** `{"result":{"code":200,"message":"OK"}}`, as `/v1/method` answers. */
export const methodDialect = {
  answer: ({ code, message, details }: MethodAnswer) => ({
    result: { code, message },
    ...(details === undefined ? {} : { details }),
  }),
  error: ({ status, problems, message }: ApiError) =>
    methodDialect.answer({
      code: status,
      message: message === '' ? 'Internal error' : message,
      ...(problems.some(hasMore) ? { details: problems } : {}),
    }),
};

/** A single plain problem is told by the message alone. */
function hasMore({ field, ...rest }: Problem): boolean {
  return field !== '' || Object.keys(rest).length > 1;
}
