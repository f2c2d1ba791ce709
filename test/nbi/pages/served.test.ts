import test from 'ava';
import { html } from '../../../nbi/pages/html.js';
import { renderPage } from '../../../nbi/pages/index.js';
import { SHELVES } from '../../../nbi/pages/welcome.js';
import { sendRaw, statusesOf } from '../../support/raw-socket.js';
import { openApiDocument } from '../declared.js';
import { OPERATOR, startNbi } from '../support.js';

const DOCS = '/api/v1/docs/';

test('every place that the first page leads to is there, and those said to be open are', async (t) => {
  const nbi = await startNbi(t);
  const places = SHELVES.flatMap(({ places: some }) => some);
  const { body } = await nbi.call('/', { as: null });
  for (const { path, isOpen = false } of places) {
    t.true(String(body).includes(`href="${path}"`), path);
    t.is((await nbi.call(path, { as: null })).status, isOpen ? 200 : 401, path);
    t.not((await nbi.call(path, { as: OPERATOR })).status, 403, path);
  }
});

test('a stranger is not told on the first page which version this is', async (t) => {
  const nbi = await startNbi(t);
  const { body } = await nbi.call('/', { as: null });
  t.false(String(body).includes('under test'));
});

test('a page loads nothing of elsewhere, runs nothing that stands in it, and scripts of this server only where it has one', async (t) => {
  const nbi = await startNbi(t);
  for (const path of ['/', '/admin/login/', '/admin/none/', '/api/v1/docs/none', DOCS]) {
    const { headers, body } = await nbi.call(path, { as: null });
    const policy = headers.get('Content-Security-Policy') ?? '';
    t.regex(
      policy,
      /^default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'/,
    );
    t.notRegex(policy, /unsafe|\*|https?:/);
    t.is(policy.includes("script-src 'self'"), path === DOCS, path);
    t.is(headers.get('Referrer-Policy'), 'same-origin');
    t.is(headers.get('X-Frame-Options'), 'DENY');
    // Inline scripts, styles and handlers would not run, and are not there.
    t.notRegex(String(body), /<script(?! src="\/)|<style| style="| on[a-z]+="/);
  }
});

test('what pages load is served by name and with its type, and no other file is', async (t) => {
  const nbi = await startNbi(t);
  const files = {
    '/pages/frame.css': /^text\/css/,
    '/pages/pages.css': /^text\/css/,
    '/pages/docs.js': /^text\/javascript/,
    '/pages/icon.svg': /^image\/svg/,
    [`${DOCS}swagger-ui.css`]: /^text\/css/,
    [`${DOCS}swagger-ui-bundle.js`]: /^text\/javascript/,
  };
  for (const [path, type] of Object.entries(files)) {
    const { status, headers } = await nbi.call(path, { as: null });
    t.is(status, 200, path);
    t.regex(headers.get('Content-Type') ?? '', type);
    t.is(headers.get('X-Content-Type-Options'), 'nosniff');
    // By hand: fetch would ask every cache on the way not to answer so.
    const known = `GET ${path} HTTP/1.1\r\nHost: ferry\r\nIf-None-Match: ${headers.get('ETag')}\r\nConnection: close\r\n\r\n`;
    t.deepEqual(statusesOf(await sendRaw(nbi.url, known)), [304], path);
  }
  const others = [
    'README.md',
    '..%2fapi.ts',
    '%2e%2e%2fpage.ts',
    'constructor',
    '__proto__',
    'toString',
    'frame.css%00',
    'FRAME.CSS',
  ];
  for (const name of others) t.is((await nbi.call(`/pages/${name}`, { as: null })).status, 404, name);
  for (const name of [
    ...others,
    'package.json',
    'index.html',
    'swagger-ui-bundle.js.map',
    'swagger-initializer.js',
  ])
    t.is((await nbi.call(`${DOCS}${name}`, { as: null })).status, 404, name);
});

test('the page of the API loads what it shows from this server, and the document stands under each of its names', async (t) => {
  const nbi = await startNbi(t);
  const { body } = await nbi.call(DOCS, { as: null });
  for (const [, path = ''] of String(body).matchAll(/(?:src|href)="(\/[^"]*)"/g)) {
    t.is((await nbi.call(path, { as: null })).status, 200, path);
  }
  const own = await (await fetch(`${nbi.url}/v1/openapi.json`)).text();
  for (const path of ['/api/v1/docs.json', '/api/v1/docs.yaml', '/v1/doc/swagger.json'])
    t.is(await (await fetch(nbi.url + path)).text(), own);
  for (const path of ['/api/v1/redoc/', '/v1/doc', '/v1/doc/']) {
    const led = await fetch(nbi.url + path, { redirect: 'manual' });
    t.deepEqual([led.status, led.headers.get('Location')], [302, DOCS], path);
  }
});

test('every call stands in the document under the API that it belongs to', (t) => {
  const { tags, paths } = openApiDocument;
  const names = new Set(tags.map(({ name }) => name));
  for (const item of Object.values(paths)) {
    for (const [method, operation] of Object.entries(item as Readonly<Record<string, { tags?: string[] }>>)) {
      if (method === 'parameters') continue;
      t.deepEqual(operation.tags?.filter((name) => names.has(name)).length, 1);
    }
  }
});

test('a page tells readers of the screen what it is, where it stands and what its parts are', (t) => {
  const page = renderPage({
    title: 'Builds & <more>',
    crumbs: [{ name: 'Ferry', path: '/' }],
    reader: { name: 'Zoë "x"', csrfToken: 'token' },
    main: html`<h1>Builds</h1>`,
  });
  t.true(page.startsWith('<!doctype html>\n<html lang="en">'));
  t.true(page.includes('<title>Builds &amp; &lt;more&gt; – Ferry</title>'));
  t.true(page.includes('<nav aria-label="Where this is">'));
  t.true(page.includes('<li aria-current="page">Builds &amp; &lt;more&gt;</li>'));
  t.true(page.includes('<a class="skip" href="#main">'));
  t.true(page.includes('<main id="main">'));
  t.true(page.includes('<span>Zoë &quot;x&quot;</span>'));
});
