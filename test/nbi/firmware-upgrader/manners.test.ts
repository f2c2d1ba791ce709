import { request as httpRequest } from 'node:http';
import test from 'ava';
import { byCommand } from '../../../events/index.js';
import {
  addBuild,
  addCategory,
  ask as askAt,
  fieldOf,
  NO_SUCH_ID,
  PREFIX,
  startUpgrader,
} from './support.js';

const NONE = '{"detail":"Authentication credentials were not provided."}';
const NO_PERMISSION = '{"detail":"You do not have permission to perform this action."}';

test('a path without its slash is sent to it, whatever the method and whoever asks', async (t) => {
  const { ask } = await startUpgrader(t);
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    for (const path of ['category', `build/${NO_SUCH_ID}`]) {
      const answer = await ask(method, `${path}?a=1`, { token: null });
      t.is(answer.status, 301);
      t.is(answer.headers.get('Location'), `${PREFIX}${path}/?a=1`);
    }
  }
});

test('what is no UUID, and a path that there is not, are a 404 in HTML to whoever asks, however he wants it', async (t) => {
  const { ask, tokens } = await startUpgrader(t);
  for (const path of [
    'build/bad/',
    `build/${NO_SUCH_ID.toUpperCase()}/`,
    'build/bad',
    'nothing/',
    '',
    `build/${NO_SUCH_ID}/x/`,
  ]) {
    for (const token of [null, tokens.north.operator]) {
      const answer = await ask('GET', path, { token, headers: { Accept: 'application/json' } });
      t.is(answer.status, 404, path);
      t.regex(answer.headers.get('Content-Type') ?? '', /^text\/html/);
      t.regex(answer.text, /<h1>Not Found<\/h1>/);
    }
  }
});

test('who shows no token, or none that is right, is told what is wrong with it', async (t) => {
  const { ask, url, tokens } = await startUpgrader(t);
  const withHeader = (Authorization: string) =>
    ask('GET', 'build/', { token: null, headers: { Authorization } });
  for (const [header, text] of [
    [null, 'Authentication credentials were not provided.'],
    [`Token ${tokens.north.operator}`, 'Authentication credentials were not provided.'],
    ['Basic YTpi', 'Authentication credentials were not provided.'],
    ['Bearer wrong', 'Invalid token.'],
    [`Bearer ${'0'.repeat(40)}`, 'Invalid token.'],
    ['Bearer', 'Invalid token header. No credentials provided.'],
    ['Bearer a b', 'Invalid token header. Token string should not contain spaces.'],
    ['Bearer \u00e4', 'Invalid token header. Token string should not contain invalid characters.'],
  ] as const) {
    const answer = header === null ? await ask('GET', 'build/', { token: null }) : await withHeader(header);
    t.is(answer.status, 401, String(header));
    t.is(answer.text, JSON.stringify({ detail: text }));
    t.is(answer.headers.get('WWW-Authenticate'), 'Bearer');
    t.is(answer.headers.get('Allow'), 'GET, POST, HEAD, OPTIONS');
  }
  for (const scheme of ['bearer', 'BEARER'])
    t.is((await withHeader(`${scheme} ${tokens.north.operator}`)).status, 200);
  t.is((await askAt(`${url}${PREFIX}build/?format=json`, 'GET', { token: tokens.north.viewer })).status, 200);
});

