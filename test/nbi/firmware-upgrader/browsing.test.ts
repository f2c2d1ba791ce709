import test, { type ExecutionContext } from 'ava';
import { fieldOf, PREFIX, type TestUpgrader } from './support.js';
import { BOARDS, startUpgrades, WDR3600 } from './upgrade-support.js';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

/** What a browser sends of who has logged in. */
async function browserOf({ call }: Pick<TestUpgrader, 'call'>, credentials: string) {
  const [name, password] = credentials.split(':');
  const { headers, body } = await call('/v1/session', { method: 'POST', as: null, json: { name, password } });
  const [, session = ''] = /=([^;]*)/.exec(headers.get('Set-Cookie') ?? '') ?? [];
  const token = String(fieldOf(fieldOf(body, 'details'), 'csrfToken'));
  return { Accept: BROWSER, Cookie: `sessionid=${session}; csrftoken=${token}`, token };
}

/** Opens a page. */
async function open(
  t: ExecutionContext,
  at: Pick<TestUpgrader, 'ask'>,
  path: string,
  headers: Readonly<Record<string, string>>,
) {
  const answer = await at.ask('GET', path, { token: null, headers });
  t.is(answer.headers.get('Content-Type'), 'text/html; charset=utf-8', path);
  return answer;
}

/** The methods and paths of the forms that change something. */
function formsIn(page: string): readonly string[] {
  return [...page.matchAll(/action="([^"]*)"[^>]* data-method="(\w+)"/g)].map(
    ([, path, method]) => `${method} ${path}`,
  );
}

test('a page has the answer as JSON has it, and nothing more than its reader may see', async (t) => {
  const at = await startUpgrades(t);
  const { build } = await at.build('Home', '2.0.0', [WDR3600]);
  const north = await browserOf(at, at.as.north.viewer);
  const south = await browserOf(at, at.as.south.viewer);
  const path = `build/${build.id}/`;
  const page = await open(t, at, path, north);
  t.is(page.status, 200);
  const [, shown = ''] = /<pre class="json">([\s\S]*?)<\/pre>/.exec(page.text) ?? [];
  const text = shown.replace(/<[^>]*>/g, '').replaceAll('&quot;', '"');
  const { text: json } = await at.ask('GET', path, { headers: { Accept: 'application/json; indent=4' } });
  t.is(text, json);
  const foreign = await open(t, at, path, south);
  const unknown = await open(t, at, path.replace(build.id, build.id.replace(/^./, '0')), south);
  t.is(foreign.status, 404);
  t.is(foreign.text.replaceAll(build.id, ''), unknown.text.replaceAll(build.id.replace(/^./, '0'), ''));
  t.false(foreign.text.includes('2.0.0'));
});

test('a form is there for what its reader may do, and for nothing else', async (t) => {
  const at = await startUpgrades(t);
  const { build, category, images } = await at.build('Home', '2.0.0', [WDR3600]);
  const shared = await at.build('All', '3.0.0', [], { organization: null });
  const { id: device } = await at.device('one', { productClass: BOARDS.wdr3600 });
  const operator = await browserOf(at, at.as.north.operator);
  const viewer = await browserOf(at, at.as.north.viewer);
  const all = await browserOf(at, at.as.installation.admin);
  const image = `build/${build.id}/image/${images[WDR3600]}/`;
  const cases: Readonly<Record<string, readonly string[]>> = {
    'category/': ['POST'],
    [`category/${category.id}/`]: ['PATCH', 'DELETE'],
    'build/': ['POST'],
    [`build/${build.id}/`]: ['PATCH', 'DELETE'],
    [`build/${build.id}/image/`]: ['POST'],
    [image]: ['DELETE'],
    [`build/${build.id}/upgrade/`]: ['POST'],
    'batch-upgrade-operation/': [],
    'upgrade-operation/': [],
    [`device/${device}/firmware/`]: ['PUT'],
    [`device/${device}/upgrade-operation/`]: [],
  };
  for (const [path, methods] of Object.entries(cases)) {
    const page = await open(t, at, path, operator);
    t.deepEqual(
      formsIn(page.text),
      methods.map((method) => `${method} ${PREFIX}${path}`),
      path,
    );
    t.is(/<script src="\/pages\/forms\.js" defer>/.test(page.text), methods.length > 0);
    t.is(page.headers.get('Content-Security-Policy')?.includes('script-src'), methods.length > 0);
    t.deepEqual(formsIn((await open(t, at, path, viewer)).text), [], path);
    // Whoever shows a token is no browser.
    const { token: _, ...browser } = operator;
    const byToken = { ...browser, Authorization: `Bearer ${at.tokens.north.operator}` };
    t.deepEqual(formsIn((await open(t, at, path, byToken)).text), [], path);
  }
  const path = `build/${shared.build.id}/`;
  t.deepEqual(formsIn((await open(t, at, path, operator)).text), [], 'what is of all');
  t.is(formsIn((await open(t, at, path, all)).text).length, 2);
  const { build: given, images: theirs } = await at.build('All', '4.0.0', [WDR3600], { organization: null });
  for (const within of ['image/', `image/${theirs[WDR3600]}/`, 'upgrade/']) {
    const shown = `build/${given.id}/${within}`;
    t.deepEqual(formsIn((await open(t, at, shown, operator)).text), [], shown);
    t.is(formsIn((await open(t, at, shown, all)).text).length, 1, shown);
  }
});

