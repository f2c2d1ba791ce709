import test from 'ava';
import { EventLog } from '../../../events/index.js';
import { OPERATOR, type Reply, startNbi, type TestNbi, VIEWER } from '../support.js';

const PATH = '/admin/login/';
const OUT = '/admin/logout/';
const FORM = 'application/x-www-form-urlencoded';

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A browser with what it has been given, which follows nothing by itself. */
class Browser {
  readonly cookies = new Map<string, string>();

  constructor(private readonly nbi: TestNbi) {}

  async get(
    path: string,
  ): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
    return this.#ask(path, {});
  }

  async post(path: string, fields: Readonly<Record<string, string>>, headers: Record<string, string> = {}) {
    const body = new URLSearchParams(fields).toString();
    return this.#ask(path, { method: 'POST', body, headers: { 'Content-Type': FORM, ...headers } });
  }

  /** Logs in as a person does. */
  async logIn(credentials: string, fields: Readonly<Record<string, string>> = {}) {
    const { text } = await this.get(PATH);
    const [username = '', password = ''] = credentials.split(':');
    return this.post(PATH, { csrfmiddlewaretoken: tokenIn(text), username, password, ...fields });
  }

  /** As whom an API knows whoever has these cookies. */
  async known(): Promise<unknown> {
    const headers = { Cookie: this.#header() };
    const { status, body } = await this.nbi.call('/v1/session', { as: null, headers });
    return status === 200 ? (body as { details: { name: string } }).details.name : status;
  }

  async #ask(path: string, { headers = {}, ...init }: Asked) {
    const sent: Record<string, string> = { ...headers };
    if (this.cookies.size > 0) sent['Cookie'] = this.#header();
    const answer = await fetch(this.nbi.url + path, { ...init, headers: sent, redirect: 'manual' });
    for (const given of answer.headers.getSetCookie()) {
      const [pair = '', ...attributes] = given.split('; ');
      const [name = '', value = ''] = pair.split('=');
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  }

  #header(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

function tokenIn(text: string): string {
  return /name="csrfmiddlewaretoken" value="([^"]*)"/.exec(text)?.[1] ?? '';
}

