import type { Schema } from './schema.js';

/** A header of an answer, as the OpenAPI document shows it. */
export interface Header {
  readonly description: string;
  /** Whether it is always there. */
  readonly required?: boolean;
  readonly schema: Schema;
}

/** The headers of an answer by name. */
export type Headers = Readonly<Record<string, Header>>;

const TEXT = { type: 'string' } as const;

/** Of an answer to a request that has made something, or that leads elsewhere. */
export function locationHeader(description: string): Headers {
  return { Location: { description, required: true, schema: TEXT } };
}

/** Of a page of a list behind which another begins; see {@link linkNext}. */
export const PAGE_HEADERS: Headers = {
  Link: { description: 'Of the next page, rel="next" (RFC 8288); absent: there is none.', schema: TEXT },
  'X-Next-After': {
    description: '`after` of the next page; absent: there is none, or it is asked for otherwise.',
    schema: TEXT,
  },
};

/** Of a file that is downloaded. */
export const FILE_HEADERS: Headers = {
  'Content-Disposition': { description: 'With the name of the file.', required: true, schema: TEXT },
  'Last-Modified': { description: 'When it came here.', required: true, schema: TEXT },
};

/** Of what a client may keep, and ask whether it is still so. */
export const TAG_HEADER: Headers = {
  ETag: { description: 'Of just this content; for If-None-Match.', required: true, schema: TEXT },
};

/** Of a part of a file, or of a refusal to send one. */
export const RANGE_HEADER: Headers = {
  'Content-Range': { description: 'Which bytes, of how many (RFC 9110, 14.4).', schema: TEXT },
};

/** Of an answer by which somebody is logged in, or out. */
export const COOKIE_HEADER: Headers = {
  'Set-Cookie': { description: 'The cookie of the session, or one that takes it away.', schema: TEXT },
};

/** What comes with an answer of this status, whichever route it is of. */
export function headersByStatus(status: string): Headers {
  switch (status) {
    case '401':
      return {
        'WWW-Authenticate': { description: 'How to log in (RFC 9110, 11.6.1).', schema: TEXT },
      };
    case '429':
    case '503':
      return {
        'Retry-After': {
          description: 'How many seconds to wait, where that is known.',
          schema: { type: 'integer', minimum: 0 },
        },
      };
    case '416':
      return RANGE_HEADER;
    default:
      return {};
  }
}

/** Of every answer. */
export const EVERY_HEADER: Headers = {
  'X-Request-Id': {
    description: 'Names the request in the log, and in the audit what came of it.',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  },
};
