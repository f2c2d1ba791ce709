import net, { type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import type { OpenSession, Outstanding } from '../../../../acs/session/session.js';
import type { SessionEntry } from '../../../../acs/session/sessions.js';
import { SESSIONS, type SessionDocument } from '../../../../acs/session/shared/session-document.js';
import { SharedSessions } from '../../../../acs/session/shared/shared-sessions.js';
import { type CpeId, type ResultId, silentLogger } from '../../../../common/index.js';
import type { Revision, Store } from '../../../../store/index.js';
import { storeOf } from '../../../support/store.js';

export const IDLE_MS = 30_000;
const BEGUN_MS = 1_800_000_000_000;
export const UPGRADE = '6ab7f1de-0000-4000-8000-000000000000' as ResultId;

export function sessionWith(outstanding: Outstanding | null = null, quiet = false): OpenSession {
  return {
    phase: 'open',
    facts: {
      cpeid: '00A1B2-HGW-1' as CpeId,
      style: { namespace: 'urn:dslforum-org:cwmp-1-2' },
      events: ['2 PERIODIC'],
      boot: false,
      softwareVersion: '1.0',
      requested: false,
      applying: false,
      transferKey: null,
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
export async function openPair(t: ExecutionContext, sharedConnections = true) {
  const store = await storeOf(t);
  const time = { nowMs: BEGUN_MS };
  const clock = () => time.nowMs;
  const open = () => openSessions(store, sharedConnections, clock);
  return { store, time, socket: connection(), first: open(), second: open() };
}

export function openSessions(
  store: Store,
  sharedConnections: boolean,
  clock = () => BEGUN_MS,
  monotonic = clock,
): SharedSessions {
  return new SharedSessions({
    store,
    clock,
    // Unless a test sets the one, both go on alike.
    monotonic,
    logger: silentLogger,
    sharedConnections,
    idleMsMax: IDLE_MS,
    onExpiryDone() {},
  });
}

/** Where the CPE of these sessions comes from. */
const CPE_ADDRESS = '192.0.2.1';

/** A connection of its CPE, as far as sessions look at it. */
export function connection(): Socket {
  return Object.defineProperty(new net.Socket(), 'remoteAddress', { value: CPE_ADDRESS });
}

/** A connection that carries nothing of interest. */
export const socket: Socket = connection();

export const ASKED = sessionWith({ request: 'GetParameterValues', names: ['Device.A'] }, true);
/** There was nothing to do. */
export const OVER = sessionWith(null, true);

export async function begin(
  sessions: SharedSessions,
  session = sessionWith(),
  on = socket,
): Promise<SessionEntry> {
  const entry = await sessions.begin(session, { ip: CPE_ADDRESS, socket: on, keepsAlive: false });
  if (entry === null) throw new Error('no room');
  return entry;
}

/** Over a connection that its CPE means to keep. */
export async function beginHere(
  sessions: SharedSessions,
  on: Socket,
  session = sessionWith(),
): Promise<SessionEntry> {
  const entry = await sessions.begin(session, { ip: CPE_ADDRESS, socket: on, keepsAlive: true });
  if (entry === null) throw new Error('no room');
  return entry;
}

export async function storedIds(store: Store): Promise<string[]> {
  const page = await store.collection<SessionDocument>(SESSIONS).find({ limit: 10 });
  return page.items.map(({ document }) => document.id);
}

export async function found(sessions: SharedSessions, id: string, on = socket): Promise<SessionEntry> {
  const result = await sessions.find([id], on);
  if (result.kind !== 'found') throw new Error(`the session is ${result.kind}`);
  return result.entry;
}

/** What a step comes to over a kept connection. */
export const taken = (session: OpenSession, on = socket) => ({ session, socket: on, keepsAlive: true });

/** Takes a step of the session, as a request on that connection does. */
export async function takeStep(
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

export async function revisionOf(store: Store, id: string): Promise<Revision | null> {
  return (await store.collection<SessionDocument>(SESSIONS).get(id))?.revision ?? null;
}

export async function ended(sessions: SharedSessions): Promise<boolean[]> {
  return (await sessions.expire()).map(({ wasOver }) => wasOver);
}