test('what a form sends is let in as it is sent, and without its token is not', async (t) => {
  const at = await startUpgrades(t);
  const { token, Cookie } = await browserOf(at, at.as.north.operator);
  const json = { name: 'By a page', organization: at.north.id };
  const headers = { Cookie, Accept: 'application/json', Origin: at.url };
  t.is((await at.ask('POST', 'category/', { token: null, json, headers })).status, 403);
  const sent = { ...headers, 'X-CSRFToken': token };
  t.is((await at.ask('POST', 'category/', { token: null, json, headers: sent })).status, 201);
  const elsewhere = { ...sent, Origin: 'http://elsewhere.example.net' };
  t.is((await at.ask('POST', 'category/', { token: null, json, headers: elsewhere })).status, 403);
});

test('filters stand in the form as they were said, lists lead on and back, and ids to what they are of', async (t) => {
  const at = await startUpgrades(t);
  const { build, category } = await at.build('Home', '1.0', []);
  for (const version of ['1.1', '1.2']) await at.build('Home', version, []);
  const viewer = await browserOf(at, at.as.north.viewer);
  const page = await open(
    t,
    at,
    `build/?category=${category.id}&ordering=version&page_size=1&page=2`,
    viewer,
  );
  t.true(page.text.includes(`<input id="filter-category" name="category" value="${category.id}"`));
  t.true(page.text.includes('<option value="version" selected>'));
  t.regex(page.text, />3 in all</);
  t.regex(page.text, /rel="prev" href="http:[^"]*build\/\?category=[^"]*page_size=1"/);
  t.regex(page.text, /rel="next" href="http:[^"]*page=3/);
  t.true(page.text.includes(`href="${PREFIX}category/${category.id}/"`));
  const first = await open(t, at, `build/?ordering=version`, viewer);
  t.true(first.text.includes(`href="${PREFIX}build/${build.id}/"`));
  const wrong = await open(t, at, 'batch-upgrade-operation/?status=%22%3E%3Cscript%3E', viewer);
  t.is(wrong.status, 400);
  t.true(wrong.text.includes('<select id="filter-status"'), 'so that another can be chosen');
  t.notRegex(wrong.text, /<script(?! src)/);
  const operator = await browserOf(at, at.as.north.operator);
  const adding = await open(t, at, `build/?category=${category.id}`, operator);
  t.regex(adding.text, new RegExp(`id="add-category" name="category" value="${category.id}"`));
});

test('a batch that is not over is loaded anew by itself, until it is or its reader stops it', async (t) => {
  const at = await startUpgrades(t);
  const { build } = await at.build('Home', '2.0.0', [WDR3600]);
  await at.device('one', { productClass: BOARDS.wdr3600 });
  const started = await at.ask('POST', `build/${build.id}/upgrade/`, { json: { upgrade_all: true } });
  const batch = String(fieldOf(started.body, 'batch'));
  await at.made(batch);
  const viewer = await browserOf(at, at.as.north.viewer);
  const path = `batch-upgrade-operation/${batch}/`;
  const page = await open(t, at, path, viewer);
  t.true(page.text.includes('<meta http-equiv="refresh" content="5">'));
  t.regex(page.text, /<progress max="1" value="0" aria-label="How far it is">/);
  t.true(page.text.includes(`href="?refresh=0"`));
  const still = await open(t, at, `${path}?refresh=0`, viewer);
  t.false(still.text.includes('http-equiv'));
  const list = await open(t, at, 'batch-upgrade-operation/', viewer);
  t.false(list.text.includes('http-equiv'));
  const [operation] = [...page.text.matchAll(/upgrade-operation\/([0-9a-f-]{36})\/"/g)]
    .map(([, id = '']) => id)
    .filter((id) => id !== batch);
  const operator = await browserOf(at, at.as.north.operator);
  const one = await open(t, at, `upgrade-operation/${operation}/`, operator);
  t.deepEqual(formsIn(one.text), [`POST ${PREFIX}upgrade-operation/${operation}/cancel/`]);
});

test('who has not logged in is led to the page for that, and back', async (t) => {
  const at = await startUpgrades(t);
  const page = await open(t, at, 'build/?version=1&os=a%20b', { Accept: BROWSER });
  t.is(page.status, 401);
  const back = encodeURIComponent(`${PREFIX}build/?version=1&os=a%20b`);
  t.true(page.text.includes(`href="/admin/login/?next=${back}"`));
  t.deepEqual(formsIn(page.text), []);
  t.false(page.text.includes('filter-version'));
});
