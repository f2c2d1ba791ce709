import { type Logger, silentLogger } from '../common/index.js';
import type { ConnectionRequestListener } from './connection-requests.js';
import { type DataModel, ParameterSet } from './data-model.js';
import type { SimulatorEmitter } from './events.js';
import type { Fault } from './fault.js';
import type { AuthScheme, Credentials } from './http-auth.js';
import type { RetryPolicy } from './retry.js';
import { type CpeIdentity, type CwmpVersion, DEFAULT_STYLE, type EnvelopeStyle } from './soap/index.js';
import type { Gate } from './timers.js';

/** Sees every envelope; null is an empty POST or an empty answer. */
export type EnvelopeObserver = (direction: 'sent' | 'received', envelope: Buffer | string | null) => void;

/** What may be the same for many CPEs. */
export interface CpeBehaviour {
  readonly acsUrl: string;
  /** For the ACS's Basic or Digest challenge; the ACS may set others. */
  readonly acsCredentials?: Credentials;
  /** Which of the two it takes where both are offered; default `basic`. */
  readonly authScheme?: AuthScheme;
  readonly dataModel: DataModel;
  /** In place of the data model's own. */
  readonly softwareVersion?: string;
  readonly hardwareVersion?: string;
  /** Default 1.2. */
  readonly cwmpVersion?: CwmpVersion;
  /** Informs so often whatever the ACS sets; by default as the ACS sets it. */
  readonly periodicIntervalMs?: number;
  /** How long a reboot takes; default 1,000. */
  readonly rebootMs?: number;
  /** First wait of the session retry policy; default 5,000, as TR-069 has it. */
  readonly retryMs?: number;
  /** What each further wait is multiplied by (CWMPRetryIntervalMultiplier / 1000); from 1, default 2. */
  readonly retryFactor?: number;
  readonly style?: EnvelopeStyle;
  /** Asks the ACS for its RPCs in the first session; default false. */
  readonly asksRpcMethods?: boolean;
  /** Adds 4 VALUE CHANGE to the boot that shows a new version; default false. */
  readonly valueChange?: boolean;
  /** Answers connection requests with 503 while in a session; by default 200, and a session follows. */
  readonly busyInSession?: boolean;
  /** Connection requests that come sooner after an accepted one get 503; default 0. */
  readonly connectionRequestMsMin?: number;
  /** How long an answer of the ACS may take; default 30,000. */
  readonly responseMsMax?: number;
  /** How long the fault `hang` keeps a connection open; default 600,000. */
  readonly silenceMsMax?: number;
  /** How large the flash is; default 1 GiB. */
  readonly imageBytesMax?: number;
  /** How long a file server may be silent; default 30,000. */
  readonly downloadIdleMsMax?: number;
  /** Wait before a broken transfer is taken up again; default 1,000. */
  readonly downloadResumeMs?: number;
  /** Takes the connection requests; without one there is no ConnectionRequestURL. */
  readonly listener?: ConnectionRequestListener;
  /** Where events go; a CPE has an emitter of its own unless told. */
  readonly events?: SimulatorEmitter;
  /** Bounds how many sessions run at once. */
  readonly gate?: Gate;
  readonly logger?: Logger;
  readonly onEnvelope?: EnvelopeObserver;
}

export interface SimulatedCpeOptions extends CpeBehaviour {
  readonly identity: CpeIdentity;
  readonly faults?: readonly Fault[];
}

/** The behaviour with its defaults. */
export interface SimulatorSettings {
  readonly cwmpVersion: CwmpVersion;
  readonly periodicIntervalMs: number | null;
  readonly rebootMs: number;
  readonly retry: RetryPolicy;
  readonly style: EnvelopeStyle;
  readonly asksRpcMethods: boolean;
  readonly valueChange: boolean;
  readonly busyInSession: boolean;
  readonly connectionRequestMsMin: number;
  readonly authScheme: AuthScheme;
  readonly responseMsMax: number;
  readonly silenceMsMax: number;
  readonly download: {
    readonly imageBytesMax: number;
    readonly idleMsMax: number;
    readonly resumeMs: number;
  };
  readonly listener: ConnectionRequestListener | null;
  readonly gate: Gate | null;
  readonly logger: Logger;
  readonly onEnvelope: EnvelopeObserver | null;
}

