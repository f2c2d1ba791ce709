import { type CpeId, cutText, EVENT_CODES } from '../../common/index.js';
import type { DataModelRoot, Device } from '../device/device.js';
import { digestOf } from '../device/parameter-store.js';
import type { EnvelopeStyle, Inform, Parameter } from '../soap/index.js';
import { stateOnInform } from './provisioning-plan.js';

/** Longer than any field's bound in the standard; what a device reports beyond is cut. */
const FIELD_CHARACTERS_MAX = 256;

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
  /** Any parameter differs from the last Inform's. */
  readonly parametersChanged: boolean;
  readonly reportedVersion: string | null;
}

/** What becomes of a device by an Inform (TR-069 A.3.3.1). Pure. */
export function informed(
  stored: Device | null,
  cpeid: CpeId,
  inform: Inform,
  from: { readonly ip: string; readonly style: EnvelopeStyle; readonly nowMs: number },
): InformOutcome {
  const events = inform.events.map(({ eventCode }) => ownCopy(eventCode));
  const bootstrap = stored === null || events.includes('0 BOOTSTRAP');
  const root = rootOf(inform.parameters, stored?.root ?? 'Device');
  const named = namedFields(inform.parameters, root);
  const informDigest = digestOf(inform.parameters);
  const requested = (stored?.requestedUntilMs ?? 0) > from.nowMs;
  const before: Device = stored ?? blank(cpeid, root, from.nowMs);
  const versionChanged =
    named.softwareVersion !== undefined && named.softwareVersion !== before.softwareVersion;
  // The wish for a session is consumed by this one, or its time is up.
  const { requestedUntilMs: _, askedPaths, failedPaths, ...seen } = before;
  const { provisioning: _now, provisioningTries: _tries, provisioningFailures: _failures, ...kept } = seen;
  const boot = events.includes('1 BOOT');
  const knowsStill = !bootstrap && !versionChanged;
  const device: Device = {
    ...kept,
    ...inform.deviceId,
    ...named,
    root,
    namespace: from.style.namespace,
    ip: from.ip,
    lastInformMs: from.nowMs,
    lastEvents: events,
    informDigest,
    ...stateOnInform(before, { bootstrap, boot, versionChanged }),
    ...(askedPaths !== undefined && knowsStill && { askedPaths }),
    ...(failedPaths !== undefined && knowsStill && !boot && { failedPaths }),
  };
  const parametersChanged = bootstrap || stored === null || stored.informDigest !== informDigest;
  return {
    device,
    mustBeDurable: parametersChanged || requested || differs(before, device),
    firstContact: stored === null,
    bootstrap,
    boot,
    requested,
    parametersChanged,
    reportedVersion: named.softwareVersion === undefined ? null : detached(named.softwareVersion),
  };
}

const OWN_EVENT_CODES = new Map([...EVENT_CODES, 'M Reboot', 'M Download'].map((code) => [code, code]));

function ownCopy(eventCode: string): string {
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
    before.root !== after.root ||
    before.namespace !== after.namespace ||
    before.provisioning !== after.provisioning ||
    before.failedPaths !== after.failedPaths ||
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

export interface NamedFields {
  softwareVersion?: string;
  hardwareVersion?: string;
  modelName?: string;
  connectionRequestUrl?: string;
}

/** The parameters that the device document has fields for, whichever root they hang under. */
export function namedFields(parameters: readonly Parameter[], root: DataModelRoot): NamedFields {
  const fields: NamedFields = {};
  for (const { name, value } of parameters) {
    if (!name.startsWith(root)) continue;
    const field = FIELD_OF.get(name.slice(root.length));
    if (field !== undefined) fields[field] = cutText(String(value), FIELD_CHARACTERS_MAX);
  }
  return fields;
}

const FIELD_OF: ReadonlyMap<string, keyof NamedFields> = new Map([
  ['.DeviceInfo.SoftwareVersion', 'softwareVersion'],
  ['.DeviceInfo.HardwareVersion', 'hardwareVersion'],
  ['.DeviceInfo.ModelName', 'modelName'],
  ['.ManagementServer.ConnectionRequestURL', 'connectionRequestUrl'],
]);
