import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { LARGE_BODY_BYTES, LargeBodies } from '../../nbi/http/bodies/large-bodies.js';
import { ApiError } from '../../nbi/http/index.js';
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

/** Of a request only that it may be closed is asked. */
function request(t: ExecutionContext) {
  const socket = connect(1, '127.0.0.1').on('error', () => {});
  t.teardown(() => socket.destroy());
  return socket as unknown as Parameters<LargeBodies['enter']>[2];
}

test('turns are taken in order, per user; a fifth that would wait, and one that waits too long, are a 429', async (t) => {
  const bodies = new LargeBodies(10_000);
  const order: string[] = [];
  const enter = async (name: string, user = 'a') => {
    const leave = await bodies.enter(user, LARGE_BODY_BYTES + 1, request(t));
    order.push(name);
    return leave;
  };
  const leave = await enter('first');
  (await enter('another', 'b'))();
  (await bodies.enter('a', LARGE_BODY_BYTES, request(t)))();
  const waiting = ['2', '3', '4', '5'].map((name) => enter(name));
  t.is(bodies.waiting('a'), 4);
  const refused = await t.throwsAsync(enter('6'), { instanceOf: ApiError });
  t.is(refused.status, 429);
  t.is(refused.headers['Retry-After'], '5');
  leave();
  for (const next of waiting) (await next)();
  t.deepEqual(order, ['first', 'another', '2', '3', '4', '5']);
  t.is(bodies.waiting('a'), 0);
  (await enter('again'))();

  const impatient = new LargeBodies(1);
  await impatient.enter('a', LARGE_BODY_BYTES + 1, request(t));
  const late = await t.throwsAsync(impatient.enter('a', LARGE_BODY_BYTES + 1, request(t)), {
    instanceOf: ApiError,
  });
  t.is(late.status, 429);
  t.is(impatient.waiting('a'), 0);
});
