import test, { type ExecutionContext } from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import { chromiumProgram, startChromium } from '../support/chromium.js';
import { serveElsewhere } from '../support/elsewhere.js';
import { ADMIN, startTestFerry, type TestFerry, until } from '../support/ferry.js';

// What pages of elsewhere can have a real browser do to a user who is logged in: 127.0.0.1 and localhost are different sites, two
// ports of 127.0.0.1 the same site and different origins.

const FIRST = '/v1/dyn/FirmwareStorage/FIRST';
const FREEZE = '/v1/method/FreezeUpgrades';

/** What the page has the browser send. */
const TARGETS = [
  {
    path: '/v1/dyn/FirmwareStorage/PLANTED',
    body: {
      id: 'PLANTED',
      enabled: true,
      automatic: true,
      file: 'http://files.example.net/b.bin',
      condition: { serialNumber: 'X' },
      executions: 1,
      priority: 9,
      author: 'nobody',
    },
  },
  { path: FREEZE, body: { frozen: true, reason: 'elsewhere' } },
  { path: '/v1/session', body: ADMIN },
];

const program = chromiumProgram();
if (program !== null) {
  for (const site of ['localhost', '127.0.0.1']) {
    test.serial(
      `a page on another port of ${site} changes nothing for who is logged in by a session, as a page of its own does`,
      async (t) => {
        t.timeout(180_000);
        const { ferry, page, attack } = await setUp(t, program, site);
        await page.goto(`${ferry.urls.nbi}/page`);
        const token = await page.evaluate<string>(`
          fetch('/v1/session', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: ${JSON.stringify(JSON.stringify(ADMIN))},
          }).then((answer) => answer.json()).then(({ details }) => details.csrfToken)
        `);
        t.is(await statusOf(page, 'GET', '/v1/session'), 200, 'it is logged in');
        await attack();
        t.is(await statusOf(page, 'GET', '/v1/session'), 200, 'and stays so');
        t.is(await statusOf(page, 'DELETE', FIRST), 403, 'no page has the token by itself');
        t.is(await statusOf(page, 'DELETE', FIRST, { 'X-CSRF-Token': token }), 200);
        t.is(await page.evaluate('document.cookie'), '', 'no script sees the cookie');
      },
    );

    test.serial(
      `a page on another port of ${site} changes nothing for whose password the browser remembers, as a page of its own does`,
      async (t) => {
        t.timeout(180_000);
        const { ferry, page, attack } = await setUp(t, program, site);
        const { protocol, host } = new URL(ferry.urls.nbi);
        const user = `${ADMIN.name}:${encodeURIComponent(ADMIN.password)}`;
        await page.goto(`${protocol}//${user}@${host}/v1/images`);
        await page.goto(`${ferry.urls.nbi}/page`);
        t.is(await statusOf(page, 'GET', '/v1/images'), 200, 'the browser sends it by itself');
        await attack();
        t.is(await statusOf(page, 'DELETE', FIRST), 200);
      },
    );
  }
}

async function setUp(t: ExecutionContext, chromium: string, site: string) {
  const ferry = await startTestFerry(t);
  const rule = { enabled: false, automatic: false, file: 'http://files.example.net/a.bin', condition: {} };
  for (const id of ['FIRST', 'SECOND']) {
    const posted = await ferry.nbi('POST', `/v1/dyn/FirmwareStorage/${id}`, {
      ...rule,
      id,
      condition: { serialNumber: id },
      executions: 1,
      priority: 1,
      author: 'test',
    });
    t.is(posted.status, 200, JSON.stringify(posted.body));
  }
  const browser = await startChromium(t, chromium);
  const page = await browser.newPage();
  // Ferry has no page yet; one of its origin is what a page of its own will be.
  await page.route(`${ferry.urls.nbi}/page`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>own</title>' }),
  );
  const origin = await serveElsewhere(t, site);
  return { ferry, page, attack: () => attackFrom(t, { ferry, browser, origin }) };
}

/** What a page of its own is answered, with what the browser adds by itself. */
function statusOf(page: Page, method: string, path: string, headers: Record<string, string> = {}) {
  const init = JSON.stringify({ method, headers });
  return page.evaluate<number>(`fetch(${JSON.stringify(path)}, ${init}).then(({ status }) => status)`);
}

/** All that could be changed here. */
async function stateOf({ nbi }: TestFerry): Promise<unknown> {
  const state: Record<string, unknown> = {};
  for (const path of ['/v1/dyn/FirmwareStorage/.*', FREEZE, '/v1/images', '/v1/dyn/DeviceStorage/.*']) {
    state[path] = (await nbi('GET', path)).body;
  }
  const { body } = await nbi('GET', '/v1/sessions');
  state['sessions'] = (body as { readonly details: readonly { id: string }[] }).details.map(({ id }) => id);
  return state;
}

/** How often what the attack asks for was read, whatever the answer. */
async function readsOf({ nbi }: TestFerry): Promise<number> {
  const { body } = await nbi('GET', '/metrics');
  const lines = String(body).matchAll(/^ferry_nbi_request_seconds_count\{(.*)\} (\d+)$/gm);
  let reads = 0;
  for (const [, labels = '', count] of lines) {
    if (labels.includes('method="GET"') && /FirmwareStorage|FreezeUpgrades|v1\/session"/.test(labels)) {
      reads += Number(count);
    }
  }
  return reads;
}

interface Attack {
  readonly ferry: TestFerry;
  readonly browser: BrowserContext;
  readonly origin: string;
}

async function attackFrom(t: ExecutionContext, { ferry, browser, origin }: Attack): Promise<void> {
  const before = await stateOf(ferry);
  const page = await browser.newPage();
  await page.goto(origin);
  const seen = ferry.events.length;
  const readBefore = await readsOf(ferry);
  const targets = TARGETS.map(({ path, body }) => ({
    url: `${ferry.urls.nbi}${path}`,
    body: JSON.stringify(body),
  }));
  const sent = await page.evaluate<number>(`attack(${JSON.stringify(targets)})`);
  const requests = () =>
    ferry.events.slice(seen).flatMap(({ event, fields }) => (event === 'nbi.request' ? [fields] : []));
  const posts = () => requests().filter(({ method }) => method === 'POST');
  await until(`${sent} changes have come`, () => posts().length >= sent);
  // Of some the browser knows by itself that it need not ask twice.
  await until('images and frames have asked', async () => (await readsOf(ferry)) - readBefore >= 3);
  // A form can take the whole window too.
  await page.evaluate(`takeWindow(${JSON.stringify(`${ferry.urls.nbi}${FREEZE}`)})`);
  // A window that is closed while it goes elsewhere may stay open.
  await page.waitForURL(`${ferry.urls.nbi}${FREEZE}`);
  await until('one more has come', () => posts().length >= sent + 1);
  for (const { status, path, method } of requests()) {
    if (method === 'GET') continue;
    t.is(status, method === 'OPTIONS' ? 405 : 403, `${method} ${path}`);
  }
  // What must be asked for first (a preflight) is never sent.
  t.deepEqual(
    requests().filter(({ method }) => method === 'DELETE' || method === 'PUT'),
    [],
  );
  t.deepEqual(await stateOf(ferry), before);
  await page.close();
}
