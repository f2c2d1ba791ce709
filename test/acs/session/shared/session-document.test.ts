import test from 'ava';
import {
  SESSION_BYTES_MAX,
  SESSIONS,
  type SessionDocument,
  sessionOf,
  toSessionDocument,
} from '../../../../acs/session/shared/session-document.js';
import type { SharedSessions } from '../../../../acs/session/shared/shared-sessions.js';
import type { Store } from '../../../../store/index.js';
import { begin, openPair, sessionWith, socket, UPGRADE } from './setup.js';

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
    t.is((await first.find([document.id], socket)).kind, 'none');
  }
});

test('a session that an older version stored, with what is no longer asked of it, is gone on with', async (t) => {
  const { store, first } = await openPair(t);
  const document = await storedSession(store, first);
  const { session } = document;
  const style = { ...session.facts.style, xmlDeclaration: true };
  const facts = { ...session.facts, style };
  t.not(sessionOf({ ...document, session: { ...session, facts } }), null);
  const outstanding = { request: 'SetParameterValues' } as const;
  t.not(sessionOf({ ...document, session: { ...session, outstanding } }), null);
});

test('a session whose CPE is to give up a Download, or is asked to, is gone on with from the store', (t) => {
  const session = sessionWith({ request: 'CancelTransfer', upgradeId: UPGRADE });
  const due = { ...session, tasks: { ...session.tasks, withdraw: true as const } };
  for (const each of [session, due]) {
    const document = toSessionDocument({ id: 'x', ip: '', session: each }, 0);
    t.deepEqual(sessionOf(document), each);
  }
});

test('a session that would grow beyond its bound is refused', (t) => {
  const names = Array.from({ length: 1_000 }, (_, index) => `Device.${'x'.repeat(200)}.${index}`);
  const session = sessionWith({ request: 'GetParameterValues', names });
  t.throws(() => toSessionDocument({ id: 'x', ip: '', session }, 0), {
    message: `A session of 00A1B2-HGW-1 has grown beyond ${SESSION_BYTES_MAX} bytes`,
  });
});
