import { Calling } from './calling.js';
import type { ConnectionRequestTarget } from './connection-requests.js';
import type { ParameterSet } from './data-model.js';
import { Dialogue } from './dialogue.js';
import { createEmitter, type SimulatorEmitter } from './events.js';
import { FaultPlan } from './fault.js';
import type { Credentials } from './http-auth.js';
import {
  checkIdentity,
  initialParameters,
  type SimulatedCpeOptions,
  type SimulatorSettings,
  settingsOf,
} from './options.js';
import { PendingEvents } from './pending-events.js';
import { PeriodicInform } from './periodic-inform.js';
import type { CpeIdentity } from './soap/index.js';
import { Timers } from './timers.js';
import { type TransferHost, Transfers } from './transfers.js';

type Phase = 'off' | 'on' | 'rebooting' | 'gone';

/**
 * One simulated CPE: it calls its ACS, answers it, fetches firmware and reboots into it, as TR-069 says or, with faults on order,
 * as devices in the field do. All of it over real sockets.
 * @example
 * const cpe = new SimulatedCpe({ identity, acsUrl, dataModel: builtInModel('tr181'), listener });
 * cpe.start(); await once(cpe.events, 'session'); await cpe.stop();
 */
export class SimulatedCpe implements ConnectionRequestTarget {
  readonly identity: CpeIdentity;
  readonly parameters: ParameterSet;
  readonly events: SimulatorEmitter;
  readonly #settings: SimulatorSettings;
  readonly #faults: FaultPlan;
  /** Forgotten when it goes down. */
  readonly #timers = new Timers();
  /** Kept across a reboot. */
  readonly #lastingTimers = new Timers();
  readonly #transfers: Transfers;
  readonly #abort = new AbortController();
  readonly #pending = new PendingEvents();
  readonly #calling: Calling;
  readonly #dialogue: Dialogue;
  readonly #periodic: PeriodicInform;
  #phase: Phase = 'off';
  #onBoot: (() => void)[] = [];
  #nextVersion: string | null = null;
  #unregister: (() => void) | null = null;
  /** Where it is registered: another URL means another first contact (TR-069 3.7.1.5). */
  #bootstrappedUrl: string | null = null;
  #connectionRequestMs = 0;

