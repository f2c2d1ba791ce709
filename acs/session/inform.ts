import { type CpeId, EVENT_CODES, stillHolds } from '../../common/index.js';
import { moveBetween, type UrlMove, withUrlNoted, withUrlTrusted } from '../device/connection-request-url.js';
import { type DataModelRoot, type Device, REQUESTED_MS } from '../device/device.js';
import { digestOf } from '../device/parameter-report.js';
import type { EnvelopeStyle, Inform, Parameter } from '../soap/index.js';
import { stateOnInform } from './provisioning-plan.js';

/** Longer than any of these may be by the standard. */
const FIELD_CHARACTERS_MAX = {
  softwareVersion: 256,
  hardwareVersion: 256,
  modelName: 256,
  connectionRequestUrl: 1_024,
} as const;

export interface InformOutcome {
  readonly device: Device;
  /** False where only lastInform, address or events changed, which may trail. */
  readonly mustBeDurable: boolean;
  readonly firstContact: boolean;
  /** 0 BOOTSTRAP: whatever was known of its data model is void. */
  readonly bootstrap: boolean;
  readonly boot: boolean;
  /** An operator asked for this session; consumed by it. */
  readonly requested: boolean;
  /** Any parameter differs from the last Inform's, or nobody knows yet how much of its data model is kept. */
  readonly parametersChanged: boolean;
  readonly reportedVersion: string | null;
  /** Fields that the report has and that are not taken, and why; none where it is the last one again. */
  readonly refused: RefusedFields;
  /** Its connection-request URL is at another address than before. */
  readonly moved: UrlMove | null;
}

/** What becomes of a device by an Inform (TR-069 A.3.3.1). Pure. */
export function informed(
  stored: Device | null,
  cpeid: CpeId,
  inform: Inform,
  from: {
    readonly ip: string;
    readonly style: EnvelopeStyle;
    readonly nowMs: number;
    readonly isProven?: boolean;
    /** It waits to be enrolled: its data model is not kept. */
    readonly isWaiting?: boolean;
  },
): InformOutcome {
  const events = inform.events.map(({ eventCode }) => ownCopy(eventCode));
  const bootstrap = stored === null || events.includes('0 BOOTSTRAP');
  const root = rootOf(inform.parameters, stored?.root ?? 'Device');
  const informDigest = digestOf(inform.parameters);
  const requested = stillHolds(stored?.requestedUntilMs, REQUESTED_MS, from.nowMs);
  const before: Device = stored ?? blank(cpeid, root, from.nowMs);
  const { known, values, reportedVersion, refused } = toldFields(before, inform.parameters, root);
  const versionChanged = reportedVersion !== null && reportedVersion !== before.softwareVersion;
  const boot = events.includes('1 BOOT');
  // The wish for a session is consumed by this one, or its time is up.
  const {
    requestedUntilMs: _,
    identityProven: _proven,
    credentialsLostMs,
    enrolment: _enrolment,
    ...kept
  } = outlasting(known, { bootstrap, boot, versionChanged });
  const told: Device = {
    ...kept,
    ...inform.deviceId,
    ...values,
    ...(credentialsLostMs !== undefined && from.isProven !== true && { credentialsLostMs }),
    ...(from.isProven === true && { identityProven: true }),
    ...(from.isWaiting === true && { enrolment: 'waiting' }),
    root,
    namespace: from.style.namespace,
    ip: from.ip,
    lastInformMs: from.nowMs,
    lastEvents: events,
    informDigest,
  };
  const noted = withUrlNoted(before, told, from.nowMs);
  // It is the CPE itself that says where it is called.
  const isTrusted = from.isProven === true && noted.connectionRequestMovedMs !== undefined;
  const device = isTrusted ? withUrlTrusted(noted) : noted;
  // Of one that waits nothing is counted, as nothing is kept; once it is enrolled all is taken.
  const isUncounted = stored?.parametersBytes === undefined && from.isWaiting !== true;
  const parametersChanged = bootstrap || stored.informDigest !== informDigest || isUncounted;
  return {
    device,
    mustBeDurable: parametersChanged || requested || differs(before, device),
    firstContact: stored === null,
    bootstrap,
    boot,
    requested,
    parametersChanged,
    reportedVersion: reportedVersion === null ? null : detached(reportedVersion),
    refused: parametersChanged ? refused : {},
    moved: from.isProven === true ? null : moveBetween(before, device),
  };
}

/**
 * What of a device an Inform does not end. Mostly that is all, and the device itself: this is done in every session, and a device that is
 * put together of many parts is slow to read afterwards.
 */
function outlasting(
  device: Device,
  told: { readonly bootstrap: boolean; readonly boot: boolean; readonly versionChanged: boolean },
): Device {
  const state = stateOnInform(device, told);
  const knowsStill = !told.bootstrap && !told.versionChanged;
  const drops = {
    askedPaths: device.askedPaths !== undefined && !knowsStill,
    failedPaths: device.failedPaths !== undefined && (!knowsStill || told.boot),
    // Not after a boot, which may be what being asked has led to.
    unansweredPaths: device.unansweredPaths !== undefined && told.versionChanged,
    cancelUnsupported: device.cancelUnsupported !== undefined && !knowsStill,
  };
  const isSettled =
    state.provisioning === device.provisioning &&
    state.provisioningTries === device.provisioningTries &&
    state.provisioningFailures === device.provisioningFailures;
  if (isSettled && !Object.values(drops).includes(true)) return device;
  const {
    askedPaths,
    failedPaths,
    unansweredPaths,
    cancelUnsupported,
    provisioning: _now,
    provisioningTries: _tries,
    provisioningFailures: _failures,
    ...kept
  } = device;
  return {
    ...kept,
    ...state,
    ...(askedPaths !== undefined && !drops.askedPaths && { askedPaths }),
    ...(failedPaths !== undefined && !drops.failedPaths && { failedPaths }),
    ...(unansweredPaths !== undefined && !drops.unansweredPaths && { unansweredPaths }),
    ...(cancelUnsupported !== undefined && !drops.cancelUnsupported && { cancelUnsupported }),
  };
}

