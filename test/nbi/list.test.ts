import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import express from 'express';
import { Registry } from 'prom-client';
import { silentLogger } from '../../common/index.js';
import type { Entry } from '../../nbi/dyn/entry.js';
import { listFormat, sendTexts, textsOf } from '../../nbi/dyn/list-answer.js';
import { type Api, basicAuthentication, dynDialect, mountApis, route } from '../../nbi/http/index.js';
import { NBI_LIMITS, type Users } from '../../nbi/index.js';
import { NO_ORGANIZATIONS } from '../support/no-organizations.js';
import { until } from './support.js';

/** Serves a list of its own at `/list`. @returns the port */
async function serveList(t: ExecutionContext, entries: () => AsyncIterable<Entry>): Promise<number> {
  const app = express();
  const dialect = dynDialect('list');
  const list = route({
    method: 'GET',
    path: '/list',
    role: null,
    concerns: 'everyone',
    operationId: 'list',
    summary: 'A list',
    answers: {},
    handle: (exchange) => {
      const format = listFormat(exchange.request, null, dialect, undefined);
      return sendTexts(exchange, format, textsOf(entries(), format), null);
    },
  });
  const api: Api = {
    name: 'list',
    description: 'For tests.',
    prefixes: [],
    slashes: 'either',
    authentication: basicAuthentication({} as Users),
    dialect,
    routes: [list],
  };
  mountApis(app, [api], {
    metrics: new Registry(),
    logger: silentLogger,
    limits: NBI_LIMITS,
    trustedProxies: null,
    organizations: NO_ORGANIZATIONS,
  });
  const server = http.createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const entry = (number: number): Entry => ({
  id: String(number),
  view: { id: String(number), text: 'x'.repeat(1_000) },
  rank: number,
});

test('a list is read no faster than its client takes it, and no further once the client is gone', async (t) => {
  let read = 0;
  let ended = false;
  async function* endless(): AsyncGenerator<Entry> {
    try {
      for (;;) yield entry(read++);
    } finally {
      ended = true;
    }
  }
  const port = await serveList(t, endless);
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  await once(socket, 'connect');
  socket.write('GET /list HTTP/1.1\r\nHost: x\r\n\r\n');
  let readBefore = -1;
  // It has come to rest when nothing was read between two looks; an unread list would grow for ever.
  let restful = 0;
  await until(() => {
    restful = read > 0 && read === readBefore ? restful + 1 : 0;
    readBefore = read;
    return restful > 20;
  });
  t.true(read < 50_000);
  t.false(ended);
  socket.destroy();
  await until(() => ended);
});

test('a list that was asked for before the last one was out ends with its connection, too', async (t) => {
  let begun = 0;
  let ended = 0;
  async function* endless(): AsyncGenerator<Entry> {
    begun++;
    try {
      for (let number = 0; ; number++) yield entry(number);
    } finally {
      ended++;
    }
  }
  const port = await serveList(t, endless);
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  await once(socket, 'connect');
  socket.write('GET /list HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
  await until(() => begun === 3);
  socket.destroy();
  await until(() => ended === 3);
  t.is(begun, 3);
});

test('a list that fails on the way is cut off, so that nobody takes it for whole', async (t) => {
  async function* failing(): AsyncGenerator<Entry> {
    for (let number = 0; number < 100; number++) yield entry(number);
    throw new Error('the store is gone');
  }
  const port = await serveList(t, failing);
  await t.throwsAsync(async () => (await fetch(`http://127.0.0.1:${port}/list`)).text());
});

test('a list of nothing is a 404, and one of one entry is whole', async (t) => {
  async function* entries(count: number): AsyncGenerator<Entry> {
    for (let number = 0; number < count; number++) yield { id: 'a', view: { id: 'a' }, rank: 0 };
  }
  const nothing = await fetch(`http://127.0.0.1:${await serveList(t, () => entries(0))}/list`);
  t.is(nothing.status, 404);
  t.is(await nothing.text(), '{"code":404,"message":"response from list","details":""}');
  const one = await fetch(`http://127.0.0.1:${await serveList(t, () => entries(1))}/list`);
  t.is(one.headers.get('Content-Type'), 'application/json; charset=utf-8');
  t.is(await one.text(), '{"code":200,"message":"response from list","details":[{"id":"a"}]}');
});
