import { type Clock, SECOND_MS } from '../../../common/index.js';
import { type Collection, Duty, type Store, type Stored } from '../../../store/index.js';
import { type EndedSession, isOver, silentMsLeastOf } from '../sessions.js';
import { type SessionDocument, sessionOf } from './session-document.js';
import { timeText } from './session-id.js';

/** When the process that takes out expired sessions dies, another does so soon after this. */
const LEASE_MS = 15 * SECOND_MS;
const PAGE = 500;

/** Takes out of the store, for all processes, the sessions whose CPEs have fallen silent. */
export class SessionExpiry {
  readonly #sessions: Collection<SessionDocument>;
  readonly #idleMsMax: number;
  readonly #duty: Duty;

  constructor(parts: {
    readonly store: Store;
    readonly sessions: Collection<SessionDocument>;
    readonly clock: Clock;
    readonly idleMsMax: number;
  }) {
    const { store, sessions, clock, idleMsMax } = parts;
    this.#sessions = sessions;
    this.#idleMsMax = idleMsMax;
    this.#duty = new Duty({ store, clock, id: 'cwmp-sessions', leaseMs: LEASE_MS });
  }

  /** @returns those that it took out; none where this is another process's to do */
  async run(nowMs: number): Promise<EndedSession[]> {
    if (!(await this.#duty.isOurs())) return [];
    const ended: EndedSession[] = [];
    // None that was begun since can have expired.
    const query = { below: timeText(nowMs - silentMsLeastOf(this.#idleMsMax) + 1), limit: PAGE };
    let page = await this.#sessions.find(query);
    for (;;) {
      ended.push(...(await this.#takeOut(page.items, nowMs)));
      if (page.next === null) return ended;
      page = await this.#sessions.find({ ...query, after: page.next });
    }
  }

  async #takeOut(found: readonly Stored<SessionDocument>[], nowMs: number): Promise<EndedSession[]> {
    const expired = found.filter(({ document }) => document.expiresAtMs <= nowMs);
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
