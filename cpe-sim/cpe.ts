import { AcsConnection } from './acs-connection.js';
import type { ConnectionRequestTarget } from './connection-requests.js';
import { ParameterSet } from './data-model.js';
import { createEmitter, type SimulatorEmitter } from './events.js';
import { FaultPlan } from './fault.js';
import type { Credentials } from './http-auth.js';
import { checkIdentity, type SimulatedCpeOptions, type SimulatorSettings, settingsOf } from './options.js';
import { retryWaitMs } from './retry.js';
import { answerDataModelRequest } from './rpc.js';
import { type Reply, runSession, type SessionDevice } from './session.js';
import type { AcsRequest, CpeIdentity, CpeRequest, EventStruct, NamedValue } from './soap/index.js';
import { type Timer, Timers } from './timers.js';
import { now, type TransferHost, Transfers } from './transfers.js';

type Phase = 'off' | 'on' | 'rebooting' | 'gone';

/** Most events of one Inform (schema of EventList). */
const EVENTS_MAX = 64;
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
  readonly #timers = new Timers();
  readonly #transfers: Transfers;
  readonly #abort = new AbortController();
  #phase: Phase = 'off';
  #session: Promise<void> | null = null;
  #sessionWanted = false;
  #afterSession: (() => void)[] = [];
  #events: EventStruct[] = [];
  /** Those of {@link #events} that the Inform under way tells. */
  #inFlight: readonly EventStruct[] = [];
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
    this.parameters = new ParameterSet(options.dataModel);
    this.#faults = new FaultPlan(options.faults);
    this.#transfers = new Transfers(this.#transferHost());
    const { parameters } = this;
    const set = (path: string, value: string): void => parameters.set(parameters.path(path), value);
    set('DeviceInfo.Manufacturer', this.identity.manufacturer);
    set('DeviceInfo.ManufacturerOUI', this.identity.oui);
    set('DeviceInfo.ProductClass', this.identity.productClass);
    set('DeviceInfo.SerialNumber', this.identity.serialNumber);
    if (options.softwareVersion !== undefined) set('DeviceInfo.SoftwareVersion', options.softwareVersion);
    if (options.hardwareVersion !== undefined) set('DeviceInfo.HardwareVersion', options.hardwareVersion);
    set('ManagementServer.URL', options.acsUrl);
    set('ManagementServer.Username', options.acsCredentials?.username ?? '');
    set('ManagementServer.Password', options.acsCredentials?.password ?? '');
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
    this.#abort.abort(new Error('the CPE was switched off'));
    await this.#session;
    await this.#transfers.stopped();
    this.#timers.clear();
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
    this.#raise('4 VALUE CHANGE');
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
      this.#raise('6 CONNECTION REQUEST');
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
      after: (waitMs, act) => void this.#timers.after(waitMs, act),
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
      if (this.#settings.valueChange) this.#raise('4 VALUE CHANGE');
    }
    this.#retryCount = 0;
    this.#bootstrapWhereNew();
    this.#raise('1 BOOT');
    this.#schedulePeriodic();
    for (const act of this.#onBoot.splice(0)) act();
    this.#transfers.work();
    this.#sessionDue();
  }

  #bootstrapWhereNew(): boolean {
    const url = this.#value('ManagementServer.URL');
    if (url === this.#bootstrappedUrl) return false;
    this.#bootstrappedUrl = url;
    this.#raise('0 BOOTSTRAP');
    return true;
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
    this.#sessionWanted = false;
    this.#transfers.forgetSession();
    // A connection request does not survive a reboot (TR-069 table 8).
    this.#events = this.#events.filter(({ eventCode }) => eventCode !== '6 CONNECTION REQUEST');
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
      this.#raise('2 PERIODIC');
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

  #raise(eventCode: string, commandKey = ''): void {
    // One that is just being told is over with its Inform; this is a new one, of which a session of its own will tell.
    const known = this.#events.some(
      (event) =>
        event.eventCode === eventCode && event.commandKey === commandKey && !this.#inFlight.includes(event),
    );
    if (!known && this.#events.length < EVENTS_MAX) this.#events.push({ eventCode, commandKey });
  }

  #whenIdle(act: () => void): void {
    if (this.#session === null) act();
    else this.#afterSession.push(act);
  }

  /** Starts a session, or makes one follow the one that runs. */
  #sessionDue(): void {
    if (this.#phase !== 'on') return;
    this.#sessionWanted = true;
    if (this.#session !== null) return;
    this.#sessionWanted = false;
    this.#retryTimer?.cancel();
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
    this.#inFlight = [];
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
    const moved = this.#bootstrapWhereNew();
    if (this.#session !== null) return;
    if (retryMs !== null) {
      this.#sessionWanted = false;
      this.#retryTimer = this.#timers.after(retryMs, () => this.#sessionDue());
    } else if (moved || this.#sessionWanted) this.#sessionDue();
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
    const events = this.#informEvents();
    const changed = [...this.#changed];
    const pending = [...this.#events];
    this.#inFlight = pending;
    let asksMethods =
      this.#settings.asksRpcMethods && pending.some((event) => event.eventCode === '0 BOOTSTRAP');
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
        // Delivered (TR-069 3.7.1.5); transfers are only so when their TransferComplete is answered.
        this.#events = this.#events.filter((event) => !pending.includes(event));
        this.#inFlight = [];
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

  #informEvents(): readonly EventStruct[] {
    const { completions } = this.#transfers;
    const all = [
      ...this.#events,
      ...(completions.length > 0 ? [{ eventCode: '7 TRANSFER COMPLETE', commandKey: '' }] : []),
      ...completions.map(({ commandKey }) => ({ eventCode: 'M Download', commandKey })),
    ];
    const distinct = new Map(all.map((event) => [`${event.eventCode}\n${event.commandKey}`, event]));
    return [...distinct.values()].slice(0, EVENTS_MAX);
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
        this.#whenIdle(() => this.#reboot(null, () => this.#raise('M Reboot', request.commandKey)));
        return { kind: 'answer', response: { type: 'RebootResponse' } };
      default:
        return { kind: 'answer', response: answerDataModelRequest(request, this.parameters) };
    }
  }
}