test('a viewer reads, an operator writes, and a method that there is not is told to those who might have it', async (t) => {
  const upgrader = await startUpgrader(t);
  const { ask, tokens, north } = upgrader;
  const category = await addCategory(upgrader, 'Gateways');
  const build = await addBuild(upgrader, category, '1');
  const token = tokens.north.viewer;
  for (const path of [
    'category/',
    `category/${category}/`,
    'build/',
    `build/${build}/`,
    `build/${build}/image/`,
  ])
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      t.is((await ask(method, path, { token })).status, 200, path);
  for (const [method, path] of [
    ['POST', 'category/'],
    ['PUT', `category/${category}/`],
    ['PATCH', `build/${build}/`],
    ['DELETE', `build/${build}/`],
    ['POST', `build/${build}/image/`],
    ['PUT', 'category/'],
    ['DELETE', 'build/'],
  ] as const) {
    const refused = await ask(method, path, { token, json: {} });
    t.is(refused.status, 403, `${method} ${path}`);
    t.is(refused.text, NO_PERMISSION);
    t.is((await ask(method, path, { token: null })).text, NONE);
  }
  const unserved = await ask('PUT', 'category/', { json: { name: 'x', organization: north.id } });
  t.is(unserved.status, 405);
  t.is(unserved.text, '{"detail":"Method \\"PUT\\" not allowed."}');
  t.is(unserved.headers.get('Allow'), 'GET, POST, HEAD, OPTIONS');
});

test('of an organization that is not active nothing is served to its users', async (t) => {
  const { ask, organizations, north } = await startUpgrader(t);
  await organizations.change(north.id, { active: false }, byCommand('test'));
  for (const method of ['GET', 'POST', 'OPTIONS']) {
    const answer = await ask(method, 'category/', { ...(method === 'POST' && { json: {} }) });
    t.is(answer.status, 403, method);
    t.is(
      answer.text,
      '{"detail":"User is not a manager of the organization to which the requested resource belongs."}',
    );
  }
});

test('an answer is JSON, indented where that is asked for, or a page; what else is asked for is refused before who asks', async (t) => {
  const { ask } = await startUpgrader(t);
  const accepting = (Accept: string, query = '', isKnown = true) =>
    ask('GET', `category/${query}`, { headers: { Accept }, ...(!isKnown && { token: null }) });
  for (const [accept, query, type] of [
    ['*/*', '', 'application/json'],
    ['application/json', '', 'application/json'],
    ['application/*;q=0.1', '', 'application/json'],
    ['text/plain, application/json', '', 'application/json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', '', 'text/html; charset=utf-8'],
    ['*/*', '?format=api', 'text/html; charset=utf-8'],
    ['application/json, */*', '?format=api', 'text/html; charset=utf-8'],
    ['*/*', '?format=json', 'application/json'],
    ['application/json', '?format=', 'application/json'],
  ] as const) {
    const answer = await accepting(accept, query);
    t.is(answer.status, 200, `${accept} ${query}`);
    t.is(answer.headers.get('Content-Type'), type);
  }
  const compact = '{"count":0,"next":null,"previous":null,"results":[]}';
  t.is((await accepting('*/*')).text, compact);
  t.is((await accepting('application/json; indent=4')).text, JSON.stringify(JSON.parse(compact), null, 4));
  for (const [accept, query, status, text] of [
    ['text/plain', '', 406, '{"detail":"Could not satisfy the request Accept header."}'],
    ['text/html', '?format=json', 406, '{"detail":"Could not satisfy the request Accept header."}'],
    ['*/*', '?format=xml', 404, '{"detail":"Not found."}'],
  ] as const) {
    for (const isKnown of [true, false]) {
      const answer = await accepting(accept, query, isKnown);
      t.is(answer.status, status);
      t.is(answer.text, text);
    }
  }
});

test('every answer has the header of the reference', async (t) => {
  const { ask } = await startUpgrader(t);
  for (const [answer, vary] of [
    [await ask('GET', 'category/'), 'Accept'],
    [await ask('GET', 'category/', { token: 'wrong' }), 'Accept'],
    [await ask('GET', 'category/', { token: null }), 'Accept, Cookie'],
    [await ask('GET', `category/${NO_SUCH_ID}/`), 'Accept'],
  ] as const) {
    t.is(answer.headers.get('Vary'), vary);
    t.is(answer.headers.get('X-Frame-Options'), 'DENY');
    t.is(answer.headers.get('X-Content-Type-Options'), 'nosniff');
    t.is(answer.headers.get('Referrer-Policy'), 'same-origin');
    t.is(answer.headers.get('Cross-Origin-Opener-Policy'), 'same-origin');
    t.truthy(answer.headers.get('Allow'));
  }
});

