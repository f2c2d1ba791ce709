import type { Request } from 'express';
import {
  type ApiError,
  type Asked,
  type Dialect,
  findingsOf,
  type JsonObject,
  type Rendered,
  UndecodablePathError,
  UnknownPathError,
  UnservedMethodError,
} from '../../http/index.js';
import type { Endpoint } from './endpoint.js';
import { allowed, mannersOf } from './headers.js';
import type { PageMaker } from './page.js';
import { rendered } from './rendering.js';
import { NO_MANAGER, NO_PERMISSION, throttledText, UpgraderError } from './upgrader-error.js';

interface DialectParts {
  readonly page: PageMaker;
  /** What is at a path, as routes write it. */
  readonly endpointAt: (path: string) => Endpoint | null;
}

/** Errors as the reference words them, whatever they come from. */
export function upgraderDialect(parts: DialectParts): Dialect {
  return {
    error(error, asked) {
      const { request, allow } = asked;
      // As where nothing is at the path, or the reference has no words of its own.
      if (error instanceof UnknownPathError || error instanceof UndecodablePathError)
        return htmlOnly('Not Found', 'The requested resource was not found on this server.', request);
      if (error.status === 500) return htmlOnly('Server Error (500)', '', request);
      const data = bodyOf(error, asked);
      const methods = allow === null ? [] : allowed(allow.split(', '));
      const endpoint = parts.endpointAt(routeOf(request));
      const answer = rendered({ request, status: error.status, data, endpoint, allow: methods }, parts.page);
      return { ...answer, headers: { ...mannersOf(request, methods), ...answer.headers } };
    },
  };
}

/** @returns the path of the route that a request came to, as it was noted on its way */
function routeOf({ res }: Request): string {
  const { route = '' } = res === undefined ? {} : findingsOf(res);
  return route;
}

function htmlOnly(title: string, text: string, request: Request): Rendered {
  const paragraph = text === '' ? '' : `<p>${text}</p>`;
  return {
    headers: { ...mannersOf(request, []), 'Content-Type': 'text/html; charset=utf-8' },
    body: `<!doctype html>\n<html lang="en">\n<head><title>${title}</title></head>\n<body><h1>${title}</h1>${paragraph}</body>\n</html>\n`,
  };
}

function bodyOf(error: ApiError, { request }: Asked): JsonObject {
  if (error instanceof UpgraderError) return error.body;
  if (error instanceof UnservedMethodError) return { detail: `Method "${request.method}" not allowed.` };
  const [problem] = error.problems;
  switch (error.status) {
    case 400:
      return problem === undefined || problem.field === ''
        ? { detail: problem?.expected ?? 'Bad request.' }
        : { [problem.field]: [problem.expected] };
    case 403:
      if (problem?.code === 'inactive') return { detail: NO_MANAGER };
      return { detail: problem?.code === undefined ? NO_PERMISSION : problem.expected };
    case 404:
      return { detail: 'Not found.' };
    case 429:
      return { detail: throttledText(Number(error.headers['Retry-After'] ?? 1)) };
    default:
      return { detail: problem?.expected ?? 'Failed.' };
  }
}
