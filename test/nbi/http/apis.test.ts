import test, { type ExecutionContext } from 'ava';
import express from 'express';
import { Registry } from 'prom-client';
import { silentLogger } from '../../../common/index.js';
import { type Api, mountApis } from '../../../nbi/http/index.js';
import { NBI_LIMITS } from '../../../nbi/index.js';
import { NO_ORGANIZATIONS } from '../../support/no-organizations.js';
import { readRecording } from '../recorded/recordings.js';
import { openSubject } from '../recorded/subject.js';
import { type RequestOptions, startNbi, until } from '../support.js';
import { SHOP, STALL } from './shop.js';

const SHELF = '/shop/a%20b/shelf/c%2Fd/';
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

async function start(t: ExecutionContext) {
  const nbi = await startNbi(t, { beside: [SHOP, STALL] });
  const call = (path: string, options: RequestOptions = {}, token: string | null = 'writing') =>
    nbi.call(path, {
      as: null,
      ...options,
      headers: { ...(token !== null && { Authorization: `Bearer ${token}` }), ...options.headers },
    });
  return { nbi, call };
}

/** JSON without a charset is left as bytes by the tests' client. */
const textOf = ({ body }: { readonly body: unknown }) =>
  Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body);

test('a path has several parameters, each decoded by itself', async (t) => {
  const { call } = await start(t);
  const { status, body } = await call(`${SHELF}?depth=3&lit=true&word=abc`);
  t.is(status, 200);
  t.deepEqual(body, { shop: 'a b', shelf: 'c/d', deeper: 4, lit: 'yes', word: 3 });
});

test('a query has the types and the defaults of its declaration, and is refused in the words of its schema', async (t) => {
  const { call } = await start(t);
  t.deepEqual((await call(SHELF)).body, { shop: 'a b', shelf: 'c/d', deeper: 2, lit: 'no' });
  for (const [query, field, detail] of [
    ['depth=4', 'depth', 'a depth up to 3'],
    ['depth=x', 'depth', 'a depth up to 3'],
    ['lit=1', 'lit', 'true or false'],
    ['word=a&word=b', 'word', 'each of depth, lit, word once'],
    ['other=1', 'other', 'each of depth, lit, word once'],
  ] as const) {
    const reply = await call(`${SHELF}?${query}`);
    t.is(reply.status, 400, query);
    t.is(textOf(reply), JSON.stringify({ detail, field }));
  }
});

test('any method is served, with a kind of body of its own', async (t) => {
  const { call } = await start(t);
  const { status, body } = await call(SHELF, { method: 'PATCH', body: 'x=1&y=2', headers: FORM });
  t.is(status, 200);
  t.deepEqual(body, { shop: 'a b', shelf: 'c/d', by: 'writing', x: '1', y: '2' });
  const other = await call(SHELF, { method: 'PATCH', json: {} });
  t.is(other.status, 415);
  t.is(textOf(other), '{"detail":"a form","field":"Content-Type"}');
});

test('what a kind of body may hold is counted before it is read', async (t) => {
  const nbi = await startNbi(t, { beside: [SHOP], limits: { bodiesBytesMax: 10 } });
  const send = (body: string) =>
    nbi.call(SHELF, {
      method: 'PATCH',
      as: null,
      body,
      headers: { ...FORM, Authorization: 'Bearer writing' },
    });
  t.is((await send('x=12345678')).status, 200);
  t.is((await send('x=123456789')).status, 503);
});

test('a JSON body has the fields that are declared; the first that does not hold is told, in the words of its schema', async (t) => {
  const { call } = await start(t);
  const count = (json: unknown) => call(SHELF, { method: 'REPORT', json });
  t.deepEqual((await count({ words: ['one', 'two'], free: 3, other: 1 })).body, { letters: 12, free: 3 });
  t.deepEqual((await count({ words: [], times: 0 })).body, { letters: 0 });
  for (const [json, field, detail] of [
    [{}, 'words', 'at most 2 words'],
    [{ words: ['a', 'b', 'c'] }, 'words', 'at most 2 words'],
    [{ words: ['a', 'four'] }, 'words', 'a word of at most 3 letters'],
    [{ words: ['a'], inside: { deep: 'x' } }, 'inside.deep', 'yes or no'],
    [{ words: [1], inside: 1, times: 'x' }, 'words', 'a word of at most 3 letters'],
    [{ words: [], inside: 1, times: 'x' }, 'inside', 'an object'],
    [{ words: [], times: null }, 'times', 'a number'],
  ] as const) {
    const reply = await count(json);
    t.is(reply.status, 400, JSON.stringify(json));
    t.is(textOf(reply), JSON.stringify({ detail, field }));
  }
});