test('a person logs in by the page, is led on, is known to every API, and logs out', async (t) => {
  const nbi = await startNbi(t);
  const browser = new Browser(nbi);
  const form = await browser.get(`${PATH}?next=/api/v1/docs/`);
  t.is(form.status, 200);
  t.true(form.text.includes('name="next" value="/api/v1/docs/"'));
  t.is(tokenIn(form.text), browser.cookies.get('csrftoken') ?? '');
  const answer = await browser.logIn(OPERATOR, { next: '/api/v1/docs/' });
  t.is(answer.status, 302);
  t.is(answer.headers.get('Location'), '/api/v1/docs/');
  const given = answer.headers.getSetCookie();
  t.is(given.length, 3);
  t.regex(given[0] ?? '', /^sessionid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
  t.regex(given[1] ?? '', /^csrftoken=[\w-]{43}; Path=\/; SameSite=Lax$/);
  t.regex(given[2] ?? '', /^ferry-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  t.is(await browser.known(), 'api');
  const csrf = browser.cookies.get('csrftoken') ?? '';
  const { text } = await browser.get('/');
  t.true(text.includes('<span>api</span>'));
  t.is(tokenIn(text), csrf);

  t.is((await browser.post(OUT, { csrfmiddlewaretoken: 'no' })).status, 403);
  t.is((await browser.post(OUT, {})).status, 403);
  t.is(await browser.known(), 'api', 'no page without the token logs anybody out');
  const out = await browser.post(OUT, { csrfmiddlewaretoken: csrf });
  t.is(out.status, 302);
  t.is(out.headers.get('Location'), '/');
  t.is(browser.cookies.size, 0);
  t.is(await browser.known(), 401);
  const actions: string[] = [];
  const log = new EventLog({ store: nbi.store, clock: Date.now });
  for await (const { action, by } of log.scan({ subject: 'session', order: 'ascending' }))
    actions.push(`${action} ${by?.name} ${by?.how}`);
  t.deepEqual(actions, ['begun api password', 'ended api session']);
});

test('under TLS cookies of pages are sent by TLS alone', async (t) => {
  const nbi = await startNbi(t, { trustedProxies: ['127.0.0.1'] });
  const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'ferry.example.net' };
  const [username = '', password = ''] = OPERATOR.split(':');
  const token = 'A'.repeat(43);
  const answer = await fetch(nbi.url + PATH, {
    method: 'POST',
    headers: {
      ...headers,
      'Content-Type': FORM,
      Cookie: `csrftoken=${token}`,
      Origin: 'https://ferry.example.net',
    },
    body: new URLSearchParams({ username, password, csrfmiddlewaretoken: token }),
    redirect: 'manual',
  });
  t.is(answer.status, 302);
  const given = answer.headers.getSetCookie();
  t.is(given.length, 3);
  for (const each of given) t.regex(each, /; Secure$/);
  t.regex(given[2] ?? '', /^__Host-ferry-session=/);
});

test('logging in does not lead elsewhere, whoever made the link', async (t) => {
  const nbi = await startNbi(t);
  for (const next of [
    '//elsewhere.example.net/',
    '/\\elsewhere.example.net',
    'https://elsewhere.example.net/',
  ]) {
    const browser = new Browser(nbi);
    const form = await browser.get(`${PATH}?next=${encodeURIComponent(next)}`);
    t.true(form.text.includes('name="next" value="/"'), next);
    const answer = await browser.logIn(VIEWER, { next });
    t.is(answer.headers.get('Location'), '/', next);
  }
});

test('a password that does not fit is told on the page, with the name and without the password', async (t) => {
  const nbi = await startNbi(t);
  const browser = new Browser(nbi);
  const name = '"><script>alert(1)</script>';
  const answer = await browser.logIn(`${name}:secret-typed`);
  t.is(answer.status, 401);
  t.regex(answer.headers.get('WWW-Authenticate') ?? '', /^Cookie /, 'no dialog of the browser');
  t.true(answer.text.includes('role="alert"'));
  t.true(answer.text.includes('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"'));
  t.false(answer.text.includes('secret-typed'));
  t.false(answer.text.includes('<script'));
  t.is((await browser.logIn(`api:`)).status, 400);
  t.is((await browser.logIn(`${'n'.repeat(65)}:x`)).status, 401);
  t.false(browser.cookies.has('sessionid'));
});

test('a form without the token of its cookie begins no session', async (t) => {
  const nbi = await startNbi(t);
  const [username = '', password = ''] = OPERATOR.split(':');
  const browser = new Browser(nbi);
  t.is((await browser.post(PATH, { username, password })).status, 403, 'no cookie, no token');
  await browser.get(PATH);
  for (const csrfmiddlewaretoken of ['', 'A'.repeat(43), `${browser.cookies.get('csrftoken')}A`]) {
    t.is((await browser.post(PATH, { username, password, csrfmiddlewaretoken })).status, 403);
  }
  const empty = new Browser(nbi);
  empty.cookies.set('csrftoken', '');
  t.is((await empty.post(PATH, { username, password, csrfmiddlewaretoken: '' })).status, 403);
});

test('a form that a page of elsewhere has sent is refused, whatever it says', async (t) => {
  const nbi = await startNbi(t);
  const [username = '', password = ''] = OPERATOR.split(':');
  const browser = new Browser(nbi);
  const csrfmiddlewaretoken = tokenIn((await browser.get(PATH)).text);
  const fields = { username, password, csrfmiddlewaretoken };
  for (const headers of [
    { Origin: 'http://elsewhere.example.net' },
    { Origin: 'null' },
    { 'Sec-Fetch-Site': 'cross-site' },
  ]) {
    t.is((await browser.post(PATH, fields, headers)).status, 403, JSON.stringify(headers));
    t.is((await browser.post(OUT, fields, headers)).status, 403, JSON.stringify(headers));
  }
  t.is((await browser.post(PATH, fields, { Origin: nbi.url, 'Sec-Fetch-Site': 'same-origin' })).status, 302);
});

test('wrong passwords by the page count as those of any log-in', async (t) => {
  const nbi = await startNbi(t, { monotonic: () => 0 });
  const browser = new Browser(nbi);
  let answer = await browser.logIn('viewer:wrong');
  for (let attempt = 0; attempt < 200 && answer.status === 401; attempt++)
    answer = await browser.logIn('viewer:wrong');
  t.is(answer.status, 429);
  t.regex(answer.headers.get('Retry-After') ?? '', /^\d+$/);
  t.true(answer.text.includes('Too many wrong passwords'));
  const asBasic: Reply = await nbi.call('/v1/images', { as: 'viewer:wrong as well' });
  t.is(asBasic.status, 429, 'the same attempts');
});

test('a log-in ends the session that the browser had under either name', async (t) => {
  const nbi = await startNbi(t);
  const browser = new Browser(nbi);
  await browser.logIn(VIEWER);
  const before = { Cookie: `ferry-session=${browser.cookies.get('ferry-session')}` };
  await browser.logIn(OPERATOR);
  t.is(await browser.known(), 'api');
  t.is((await nbi.call('/v1/session', { as: null, headers: before })).status, 401);
});

test('a browser with two sessions under the two names loses both, by a log-in and by logging out', async (t) => {
  const nbi = await startNbi(t);
  const [browser, other] = [new Browser(nbi), new Browser(nbi)];
  const isKnown = async (session: string) =>
    (await nbi.call('/v1/session', { as: null, headers: { Cookie: `ferry-session=${session}` } })).status ===
    200;
  const withTwo = async () => {
    await browser.logIn(OPERATOR);
    other.cookies.clear();
    await other.logIn(VIEWER);
    const own = browser.cookies.get('sessionid') ?? '';
    const planted = other.cookies.get('ferry-session') ?? '';
    browser.cookies.set('ferry-session', planted);
    return [own, planted];
  };
  const before = await withTwo();
  for (const session of before) t.true(await isKnown(session));
  await browser.logIn(OPERATOR);
  for (const session of before) t.false(await isKnown(session));
  const again = await withTwo();
  const csrfmiddlewaretoken = browser.cookies.get('csrftoken') ?? '';
  t.is((await browser.post(OUT, { csrfmiddlewaretoken })).status, 302);
  for (const session of again) t.false(await isKnown(session));
});
