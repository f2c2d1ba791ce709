import net, { type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Device } from '../../../acs/device/device.js';
import type { OpenSession, Outstanding } from '../../../acs/session/session.js';
import {
  SESSION_BYTES_MAX,
  SESSIONS,
  type SessionDocument,
  sessionOf,
  toSessionDocument,
} from '../../../acs/session/session-document.js';
import { SessionMemory } from '../../../acs/session/session-memory.js';
import type { SessionEntry } from '../../../acs/session/sessions.js';
import { SharedSessions } from '../../../acs/session/shared-sessions.js';
import { type CpeId, type ResultId, silentLogger } from '../../../common/index.js';
import type { CollectionDefinition, Revision, Store, Stored } from '../../../store/index.js';
import { storeOf } from '../../support/store.js';

const IDLE_MS = 30_000;
const BEGUN_MS = 1_800_000_000_000;
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

/** Two processes on one store; behind a proxy unless told. */
async function openPair(t: ExecutionContext, sharedConnections = true) {
  const store = await storeOf(t);
  const time = { nowMs: BEGUN_MS };
  const clock = () => time.nowMs;
  const open = () => openSessions(store, sharedConnections, clock);
  return { store, time, socket: new net.Socket(), first: open(), second: open() };
}

function openSessions(store: Store, sharedConnections: boolean, clock = () => BEGUN_MS): SharedSessions {
  return new SharedSessions({ store, clock, logger: silentLogger, sharedConnections, idleMsMax: IDLE_MS });
}

const socket: Socket = new net.Socket();

/** A device as it was read when the session began. */
const DEVICE = {} as Stored<Device>;

function withHand(session: OpenSession): OpenSession {
  return { ...session, facts: { ...session.facts, hand: { device: DEVICE } } };
}

const ASKED = sessionWith({ request: 'GetParameterValues', names: ['Device.A'] }, true);
/** There was nothing to do. */
const OVER = sessionWith(null, true);

async function begin(sessions: SharedSessions, session = sessionWith(), on = socket): Promise<SessionEntry> {
  const entry = await sessions.begin(session, { ip: '192.0.2.1', socket: on, keepsAlive: false });
  if (entry === null) throw new Error('no room');
  return entry;
}

/** Over a connection that its CPE means to keep. */
async function beginHere(
  sessions: SharedSessions,
  on: Socket,
  session = sessionWith(),
): Promise<SessionEntry> {
  const entry = await sessions.begin(session, { ip: '192.0.2.1', socket: on, keepsAlive: true });
  if (entry === null) throw new Error('no room');
  return entry;
}

async function storedIds(store: Store): Promise<string[]> {
  const page = await store.collection<SessionDocument>(SESSIONS).find({ limit: 10 });
  return page.items.map(({ document }) => document.id);
}

async function found(sessions: SharedSessions, id: string, on = socket): Promise<SessionEntry> {
  const result = await sessions.find(id, on);
  if (result.kind !== 'found') throw new Error(`the session is ${result.kind}`);
  return result.entry;
}

const taken = (session: OpenSession, on = socket) => ({ session, socket: on, keepsAlive: true });

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
    first.moved(entries[0], taken(ASKED)),
    second.moved(entries[1], taken(ASKED)),
  ]);
  t.deepEqual(moved.sort(), [false, true]);
});

test('a commit that claims the step is made by one, and nobody else takes the step until that one has answered', async (t) => {
  const { store, first, second } = await openPair(t);
  const { id } = await begin(first);
  const [mine, theirs] = await Promise.all([found(first, id), found(second, id)]);
  t.true((await store.commit([(await first.claiming(mine)).change])).committed);
  t.false((await store.commit([(await second.claiming(theirs)).change])).committed);
  t.false(await second.moved(theirs, taken(sessionWith(null, true))));
  t.false(second.take(await found(second, id)), 'a third request while the first is being answered');
  const download = sessionWith({ request: 'Download', upgradeId: UPGRADE, repeats: 0 }, true);
  t.true(await first.moved(mine, taken(download)));
  const next = await found(second, id);
  t.true(second.take(next));
  t.deepEqual(next.session.outstanding, download.outstanding);
  t.true(await second.moved(next, taken(sessionWith(null, true))));
});

test('whoever knows that its claim is made goes on from there', async (t) => {
  const { store, first, second } = await openPair(t);
  const { id } = await begin(first);
  const mine = await found(first, id);
  const claim = await first.claiming(mine);
  const outcome = await store.commit([claim.change]);
  if (!outcome.committed) return t.fail('it was refused');
  claim.made(outcome.revisions[0] as Revision);
  t.false(second.take(await found(second, id)));
  t.true(await first.moved(mine, taken(ASKED)));
  t.deepEqual((await found(second, id)).session, ASKED);
});

