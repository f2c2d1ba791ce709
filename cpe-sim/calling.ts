import type { SimulatorEmitter } from './events.js';
import type { SimulatorSettings } from './options.js';
import { retryWaitMs } from './retry.js';
import type { CpeIdentity } from './soap/index.js';
import type { Timer, Timers } from './timers.js';

/** The CPE that calls. */
export interface Caller {
  readonly identity: CpeIdentity;
  readonly settings: Pick<SimulatorSettings, 'gate' | 'retry' | 'logger'>;
  readonly events: SimulatorEmitter;
  /** Forgotten when it goes down. */
  readonly timers: Timers;
  /** Up: neither rebooting nor gone, nor off. */
  isOn(): boolean;
  isOff(): boolean;
  /**
   * Holds a session.
   * @param informed  takes the codes of the events that it tells
   * @returns how many messages the CPE sent
   */
  talk(informed: string[]): Promise<number>;
  /** A session is over, however it went. */
  onOver(): void;
  /** It is up after a session: what the ACS changed takes effect. */
  onGoOn(): void;
  /** Whether there is something left to tell. */
  hasMore(): boolean;
}

/** When a CPE calls its ACS: one session at a time, the next when something is to be told, and again where one failed. */
export class Calling {
  readonly #caller: Caller;
  #session: Promise<void> | null = null;
  #afterSession: (() => void)[] = [];
  #retryCount = 0;
  #retryTimer: Timer | null = null;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get inSession(): boolean {
    return this.#session !== null;
  }

  /** How many sessions in a row have failed. */
  get retryCount(): number {
    return this.#retryCount;
  }

  /** The end of the session that runs; null where none does. */
  get ending(): Promise<void> | null {
    return this.#session;
  }

  /** Runs once no session is open. */
  whenIdle(act: () => void): void {
    if (this.#session === null) act();
    else this.#afterSession.push(act);
  }

  /** Something is to be told: now, or after the session that runs, or with the retry of one that failed. */
  due(): void {
    if (!this.#caller.isOn()) return;
    if (this.#session === null && this.#retryTimer === null) this.#start();
  }

  /** The ACS is there and wants to talk: no reason to wait for a retry. */
  dueAtOnce(): void {
    this.#retryTimer?.cancel();
    this.#retryTimer = null;
    this.due();
  }

  /** A retry that was waited for goes with the timers. */
  goDown(): void {
    this.#retryTimer = null;
  }

  /** After a boot the retries are counted anew. */
  booted(): void {
    this.#retryCount = 0;
  }

  #start(): void {
    this.#retryTimer = null;
    this.#session = this.#hold();
  }

  async #hold(): Promise<void> {
    const { identity, settings, events } = this.#caller;
    const informed: string[] = [];
    let failure: Error | null = null;
    let messages = 0;
    await settings.gate?.enter();
    try {
      messages = await this.#caller.talk(informed);
      this.#retryCount = 0;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      this.#retryCount++;
    } finally {
      settings.gate?.leave();
    }
    this.#session = null;
    // Switched off: what was cut short is no failure of anybody.
    if (this.#caller.isOff()) return;
    this.#caller.onOver();
    for (const act of this.#afterSession.splice(0)) act();
    const goesOn = this.#caller.isOn();
    const retryMs =
      failure === null || !goesOn ? null : retryWaitMs(this.#retryCount, settings.retry, Math.random());
    if (failure === null) {
      events.emit('session', { identity, outcome: 'ended', events: informed, messages });
    } else {
      const reason = failure.message;
      settings.logger.debug('sim.session-failed', { serialNumber: identity.serialNumber, reason });
      events.emit('session', { identity, outcome: 'failed', events: informed, reason, retryMs });
    }
    if (goesOn) this.#goOn(retryMs);
  }

  /** The next session is due now, later or not yet. */
  #goOn(retryMs: number | null): void {
    this.#caller.onGoOn();
    if (this.#session !== null) return;
    if (retryMs !== null) this.#retryTimer = this.#caller.timers.after(retryMs, () => this.#start());
    else if (this.#caller.hasMore()) this.#start();
  }
}
