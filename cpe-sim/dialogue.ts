import { AcsConnection } from './acs-connection.js';
import type { ParameterSet } from './data-model.js';
import type { SimulatorEmitter } from './events.js';
import type { FaultPlan } from './fault.js';
import type { SimulatorSettings } from './options.js';
import type { PendingEvents } from './pending-events.js';
import { answerDataModelRequest, faultResponse } from './rpc.js';
import { type Reply, runSession, type SessionDevice } from './session.js';
import {
  type AcsRequest,
  CPE_METHODS,
  type CpeIdentity,
  type CpeRequest,
  type CpeResponse,
  hasMethod,
  type NamedValue,
  OPTIONAL_METHODS,
  type OptionalMethod,
  type QueueMethod,
} from './soap/index.js';
import { now, type Transfers } from './transfers.js';

/** Changed parameters that one Inform carries beside the forced ones. */
const CHANGED_MAX = 256;

/** Whose words these are. */
export interface Speaker {
  readonly identity: CpeIdentity;
  readonly settings: SimulatorSettings;
  readonly parameters: ParameterSet;
  readonly faults: FaultPlan;
  readonly pending: PendingEvents;
  readonly transfers: Transfers;
  readonly events: SimulatorEmitter;
  readonly signal: AbortSignal;
  /** How many sessions in a row have failed. */
  retryCount(): number;
  /** Reboots once the session is over, and runs `onBoot` before the next Inform. */
  reboot(onBoot: () => void): void;
}

/** What a CPE tells its ACS and answers it. */
export class Dialogue {
  readonly #speaker: Speaker;
  readonly #changed = new Set<string>();

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  /** The next Inform carries this parameter too. */
  changed(path: string): void {
    if (this.#changed.size < CHANGED_MAX) this.#changed.add(path);
  }

  /**
   * Holds a session with the ACS that is set.
   * @param informed  takes the codes of the events that it tells
   * @returns how many messages the CPE sent
   */
  hold(informed: string[]): Promise<number> {
    const { signal } = this.#speaker;
    const { authScheme, style, cwmpVersion, responseMsMax, silenceMsMax, onEnvelope } =
      this.#speaker.settings;
    signal.throwIfAborted();
    const username = this.#value('ManagementServer.Username');
    const connection = new AcsConnection({
      url: this.#value('ManagementServer.URL'),
      credentials: username === '' ? null : { username, password: this.#value('ManagementServer.Password') },
      authScheme,
      style,
      responseMsMax,
      signal,
    });
    return runSession({
      device: this.#device(informed),
      connection,
      version: cwmpVersion,
      style,
      silenceMsMax,
      ...(onEnvelope === null ? {} : { onEnvelope }),
    });
  }

  #value(relative: string): string {
    const { parameters } = this.#speaker;
    return parameters.value(parameters.path(relative)) ?? '';
  }

  #device(informed: string[]): SessionDevice {
    const { identity, settings, faults, pending, transfers } = this.#speaker;
    const events = pending.tell(transfers.completions.map(({ commandKey }) => commandKey));
    const changed = [...this.#changed];
    let asksMethods = settings.asksRpcMethods && events.some((event) => event.eventCode === '0 BOOTSTRAP');
    informed.push(...events.map(({ eventCode }) => eventCode));
    transfers.sessionStarts();
    return {
      inform: () => ({
        type: 'Inform',
        deviceId: identity,
        events,
        currentTime: now(),
        retryCount: this.#speaker.retryCount(),
        parameters: this.#informParameters(changed),
      }),
      informAnswered: () => {
        if (faults.take('drop', ({ at }) => at === 'inform-response') !== null) return false;
        pending.delivered();
        for (const path of changed) this.#changed.delete(path);
        const retryCount = this.#speaker.retryCount();
        this.#speaker.events.emit('inform', { identity, events: informed, retryCount });
        return true;
      },
      nextRequest: async () => {
        const transfer = await transfers.nextRequest();
        return transfer ?? (asksMethods ? { type: 'GetRPCMethods' } : null);
      },
      requestAnswered: (request: CpeRequest) => {
        if (request.type === 'TransferComplete') transfers.requestAnswered();
        else asksMethods = false;
      },
      answer: (request) => this.#answer(request),
    };
  }

  #informParameters(changed: readonly string[]): readonly NamedValue[] {
    const { parameters } = this.#speaker;
    const paths = new Set([...parameters.model.informPaths, ...changed]);
    return [...paths].flatMap((path) => parameters.named(path) ?? []);
  }

  async #answer(request: AcsRequest): Promise<Reply> {
    const { parameters, pending, transfers } = this.#speaker;
    switch (request.type) {
      case 'Download':
        return transfers.answer(request);
      case 'Reboot':
        this.#speaker.reboot(() => pending.raise('M Reboot', request.commandKey));
        return { kind: 'answer', response: { type: 'RebootResponse' } };
      case 'CancelTransfer':
        return this.#answerCancel(request.commandKey);
      case 'GetRPCMethods':
        return { kind: 'answer', response: { type: 'GetRPCMethodsResponse', methods: this.#methods() } };
      case 'GetQueuedTransfers':
      case 'GetAllQueuedTransfers':
        return this.#answerQueue(request.type);
      default:
        return { kind: 'answer', response: answerDataModelRequest(request, parameters) };
    }
  }

  async #answerQueue(method: QueueMethod): Promise<Reply> {
    const { identity, transfers: queue, events } = this.#speaker;
    const transfers = this.#supports(method) ? await queue.queued() : null;
    const commandKeys = transfers?.map(({ commandKey }) => commandKey) ?? null;
    events.emit('queue-asked', { identity, method, commandKeys });
    const response: CpeResponse =
      transfers === null ? faultResponse(9000) : { type: `${method}Response`, transfers };
    return { kind: 'answer', response };
  }

  #answerCancel(commandKey: string): Reply {
    const { identity, transfers, events } = this.#speaker;
    const response = this.#supports('CancelTransfer') ? transfers.cancel(commandKey) : faultResponse(9000);
    const faultCode = response.type === 'Fault' ? response.fault.faultCode : null;
    events.emit('cancel-asked', { identity, commandKey, faultCode });
    return { kind: 'answer', response };
  }

  #methods(): readonly string[] {
    return [...CPE_METHODS, ...OPTIONAL_METHODS.filter((method) => this.#supports(method))];
  }

  #supports(method: OptionalMethod): boolean {
    const { settings, faults } = this.#speaker;
    if (!hasMethod(settings.cwmpVersion, method)) return false;
    return faults.take('unsupported', (fault) => fault.method === method) === null;
  }
}