test('a body is JSON or a form of either kind; what is none is told', async (t) => {
  const { ask, north } = await startUpgrader(t);
  const form = new FormData();
  form.set('name', 'By parts');
  form.set('organization', north.id);
  t.is((await ask('POST', 'category/', { body: form })).status, 201);
  t.is((await ask('POST', 'category/', { form: { name: 'By form', organization: north.id } })).status, 201);
  const send = (body: string, type: string) =>
    ask('POST', 'category/', { body, headers: { 'Content-Type': type } });
  const plain = await send('x', 'text/plain');
  t.is(plain.status, 415);
  t.is(plain.text, '{"detail":"Unsupported media type \\"text/plain\\" in request."}');
  const broken = await send('{a', 'application/json');
  t.is(broken.status, 400);
  t.regex(String(fieldOf(broken.body, 'detail')), /^JSON parse error - /);
  const noBoundary = await send('x', 'multipart/form-data');
  t.is(noBoundary.status, 400);
  t.regex(String(fieldOf(noBoundary.body, 'detail')), /^Multipart form parse error - /);
  const empty = await ask('POST', 'category/', {});
  t.is(empty.status, 400);
  t.is(empty.text, '{"name":["This field is required."]}');
  // First what the object is, then what is wrong with the body.
  t.is(
    (await ask('PATCH', `category/${NO_SUCH_ID}/`, { body: 'x', headers: { 'Content-Type': 'text/plain' } }))
      .status,
    404,
  );
});

test('OPTIONS tells what may be written, to who may write this very object', async (t) => {
  const upgrader = await startUpgrader(t);
  const { ask, tokens } = upgrader;
  const shared = await addCategory(upgrader, 'Shared', {
    organization: null,
    token: tokens.installation.admin,
  });
  const own = await addCategory(upgrader, 'Own');
  const told = {
    name: 'Category Detail',
    description: '',
    renders: ['application/json', 'text/html'],
    parses: ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'],
  };
  const detail = await ask('OPTIONS', `category/${own}/`);
  t.like(detail.body, told);
  t.truthy(fieldOf(fieldOf(detail.body, 'actions'), 'PUT'));
  for (const id of [shared, NO_SUCH_ID]) {
    const answer = await ask('OPTIONS', `category/${id}/`);
    t.is(answer.status, 200);
    t.is(answer.text, JSON.stringify(told));
  }
  t.is((await ask('OPTIONS', `category/${own}/`, { token: tokens.north.viewer })).text, JSON.stringify(told));
  const list = await ask('OPTIONS', 'build/');
  t.is(fieldOf(list.body, 'name'), 'Build List');
  const fields = fieldOf(fieldOf(list.body, 'actions'), 'POST');
  t.deepEqual(fieldOf(fields, 'version'), {
    type: 'string',
    required: true,
    read_only: false,
    label: 'Version',
    max_length: 32,
  });
  t.like(fieldOf(fields, 'category_relation'), { type: 'nested object', read_only: true });
  t.deepEqual(fieldOf(fields, 'category'), {
    type: 'field',
    required: true,
    read_only: false,
    label: 'Category',
  });
  t.like(fieldOf(fields, 'created'), { type: 'datetime', read_only: true });
  const build = await addBuild(upgrader, own, '1');
  const images = await ask('OPTIONS', `build/${build}/image/`);
  const image = fieldOf(fieldOf(images.body, 'actions'), 'POST');
  t.like(fieldOf(image, 'file'), { type: 'file upload', required: true });
  const choices = fieldOf(fieldOf(image, 'type'), 'choices');
  t.true(Array.isArray(choices) && choices.length === 92);
});

