import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { Registry } from 'prom-client';
import { CpeCredentials } from '../../../acs/credentials/cpe-credentials.js';
import { CpeAuthenticator } from '../../../acs/http/cpe-auth.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { type CpeId, MINUTE_MS, silentLogger } from '../../../common/index.js';
import { BY } from '../../support/actor.js';
import { RawCpe } from '../../support/raw-cpe.js';
import { testSecrets } from '../../support/secrets.js';
import { storeOf } from '../../support/store.js';

const GUESSES = 100;

test('an address that is told to wait has a name that is nobody’s looked for once a minute, and right ones pass all the while', async (t) => {
  const store = await storeOf(t);
  let nowMs = 1_000_000;
  const clock = () => nowMs;
  const credentials = new CpeCredentials({ store, secrets: testSecrets, clock });
  let reads = 0;
  const authenticator = new CpeAuthenticator({
    authentication: { kind: 'shared', username: 'fleet', password: 'p', schemes: ['basic'] },
    credentials: {
      rightFor(username) {
        reads++;
        return credentials.rightFor(username);
      },
    },
    secrets: testSecrets,
    claims: null,
    trustedProxies: null,
    clock,
    monotonic: clock,
    logger: silentLogger,
    metrics: createAcsMetrics(new Registry(), () => 0),
  });
  const server = http.createServer(async (request, response) => {
    request.resume();
    const { kind } = await authenticator.authenticate(request);
    response.end(kind);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const cpe = new RawCpe(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  t.teardown(() => cpe.close());
  const as = async (login: string) => {
    const { body } = await cpe.post('', { Authorization: `Basic ${Buffer.from(login).toString('base64')}` });
    return body;
  };
  for (let guess = 0; guess < GUESSES; guess++) await as(`nobody:${guess}`);
  t.is(await as('nobody:more'), 'throttled');
  // Up to the bound each is looked for, and after it none.
  t.true(reads <= 61, `${reads} reads`);
  const before = reads;
  await credentials.put([{ cpeid: '00A1B2-HGW-1' as CpeId, username: 'one', password: 'p' }], BY);
  t.is(await as('one:p'), 'admitted', 'one that was not asked for before');
  t.is(await as('fleet:p'), 'admitted');
  t.is(reads, before + 1);
  await credentials.put([{ cpeid: '00A1B2-HGW-2' as CpeId, username: 'nobody', password: 'p' }], BY);
  nowMs += MINUTE_MS;
  t.is(await as('nobody:p'), 'admitted', 'somebody by now');
});
