import type { EventStruct } from './soap/index.js';

/** Most events of one Inform (schema of EventList). */
const EVENTS_MAX = 64;

/** The events that the ACS has not been told of yet (TR-069 3.7.1.5). */
export class PendingEvents {
  #events: EventStruct[] = [];
  /** Those that the Inform under way tells. */
  #inFlight: readonly EventStruct[] = [];

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  raise(eventCode: string, commandKey = ''): void {
    // One that is just being told is over with its Inform; this is a new one, which a session of its own will tell.
    const known = this.#events.some(
      (event) =>
        event.eventCode === eventCode && event.commandKey === commandKey && !this.#inFlight.includes(event),
    );
    if (!known && this.#events.length < EVENTS_MAX) this.#events.push({ eventCode, commandKey });
  }

  discard(eventCode: string): void {
    this.#events = this.#events.filter((event) => event.eventCode !== eventCode);
  }

  /**
   * The events of an Inform that is about to be sent, each once.
   * @param completedTransfers  CommandKeys of the transfers of which a TransferComplete is due
   */
  tell(completedTransfers: readonly string[]): readonly EventStruct[] {
    this.#inFlight = [...this.#events];
    const all = [
      ...this.#events,
      ...(completedTransfers.length > 0 ? [{ eventCode: '7 TRANSFER COMPLETE', commandKey: '' }] : []),
      ...completedTransfers.map((commandKey) => ({ eventCode: 'M Download', commandKey })),
    ];
    const distinct = new Map(all.map((event) => [`${event.eventCode}\n${event.commandKey}`, event]));
    return [...distinct.values()].slice(0, EVENTS_MAX);
  }

  /** The InformResponse came: what was told is told; transfers only with the answer to their TransferComplete. */
  delivered(): void {
    this.#events = this.#events.filter((event) => !this.#inFlight.includes(event));
    this.#inFlight = [];
  }

  /** The session is over: what it did not deliver will be told again. */
  sessionOver(): void {
    this.#inFlight = [];
  }
}