test('HEAD is answered as GET without a body', async (t) => {
  const { ask } = await startUpgrader(t);
  const [get, head] = [await ask('GET', 'category/'), await ask('HEAD', 'category/')];
  t.is(head.status, 200);
  t.is(head.text, '');
  t.is(head.headers.get('Content-Length'), String(Buffer.byteLength(get.text)));
});

test('a user asks so often a minute, and is told when he may again; what is refused does not count', async (t) => {
  let nowMs = 0;
  const { ask, tokens } = await startUpgrader(t, {
    firmwareUpgrader: { userRequestsPerMinuteMax: 3 },
    monotonic: () => nowMs,
  });
  for (let count = 0; count < 3; count++) {
    t.is((await ask('GET', 'category/')).status, 200);
    nowMs += 10_000;
  }
  for (let count = 0; count < 2; count++) {
    const refused = await ask('GET', 'category/');
    t.is(refused.status, 429);
    t.is(refused.text, '{"detail":"Request was throttled. Expected available in 30 seconds."}');
    t.is(refused.headers.get('Retry-After'), '30');
  }
  t.is((await ask('PUT', 'category/')).status, 429, 'before what methods there are');
  t.is((await ask('GET', 'category/', { token: tokens.north.viewer })).status, 200);
  nowMs += 30_000;
  t.is((await ask('GET', 'category/')).status, 200);
});

test('the session of a page reads, and changes what it names the token for', async (t) => {
  const { ask, sessions, users, north } = await startUpgrader(t);
  const user = await users.find('operator@north');
  if (user === null) return t.fail();
  const { cookie } = await sessions.begin({
    user,
    address: '127.0.0.1',
    userAgent: '',
    requestId: '',
    replaced: [],
  });
  const csrf = sessions.csrfTokenOf(cookie);
  const sessionOnly = { Cookie: `sessionid=${cookie}` };
  const both = { Cookie: `sessionid=${cookie}; csrftoken=${csrf}` };
  const post = (headers: Readonly<Record<string, string>>) =>
    ask('POST', 'category/', { json: { name: 'By a page', organization: north.id }, token: null, headers });
  const read = await ask('GET', 'category/', { token: null, headers: sessionOnly });
  t.is(read.status, 200);
  t.is(read.headers.get('Vary'), 'Accept, Cookie');
  for (const [headers, text] of [
    [sessionOnly, 'CSRF Failed: CSRF cookie not set.'],
    [both, 'CSRF Failed: CSRF token missing.'],
    [
      { ...both, 'X-CSRFToken': 'wrong' },
      "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect.",
    ],
    [
      { Cookie: `sessionid=${cookie}; csrftoken=mine`, 'X-CSRFToken': 'mine' },
      "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect.",
    ],
  ] as const) {
    const refused = await post(headers);
    t.is(refused.status, 403);
    t.is(refused.text, JSON.stringify({ detail: text }));
    t.is(refused.headers.get('WWW-Authenticate'), null);
  }
  t.is((await post({ ...both, 'X-CSRFToken': csrf })).status, 201);
  const wrong = await ask('GET', 'category/', { token: 'wrong', headers: sessionOnly });
  t.is(wrong.text, '{"detail":"Invalid token."}');
  for (const Cookie of ['sessionid=nothing', `sessionid=${cookie}; sessionid=other`])
    t.is((await ask('GET', 'category/', { token: null, headers: { Cookie } })).text, NONE);
});

test('links of pages are by the URL that was asked for', async (t) => {
  const upgrader = await startUpgrader(t);
  const { url, tokens } = upgrader;
  for (const name of ['a', 'b']) await addCategory(upgrader, name);
  const body = await new Promise<string>((resolve, reject) => {
    const asked = httpRequest(
      `${url}${PREFIX}category/?page_size=1`,
      { headers: { Host: 'acs.example.net:8443', Authorization: `Bearer ${tokens.north.viewer}` } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString()));
      },
    );
    asked.on('error', reject).end();
  });
  t.is(fieldOf(JSON.parse(body), 'next'), `http://acs.example.net:8443${PREFIX}category/?page=2&page_size=1`);
});
