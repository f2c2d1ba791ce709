import net, { type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { OpenSession, Outstanding } from '../../../acs/session/session.js';
import {
  SESSION_BYTES_MAX,
  SESSIONS,
  type SessionDocument,
  sessionOf,
  toSessionDocument,
} from '../../../acs/session/session-document.js';
import type { SessionEntry } from '../../../acs/session/sessions.js';
import { SharedSessions } from '../../../acs/session/shared-sessions.js';
import { type CpeId, type ResultId, silentLogger } from '../../../common/index.js';
import type { Store } from '../../../store/index.js';
import { storeOf } from '../../support/store.js';

const IDLE_MS = 30_000;
const UPGRADE = '6ab7f1de-0000-4000-8000-000000000000' as ResultId;

function sessionWith(outstanding: Outstanding | null = null, quiet = false): OpenSession {
  return {
    phase: 'open',
    facts: {
      cpeid: '00A1B2-HGW-1' as CpeId,
      style: { namespace: 'urn:dslforum-org:cwmp-1-2', xmlDeclaration: true },
      events: ['2 PERIODIC'],
      boot: false,
      softwareVersion: '1.0',
      requested: false,
      applying: false,
      doubt: null,
      hand: { device: null },
    },
    outstanding,
    quiet,
    tasks: { settle: false, provision: true, doubt: false, reads: [['Device.X']], decisions: 3 },
    queueKnown: false,
  };
}

/** Two processes on one store. */
async function openPair(t: ExecutionContext) {
  const store = await storeOf(t);
  const time = { nowMs: 1_800_000_000_000 };
  const open = () =>
    new SharedSessions({
      store,
      clock: () => time.nowMs,
      logger: silentLogger,
      sharedConnections: true,
      idleMsMax: IDLE_MS,
    });
  return { store, time, first: open(), second: open() };
}

const socket: Socket = new net.Socket();

async function begin(sessions: SharedSessions, session = sessionWith()): Promise<SessionEntry> {
  const entry = await sessions.begin(session, '192.0.2.1', socket);
  if (entry === null) throw new Error('no room');
  return entry;
}

async function found(sessions: SharedSessions, id: string): Promise<SessionEntry> {
  const result = await sessions.find(id, socket);
  if (result.kind !== 'found') throw new Error(`the session is ${result.kind}`);
  return result.entry;
}

const taken = (session: OpenSession) => ({ session, keepsAlive: true });

test('what one process began another finds by its cookie, as it is', async (t) => {
  const { first, second } = await openPair(t);
  const session = sessionWith({ request: 'GetParameterValues', names: ['Device.A', 'Device.B'] }, true);
  const { id } = await begin(first, session);
  const entry = await found(second, id);
  t.deepEqual(entry.session, session);
  t.is(entry.ip, '192.0.2.1');
});

test('a session in which the CPE is asked what it has queued is found as it is', async (t) => {
  const { first, second } = await openPair(t);
  for (const repeats of [0, 1, null]) {
    const question = { request: 'GetAllQueuedTransfers', upgradeId: UPGRADE, repeats } as const;
    const begun = sessionWith(question, true);
    const doubt = { upgradeId: UPGRADE, repeats: 1, announced: false };
    const session = { ...begun, facts: { ...begun.facts, doubt }, queueKnown: true };
    const { id } = await begin(first, session);
    t.deepEqual((await found(second, id)).session, session);
  }
});

test('of two processes that take the same step one may answer', async (t) => {
  const { first, second } = await openPair(t);
  const { id } = await begin(first);
  const entries = await Promise.all([found(first, id), found(second, id)]);
  const moved = await Promise.all([
    first.moved(entries[0], taken(sessionWith(null, true))),
    second.moved(entries[1], taken(sessionWith(null, true))),
  ]);
  t.deepEqual(moved.sort(), [false, true]);
});

test('a commit that claims the step is made by one, and nobody else takes the step until that one has answered', async (t) => {
  const { store, first, second } = await openPair(t);
  const { id } = await begin(first);
  const [mine, theirs] = await Promise.all([found(first, id), found(second, id)]);
  t.true((await store.commit([first.claiming(mine)])).committed);
  t.false((await store.commit([second.claiming(theirs)])).committed);
  t.false(await second.moved(theirs, taken(sessionWith(null, true))));
  t.false(second.take(await found(second, id)), 'a third request while the first is being answered');
  const download = sessionWith({ request: 'Download', upgradeId: UPGRADE, repeats: 0 }, true);
  t.true(await first.moved(mine, taken(download)));
  const next = await found(second, id);
  t.true(second.take(next));
  t.deepEqual(next.session.outstanding, download.outstanding);
  t.true(await second.moved(next, taken(sessionWith(null, true))));
});

test('a step that was claimed by a process that died is open to others after ten seconds', async (t) => {
  const { store, time, first, second } = await openPair(t);
  const { id } = await begin(first);
  t.true((await store.commit([first.claiming(await found(first, id))])).committed);
  time.nowMs += 9_999;
  t.false(second.take(await found(second, id)));
  time.nowMs += 1;
  t.true(second.take(await found(second, id)));
});

test('a session ends for all; what was read before cannot go on', async (t) => {
  const { first, second } = await openPair(t);
  const { id } = await begin(first);
  const theirs = await found(second, id);
  t.true(await first.end(await found(first, id)));
  t.false(await second.moved(theirs, taken(sessionWith())));
  t.deepEqual(await second.find(id, socket), { kind: 'none' });
});

test('a silent session is gone when its time is up, and taken out by one process', async (t) => {
  const { store, time, first, second } = await openPair(t);
  const { id } = await begin(first);
  const over = await begin(second, sessionWith(null, true));
  time.nowMs += 4_000;
  const kept = await begin(second);
  t.deepEqual(await first.expire(), []);
  time.nowMs += 1_000;
  t.is((await second.find(over.id, socket)).kind, 'none');
  t.deepEqual(await second.expire(), [], 'the other does it');
  t.deepEqual(
    (await first.expire()).map(({ wasOver }) => wasOver),
    [true],
  );
  time.nowMs += IDLE_MS - 5_000;
  t.is((await second.find(id, socket)).kind, 'none');
  t.is((await second.find(kept.id, socket)).kind, 'found');
  await first.close();
  t.deepEqual(
    (await second.expire()).map(({ wasOver }) => wasOver),
    [false],
    'whoever leaves hands it over',
  );
  t.is(await store.collection(SESSIONS).count(), 1);
});

test('a Download is waited for by the process that sent it, until any has taken the answer', async (t) => {
  const { first, second } = await openPair(t);
  const { id } = await begin(first);
  await first.moved(
    await found(first, id),
    taken(sessionWith({ request: 'Download', upgradeId: UPGRADE, repeats: 0 }, true)),
  );
  t.true(await first.awaitsDownload());
  t.false(await second.awaitsDownload());
  await second.moved(await found(second, id), taken(sessionWith(null, true)));
  t.false(await first.awaitsDownload());
});

test('a cookie that no process made is not looked up', async (t) => {
  const { first } = await openPair(t);
  for (const id of ['', 'x', '../x', 'a'.repeat(10_000), '000000000-00000000-0000-0000-0000-00000000000g']) {
    t.is((await first.find(id, socket)).kind, 'none');
    t.false(first.mayKnow(id, socket));
  }
});

async function storedSession(store: Store, sessions: SharedSessions): Promise<SessionDocument> {
  const { id } = await begin(sessions);
  const stored = await store.collection<SessionDocument>(SESSIONS).get(id);
  if (stored === null) throw new Error('it is not stored');
  return stored.document;
}

test('a session is small, and one that another version of Ferry wrote counts as none', async (t) => {
  const { store, first } = await openPair(t);
  const document = await storedSession(store, first);
  t.true(JSON.stringify(document).length < 1_024, JSON.stringify(document));
  t.not(sessionOf(document), null);
  const others = [
    { ...document, format: 2 },
    { ...document, session: { ...document.session, phase: 'start' } },
    { ...document, session: { ...document.session, tasks: {} } },
    { ...document, session: { ...document.session, outstanding: { request: 'Upload' } } },
    { ...document, session: { ...document.session, since: 1 } },
  ] as unknown as SessionDocument[];
  for (const other of others) {
    t.is(sessionOf(other), null, JSON.stringify(other));
    await store.collection<SessionDocument>(SESSIONS).put(other);
    t.is((await first.find(document.id, socket)).kind, 'none');
  }
});

test('a session that would grow beyond its bound is refused', (t) => {
  const names = Array.from({ length: 1_000 }, (_, index) => `Device.${'x'.repeat(200)}.${index}`);
  const session = sessionWith({ request: 'GetParameterValues', names });
  t.throws(() => toSessionDocument({ id: 'x', ip: '', session }, 0), {
    message: `A session of 00A1B2-HGW-1 has grown beyond ${SESSION_BYTES_MAX} bytes`,
  });
});
