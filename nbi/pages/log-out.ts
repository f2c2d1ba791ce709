import type { Request, Response } from 'express';
import {
  ApiError,
  arrivalOf,
  COOKIE_HEADER,
  clearedCookie,
  clearedPageCookies,
  findingsOf,
  isSameSecret,
  locationHeader,
  onlyCookie,
  PAGE_SESSION_COOKIE,
  type Route,
  route,
  sessionCookie,
  urlencodedBody,
} from '../http/index.js';
import type { UserSessions } from '../sessions/index.js';
import type { Principal } from '../users/index.js';
import { pageAnswers } from './page-answers.js';
import { readerOf } from './reader.js';

/** Of any user: the session is the browser's own. */
const ANYBODYS = { user: null, within: null } as const;

/** `POST /admin/logout/` */
export function logOutRoute(sessions: UserSessions): Route {
  return route({
    method: 'POST',
    path: '/admin/logout/',
    role: null,
    concerns: 'everyone',
    operationId: 'logOutByPage',
    summary: 'Ends the session of this browser, and takes its cookies away',
    body: urlencodedBody({
      csrfmiddlewaretoken: { type: 'string', description: "The session's CSRF token; X-CSRFToken will do." },
    }),
    answers: {
      '302': {
        description: 'Logged out, or nobody was logged in',
        headers: { ...locationHeader('The first page.'), ...COOKIE_HEADER },
      },
      ...pageAnswers('400', '403', '413', '415', '429', '503', '507'),
    },
    async handle({ request, response, body }) {
      const form = await body();
      const reader = await readerOf(sessions, request);
      if (reader !== null) {
        requireToken(request, form, reader.csrfToken);
        findingsOf(response).user = reader.name;
        for (const cookie of new Set([onlyCookie(request, PAGE_SESSION_COOKIE), sessionCookie(request)])) {
          const principal = cookie === null ? null : await sessions.principalOf(cookie);
          if (principal !== null) await end(sessions, principal, response);
        }
      }
      const arrival = arrivalOf(response);
      response.setHeader('Set-Cookie', [...clearedPageCookies(arrival), clearedCookie(arrival)]);
      response.status(302).setHeader('Location', '/');
      response.end();
    },
  });
}

async function end(sessions: UserSessions, principal: Principal, response: Response): Promise<void> {
  const { name, how, credential = '', organization } = principal;
  const by = {
    name,
    how,
    credential,
    ...(organization !== undefined && { organization }),
    address: findingsOf(response).address ?? '',
    requestId: String(response.getHeader('X-Request-Id')),
  };
  await sessions.end(credential, 'ended', by, ANYBODYS);
}

/** @throws ApiError 403 */
function requireToken(request: Request, form: URLSearchParams, token: string): void {
  const shown = form.get('csrfmiddlewaretoken') ?? String(request.headers['x-csrftoken'] ?? '');
  if (isSameSecret(shown, token)) return;
  throw new ApiError(403, [
    {
      field: 'csrfmiddlewaretoken',
      code: 'csrf-token',
      expected: 'the token of this session: load the page anew, and log out there',
    },
  ]);
}