test('users log in as the API says, and no user of another way', async (t) => {
  const { nbi, call } = await start(t);
  const none = await call(SHELF, {}, null);
  t.is(none.status, 401);
  t.is(none.headers.get('WWW-Authenticate'), 'Bearer');
  t.is(textOf(none), '{"detail":"Log in.","field":"Authorization"}');
  t.is(textOf(await call(SHELF, {}, 'other')), '{"detail":"Invalid token.","field":"Authorization"}');
  t.is((await call(SHELF, { method: 'PATCH', body: '', headers: FORM }, 'reading')).status, 403);
  t.is((await nbi.call(SHELF)).status, 401);
  t.is((await call('/v1/images')).status, 401);
  t.is((await call(SHELF)).status, 200);
  await until(() => nbi.log.some(({ fields }) => fields['user'] === 'writing' && fields['status'] === 200));
});

test('every error is in the words of the API: unknown paths and methods, what does not decode, faults inside', async (t) => {
  const { nbi, call } = await start(t);
  const unknown = await call('/shop/a/other/');
  t.is(unknown.status, 404);
  t.is(unknown.headers.get('Content-Type'), 'text/html');
  t.is(textOf(unknown), '<h1>Not Found</h1>');
  const method = await call(SHELF, { method: 'PUT' });
  t.is(method.status, 405);
  t.is(method.headers.get('Allow'), 'GET, PATCH, REPORT, OPTIONS');
  t.is(method.headers.get('Content-Type'), 'application/json');
  t.is(textOf(method), '{"detail":"Method \\"PUT\\" not allowed.","field":"method"}');
  const undecodable = await call('/shop/%ff/shelf/a/');
  t.is(undecodable.status, 400);
  t.regex(textOf(undecodable), /"detail":"a path in which every %/);
  const inside = await call('/shop/a', { method: 'DELETE' });
  t.is(inside.status, 500);
  t.is(textOf(inside), '{"detail":"Failed."}');
  t.is(inside.headers.get('Allow'), 'DELETE, OPTIONS');
  t.true(nbi.log.some(({ event, fields }) => event === 'nbi.failed' && fields['route'] === '/shop/{shop}'));
});

test('a path that lacks the slash of its route is redirected to it where the API says so, whatever the method', async (t) => {
  const { nbi } = await start(t);
  for (const method of ['GET', 'PATCH', 'PUT']) {
    const response = await fetch(`${nbi.url}${SHELF.slice(0, -1)}?a=b%20c`, { method, redirect: 'manual' });
    t.is(response.status, 301);
    t.is(response.headers.get('Location'), `${SHELF}?a=b%20c`);
  }
});

test('a slash that its route has not makes it another path where the API says so', async (t) => {
  const { call } = await start(t);
  t.is((await call('/shop/a/', { method: 'DELETE' })).status, 404);
  t.is((await call('/market/m/stall/s', { method: 'DELETE' })).status, 500);
  const withSlash = await call('/market/m/stall/s/', { method: 'DELETE' });
  t.is(withSlash.status, 404);
  t.is(textOf(withSlash), '<h1>Not Found</h1>');
});

test('a prefix may have a parameter; what no API has goes by the words of Ferry', async (t) => {
  const { call } = await start(t);
  t.is(textOf(await call('/market/m/stall')), '<h1>Not Found</h1>');
  for (const path of ['/market/m/n/stall', '/market//stall', '/shop', '/x/shop/']) {
    t.like((await call(path)).body, { code: 404, message: 'response from ferry' }, path);
  }
});

test('what only one of two could serve is refused at the start: a path of two APIs, a call of two routes', (t) => {
  const parts = {
    metrics: new Registry(),
    clock: Date.now,
    logger: silentLogger,
    limits: NBI_LIMITS,
    trustedProxies: null,
    organizations: NO_ORGANIZATIONS,
  };
  const mount = (...apis: readonly Api[]) => mountApis(express(), apis, parts);
  const posting = SHOP.routes.map((route) => ({ ...route, method: 'POST' })).slice(0, 1);
  t.throws(() => mount(SHOP, STALL, { ...SHOP, name: 'copy', routes: posting }), {
    message: 'Both shop and copy serve POST /shop/{shop}/shelf/{shelf}/',
  });
  t.throws(() => mount({ ...SHOP, routes: [...SHOP.routes, ...SHOP.routes] }), {
    message: 'Both shop and shop serve GET /shop/{shop}/shelf/{shelf}/',
  });
});

test('another API disturbs the others by nothing', async (t) => {
  const subject = await openSubject([SHOP, STALL]);
  t.teardown(() => subject.close());
  const name = '2-paths.http';
  for (const exchange of await readRecording(name)) {
    t.is(await subject.answer(name, exchange), exchange.answer, exchange.title);
  }
});