  /** @throws RangeError where the identity or a setting is not what it may be */
  constructor(options: SimulatedCpeOptions) {
    this.identity = checkIdentity(options.identity);
    this.#settings = settingsOf(options);
    this.events = options.events ?? createEmitter();
    this.parameters = initialParameters(options);
    this.#faults = new FaultPlan(options.faults);
    this.#transfers = new Transfers(this.#transferHost());
    this.#calling = this.#newCalling();
    this.#dialogue = this.#newDialogue();
    this.#periodic = new PeriodicInform(
      this.#timers,
      () => this.#periodicIntervalMs(),
      () => {
        this.#pending.raise('2 PERIODIC');
        this.#calling.due();
      },
    );
  }

  /** The version it runs. */
  get softwareVersion(): string {
    return this.#value('DeviceInfo.SoftwareVersion');
  }

  /** Every Download that it has read, in order; a CommandKey that came twice is there twice. */
  get downloads(): readonly { readonly commandKey: string; readonly url: string }[] {
    return this.#transfers.record;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get inSession(): boolean {
    return this.#calling.inSession;
  }

  /** Powers it on: its first contact follows, with 0 BOOTSTRAP and 1 BOOT. */
  start(): void {
    if (this.#phase !== 'off' || this.#abort.signal.aborted)
      throw new Error('a CPE is started once; build another');
    const registration = this.#settings.listener?.register(this);
    if (registration !== undefined) {
      this.#unregister = registration.unregister;
      this.parameters.set(this.parameters.path('ManagementServer.ConnectionRequestURL'), registration.url);
    }
    this.#phase = 'on';
    this.#boot();
  }

  /** Powers it off at once, also in the middle of a session. It cannot be started again. */
  async stop(): Promise<void> {
    this.#phase = 'off';
    this.#unregister?.();
    this.#timers.clear();
    this.#lastingTimers.clear();
    this.#abort.abort(new Error('the CPE was switched off'));
    await this.#calling.ending;
    await this.#transfers.stopped();
  }

  /** Reboots it, as its owner might. Waits for the end of a running session. */
  reboot(): void {
    this.#rebootWhenIdle(() => undefined);
  }

  /** Changes a parameter from the device's side; the ACS hears of it with 4 VALUE CHANGE. */
  change(path: string, value: string): void {
    if (this.parameters.value(path) === undefined) throw new RangeError(`there is no parameter ${path}`);
    this.parameters.set(path, value);
    this.#dialogue.changed(path);
    this.#pending.raise('4 VALUE CHANGE');
    this.#calling.due();
  }

  connectionRequestCredentials(): Credentials | null {
    const username = this.#value('ManagementServer.ConnectionRequestUsername');
    const password = this.#value('ManagementServer.ConnectionRequestPassword');
    return username === '' || password === '' ? null : { username, password };
  }

  isOn(): boolean {
    return this.#phase === 'on';
  }

  connectionRequest(): 'accepted' | 'busy' | 'off' {
    const outcome = this.#connectionRequestOutcome();
    this.events.emit('connection-request', { identity: this.identity, outcome });
    if (outcome === 'accepted') {
      this.#connectionRequestMs = Date.now();
      this.#pending.raise('6 CONNECTION REQUEST');
      this.#calling.dueAtOnce();
    }
    return outcome;
  }

  #connectionRequestOutcome(): 'accepted' | 'busy' | 'off' {
    if (this.#phase !== 'on') return 'off';
    if (this.#faults.take('busy-connection-request') !== null) return 'busy';
    if (this.#settings.busyInSession && this.#calling.inSession) return 'busy';
    const sinceMs = Date.now() - this.#connectionRequestMs;
    return sinceMs < this.#settings.connectionRequestMsMin ? 'busy' : 'accepted';
  }

  #value(relative: string): string {
    return this.parameters.value(this.parameters.path(relative)) ?? '';
  }

  #transferHost(): TransferHost {
    return {
      productClass: this.identity.productClass,
      faults: this.#faults,
      signal: this.#abort.signal,
      limits: this.#settings.download,
      isOn: () => this.isOn(),
      afterSession: (act) => this.#calling.whenIdle(act),
      after: (waitMs, act) => void this.#lastingTimers.after(waitMs, act),
      reboot: (softwareVersion, onBoot) => this.#reboot(softwareVersion, onBoot),
      vanish: () => this.#vanish(),
      sessionDue: () => this.#calling.due(),
      onDownload: (commandKey, url, repeat) =>
        this.events.emit('download', { identity: this.identity, commandKey, url, repeat }),
      onTransfer: (commandKey, fault, image) =>
        this.events.emit('transfer', {
          identity: this.identity,
          commandKey,
          fault,
          sizeBytes: image?.sizeBytes ?? 0,
          resumes: image?.resumes ?? 0,
        }),
      onReported: ({ commandKey, fault }) =>
        this.events.emit('transfer-complete-sent', { identity: this.identity, commandKey, fault }),
    };
  }

  #newCalling(): Calling {
    return new Calling({
      identity: this.identity,
      settings: this.#settings,
      events: this.events,
      timers: this.#timers,
      isOn: () => this.isOn(),
      isOff: () => this.#phase === 'off',
      talk: (informed) => this.#dialogue.hold(informed),
      onOver: () => {
        this.#pending.sessionOver();
        this.#transfers.forgetSession();
      },
      onGoOn: () => {
        this.#periodic.schedule();
        this.#bootstrapWhereNew();
      },
      hasMore: () => !this.#pending.isEmpty || this.#transfers.completions.length > 0,
    });
  }

  #newDialogue(): Dialogue {
    return new Dialogue({
      identity: this.identity,
      settings: this.#settings,
      parameters: this.parameters,
      faults: this.#faults,
      pending: this.#pending,
      transfers: this.#transfers,
      events: this.events,
      signal: this.#abort.signal,
      retryCount: () => this.#calling.retryCount,
      reboot: (onBoot) => this.#rebootWhenIdle(onBoot),
    });
  }

  #boot(): void {
    const from = this.softwareVersion;
    const to = this.#nextVersion ?? from;
    this.#nextVersion = null;
    if (to !== from) {
      this.parameters.set(this.parameters.path('DeviceInfo.SoftwareVersion'), to);
      this.events.emit('version', { identity: this.identity, from, to });
      if (this.#settings.valueChange) this.#pending.raise('4 VALUE CHANGE');
    }
    this.#calling.booted();
    this.#bootstrapWhereNew();
    this.#pending.raise('1 BOOT');
    this.#periodic.schedule();
    for (const act of this.#onBoot.splice(0)) act();
    this.#transfers.work();
    this.#calling.due();
  }

  #bootstrapWhereNew(): void {
    const url = this.#value('ManagementServer.URL');
    if (url === this.#bootstrappedUrl) return;
    this.#bootstrappedUrl = url;
    this.#pending.raise('0 BOOTSTRAP');
  }

  #rebootWhenIdle(onBoot: () => void): void {
    this.#calling.whenIdle(() => this.#reboot(null, onBoot));
  }

  #reboot(softwareVersion: string | null, onBoot: () => void): void {
    if (this.#phase !== 'on' && this.#phase !== 'rebooting') return;
    if (softwareVersion !== null) this.#nextVersion = softwareVersion;
    this.#onBoot.push(onBoot);
    if (this.#phase === 'rebooting') return;
    this.#goDown('rebooting');
    this.events.emit('reboot', { identity: this.identity });
    this.#timers.after(this.#settings.rebootMs, () => {
      this.#phase = 'on';
      this.#boot();
    });
  }

  #vanish(): void {
    this.#goDown('gone');
    this.events.emit('gone', { identity: this.identity });
  }

  #goDown(phase: 'rebooting' | 'gone'): void {
    this.#phase = phase;
    this.#timers.clear();
    this.#calling.goDown();
    this.#periodic.goDown();
    this.#transfers.goDown();
    // A connection request does not survive a reboot (TR-069 table 8).
    this.#pending.discard('6 CONNECTION REQUEST');
  }

  #periodicIntervalMs(): number | null {
    if (this.#settings.periodicIntervalMs !== null) return this.#settings.periodicIntervalMs;
    const enabled = /^(?:1|true)$/.test(this.#value('ManagementServer.PeriodicInformEnable'));
    const seconds = Number(this.#value('ManagementServer.PeriodicInformInterval'));
    return enabled && seconds >= 1 ? seconds * 1_000 : null;
  }
}
