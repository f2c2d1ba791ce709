import { AcsConnection } from './acs-connection.js';
import type { ConnectionRequestTarget } from './connection-requests.js';
import type { ParameterSet } from './data-model.js';
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
import { retryWaitMs } from './retry.js';
import { answerDataModelRequest, faultResponse } from './rpc.js';
import { type Reply, runSession, type SessionDevice } from './session.js';
import {
  type AcsRequest,
  CPE_METHODS,
  type CpeIdentity,
  type CpeRequest,
  type CpeResponse,
  hasQueueMethod,
  type NamedValue,
  QUEUE_METHODS,
  type QueueMethod,
} from './soap/index.js';
import { type Timer, Timers } from './timers.js';
import { now, type TransferHost, Transfers } from './transfers.js';

type Phase = 'off' | 'on' | 'rebooting' | 'gone';

/** Changed parameters that one Inform carries beside the forced ones. */
const CHANGED_MAX = 256;

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
  #phase: Phase = 'off';
  #session: Promise<void> | null = null;
  #afterSession: (() => void)[] = [];
  readonly #events = new PendingEvents();
  #changed = new Set<string>();
  #retryCount = 0;
  #retryTimer: Timer | null = null;
  #periodic: { readonly timer: Timer; readonly intervalMs: number } | null = null;
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
    return this.#session !== null;
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
    await this.#session;
    await this.#transfers.stopped();
  }

  /** Reboots it, as its owner might. Waits for the end of a running session. */
  reboot(): void {
    this.#whenIdle(() => this.#reboot(null, () => undefined));
  }

  /** Changes a parameter from the device's side; the ACS hears of it with 4 VALUE CHANGE. */
  change(path: string, value: string): void {
    if (this.parameters.value(path) === undefined) throw new RangeError(`there is no parameter ${path}`);
    this.parameters.set(path, value);
    if (this.#changed.size < CHANGED_MAX) this.#changed.add(path);
    this.#events.raise('4 VALUE CHANGE');
    this.#sessionDue();
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
      this.#events.raise('6 CONNECTION REQUEST');
      // The ACS is there and wants to talk: no reason to wait for a retry.
      this.#retryTimer?.cancel();
      this.#retryTimer = null;
      this.#sessionDue();
    }
    return outcome;
  }

  #connectionRequestOutcome(): 'accepted' | 'busy' | 'off' {
    if (this.#phase !== 'on') return 'off';
    if (this.#faults.take('busy-connection-request') !== null) return 'busy';
    if (this.#settings.busyInSession && this.#session !== null) return 'busy';
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
      afterSession: (act) => this.#whenIdle(act),
      after: (waitMs, act) => void this.#lastingTimers.after(waitMs, act),
      reboot: (softwareVersion, onBoot) => this.#reboot(softwareVersion, onBoot),
      vanish: () => this.#vanish(),
      sessionDue: () => this.#sessionDue(),
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

  // Power

  #boot(): void {
    const from = this.softwareVersion;
    const to = this.#nextVersion ?? from;
    this.#nextVersion = null;
    if (to !== from) {
      this.parameters.set(this.parameters.path('DeviceInfo.SoftwareVersion'), to);
      this.events.emit('version', { identity: this.identity, from, to });
      if (this.#settings.valueChange) this.#events.raise('4 VALUE CHANGE');
    }
    this.#retryCount = 0;
    this.#bootstrapWhereNew();
    this.#events.raise('1 BOOT');
    this.#schedulePeriodic();
    for (const act of this.#onBoot.splice(0)) act();
    this.#transfers.work();
    this.#sessionDue();
  }

  #bootstrapWhereNew(): void {
    const url = this.#value('ManagementServer.URL');
    if (url === this.#bootstrappedUrl) return;
    this.#bootstrappedUrl = url;
    this.#events.raise('0 BOOTSTRAP');
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
    this.#retryTimer = null;
    this.#periodic = null;
    this.#transfers.goDown();
    // A connection request does not survive a reboot (TR-069 table 8).
    this.#events.discard('6 CONNECTION REQUEST');
  }

  #schedulePeriodic(): void {
    const intervalMs = this.#periodicIntervalMs();
    if (this.#periodic?.intervalMs === intervalMs) return;
    this.#periodic?.timer.cancel();
    this.#periodic = null;
    if (intervalMs === null) return;
    const timer = this.#timers.after(intervalMs, () => {
      this.#periodic = null;
      this.#schedulePeriodic();
      this.#events.raise('2 PERIODIC');
      this.#sessionDue();
    });
    this.#periodic = { timer, intervalMs };
  }

  #periodicIntervalMs(): number | null {
    if (this.#settings.periodicIntervalMs !== null) return this.#settings.periodicIntervalMs;
    const enabled = /^(?:1|true)$/.test(this.#value('ManagementServer.PeriodicInformEnable'));
    const seconds = Number(this.#value('ManagementServer.PeriodicInformInterval'));
    return enabled && seconds >= 1 ? seconds * 1_000 : null;
  }

  // Sessions

  #whenIdle(act: () => void): void {
    if (this.#session === null) act();
    else this.#afterSession.push(act);
  }

  /** Something is to be told: now, or after the session that runs, or with the retry of one that failed. */
  #sessionDue(): void {
    if (this.#phase !== 'on') return;
    if (this.#session === null && this.#retryTimer === null) this.#startSession();
  }

  #startSession(): void {
    this.#retryTimer = null;
    this.#session = this.#holdSession();
  }

  async #holdSession(): Promise<void> {
    const informed: string[] = [];
    let failure: Error | null = null;
    let messages = 0;
    await this.#settings.gate?.enter();
    try {
      messages = await this.#talk(informed);
      this.#retryCount = 0;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      this.#retryCount++;
    } finally {
      this.#settings.gate?.leave();
    }
    this.#session = null;
    // Switched off: what was cut short is no failure of anybody.
    if (this.#phase === 'off') return;
    this.#events.sessionOver();
    this.#transfers.forgetSession();
    for (const act of this.#afterSession.splice(0)) act();
    const goesOn = this.#phase === 'on';
    const retryMs =
      failure === null || !goesOn ? null : retryWaitMs(this.#retryCount, this.#settings.retry, Math.random());
    if (failure === null) {
      this.events.emit('session', { identity: this.identity, outcome: 'ended', events: informed, messages });
    } else {
      const reason = failure.message;
      this.#settings.logger.debug('sim.session-failed', {
        serialNumber: this.identity.serialNumber,
        reason,
      });
      this.events.emit('session', {
        identity: this.identity,
        outcome: 'failed',
        events: informed,
        reason,
        retryMs,
      });
    }
    if (goesOn) this.#goOn(retryMs);
  }

  /** After a session: what the ACS changed takes effect, and the next session is due now, later or not yet. */
  #goOn(retryMs: number | null): void {
    this.#schedulePeriodic();
    this.#bootstrapWhereNew();
    if (this.#session !== null) return;
    if (retryMs !== null) this.#retryTimer = this.#timers.after(retryMs, () => this.#startSession());
    else if (!this.#events.isEmpty || this.#transfers.completions.length > 0) this.#startSession();
  }

  #talk(informed: string[]): Promise<number> {
    const { style, cwmpVersion, responseMsMax, silenceMsMax, onEnvelope } = this.#settings;
    const signal = this.#abort.signal;
    signal.throwIfAborted();
    const username = this.#value('ManagementServer.Username');
    const connection = new AcsConnection({
      url: this.#value('ManagementServer.URL'),
      credentials: username === '' ? null : { username, password: this.#value('ManagementServer.Password') },
      style,
      responseMsMax,
      signal,
    });
    return runSession({
      device: this.#sessionDevice(informed),
      connection,
      version: cwmpVersion,
      style,
      silenceMsMax,
      ...(onEnvelope === null ? {} : { onEnvelope }),
    });
  }

  #sessionDevice(informed: string[]): SessionDevice {
    const events = this.#events.tell(this.#transfers.completions.map(({ commandKey }) => commandKey));
    const changed = [...this.#changed];
    let asksMethods =
      this.#settings.asksRpcMethods && events.some((event) => event.eventCode === '0 BOOTSTRAP');
    informed.push(...events.map(({ eventCode }) => eventCode));
    this.#transfers.sessionStarts();
    return {
      inform: () => ({
        type: 'Inform',
        deviceId: this.identity,
        events,
        currentTime: now(),
        retryCount: this.#retryCount,
        parameters: this.#informParameters(changed),
      }),
      informAnswered: () => {
        if (this.#faults.take('drop', ({ at }) => at === 'inform-response') !== null) return false;
        this.#events.delivered();
        for (const path of changed) this.#changed.delete(path);
        const { identity } = this;
        this.events.emit('inform', { identity, events: informed, retryCount: this.#retryCount });
        return true;
      },
      nextRequest: async () => {
        const transfer = await this.#transfers.nextRequest();
        return transfer ?? (asksMethods ? { type: 'GetRPCMethods' } : null);
      },
      requestAnswered: (request: CpeRequest) => {
        if (request.type === 'TransferComplete') this.#transfers.requestAnswered();
        else asksMethods = false;
      },
      answer: (request) => this.#answer(request),
    };
  }

  #informParameters(changed: readonly string[]): readonly NamedValue[] {
    const paths = new Set([...this.parameters.model.informPaths, ...changed]);
    return [...paths].flatMap((path) => this.parameters.named(path) ?? []);
  }

  async #answer(request: AcsRequest): Promise<Reply> {
    switch (request.type) {
      case 'Download':
        return this.#transfers.answer(request);
      case 'Reboot':
        this.#whenIdle(() => this.#reboot(null, () => this.#events.raise('M Reboot', request.commandKey)));
        return { kind: 'answer', response: { type: 'RebootResponse' } };
      case 'GetRPCMethods':
        return { kind: 'answer', response: { type: 'GetRPCMethodsResponse', methods: this.#methods() } };
      case 'GetQueuedTransfers':
      case 'GetAllQueuedTransfers':
        return this.#answerQueue(request.type);
      default:
        return { kind: 'answer', response: answerDataModelRequest(request, this.parameters) };
    }
  }

  async #answerQueue(method: QueueMethod): Promise<Reply> {
    const transfers = this.#supports(method) ? await this.#transfers.queued() : null;
    const commandKeys = transfers?.map(({ commandKey }) => commandKey) ?? null;
    this.events.emit('queue-asked', { identity: this.identity, method, commandKeys });
    const response: CpeResponse =
      transfers === null ? faultResponse(9000) : { type: `${method}Response`, transfers };
    return { kind: 'answer', response };
  }

  #methods(): readonly string[] {
    return [...CPE_METHODS, ...QUEUE_METHODS.filter((method) => this.#supports(method))];
  }

  #supports(method: QueueMethod): boolean {
    if (!hasQueueMethod(this.#settings.cwmpVersion, method)) return false;
    return this.#faults.take('unsupported', (fault) => fault.method === method) === null;
  }
}