/** CWMPRetryIntervalMultiplier / 1000 (TR-069 table 3). */
const RETRY_FACTOR = 2;

/** Settings are the same for all CPEs that are built with the same options but for identity and faults. */
export function settingsOf(options: CpeBehaviour): SimulatorSettings {
  const acs = URL.canParse(options.acsUrl) ? new URL(options.acsUrl) : null;
  if (acs === null || (acs.protocol !== 'http:' && acs.protocol !== 'https:'))
    throw new RangeError('acsUrl: must be an http or https URL');
  const waits = {
    periodicIntervalMs: options.periodicIntervalMs ?? 1,
    retryMs: options.retryMs ?? 5_000,
    rebootMs: options.rebootMs ?? 1_000,
  };
  for (const [name, waitMs] of Object.entries(waits)) {
    if (!(waitMs >= (name === 'rebootMs' ? 0 : 1) && Number.isFinite(waitMs)))
      throw new RangeError(`${name}: must be a positive number`);
  }
  if (
    options.retryFactor !== undefined &&
    !(options.retryFactor >= 1 && Number.isFinite(options.retryFactor))
  )
    throw new RangeError('retryFactor: must be a number from 1');
  return {
    cwmpVersion: options.cwmpVersion ?? '1.2',
    periodicIntervalMs: options.periodicIntervalMs ?? null,
    rebootMs: waits.rebootMs,
    retry: { waitMs: waits.retryMs, factor: options.retryFactor ?? RETRY_FACTOR },
    style: options.style ?? DEFAULT_STYLE,
    asksRpcMethods: options.asksRpcMethods ?? false,
    valueChange: options.valueChange ?? false,
    busyInSession: options.busyInSession ?? false,
    connectionRequestMsMin: options.connectionRequestMsMin ?? 0,
    authScheme: options.authScheme ?? 'basic',
    responseMsMax: options.responseMsMax ?? 30_000,
    silenceMsMax: options.silenceMsMax ?? 600_000,
    download: {
      imageBytesMax: options.imageBytesMax ?? 1_024 * 1_024 * 1_024,
      idleMsMax: options.downloadIdleMsMax ?? 30_000,
      resumeMs: options.downloadResumeMs ?? 1_000,
    },
    listener: options.listener ?? null,
    gate: options.gate ?? null,
    logger: options.logger ?? silentLogger,
    onEnvelope: options.onEnvelope ?? null,
  };
}

/** @throws RangeError where a field does not fit the schema's DeviceIdStruct */
export function checkIdentity(identity: CpeIdentity): CpeIdentity {
  if (!/^[0-9A-F]{6}$/.test(identity.oui)) throw new RangeError('oui: must be six upper-case hex digits');
  for (const field of ['manufacturer', 'productClass', 'serialNumber'] as const) {
    if (identity[field].length > 64) throw new RangeError(`${field}: must have at most 64 characters`);
  }
  if (identity.serialNumber === '') throw new RangeError('serialNumber: must not be empty');
  return identity;
}

/** The data model as this CPE leaves the factory and is told of its ACS. */
export function initialParameters(options: SimulatedCpeOptions): ParameterSet {
  const parameters = new ParameterSet(options.dataModel);
  const { identity, softwareVersion, hardwareVersion, acsUrl, acsCredentials } = options;
  const values = {
    'DeviceInfo.Manufacturer': identity.manufacturer,
    'DeviceInfo.ManufacturerOUI': identity.oui,
    'DeviceInfo.ProductClass': identity.productClass,
    'DeviceInfo.SerialNumber': identity.serialNumber,
    'DeviceInfo.SoftwareVersion': softwareVersion,
    'DeviceInfo.HardwareVersion': hardwareVersion,
    'ManagementServer.URL': acsUrl,
    'ManagementServer.Username': acsCredentials?.username ?? '',
    'ManagementServer.Password': acsCredentials?.password ?? '',
  };
  for (const [path, value] of Object.entries(values)) {
    if (value !== undefined) parameters.set(parameters.path(path), value);
  }
  return parameters;
}
