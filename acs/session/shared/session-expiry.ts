import { CLOCKS_APART_MS_MAX, type Clock, type MonotonicClock, SECOND_MS } from '../../../common/index.js';
import {
  type Collection,
  Duty,
  type DutyReport,
  type FindQuery,
  type Store,
  type Stored,
} from '../../../store/index.js';
import { type EndedSession, isOver, silentMsLeastOf } from '../sessions.js';
import { type SessionDocument, sessionOf } from './session-document.js';
import { timeText } from './session-id.js';
import type { SessionTimes } from './session-times.js';

/** When the process that takes out expired sessions dies, another does so soon after this. */
const LEASE_MS = 15 * SECOND_MS;
const PAGE = 500;

/** Takes out of the store, for all processes, the sessions whose CPEs have fallen silent. */
export class SessionExpiry {
  readonly #sessions: Collection<SessionDocument>;
  readonly #times: SessionTimes;
  readonly #duty: Duty;
  readonly #done: DutyReport;

  constructor(parts: {
    readonly store: Store;
    readonly sessions: Collection<SessionDocument>;
    readonly clock: Clock;
    readonly monotonic: MonotonicClock;
    readonly times: SessionTimes;
    readonly done: DutyReport;
  }) {
    const { store, sessions, clock, monotonic } = parts;
    this.#sessions = sessions;
    this.#times = parts.times;
    this.#done = parts.done;
    this.#duty = new Duty({ store, clock, monotonic, id: 'cwmp-sessions', leaseMs: LEASE_MS });
  }

  /** @returns those that it took out; none where this is another process's to do */
  async run(): Promise<EndedSession[]> {
    if (!(await this.#duty.isOurs())) return [];
    const ended = this.#times.areUnsettled ? [] : await this.#takeOutExpired();
    this.#done();
    return ended;
  }

  async #takeOutExpired(): Promise<EndedSession[]> {
    const nowMs = this.#times.wallMs;
    // None that was begun since can have expired.
    const before = timeText(nowMs - silentMsLeastOf(this.#times.idleMsMax) + 1);
    return [
      ...(await this.#takeOutOf({ below: before, limit: PAGE })),
      // Begun by a clock that was ahead.
      ...(await this.#takeOutOf({ atLeast: timeText(nowMs + CLOCKS_APART_MS_MAX + 1), limit: PAGE })),
    ];
  }

  async #takeOutOf(query: FindQuery): Promise<EndedSession[]> {
    const ended: EndedSession[] = [];
    let page = await this.#sessions.find(query);
    for (;;) {
      ended.push(...(await this.#takeOut(page.items)));
      if (page.next === null) return ended;
      page = await this.#sessions.find({ ...query, after: page.next });
    }
  }

  async #takeOut(found: readonly Stored<SessionDocument>[]): Promise<EndedSession[]> {
    const expired = found.filter(({ document }) => !this.#times.isOpen(document));
    // Side by side they share their flushes; one whose CPE has just spoken stays.
    const gone = await Promise.all(
      expired.map(({ document, revision }) => this.#sessions.delete(document.id, revision)),
    );
    return expired
      .filter((_, index) => gone[index])
      .map(({ document }) => sessionOf(document))
      .filter((session) => session !== null)
      .map((session) => ({ cpeid: session.facts.cpeid, wasOver: isOver(session) }));
  }

  /** Lets others take over at once. */
  release(): Promise<void> {
    return this.#duty.release();
  }
}
