import test from 'ava';
import { ALL_COLLECTIONS } from '../../cli/collections.js';
import { EVENTS, EventLog } from '../../events/index.js';
import { DUTIES, LEASES } from '../../store/index.js';
import { until } from '../support/ferry.js';
import { sendRaw, statusesOf } from '../support/raw-socket.js';
import { APIS } from './declared.js';
import { OWN_LOG_INS, type OwnLogIns, ownLogInsAt, ownSession } from './own-log-ins.js';
import { OPERATOR, startNbi, type TestNbi } from './support.js';

const PATH = '/v1/dyn/FirmwareStorage/NONE';
/** Let in: there is no such rule. */
const LET_IN = 404;

/** What a change by Basic is answered that comes with such headers. */
async function changeWith(nbi: TestNbi, headers: Readonly<Record<string, string>>): Promise<number> {
  return (await nbi.call(PATH, { method: 'DELETE', as: OPERATOR, headers })).status;
}

test('a change that a browser says is of another site, or of another origin, is refused; what says nothing goes on', async (t) => {
  const nbi = await startNbi(t);
  const own = nbi.url;
  t.is(await changeWith(nbi, {}), LET_IN);
  for (const site of ['same-origin', 'none']) t.is(await changeWith(nbi, { 'Sec-Fetch-Site': site }), LET_IN);
  for (const site of ['cross-site', 'same-site', 'anything', '', 'same-origin, cross-site']) {
    t.is(await changeWith(nbi, { 'Sec-Fetch-Site': site }), 403, site);
  }
  t.is(await changeWith(nbi, { Origin: own }), LET_IN);
  for (const origin of [
    'null',
    '',
    'http://other.example.net',
    own.replace('http', 'https'),
    own.replace('127.0.0.1', 'localhost'),
    own.replace(/\d+$/, '1'),
    `${own}.example.net`,
    `${own}/`,
    `${own}, ${own}`,
    own.toUpperCase(),
  ]) {
    t.is(await changeWith(nbi, { Origin: origin }), 403, origin);
  }
  // Both have to hold.
  t.is(await changeWith(nbi, { Origin: own, 'Sec-Fetch-Site': 'cross-site' }), 403);
  t.is(await changeWith(nbi, { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }), 403);
});

test('reading is not refused, wherever it comes from', async (t) => {
  const nbi = await startNbi(t);
  const headers = { Origin: 'http://other.example.net', 'Sec-Fetch-Site': 'cross-site' };
  for (const method of ['GET', 'HEAD']) {
    t.is((await nbi.call('/v1/images', { method, as: OPERATOR, headers })).status, 200, method);
  }
});

test("behind a trusted proxy a page's own origin is what that says, and nobody else says it", async (t) => {
  const headers = {
    Origin: 'https://ferry.example.net',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'ferry.example.net',
  };
  const behind = await startNbi(t, { trustedProxies: ['127.0.0.1'] });
  t.is(await changeWith(behind, headers), LET_IN);
  t.is(await changeWith(behind, { ...headers, 'X-Forwarded-Host': 'ferry.example.net:443' }), LET_IN);
  t.is(await changeWith(behind, { ...headers, 'X-Forwarded-Host': 'FERRY.example.net' }), LET_IN);
  for (const host of ['x, other.example.net', 'a@ferry.example.net', 'ferry.example.net/', 'x y', '[']) {
    t.is(await changeWith(behind, { ...headers, 'X-Forwarded-Host': host }), 403, host);
  }
  t.is(await changeWith(behind, { ...headers, 'X-Forwarded-Proto': 'http' }), 403);
  t.is(await changeWith(await startNbi(t), headers), 403);
});

test('without a Host no origin is its own', async (t) => {
  const nbi = await startNbi(t);
  const basic = `Authorization: Basic ${Buffer.from(OPERATOR).toString('base64')}\r\n`;
  const answer = await sendRaw(
    nbi.url,
    `DELETE ${PATH} HTTP/1.0\r\n${basic}Origin: http://127.0.0.1\r\n\r\n`,
  );
  t.deepEqual(statusesOf(answer), [403]);
});