const OWN_EVENT_CODES = new Map([...EVENT_CODES, 'M Reboot', 'M Download'].map((code) => [code, code]));

/** An event code, or what came with it, in memory of its own. */
export function ownCopy(eventCode: string): string {
  return OWN_EVENT_CODES.get(eventCode) ?? detached(eventCode);
}

/**
 * The same text in memory of its own. A decoded string may be a slice that keeps the whole body alive, and some outlive their request:
 * events in the sightings that wait, the version in the session.
 */
function detached(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** The fields that a crash must not set back; the named ones are covered by the digest. */
function differs(before: Device, after: Device): boolean {
  return (
    before.manufacturer !== after.manufacturer ||
    before.oui !== after.oui ||
    before.productClass !== after.productClass ||
    before.root !== after.root ||
    before.identityProven !== after.identityProven ||
    before.credentialsLostMs !== after.credentialsLostMs ||
    before.enrolment !== after.enrolment ||
    before.namespace !== after.namespace ||
    before.provisioning !== after.provisioning ||
    before.failedPaths !== after.failedPaths ||
    before.connectionRequestMovedMs !== after.connectionRequestMovedMs ||
    before.softwareVersion !== after.softwareVersion
  );
}

function blank(cpeid: CpeId, root: DataModelRoot, nowMs: number): Device {
  return {
    id: cpeid,
    manufacturer: '',
    oui: '',
    productClass: '',
    serialNumber: '',
    root,
    namespace: 'urn:dslforum-org:cwmp-1-0',
    ip: '',
    provisioning: 'due',
    registeredMs: nowMs,
    lastInformMs: nowMs,
    lastEvents: [],
    tags: [],
    counts: {},
    informDigest: '',
  };
}

function rootOf(parameters: readonly Parameter[], known: DataModelRoot): DataModelRoot {
  for (const { name } of parameters) {
    if (name.startsWith('InternetGatewayDevice.')) return 'InternetGatewayDevice';
    if (name.startsWith('Device.')) return 'Device';
  }
  return known;
}

type NamedField = 'softwareVersion' | 'hardwareVersion' | 'modelName' | 'connectionRequestUrl';
export type RefusedFields = NonNullable<Device['refusedFields']>;
type Values = { -readonly [Name in NamedField]?: string };

/** What a report says of the parameters that the device document has fields for. */
interface NamedFields {
  readonly values: Values;
  /** Those that are not taken, and why. */
  readonly refused: Values;
}

/** Whichever root they hang under. Their values are compared and called, so that one beyond its bound is refused and not cut. */
function namedFields(parameters: readonly Parameter[], root: DataModelRoot): NamedFields {
  const values: Values = {};
  const refused: Values = {};
  for (const { name, value } of parameters) {
    if (!name.startsWith(root)) continue;
    const field = FIELD_OF.get(name.slice(root.length));
    if (field === undefined) continue;
    const text = String(value);
    const charactersMax = FIELD_CHARACTERS_MAX[field];
    if (text.length <= charactersMax) values[field] = text;
    else refused[field] = `has ${text.length} characters, and at most ${charactersMax} are taken`;
  }
  return { values, refused };
}

const FIELD_OF: ReadonlyMap<string, NamedField> = new Map([
  ['.DeviceInfo.SoftwareVersion', 'softwareVersion'],
  ['.DeviceInfo.HardwareVersion', 'hardwareVersion'],
  ['.DeviceInfo.ModelName', 'modelName'],
  ['.ManagementServer.ConnectionRequestURL', 'connectionRequestUrl'],
]);

/** A device after a report of parameters. A field that is refused is not known any more: what it was before is not true either. */
export function withNamedFields(
  device: Device,
  parameters: readonly Parameter[],
  root: DataModelRoot,
  nowMs: number,
): {
  readonly device: Device;
  readonly reportedVersion: string | null;
  readonly refused: Values;
  readonly moved: UrlMove | null;
} {
  const { known, values, reportedVersion, refused } = toldFields(device, parameters, root);
  const told = withUrlNoted(device, { ...known, ...values }, nowMs);
  return { device: told, reportedVersion, refused, moved: moveBetween(device, told) };
}

/** What {@link withNamedFields} makes a device of: what stays known of it, and what it has told. */
function toldFields(
  device: Device,
  parameters: readonly Parameter[],
  root: DataModelRoot,
): {
  readonly known: Device;
  readonly values: Values;
  readonly reportedVersion: string | null;
  readonly refused: Values;
} {
  const { values, refused } = namedFields(parameters, root);
  const reportedVersion = values.softwareVersion ?? null;
  if (device.refusedFields === undefined && Object.keys(refused).length === 0)
    return { known: device, values, reportedVersion, refused };
  const { softwareVersion, hardwareVersion, modelName, connectionRequestUrl, refusedFields, ...rest } =
    device;
  const still: Values = {};
  const unknown: Values = {};
  for (const name of FIELD_OF.values()) {
    const value = name in refused ? undefined : device[name];
    const reason = refused[name] ?? (name in values ? undefined : refusedFields?.[name]);
    if (value !== undefined) still[name] = value;
    if (reason !== undefined) unknown[name] = reason;
  }
  const told = Object.keys(unknown).length > 0 && { refusedFields: unknown };
  return { known: { ...rest, ...still, ...told }, values, reportedVersion, refused };
}
