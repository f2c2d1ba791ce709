import type { Response } from 'express';
import { type Html, html, NOTHING } from './html.js';

/** Where what pages need beside themselves is served. */
export const ASSETS_PATH = '/pages/';

/** A place that leads to this one. */
export interface Crumb {
  readonly name: string;
  readonly path: string;
}

/** Who looks at a page, as far as it shows it. */
export interface Reader {
  readonly name: string;
  /** What a form of his shows when it changes something. */
  readonly csrfToken: string;
}

/** One page. */
export interface Page {
  readonly title: string;
  /** From `/` down, without the page itself. */
  readonly crumbs?: readonly Crumb[];
  /** Null: nobody has logged in; undefined: the page does not ask. */
  readonly reader?: Reader | null;
  /** Where logging in leads back to. */
  readonly here?: string;
  readonly main: Html;
  /** Scripts by their paths, of this origin. Without any none can run. */
  readonly scripts?: readonly string[];
  /** Stylesheets beside that of the frame; that of Ferry's own content unless told. */
  readonly styles?: readonly string[];
  /** After how long the browser is to ask again. */
  readonly refreshSeconds?: number;
}

/** What a browser lets pages do: nothing of elsewhere, nothing within the page itself, and scripts only where they have one. */
export function pagePolicy({ scripts = [] }: Pick<Page, 'scripts'>): string {
  const running = scripts.length === 0 ? '' : "; script-src 'self'; connect-src 'self'";
  return `default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'${running}`;
}

/**
 * The headers of a page. `Referrer-Policy: same-origin` and not less: where nothing may be told, browsers send `Origin: null` with forms,
 * which is taken for another site's.
 */
export function pageHeaders(page: Pick<Page, 'scripts' | 'title'>): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': pagePolicy(page),
    'Referrer-Policy': 'same-origin',
    'X-Frame-Options': 'DENY',
    'Cross-Origin-Opener-Policy': 'same-origin',
  };
}

/** The whole of a page, as it goes out. */
export function renderPage(page: Page): string {
  const {
    title,
    crumbs = [],
    main,
    scripts = [],
    styles = [`${ASSETS_PATH}pages.css`],
    refreshSeconds,
  } = page;
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refreshSeconds !== undefined && html`<meta http-equiv="refresh" content="${refreshSeconds}">\n`}<title>${title === 'Ferry' ? title : `${title} – Ferry`}</title>
<link rel="icon" href="${ASSETS_PATH}icon.svg">
<link rel="stylesheet" href="${ASSETS_PATH}frame.css">
${styles.map((path) => html`<link rel="stylesheet" href="${path}">\n`)}${scripts.map((path) => html`<script src="${path}" defer></script>\n`)}</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<nav aria-label="Where this is">
<ol class="crumbs">
${crumbs.map(({ name, path }) => html`<li><a href="${path}">${name}</a></li>\n`)}<li aria-current="page">${title}</li>
</ol>
</nav>
${readerPart(page)}</header>
<main id="main">
${main}
</main>
</body>
</html>
`);
}

/** Sends a page. */
export function sendPage(response: Response, page: Page, status = 200): void {
  const body = Buffer.from(renderPage(page));
  response.status(status);
  for (const [name, value] of Object.entries(pageHeaders(page))) response.setHeader(name, value);
  response.send(body);
}

function readerPart({ reader, here = '/' }: Page): Html {
  if (reader === undefined) return NOTHING;
  if (reader === null) {
    return html`<p class="reader"><a href="/admin/login/?next=${encodeURIComponent(here)}">Log in</a></p>\n`;
  }
  return html`<form class="reader" method="post" action="/admin/logout/">
<span>${reader.name}</span>
<input type="hidden" name="csrfmiddlewaretoken" value="${reader.csrfToken}">
<button type="submit">Log out</button>
</form>
`;
}
