import type { PinnedTarget } from './address-policy.js';
import type { BasicUse } from './basic.js';
import { type Challenge, type Offers, readChallenges } from './challenge.js';
import { CpeConnection, type Reply, requestTarget } from './connection.js';
import { authorize } from './digest.js';
import { CAME } from './session-watch.js';

/**
 * So many challenges of one call are answered: the first, and another, since the nonce of the first may have belonged to a
 * connection that is gone (TR-069 3.2.2.1) or have been used up; RFC 7616 3.3 asks for no more. Each further one could be one
 * more wrong password to a CPE that shuts out whoever gives too many.
 */
const ANSWERS_MAX = 2;
/** One more where the CPE says `stale=true`: then the password was right. */
const ANSWERS_MAX_IF_STALE = 3;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface CallParts {
  readonly target: PinnedTarget;
  readonly credentials: Credentials | null;
  readonly basic: BasicUse;
  /** For one request, from connecting to its status. */
  readonly attemptMsMax: number;
  /** On the clock of performance.now(). */
  readonly deadlineMs: number;
  /** Breaks it off; in a moment only, where its reason is that the CPE came. */
  readonly signal: AbortSignal;
  /** Whether the CPE has come meanwhile. */
  readonly hasCome: () => Promise<boolean>;
  readonly leaving: Set<CpeConnection>;
  /** What one call learns for the next to the same CPE. */
  readonly habits: { answersOnSameConnection: boolean };
}

export type CallOutcome =
  /** It said that it will come. */
  | { readonly kind: 'answered' }
  /** It said something else, and would say it again. */
  | { readonly kind: 'refused'; readonly message: string }
  /** `busy`: it said so. `heard`: it was reached, said nothing, and may come all the same. */
  | { readonly kind: 'again'; readonly message: string; readonly busy: boolean; readonly heard: boolean };

/** So long a CPE that has come may still take to answer: it may have begun its session before it does. */
const ANSWERING_MS = 1_000;

/** Calls a CPE once: one GET, and one more for each challenge that deserves an answer. */
export async function call(parts: CallParts): Promise<CallOutcome> {
  const line = new Line(parts);
  let timer: NodeJS.Timeout | undefined;
  const breakOff = () => {
    const patienceMs = parts.signal.reason === CAME ? ANSWERING_MS : 0;
    timer = setTimeout(() => line.connection?.breakOff(), patienceMs);
  };
  parts.signal.addEventListener('abort', breakOff);
  try {
    const outcome = await rounds(parts, line);
    if (outcome.kind === 'answered' || parts.signal.aborted) line.connection?.leave(parts.leaving);
    else line.hangUp();
    return outcome;
  } finally {
    parts.signal.removeEventListener('abort', breakOff);
    clearTimeout(timer);
  }
}

async function rounds(parts: CallParts, line: Line): Promise<CallOutcome> {
  let authorization: string | null = null;
  const answered: Challenge[] = [];
  for (;;) {
    const reply = await line.ask(authorization);
    if (reply.kind === 'silence') {
      const why = whyUnreached(reply.reason, parts.target.url);
      return { ...again(`No answer from the CPE: ${why}`), heard: reply.how !== 'unreached' };
    }
    if (reply.kind === 'unreadable') return refused(`The CPE was reached, but ${reply.reason}`);
    const { status, challenges } = reply.head;
    // TR-069 3.2.2.1 has 200 and 204; the others of their kind mean the same (RFC 9110 15).
    if (status >= 200 && status < 300) return { kind: 'answered' };
    if (status === 503) return { ...again('The CPE was busy (503) all the time'), busy: true };
    if (status !== 401) return refused(`The CPE answered its connection request with HTTP ${status}`);
    if (parts.credentials === null) {
      return refused('The CPE asks for credentials and none have been set on it yet');
    }
    const offers = readChallenges(challenges);
    const challenge = worthAnAnswer(offers, answered, parts.basic);
    if (challenge === null) return refused(inVain(offers, answered, parts.basic));
    answered.push(challenge);
    const request = { method: 'GET', target: requestTarget(parts.target.url) };
    authorization = authorize(challenge, parts.credentials, request);
  }
}

