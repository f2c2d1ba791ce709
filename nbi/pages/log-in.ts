import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import {
  ApiError,
  arrivalOf,
  COOKIE_HEADER,
  givenCookie,
  givenPageCookie,
  isSameSecret,
  locationHeader,
  onlyCookie,
  openQuery,
  PAGE_CSRF_COOKIE,
  PAGE_SESSION_COOKIE,
  queryParameter,
  type Route,
  route,
  sessionCookie,
  urlencodedBody,
} from '../http/index.js';
import {
  beginSession,
  type LogInParts,
  NAME_CHARACTERS_MAX,
  PASSWORD_CHARACTERS_MAX,
  type UserSessions,
} from '../sessions/index.js';
import { logInPage } from './log-in-page.js';
import { nextPath } from './next-path.js';
import { sendPage } from './page.js';
import { pageAnswer, pageAnswers } from './page-answers.js';

export const LOG_IN_PATH = '/admin/login/';

const NEXT = queryParameter('next', 'Where logging in leads: a path of this server.');
const TOKEN_BYTES = 32;
const TOKEN = /^[\w-]{43}$/;

/** `GET /admin/login/` */
export function logInFormRoute(): Route {
  return route({
    method: 'GET',
    path: LOG_IN_PATH,
    role: null,
    concerns: 'everyone',
    operationId: 'logInPage',
    summary: 'The page by which people log in',
    description: `Gives the browser the cookie ${PAGE_CSRF_COOKIE}, whose value its form shows as csrfmiddlewaretoken.`,
    query: openQuery(NEXT),
    answers: { '200': { ...pageAnswer('The page'), headers: COOKIE_HEADER }, ...pageAnswers('429', '503') },
    async handle({ request, response, query }) {
      const csrfToken = tokenFor(request);
      response.setHeader('Set-Cookie', givenPageCookie(arrivalOf(response), PAGE_CSRF_COOKIE, csrfToken));
      const next = nextPath(query.get(NEXT.name));
      sendPage(response, logInPage({ username: '', next, csrfToken, problem: null }));
    },
  });
}

/** `POST /admin/login/` */
export function logInRoute(
  parts: LogInParts & { readonly sessions: Pick<UserSessions, 'csrfTokenOf'> },
): Route {
  return route({
    method: 'POST',
    path: LOG_IN_PATH,
    role: null,
    concerns: 'everyone',
    operationId: 'logInByPage',
    summary: 'Logs in by name and password, and leads on',
    description: `Gives the browser ${PAGE_SESSION_COOKIE}, the session as /v1/session begins it, under that name and under Ferry's own, and ${PAGE_CSRF_COOKIE}, the session's CSRF token, to be shown in X-CSRFToken with each change. Wrong passwords count as those of Basic authentication do.`,
    body: urlencodedBody({
      csrfmiddlewaretoken: { type: 'string', description: `The value of the cookie ${PAGE_CSRF_COOKIE}.` },
      username: { type: 'string', description: 'The name of a user.' },
      password: { type: 'string', description: 'The password of that user.' },
      next: NEXT.schema,
    }),
    answers: {
      '302': {
        description: 'Logged in',
        headers: { ...locationHeader('Where that leads.'), ...COOKIE_HEADER },
      },
      '400': pageAnswer('Name or password is missing, or the form cannot be read'),
      '401': pageAnswer('The page again: name and password do not fit'),
      ...pageAnswers('403', '413', '415', '429', '503', '507'),
    },
    async handle({ request, response, body }) {
      const form = await body();
      requireToken(request, form);
      const next = nextPath(form.get('next'));
      const [name, password] = [form.get('username') ?? '', form.get('password') ?? ''];
      try {
        requireBoth(name, password);
        const own = [onlyCookie(request, PAGE_SESSION_COOKIE), sessionCookie(request)];
        const replaced = own.filter((cookie) => cookie !== null);
        const { cookie } = await beginSession(parts, { name, password }, { request, response, replaced });
        give(response, { cookie, csrfToken: parts.sessions.csrfTokenOf(cookie) });
        response.status(302).setHeader('Location', next);
        response.end();
      } catch (error) {
        const problem = problemOf(error);
        if (problem === null || !(error instanceof ApiError)) throw error;
        response.set({ ...error.headers });
        const csrfToken = tokenFor(request);
        sendPage(response, logInPage({ username: name, next, csrfToken, problem }), error.status);
      }
    },
  });
}

/** The session under both names: by Ferry's own the rest of its APIs know who it is. */
function give(
  response: Response,
  { cookie, csrfToken }: { readonly cookie: string; readonly csrfToken: string },
) {
  const arrival = arrivalOf(response);
  response.setHeader('Set-Cookie', [
    givenPageCookie(arrival, PAGE_SESSION_COOKIE, cookie),
    givenPageCookie(arrival, PAGE_CSRF_COOKIE, csrfToken),
    givenCookie(arrival, cookie),
  ]);
}

/** That which the browser has, so that forms in two windows both go; else a new one. */
function tokenFor(request: Request): string {
  const known = onlyCookie(request, PAGE_CSRF_COOKIE);
  return known !== null && TOKEN.test(known) ? known : randomBytes(TOKEN_BYTES).toString('base64url');
}

/**
 * Nobody has a session yet: what shows that the form is a page's of this origin is that it tells the cookie, which others cannot read.
 * @throws ApiError 403
 */
function requireToken(request: Request, form: URLSearchParams): void {
  const [cookie, shown] = [onlyCookie(request, PAGE_CSRF_COOKIE), form.get('csrfmiddlewaretoken')];
  if (cookie !== null && shown !== null && TOKEN.test(cookie) && isSameSecret(cookie, shown)) return;
  throw new ApiError(403, [
    {
      field: 'csrfmiddlewaretoken',
      code: 'csrf-token',
      expected: `the value of the cookie ${PAGE_CSRF_COOKIE}: open ${LOG_IN_PATH} anew, and let the browser keep cookies`,
    },
  ]);
}

/** @throws ApiError 400, 401 */
function requireBoth(name: string, password: string): void {
  if (name === '' || password === '') {
    throw new ApiError(400, [
      { field: name === '' ? 'username' : 'password', expected: 'it to be filled in' },
    ]);
  }
  // Nobody is called so: it need not be looked up.
  if (name.length > NAME_CHARACTERS_MAX || password.length > PASSWORD_CHARACTERS_MAX) throw new ApiError(401);
}

/** What the form says of what went wrong; null where it is not about what was typed. */
function problemOf(error: unknown): string | null {
  if (!(error instanceof ApiError)) return null;
  switch (error.status) {
    case 400:
      return 'Fill in both user and password.';
    case 401:
      return 'User and password do not fit. Mind that capitals count.';
    case 403:
      return 'Your organization is not active. Ask an admin of the installation.';
    case 429:
      return `Too many wrong passwords. Try again in ${error.headers['Retry-After'] ?? 'some'} seconds.`;
    default:
      return null;
  }
}
