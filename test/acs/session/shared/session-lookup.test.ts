import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { Device } from '../../../../acs/device/device.js';
import type { OpenSession } from '../../../../acs/session/session.js';
import { SESSIONS, type SessionDocument } from '../../../../acs/session/shared/session-document.js';
import type { CollectionDefinition, Store, Stored } from '../../../../store/index.js';
import {
  ASKED,
  begin,
  beginHere,
  connection,
  found,
  OVER,
  openPair,
  openSessions,
  sessionWith,
  socket,
  storedIds,
  takeStep,
} from './setup.js';

/** A device as it was read when the session began. */
const DEVICE = {} as Stored<Device>;

function withHand(session: OpenSession): OpenSession {
  return { ...session, facts: { ...session.facts, hand: { device: DEVICE } } };
}

test('a cookie that no process made is not looked up', async (t) => {
  const { first } = await openPair(t);
  for (const id of ['', 'x', '../x', 'a'.repeat(10_000), '000000000-00000000-0000-0000-0000-00000000000g']) {
    t.is((await first.find([id], socket)).kind, 'none');
    t.false(first.mayKnow([id], socket));
  }
});

test('over the connection of the last step the store is not asked, over another it is', async (t) => {
  const { socket, store, first } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  await store.collection<SessionDocument>(SESSIONS).delete(id);
  t.is((await first.find([id], socket)).kind, 'found');
  t.is((await first.find([], socket)).kind, 'found');
  t.is((await first.find([id], connection())).kind, 'none');
});

test('behind a proxy the store is always asked', async (t) => {
  const { store, first } = await openPair(t, true);
  const { id } = await begin(first);
  await store.collection<SessionDocument>(SESSIONS).delete(id);
  t.is((await first.find([id], socket)).kind, 'none');
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

test('whoever comes to another process at once waits there until the session is stored', async (t) => {
  const { socket, store, first, second } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  t.deepEqual(await storedIds(store), []);
  t.deepEqual((await found(second, id, connection())).session, sessionWith());
  t.true(await takeStep(second, id, ASKED, connection()));
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
  t.deepEqual((await found(second, id, connection())).session, sessionWith());
  await first.close();
});

test('a connection carries a session until it is over', async (t) => {
  const { socket, first } = await openPair(t, false);
  const old = await beginHere(first, socket);
  const other = await beginHere(first, connection());
  t.is((await first.find([other.id], socket)).kind, 'mismatch');
  t.true(await takeStep(first, old.id, OVER, socket));
  t.is((await first.find([other.id], socket)).kind, 'found');
});

test('what a CPE answers is checked against the store, where others may have its answer already', async (t) => {
  const { socket, store, first } = await openPair(t, false);
  const { id } = await begin(first, ASKED, socket);
  await store.collection<SessionDocument>(SESSIONS).delete(id);
  t.is((await first.find([id], socket)).kind, 'none');
});
