import { STATUS_CODES } from 'node:http';
import type { Request } from 'express';
import {
  findingsOf,
  isObject,
  onlyCookie,
  PAGE_SESSION_COOKIE,
  type SessionLogins,
} from '../../http/index.js';
import {
  callForm,
  FORM_SCRIPT,
  type Html,
  html,
  jsonView,
  NOTHING,
  type Page,
  pageHeaders,
  type Reader,
  renderPage,
  visible,
} from '../../pages/index.js';
import { mayActAs } from '../../users/index.js';
import { type Endpoint, lastOf, type PageMaker, type Page as Shown } from '../manners/index.js';
import { filterForm } from './filters.js';
import { formsOf } from './forms.js';
import { linksIn } from './links.js';
import { crumbsTo, LISTS, placeOf, textIn } from './places.js';
import { isUnderWay, pagingPart, progressPart, REFRESH_SECONDS } from './progress.js';

/** What is shown of an answer's header. */
const HEADERS_SHOWN = ['Allow', 'Vary', 'Retry-After'] as const;

/** Makes pages of the answers of this API: what JSON has, with links, filters, pages, and a form for each thing that may be done there. */
export function upgraderPages(sessions: Pick<SessionLogins, 'csrfTokenOf'>): PageMaker {
  return (shown) => {
    const page = pageOf(shown, sessions);
    return { headers: pageHeaders(page), body: renderPage(page) };
  };
}

function pageOf(shown: Shown, sessions: Pick<SessionLogins, 'csrfTokenOf'>): Page {
  const { request, status, endpoint } = shown;
  const url = new URL(request.originalUrl, 'http://host.invalid');
  const data = isObject(shown.data) ? shown.data : {};
  const isThere = status < 300;
  const place = endpoint === null ? null : placeOf(endpoint);
  const problem = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  const title = visible(place?.name(isThere ? data : {}) ?? problem);
  const reader = readerOf(request, sessions);
  const forms =
    endpoint === null || !mayChange(shown, reader) ? [] : formsOf({ endpoint, url, data, isThere });
  const refreshes = isThere && isUnderWay(data) && lastOf(request.originalUrl, 'refresh') !== '0';
  const main = html`<nav class="bar" aria-label="Lists">${LISTS.map(({ name, path }) => html`<a href="${path}">${name}</a>\n`)}</nav>
<h1>${title}</h1>
${status === 401 && html`<p class="problem"><a href="/admin/login/?next=${encodeURIComponent(request.originalUrl)}">Log in</a> to see what is here.</p>\n`}${isThere && progressPart(data, url, refreshes)}${isThere && place?.leads !== undefined && leadsPart(place.leads(url.pathname, data))}${listPart(endpoint, url, status)}${isThere && pagingPart(data)}${answerPart(shown, url, problem)}${forms.map(callForm)}`;
  return {
    title,
    crumbs: crumbsTo(url.pathname),
    reader,
    here: request.originalUrl,
    main,
    ...(forms.length > 0 && { scripts: [FORM_SCRIPT] }),
    ...(refreshes && { refreshSeconds: REFRESH_SECONDS }),
  };
}

/** Who looks at the page by the session of his browser; null for nobody, and for who shows a token: forms would not know him. */
function readerOf(request: Request, sessions: Pick<SessionLogins, 'csrfTokenOf'>): Reader | null {
  const { user } = request.res === undefined ? {} : findingsOf(request.res);
  const cookie = onlyCookie(request, PAGE_SESSION_COOKIE);
  if (user === undefined || cookie === null || request.headers.authorization !== undefined) return null;
  return { name: user, csrfToken: sessions.csrfTokenOf(cookie) };
}

/** As OPTIONS tells it. */
function mayChange({ request, isChangeable }: Shown, reader: Reader | null): boolean {
  const { role } = request.res === undefined ? {} : findingsOf(request.res);
  return reader !== null && role !== undefined && mayActAs(role, 'operator') && isChangeable !== false;
}

/** What is narrowed wrongly can be narrowed otherwise; who may see nothing need not. */
function listPart(endpoint: Endpoint | null, url: URL, status: number): Html {
  const mayLook = status < 300 || status === 400 || status === 404;
  return endpoint?.list !== undefined && mayLook
    ? filterForm(endpoint.list, url.pathname, url.searchParams)
    : NOTHING;
}

function leadsPart(leads: readonly { readonly name: string; readonly path: string }[]): Html {
  return html`<p class="bar">${leads.map(({ name, path }) => html`<a class="button" href="${path}">${name}</a>\n`)}</p>
`;
}

/** The answer as programs get it, with the links that it has for people. */
function answerPart({ request, data, endpoint, allow }: Shown, url: URL, problem: string): Html {
  const headers = HEADERS_SHOWN.flatMap((name) => {
    const value = name === 'Allow' ? allow.join(', ') : request.res?.getHeader(name);
    return value === undefined || value === ''
      ? []
      : [html`<span class="key">${name}:</span> ${String(value)}\n`];
  });
  const log = isObject(data) ? textIn(data, 'log') : '';
  return html`<section>
<h2>The answer</h2>
<pre class="head"><b>${request.method} ${visible(decoded(request.originalUrl))}</b>
<b>HTTP ${problem}</b>
${headers}</pre>
${log !== '' && html`<h3>Its log</h3>\n<pre>${visibleLines(log)}</pre>\n`}${data !== undefined && jsonView(data, linksIn(itemsOf(endpoint, url)))}
${rawPart(url)}</section>
`;
}

/** As JSON alone, as a program would ask for it. */
function rawPart(url: URL): Html {
  const query = new URLSearchParams(url.searchParams);
  query.set('format', 'json');
  return html`<p><a href="?${query.toString()}">The same as JSON</a></p>
`;
}

function decoded(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}

function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** What the ids of a list's items lead to. */
function itemsOf(endpoint: Endpoint | null, { pathname }: URL): string | null {
  if (endpoint?.list === undefined) return null;
  return endpoint.path.endsWith('/upgrade-operation/') ? (LISTS[3]?.path ?? null) : pathname;
}