/** What whoever looks for the fault reads of an address that nobody is reached at. */
const UNREACHED: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['EHOSTUNREACH', 'no way to the host'],
  ['ENETUNREACH', 'no way to the network'],
  ['ETIMEDOUT', 'no connection in time'],
]);

function whyUnreached(reason: string, { host }: URL): string {
  const words = UNREACHED.get(reason);
  return words === undefined ? reason : `${words} at ${host}`;
}

/**
 * The best challenge that is new, by its nonce or as a whole: some offer what they then get wrong, so what was not tried goes first,
 * but not where the nonce alone was at fault. Basic is answered once where it may be, and never where Digest was: it has nothing that
 * could be new.
 */
function worthAnAnswer(
  { possible }: Offers,
  answered: readonly Challenge[],
  basic: BasicUse,
): Challenge | null {
  const fresh = possible.filter((offer) =>
    offer.scheme === 'Basic'
      ? basic.allowed && answered.length === 0
      : !answered.some((before) => isSame(before, offer)),
  );
  const stale = fresh.find((offer) => offer.scheme === 'Digest' && offer.stale);
  const untried = fresh.find((offer) => !answered.some((before) => kindOf(before) === kindOf(offer)));
  if (answered.length >= (stale === undefined ? ANSWERS_MAX : ANSWERS_MAX_IF_STALE)) return null;
  return stale ?? untried ?? fresh[0] ?? null;
}

function isSame(a: Challenge, b: Challenge): boolean {
  return kindOf(a) === kindOf(b) && (a.scheme === 'Basic' || b.scheme === 'Basic' || a.nonce === b.nonce);
}

function kindOf(challenge: Challenge): string {
  return challenge.scheme === 'Basic' ? 'Basic' : `${challenge.algorithm} ${challenge.qop}`;
}

function inVain({ possible, impossible }: Offers, answered: readonly Challenge[], basic: BasicUse): string {
  const offered = impossible.join('; ');
  const more = offered === '' ? '' : `; it also offers what Ferry cannot do: ${offered}`;
  if (answered.length > 0) {
    // Who asks for this alone gets it wrong more often than the password is.
    const isInt = answered.every((one) => one.scheme === 'Digest' && one.qop === 'auth-int');
    return `The CPE refused ${isInt ? 'Digest with qop=auth-int, which it asks for' : 'the credentials'} (401)${more}`;
  }
  // Any other that can be answered would have been.
  if (possible.length > 0 && !basic.allowed) return `${basic.reason}${more}`;
  if (offered === '') return 'The CPE answered 401 without a challenge';
  return `The CPE asks for a log-in that Ferry cannot do: ${offered}`;
}

function refused(message: string): CallOutcome {
  return { kind: 'refused', message };
}

function again(message: string) {
  return { kind: 'again', message, busy: false, heard: false } as const;
}

/** The connection that a call goes over: that of the challenge while it is open, else another to the same address. */
class Line {
  connection: CpeConnection | null = null;
  readonly #parts: CallParts;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  async ask(authorization: string | null): Promise<Reply> {
    const { habits, signal, hasCome } = this.#parts;
    if (this.connection !== null && habits.answersOnSameConnection && (await this.connection.staysOpen())) {
      // Half of the time is kept for another connection.
      const reply = await this.connection.ask(authorization, this.#timeoutMs(2));
      if (reply.kind !== 'silence') return reply;
      habits.answersOnSameConnection = false;
      // One that reads a single request from each connection, or had closed this one, has not heard. Who closes in order may have.
      if (reply.how === 'closed' || signal.aborted || (await hasCome())) return reply;
    }
    this.hangUp();
    if (signal.aborted) return { kind: 'silence', reason: 'it was broken off', how: 'unreached' };
    this.connection = new CpeConnection(this.#parts.target);
    return this.connection.ask(authorization, this.#timeoutMs(1));
  }

  #timeoutMs(parts: number): number {
    const leftMs = (this.#parts.deadlineMs - performance.now()) / parts;
    return Math.ceil(Math.min(this.#parts.attemptMsMax, Math.max(1, leftMs)));
  }

  /** Before another connection: some CPEs take one at a time. */
  hangUp(): void {
    this.connection?.cut();
    this.connection = null;
  }
}