test('every route that may change something is refused to pages of elsewhere before it is asked who they are, and before a body comes', async (t) => {
  const nbi = await startNbi(t);
  let changing = 0;
  for (const { method, path, changes = method !== 'GET' } of APIS.flatMap(({ routes }) => routes)) {
    if (!changes) continue;
    changing++;
    // Where an id must be a UUID, what is none is no path of the API.
    const none = path.startsWith('/api/v1/') ? '00000000-0000-4000-8000-000000000000' : 'none';
    const target = path.replace('{pattern}', '.*').replace(/\{\w+\}/g, none);
    // A hundred bytes are announced, and none of them ever comes.
    const answer = await sendRaw(
      nbi.url,
      `${method} ${target} HTTP/1.1\r\nHost: ferry\r\nOrigin: http://other.example.net\r\nConnection: close\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n',
    );
    t.deepEqual(statusesOf(answer), [403], `${method} ${path}`);
  }
  t.true(changing > 15, String(changing));
});

test('methods of routes are those that read, which change nothing, and those that are guarded', (t) => {
  const methods = new Set(APIS.flatMap(({ routes }) => routes.map(({ method }) => method)));
  t.deepEqual([...methods].sort(), ['DELETE', 'GET', 'PATCH', 'POST', 'PUT']);
});

test('no GET changes anything but where its route says so: the store is as it was after every one of them', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  await nbi.putDevice({ serialNumber: '1' });
  const snapshot = async () => {
    const all: Record<string, unknown> = {};
    for (const definition of ALL_COLLECTIONS) {
      // Of this process: that it works, and on what; and that somebody has logged in is no change that a GET makes.
      if (definition === LEASES || definition === DUTIES || definition === EVENTS) continue;
      const documents = [];
      for await (const { document, revision } of nbi.store.collection(definition).scan({})) {
        documents.push({ document, revision });
      }
      all[definition.name] = documents;
    }
    return all;
  };
  // Whoever asks first for organizations finds the default, which is made for him.
  await nbi.call('/v1/dyn/OrganizationStorage/.*', { as: 'root:a test password' });
  const own = new Map<OwnLogIns, { readonly Cookie: string }>();
  for (const each of OWN_LOG_INS) own.set(each, await ownSession(nbi, each, 'root'));
  const before = await snapshot();
  t.like(before, { devices: { length: 1 }, users: { length: 3 } });
  for (const { method, path, changes = false } of APIS.flatMap(({ routes }) => routes)) {
    if (method !== 'GET' || changes) continue;
    const logIns = ownLogInsAt(path);
    const { Cookie } = (logIns === null ? undefined : own.get(logIns)) ?? {};
    const asked = Cookie === undefined ? { as: 'root:a test password' } : { as: null, headers: { Cookie } };
    for (const fill of ['.*', 'none', '00A1B2-HGW-1']) {
      const target = path.replace('{pattern}', fill).replace(/\{\w+\}/g, fill);
      for (const reading of ['GET', 'HEAD', 'OPTIONS']) {
        await nbi.call(`${target}?all=true&upgrade=null`, { method: reading, ...asked });
        await nbi.call(target, { method: reading, ...asked });
      }
    }
  }
  t.deepEqual(await snapshot(), before);
});

test('refusals are told in the log of events, thirty a minute and no more', async (t) => {
  let nowMs = 1_000_000;
  const nbi = await startNbi(t, { monotonic: () => nowMs });
  const log = new EventLog({ store: nbi.store, clock: Date.now });
  const told = async () => {
    const found = [];
    for await (const event of log.scan({ subject: 'log-in' })) found.push(event);
    return found;
  };
  const send = async (count: number) => {
    for (let sent = 0; sent < count; sent++) {
      t.is(await changeWith(nbi, { Origin: `http://other.example.net/${'x'.repeat(1_000)}` }), 403);
    }
  };
  // No answer waits for what is told of it.
  await send(1);
  const [event] = await until('it is told', async () => {
    const events = await told();
    return events.length > 0 && events;
  });
  t.is(event?.action, 'refused');
  t.is(event?.subjectId.length, 200);
  t.like(event?.after, { header: 'Origin', method: 'DELETE', path: PATH, address: '127.0.0.1' });
  await send(40);
  await until('thirty are told', async () => (await told()).length >= 30);
  nowMs += 60_000;
  await send(1);
  await until('the next is told', async () => (await told()).length >= 31);
  t.is((await told()).length, 31);
  t.is(nbi.log.filter(({ event: name }) => name === 'nbi.other-site').length, 2);
});