test('a step that was claimed by a process that died is open to others after ten seconds', async (t) => {
  const { store, time, first, second } = await openPair(t);
  const { id } = await begin(first);
  t.true((await store.commit([(await first.claiming(await found(first, id))).change])).committed);
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

/** Takes a step of the session, as a request on that connection does. */
async function takeStep(
  sessions: SharedSessions,
  id: string,
  to: OpenSession,
  on = socket,
): Promise<boolean> {
  const entry = await found(sessions, id, on);
  if (!sessions.take(entry)) return false;
  try {
    return await sessions.moved(entry, taken(to, on));
  } finally {
    sessions.release(entry);
  }
}

async function revisionOf(store: Store, id: string): Promise<Revision | null> {
  return (await store.collection<SessionDocument>(SESSIONS).get(id))?.revision ?? null;
}

async function ended(sessions: SharedSessions): Promise<boolean[]> {
  return (await sessions.expire()).map(({ wasOver }) => wasOver);
}

test('over the connection of the last step the store is not asked, over another it is', async (t) => {
  const { socket, store, first } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  await store.collection<SessionDocument>(SESSIONS).delete(id);
  t.is((await first.find(id, socket)).kind, 'found');
  t.is((await first.find(null, socket)).kind, 'found');
  t.is((await first.find(id, new net.Socket())).kind, 'none');
});

test('behind a proxy the store is always asked', async (t) => {
  const { store, first } = await openPair(t, true);
  const { id } = await begin(first);
  await store.collection<SessionDocument>(SESSIONS).delete(id);
  t.is((await first.find(id, socket)).kind, 'none');
});

test('what is at hand of the CPE is used until another process goes on with the session', async (t) => {
  const { first, second } = await openPair(t);
  const { id } = await begin(first, withHand(sessionWith()));
  t.is((await found(first, id)).session.facts.hand.device, DEVICE);
  t.is((await found(second, id)).session.facts.hand.device, null);
  t.true(await takeStep(second, id, ASKED));
  const entry = await found(first, id);
  t.is(entry.session.facts.hand.device, null);
  t.deepEqual(entry.session, ASKED);
});

for (const sharedConnections of [false, true]) {
  const where = sharedConnections ? 'behind a proxy' : 'over a connection of its own';

  test(`a step that finds nothing to do leaves nothing behind, ${where}`, async (t) => {
    const { socket, store, first, second } = await openPair(t, sharedConnections);
    const { id } = await begin(first, sessionWith(), socket);
    const revision = await revisionOf(store, id);
    t.true(await takeStep(first, id, OVER, socket));
    t.is(await revisionOf(store, id), revision);
    t.deepEqual((await found(first, id, socket)).session, OVER, 'it is remembered');
    t.deepEqual(
      (await found(second, id, new net.Socket())).session,
      sessionWith(),
      'a repeat elsewhere is answered alike',
    );
    t.true(await takeStep(second, id, OVER, new net.Socket()));
    t.is(await revisionOf(store, id), revision);
  });

  test(`a step that asks something of the CPE, or takes its answer, is stored, ${where}`, async (t) => {
    const { socket, store, first } = await openPair(t, sharedConnections);
    const { id } = await begin(first, sessionWith(), socket);
    const revisions = new Set([await revisionOf(store, id)]);
    for (const session of [ASKED, OVER, ASKED, sessionWith()]) {
      t.true(await takeStep(first, id, session, socket));
      revisions.add(await revisionOf(store, id));
    }
    t.is(revisions.size, 5);
  });
}

test('a message that leaves the session as it is need not be stored but to keep the session alive', async (t) => {
  const { socket, store, time, first, second } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  const revision = await revisionOf(store, id);
  t.true(await takeStep(first, id, sessionWith(), socket));
  t.is(await revisionOf(store, id), revision);
  time.nowMs += IDLE_MS - 1_000;
  t.true(await takeStep(first, id, sessionWith(), socket));
  time.nowMs += IDLE_MS - 1_000;
  t.is((await second.find(id, new net.Socket())).kind, 'found', 'its CPE has just spoken');
});

test('what is remembered and others have gone on with is not stored, but gone on with as it is', async (t) => {
  const { socket, first, second } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  t.true(await takeStep(second, id, ASKED, new net.Socket()));
  const entry = await found(first, id, socket);
  t.deepEqual(entry.session, sessionWith(), 'the connection is that of the last step here');
  t.true(first.take(entry));
  t.false(await first.moved(entry, taken(ASKED)));
  first.release(entry);
  const newer = await first.newer(entry);
  t.deepEqual(newer?.session, ASKED);
  if (newer === null) return;
  t.true(first.take(newer));
  t.true(await first.moved(newer, taken(OVER)));
  first.release(newer);
  t.is(await first.newer(newer), null, 'the store was asked already');
  t.is(await first.newer(await found(first, id, socket)), null, 'nothing is newer');
});

test('a reservation on what is remembered and others have gone on with is refused', async (t) => {
  const { socket, store, first, second } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  t.true(await takeStep(second, id, ASKED, new net.Socket()));
  const entry = await found(first, id, socket);
  t.true(first.take(entry));
  t.false((await store.commit([(await first.claiming(entry)).change])).committed);
  t.deepEqual((await first.newer(entry))?.session, ASKED);
});

test('of two requests of a session at one process one is worked on', async (t) => {
  const { socket, first } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  const [one, other] = [await found(first, id, socket), await found(first, id, socket)];
  t.true(first.take(one));
  t.false(first.take(other));
  t.true(await first.moved(one, taken(ASKED)));
  first.release(one);
  t.true(first.take(other));
  t.deepEqual(other.session, ASKED, 'whoever comes next goes on from there');
});

test('a session that is over goes with its connection, and is told of once', async (t) => {
  const { socket, store, time, first, second } = await openPair(t, false);
  const over = await begin(first, sessionWith(), socket);
  t.true(await takeStep(first, over.id, OVER, socket));
  const other = new net.Socket();
  const open = await begin(first, sessionWith(), other);
  t.is(first.disconnected(socket), null);
  t.is(first.disconnected(other), null);
  await first.close();
  t.is(await revisionOf(store, over.id), null);
  t.not(await revisionOf(store, open.id), null);
  t.deepEqual(await ended(first), [true]);
  t.deepEqual(await ended(first), []);
  time.nowMs += IDLE_MS;
  t.deepEqual(await ended(second), [false]);
});

test('a session that is over is ended when its CPE has said nothing more, unless it has elsewhere', async (t) => {
  const { store, time, first, second } = await openPair(t);
  const over = await begin(first);
  const elsewhere = await begin(first);
  for (const { id } of [over, elsewhere]) t.true(await takeStep(first, id, OVER));
  time.nowMs += 4_999;
  // TransferComplete, say: it leaves the session as it is, and is stored all the same.
  t.true(await takeStep(second, elsewhere.id, sessionWith()));
  t.deepEqual(await ended(first), []);
  t.is((await first.find(over.id, socket)).kind, 'found');
  time.nowMs += 1;
  await first.expire();
  await first.close();
  t.is(await revisionOf(store, over.id), null);
  t.is((await second.find(elsewhere.id, socket)).kind, 'found');
  t.deepEqual(await ended(first), [true]);
});

test('a session whose process died after the last step expires for the others', async (t) => {
  const { time, first, second } = await openPair(t);
  const { id } = await begin(first);
  t.true(await takeStep(first, id, OVER));
  time.nowMs += IDLE_MS - 1;
  t.deepEqual(await ended(second), []);
  time.nowMs += 1;
  t.is((await second.find(id, socket)).kind, 'none');
  t.deepEqual(await ended(second), [false]);
});

test('what is remembered is bounded; the longest silent is forgotten first', (t) => {
  const memory = new SessionMemory(2);
  const remembered = (id: string) => ({
    id,
    ip: '192.0.2.1',
    session: OVER,
    revision: 1 as Revision,
    storedUntilMs: 0,
    expiresAtMs: Number(id),
    keepsAlive: true,
  });
  for (const id of ['1', '2', '1']) t.is(memory.keep(remembered(id)), null);
  t.is(memory.keep(remembered('3'))?.id, '2');
  t.is(memory.get('2'), null);
  t.deepEqual(
    memory.forgetBy(1).map(({ id }) => id),
    ['1'],
  );
  t.not(memory.get('3'), null);
});

test('a session that is over soon, over one connection, is never stored', async (t) => {
  const { socket, store, first } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  t.true(await takeStep(first, id, OVER, socket));
  t.is(await first.count(), 1);
  first.disconnected(socket);
  t.deepEqual(await ended(first), [true]);
  t.is((await first.find(id, socket)).kind, 'none');
  await first.close();
  t.deepEqual(await storedIds(store), []);
});

test('behind a proxy, or where the CPE closes its connection, a session is stored before its Inform is answered', async (t) => {
  const proxied = await openPair(t, true);
  const behind = await beginHere(proxied.first, proxied.socket);
  t.deepEqual(await storedIds(proxied.store), [behind.id]);
  const direct = await openPair(t, false);
  const closing = await begin(direct.first, sessionWith(), direct.socket);
  t.deepEqual(await storedIds(direct.store), [closing.id]);
});

test('whoever comes to another process at once waits there until the session is stored', async (t) => {
  const { socket, store, first, second } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  t.deepEqual(await storedIds(store), []);
  t.deepEqual((await found(second, id, new net.Socket())).session, sessionWith());
  t.true(await takeStep(second, id, ASKED, new net.Socket()));
  t.true(await takeStep(first, id, OVER, socket), 'and back');
});

/** The same store, in which everything new takes so long. */
function slowed(store: Store, delayMs: number): Store {
  const collection = (definition: CollectionDefinition) => {
    const real = store.collection(definition);
    const insert: typeof real.insert = (document) => delay(delayMs).then(() => real.insert(document));
    return through(real, { insert });
  };
  return through(store, { collection });
}

/** Something real, but for some of its members. */
function through<T extends object>(real: T, others: object): T {
  return new Proxy(real, {
    get: (_, name) => {
      const member: unknown = Reflect.get(name in others ? others : real, name);
      return typeof member === 'function' ? member.bind(real) : member;
    },
  });
}

test('and waits on where the store is slow', async (t) => {
  const { socket, store, second } = await openPair(t, false);
  const first = openSessions(slowed(store, 300), false);
  const { id } = await beginHere(first, socket);
  t.deepEqual((await found(second, id, new net.Socket())).session, sessionWith());
  await first.close();
});

test('a session that has ended while a request of it was on its way is not gone on with, and told of once', async (t) => {
  const { socket, first } = await openPair(t, false);
  const { id } = await beginHere(first, socket, OVER);
  const late = await found(first, id, socket);
  first.disconnected(socket);
  t.false(first.take(late));
  t.false(await first.end(late));
  t.deepEqual(await ended(first), [true]);
});

test('a connection carries a session until it is over', async (t) => {
  const { socket, first } = await openPair(t, false);
  const old = await beginHere(first, socket);
  const other = await beginHere(first, new net.Socket());
  t.is((await first.find(other.id, socket)).kind, 'mismatch');
  t.true(await takeStep(first, old.id, OVER, socket));
  t.is((await first.find(other.id, socket)).kind, 'found');
});

test('at its own process a session that is not stored goes on over any connection', async (t) => {
  const { socket, store, first } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  t.true(await takeStep(first, id, ASKED, new net.Socket()));
  t.deepEqual((await found(first, id, socket)).session, ASKED);
  t.deepEqual(await storedIds(store), []);
});

test('a session whose connection closes before it is over is stored, to go on anywhere', async (t) => {
  const { socket, first, second } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  t.true(await takeStep(first, id, ASKED, socket));
  first.disconnected(socket);
  t.deepEqual((await found(second, id, new net.Socket())).session, ASKED);
});

test('a process that stops leaves the sessions that are not over to the others', async (t) => {
  const { socket, store, first, second } = await openPair(t, false);
  const over = new net.Socket();
  const { id } = await beginHere(first, socket);
  const other = await beginHere(first, over);
  t.true(await takeStep(first, other.id, OVER, over));
  await first.close();
  t.deepEqual(await storedIds(store), [id]);
  t.true(await takeStep(second, id, OVER, new net.Socket()));
});

test('a session that is not stored is claimed by a commit that stores it', async (t) => {
  const { socket, store, first, second } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  const mine = await found(first, id, socket);
  t.true(first.take(mine));
  const claim = await first.claiming(mine);
  const outcome = await store.commit([claim.change]);
  if (!outcome.committed) return t.fail('it was refused');
  claim.made(outcome.revisions[0] as Revision);
  t.false(second.take(await found(second, id, new net.Socket())), 'nobody else takes the step');
  const download = sessionWith({ request: 'Download', upgradeId: UPGRADE, repeats: 0 }, true);
  t.true(await first.moved(mine, taken(download, socket)));
  first.release(mine);
  t.deepEqual((await found(second, id, new net.Socket())).session.outstanding, download.outstanding);
});

test('a silent session that was never stored has expired once its time is up', async (t) => {
  const { socket, time, first } = await openPair(t, false);
  const begun = beginHere(first, socket);
  time.nowMs += IDLE_MS;
  await begun;
  time.nowMs += IDLE_MS;
  t.deepEqual(await ended(first), [false]);
});

test('what a CPE answers is checked against the store, where others may have its answer already', async (t) => {
  const { socket, store, first } = await openPair(t, false);
  const { id } = await begin(first, ASKED, socket);
  await store.collection<SessionDocument>(SESSIONS).delete(id);
  t.is((await first.find(id, socket)).kind, 'none');
});
