import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { LARGE_BODY_BYTES } from '../../nbi/http/bodies/large-bodies.js';
import { until } from '../support/ferry.js';
import { OPERATOR, ruleBody, startNbi, type TestNbi } from './support.js';

const RULES = '/v1/dyn/FirmwareStorage/.*';
const AUTHORIZATION = `Authorization: Basic ${Buffer.from(OPERATOR).toString('base64')}`;

/** A POST of a large body of which only the beginning is sent. */
async function begin(t: ExecutionContext, nbi: TestNbi, length: number): Promise<Socket> {
  const socket = connect(Number(new URL(nbi.url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(
    `POST ${RULES} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\nContent-Type: application/json\r\n` +
      `Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n[`,
  );
  return socket;
}

test('while a large body of a user is under way the next waits, small ones do not, and nobody else', async (t) => {
  t.timeout(60_000);
  const nbi = await startNbi(t);
  const large = [ruleBody('a'), ruleBody('b', { description: 'x'.repeat(200) })];
  const body = Buffer.from(`${JSON.stringify(large)}${' '.repeat(LARGE_BODY_BYTES)}`);
  const first = await begin(t, nbi, body.length);
  // It is let in: it is told to go on.
  await once(first, 'data');
  const headers = { 'Content-Type': 'application/json' };
  let answered = false;
  const next = nbi.call(RULES, { method: 'POST', body, headers }).then((answer) => {
    answered = true;
    return answer;
  });
  t.is((await nbi.call(RULES, { method: 'POST', json: ruleBody('small') })).status, 200);
  t.false(answered);
  // The rest of the first: its bracket was sent.
  first.write(body.subarray(1));
  const [answer] = await once(first, 'data');
  t.regex(String(answer), /^HTTP\/1\.1 200 /);
  t.is((await next).status, 200);
});

test('a client that goes away in the middle of its large body gives the turn to the next', async (t) => {
  t.timeout(60_000);
  const nbi = await startNbi(t);
  const body = Buffer.from(`[${JSON.stringify(ruleBody('a'))}]${'\n'.repeat(LARGE_BODY_BYTES)}`);
  const first = await begin(t, nbi, body.length);
  await once(first, 'data');
  const next = nbi.call(RULES, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
  first.destroy();
  t.is((await next).status, 200);
});

test('four large bodies of a user wait for their turns, and a fifth is a 429; all have theirs back with their connections', async (t) => {
  t.timeout(120_000);
  const nbi = await startNbi(t);
  const body = Buffer.from(`[${JSON.stringify(ruleBody('a'))}]${'\n'.repeat(LARGE_BODY_BYTES)}`);
  // Logged in, so that they are in line in the order in which they come.
  t.is((await nbi.call('/v1/images')).status, 200);
  const sockets: Socket[] = [];
  const received: string[] = [];
  for (let n = 0; n < 6; n++) {
    received.push('');
    const socket = await begin(t, nbi, body.length);
    socket.on('data', (bytes) => {
      received[n] += String(bytes);
    });
    sockets.push(socket);
    // It has come: it is told to go on.
    await until('it has come', () => received[n] !== '');
  }
  const areRefused = () => received.map((text) => text.includes('HTTP/1.1 429 '));
  await until('one is refused', () => areRefused().includes(true));
  t.deepEqual(areRefused(), [false, false, false, false, false, true]);
  t.regex(received[5] ?? '', /\r\nRetry-After: 5\r\n/);
  for (const socket of sockets) socket.destroy();
  const headers = { 'Content-Type': 'application/json' };
  const post = () => nbi.call(RULES, { method: 'POST', body, headers });
  await until('there is a turn', async () => (await post()).status === 200);
});
