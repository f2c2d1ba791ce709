import { STATUS_CODES } from 'node:http';
import type { ApiError, Dialect } from '../http/index.js';
import { type Html, html } from './html.js';
import { pageHeaders, renderPage } from './page.js';

/** Errors as pages: for whoever came with a browser to where pages are served. */
export const pageDialect: Dialect = {
  error(error) {
    const page = { title: titleOf(error), crumbs: [{ name: 'Ferry', path: '/' }], main: problemsOf(error) };
    return { headers: pageHeaders(page), body: renderPage(page) };
  },
};

function titleOf({ status }: ApiError): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim();
}

function problemsOf(error: ApiError): Html {
  const { status, problems } = error;
  const words = problems.map(
    ({ field, expected, found }) =>
      html`<li>${field === '' ? expected : `${field}: ${expected}`}${found !== undefined && html` <span class="muted">(found: ${found})</span>`}</li>\n`,
  );
  return html`<h1>${titleOf(error)}</h1>
${
  words.length === 0
    ? html`<p>${status >= 500 ? 'Something went wrong here; the log tells what.' : 'There is nothing here.'}</p>`
    : html`<p>This was expected:</p>\n<ul>\n${words}</ul>`
}
<p><a href="/">What there is</a></p>`;
}
