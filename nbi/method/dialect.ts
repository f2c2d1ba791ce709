import type { Response } from 'express';
import { type ApiError, type Problem, renderJson } from '../http/index.js';

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
    renderJson(
      methodDialect.answer({
        code: status,
        message: message === '' ? 'Internal error' : message,
        ...(problems.some(hasMore) ? { details: problems } : {}),
      }),
    ),
};

/** What a method that has nothing to tell answers. */
export const OK = methodDialect.answer({ code: 200, message: 'OK' });

/** The HTTP status says the same as the body's code. */
export function sendAnswer(response: Response, answer: MethodAnswer): void {
  response.status(answer.code).json(methodDialect.answer(answer));
}

/** A single plain problem is told by the message alone. */
function hasMore({ field, ...rest }: Problem): boolean {
  return field !== '' || Object.keys(rest).length > 1;
}

/** The shape in which methods answer, under `#/components/schemas`. */
export const methodAnswerSchemas = {
  MethodAnswer: {
    type: 'object',
    required: ['result'],
    properties: {
      result: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'integer', description: 'As the HTTP status.' },
          message: { type: 'string' },
        },
      },
      details: {},
    },
  },
} as const;
