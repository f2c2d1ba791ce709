import { createHash } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { DEVICES, type Device } from '../../acs/index.js';
import { chromiumProgram, startChromium } from '../support/chromium.js';
import { serveElsewhere } from '../support/elsewhere.js';
import { ADMIN, startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { cpeidOf, deviceOf } from '../support/installation.js';

// What pages of elsewhere can have a real browser do with the cookies of APIs that ask for no CSRF token. Below localhost every name leads
// here: names below cpe.localhost are one site to a browser, so to a page of one of them it sends cookies along that are SameSite=Strict.

const DOMAIN = 'cpe.localhost';
const SLOTS = '/api/firmware';
const UPDATE = '/api/npm.system_update/2.0/update';
const LOG_IN_BY_GET = '/api/authentication';

/** What changes something at a CPE's own host, and in front of it the path of the CPE at Ferry's. */
const OF_DEVICE = [
  { path: '/api/common/1.0/login', body: { username: ADMIN.name, password: ADMIN.password } },
  { path: '/api/common/1.0/logout', body: {} },
  { path: `${UPDATE}/init`, body: {} },
  { path: `${UPDATE}/reset`, body: {} },
  { path: `${SLOTS}/upgrade`, body: { slot_id: 1, message: 'elsewhere' } },
  { path: `${SLOTS}/fetch`, body: { url: 'http://127.0.0.1:1/x.bin' } },
  { path: LOG_IN_BY_GET, body: {} },
];
const OF_INSTALLATION = [
  { path: '/sc_cloud/login', body: {} },
  { path: '/sc_cloud/logout', body: {} },
  { path: '/sc_cloud/upgrade/start', body: { sn: ['0000001'], 'firmware-id': 1 } },
];

const program = chromiumProgram();
if (program !== null) {
  for (const [site, what] of [
    [`other.${DOMAIN}`, 'a page of the same site'],
    ['localhost', 'a page of another site'],
    ['127.0.0.1', "a page on another port of Ferry's own host"],
  ] as const) {
    test.serial(
      `${what} changes nothing and logs nobody in or out by the cookies of APIs without a token`,
      async (t) => {
        t.timeout(240_000);
        const { ferry, own, host, page, pageOfHost } = await setUp(t, program);
        const before = await stateOf(ferry);
        const targets = [
          ...OF_INSTALLATION.map(({ path, body }) => ({ url: `${own}${path}`, body })),
          ...OF_DEVICE.flatMap(({ path, body }) => [
            { url: `${own}/devices/${cpeidOf(1)}${path}`, body },
            { url: `${host}${path}`, body },
          ]),
        ].map(({ url, body }) => ({ url, body: JSON.stringify(body) }));
        const elsewhere = await page.context().newPage();
        await elsewhere.goto(await serveElsewhere(t, site));
        const seen = ferry.events.length;
        const requests = () =>
          ferry.events.slice(seen).flatMap(({ event, fields }) => (event === 'nbi.request' ? [fields] : []));
        const sent = await elsewhere.evaluate<number>(`attack(${JSON.stringify(targets)})`);
        await until(`${sent} changes have come`, () => {
          return requests().filter(({ method }) => method === 'POST').length >= sent;
        });
        const loggingIn = () =>
          requests().filter(({ method, path }) => method === 'GET' && String(path).endsWith(LOG_IN_BY_GET));
        await until('images and frames have tried to log in', () => loggingIn().length >= 2);
        for (const { status, path, method } of requests()) {
          if (method === 'GET' && !String(path).endsWith(LOG_IN_BY_GET)) continue;
          const isUnserved =
            method === 'OPTIONS' || (method === 'POST' && String(path).endsWith(LOG_IN_BY_GET));
          t.is(status, isUnserved ? 405 : 403, `${method} ${path}`);
        }
        // A link or a form can take the whole window.
        await elsewhere.goto(await serveElsewhere(t, site));
        const navigated = loggingIn().length;
        await elsewhere.evaluate(`location.href = ${JSON.stringify(`${host}${LOG_IN_BY_GET}`)}`);
        await until('it has gone there', () => loggingIn().length > navigated);
        t.is(loggingIn().at(-1)?.['status'], 403);
        t.deepEqual(await stateOf(ferry), before);
        // Pages of its own go on.
        for (const [each, path] of readable(page, pageOfHost)) {
          t.is(await statusOf(each, 'GET', path), 200, path);
          t.is(await each.evaluate('document.cookie'), '', 'no script sees a cookie');
        }
        t.is(await statusOf(pageOfHost, 'DELETE', LOG_IN_BY_GET), 200);
        t.is(await statusOf(pageOfHost, 'GET', SLOTS), 401);
        t.is(await statusOf(pageOfHost, 'GET', UPDATE), 200, 'that was the log-out of one API');
      },
    );
  }
}

/** What is read by each cookie, and by what page of its own. */
function readable(page: Page, pageOfHost: Page): readonly (readonly [Page, string])[] {
  const byPath = `/devices/${cpeidOf(1)}`;
  return [
    [page, '/sc_cloud/scapi/get-devs'],
    [page, `${byPath}${SLOTS}`],
    [page, `${byPath}${UPDATE}`],
    [pageOfHost, SLOTS],
    [pageOfHost, UPDATE],
  ];
}

/** A Ferry with a CPE, and a browser that is logged in to each API in each form. */
async function setUp(t: ExecutionContext, chromium: string) {
  const ferry = await startTestFerry(t, { config: { deviceDomain: DOMAIN } });
  const device: Device = { ...deviceOf(cpeidOf(1), null), serialLabel: '0000001' };
  await ferry.installation.store.collection<Device>(DEVICES).put(device);
  await ferry.installation.users.change([ADMIN.name], { scCloud: true, password: ADMIN.password });
  const browser = await startChromium(t, chromium);
  const own = ferry.urls.nbi;
  const host = `http://0000001.${DOMAIN}:${new URL(own).port}`;
  const page = await pageAt(await browser.newPage(), own);
  const pageOfHost = await pageAt(await browser.newPage(), host);
  for (const [each, prefix] of [
    [page, `/devices/${cpeidOf(1)}`],
    [pageOfHost, ''],
  ] as const) {
    const basic = Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64');
    const authorized = { Authorization: `Basic ${basic}` };
    t.is(await statusOf(each, 'GET', `${prefix}${LOG_IN_BY_GET}`, { headers: authorized }), 200);
    const json = {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: ADMIN.name, password: ADMIN.password }),
    };
    t.true((await statusOf(each, 'POST', `${prefix}/api/common/1.0/login`, json)) < 300);
  }
  const form = new URLSearchParams({
    id: ADMIN.name,
    pass: createHash('md5').update(ADMIN.password).digest('hex'),
  });
  const urlencoded = {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  };
  t.is(await statusOf(page, 'POST', '/sc_cloud/login', urlencoded), 200);
  for (const [each, path] of readable(page, pageOfHost))
    t.is(await statusOf(each, 'GET', path), 200, `${path} by a cookie`);
  return { ferry, own, host, page, pageOfHost };
}

/** A page of an origin that has none. */
async function pageAt(page: Page, origin: string): Promise<Page> {
  await page.route(`${origin}/page`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>own</title>' }),
  );
  await page.goto(`${origin}/page`);
  return page;
}

/** What a page of its own is answered, with what the browser adds by itself. */
function statusOf(
  page: Page,
  method: string,
  path: string,
  asked: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
) {
  const init = JSON.stringify({ method, ...asked });
  return page.evaluate<number>(`fetch(${JSON.stringify(path)}, ${init}).then(({ status }) => status)`);
}

/** All that could be changed here. */
async function stateOf({ nbi }: TestFerry): Promise<unknown> {
  const state: Record<string, unknown> = {};
  for (const path of ['/v1/dyn/FirmwareStorage/.*', '/v1/images', '/v1/uploads', '/v1/batches'])
    state[path] = (await nbi('GET', path)).body;
  const { body } = await nbi('GET', '/v1/sessions');
  state['sessions'] = (body as { readonly details: readonly { id: string }[] }).details.map(({ id }) => id);
  return state;
}
