import type { Socket } from 'node:net';
import type { CpeId } from '../../common/index.js';
import type { Change, Revision } from '../../store/index.js';
import type { OpenSession } from './session.js';
import { isSameClient } from './session-address.js';

/** One open session and what carries it, as one request finds it. */
export interface SessionEntry {
  /** The value of its cookie. */
  readonly id: string;
  session: OpenSession;
  readonly ip: string;
}

export type Found =
  | { readonly kind: 'found'; readonly entry: SessionEntry }
  | { readonly kind: 'none' }
  /** The request names two sessions that are not over, or another than the one that its connection carries. */
  | { readonly kind: 'mismatch' }
  /** What it names are sessions that began from another address, and its connection carries none. */
  | { readonly kind: 'elsewhere' };

/** A session that nobody will go on with. */
export interface EndedSession {
  readonly cpeid: CpeId;
  /** Nothing more was to be said, as opposed to a CPE that fell silent. */
  readonly wasOver: boolean;
}

/** What an Inform came on. */
export interface SessionOrigin {
  /** The client's address. */
  readonly ip: string;
  readonly socket: Socket;
  /** The CPE means to send several requests over one connection. */
  readonly keepsAlive: boolean;
}

/** What has become of an attempt to take a session a step further. */
export interface StepTaken {
  readonly session: OpenSession;
  /** What the step is answered on. */
  readonly socket: Socket;
  /** The CPE means to send several requests over one connection, so that closing it says something. */
  readonly keepsAlive: boolean;
}

/** A step that is claimed in the commit of what must not be done twice in it. */
export interface Claim {
  readonly change: Change;
  /** To be called once it is committed. @param revision  what the commit gave for the change */
  made(revision: Revision): void;
}

/**
 * The open CWMP sessions between the requests of their CPEs: in the memory of one process, or in the store for all that share it.
 * Whichever it is, of several requests for the same step of a session one is answered.
 */
export interface Sessions {
  /**
   * The session of a request: by its cookie, else by its connection. Where no proxy is trusted a cookie counts only from the address
   * that its session began from ({@link isSameClient}): whoever else has it has only seen it.
   * @param cookies  every value of the cookie that it carries; those that name no session say nothing
   */
  find(cookies: readonly string[], socket: Socket): Found | Promise<Found>;
  /** Without looking it up: whether such a request may belong to a session. */
  mayKnow(cookies: readonly string[], socket: Socket): boolean;
  /** @returns null where there is no room */
  begin(session: OpenSession, from: SessionOrigin): SessionEntry | null | Promise<SessionEntry | null>;
  /** @returns false where another request of the session is being worked on; where true, {@link release} follows */
  take(entry: SessionEntry): boolean;
  /**
   * For a commit that must not be made twice in one step, however many requests ask for the step: it refuses unless this one is
   * still in time. Null where nobody else could ask for the step.
   */
  claiming(entry: SessionEntry): Claim | null | Promise<Claim | null>;
  /** Whether the session is still as the entry has it. Asks the store where this process only remembers it, so not for every step. */
  isCurrent(entry: SessionEntry): boolean | Promise<boolean>;
  /** Keeps what the session has become. @returns false where another request was faster; then this one's answer is void */
  moved(entry: SessionEntry, taken: StepTaken): boolean | Promise<boolean>;
  /**
   * To be asked where a step of this entry came to nothing, or it could not be ended: the session as others have left it, if the entry was
   * only what this process remembered of it, to go on from there. Null where there is nothing newer to go on from.
   */
  newer(entry: SessionEntry): SessionEntry | null | Promise<SessionEntry | null>;
  release(entry: SessionEntry): void;
  /** @returns false where it had ended already, or has been taken further meanwhile */
  end(entry: SessionEntry): boolean | Promise<boolean>;
  /** The connection has gone. @returns the session that ended by that, if one did and {@link expire} will not tell of it */
  disconnected(socket: Socket): EndedSession | null;
  /** Whether a CPE has a Download of this process's to answer. */
  awaitsDownload(): boolean | Promise<boolean>;
  /** Takes out the sessions that fell silent, and those that are over; to be called about once a second. */
  expire(): readonly EndedSession[] | Promise<readonly EndedSession[]>;
  count(): number | Promise<number>;
  close(): Promise<void>;
}

/** After our empty answer a CPE that has something more to say says it at once; most close without a word. */
const LINGER_MS = 5_000;

/** No session falls silent sooner after its Inform. */
export function silentMsLeastOf(idleMsMax: number): number {
  return Math.min(LINGER_MS, idleMsMax);
}

/** Neither side has anything more to say (TR-069 3.7.1.4), as far as we know. */
export function isOver(session: OpenSession): boolean {
  return session.quiet && session.outstanding === null;
}

/**
 * Which session a request belongs to (invariant 7). Of a CPE that keeps its old cookies a session that is over may still be known: it does
 * not count beside one that is not.
 * @param all  the sessions that its cookies name, each once
 * @param carried  the one that its connection carries; null where it carries none, and where connections are shared
 * @param address  where it comes from; null where a proxy is trusted, as that is the proxy's
 */
export function foundAmong<E extends SessionEntry>(
  all: readonly E[],
  carried: E | null,
  address: string | null,
): Found {
  // The session of its connection began on it, or has been taken on over it since, with its address looked at then.
  const named =
    address === null
      ? all
      : all.filter((entry) => entry.id === carried?.id || isSameClient(entry.ip, address));
  const open = named.length > 1 ? named.filter(({ session }) => !isOver(session)) : named;
  const [entry, another] = open.length === 0 ? named : open;
  if (entry === undefined && carried !== null) return { kind: 'found', entry: carried };
  if (entry === undefined) return { kind: all.length === 0 ? 'none' : 'elsewhere' };
  const isElsewhere = carried !== null && carried.id !== entry.id && !isOver(carried.session);
  return another !== undefined || isElsewhere ? { kind: 'mismatch' } : { kind: 'found', entry };
}

/** How long its CPE may be silent. */
export function silentMsMaxOf(session: OpenSession, idleMsMax: number): number {
  return isOver(session) ? silentMsLeastOf(idleMsMax) : idleMsMax;
}

/** Where a connection comes from. */
export function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? '';
}

/** What a connection carries: the fallback for CPEs that keep no cookie. */
const CARRIED = Symbol('session');
/** Whose session it was, which stays true when that is over. */
const CARRIED_CPE = Symbol('cpeid');

interface CarryingSocket extends Socket {
  [CARRIED]?: string;
  [CARRIED_CPE]?: CpeId;
}

/**
 * The ids of sessions by the connection that carries them. They hang on the socket itself, as thousands of weak references a
 * second would keep the garbage collector busy.
 */
export function carriedBy(socket: Socket): string | null {
  return (socket as CarryingSocket)[CARRIED] ?? null;
}

export function carry(socket: Socket, id: string, cpeid: CpeId): void {
  const carrying: CarryingSocket = socket;
  carrying[CARRIED] = id;
  carrying[CARRIED_CPE] = cpeid;
}

/** The CPE that last began a session on a connection; null where connections are shared. */
export function cpeOn(socket: Socket): CpeId | null {
  return (socket as CarryingSocket)[CARRIED_CPE] ?? null;
}

/** The session whose step was last answered on a connection, where that matters. */
const ANSWERED = Symbol('answered session');

export function answeredOn(socket: Socket): string | null {
  return (socket as Socket & { [ANSWERED]?: string })[ANSWERED] ?? null;
}

export function answerOn(socket: Socket, id: string): void {
  (socket as Socket & { [ANSWERED]?: string })[ANSWERED] = id;
}
