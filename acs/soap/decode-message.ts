import { cutText } from '../../common/index.js';
import { isSecretParameter, keptOfSecret } from '../../rules/index.js';
import type { Element } from './element-tree.js';
import { UNREADABLE } from './forgiving-tree.js';
import {
  EVENTS_MAX,
  IDENTITY_CHARACTERS_MAX,
  NAME_CHARACTERS_MAX,
  PARAMETER_NAME_CHARACTERS_MAX,
  QUEUED_TRANSFERS_MAX,
  SHORT_TEXT_CHARACTERS_MAX,
  type SoapLimits,
  TRANSFER_URL_CHARACTERS_MAX,
} from './limits.js';
import {
  ACS_FAULT,
  type AcsFaultCode,
  type AutonomousTransferComplete,
  type CpeMessage,
  type CpeResponse,
  type DeviceIdStruct,
  type EnvelopeStyle,
  type EventStruct,
  type FaultStruct,
  type Inform,
  type Mend,
  type Parameter,
  SoapError,
  type TransferComplete,
} from './message.js';
import { parameterValue } from './parameter-value.js';

/** What a fault without a readable CWMP code is taken to say: "internal error" (TR-069 A.5.1). */
const FAULT_CODE_UNSPECIFIED = 9002;
const UNSIGNED_INT_MAX = 4_294_967_295;

/** Reads the fields of one message; what is wrong becomes a fault in the style of its envelope. */
export class MessageReader {
  readonly #id: string | null;
  readonly #style: EnvelopeStyle;
  readonly #rpc: string | null;
  readonly limits: SoapLimits;
  /** Takes what is put right. */
  readonly mended: Set<Mend>;

  /** @param rpc  the local name of the message; null where there is none */
  constructor(
    id: string | null,
    style: EnvelopeStyle,
    rpc: string | null,
    limits: SoapLimits,
    mended: Set<Mend>,
  ) {
    this.#id = id;
    this.#style = style;
    this.#rpc = rpc;
    this.limits = limits;
    this.mended = mended;
  }

  fault(faultCode: AcsFaultCode, message: string): SoapError {
    return new SoapError(message, { kind: 'fault', faultCode, id: this.#id, style: this.#style }, this.#rpc);
  }

  invalid(field: string, problem: string): SoapError {
    return this.fault(ACS_FAULT.invalidArguments, `${field} ${problem}`);
  }

  required(parent: Element, local: string, path: string): Element {
    const element = parent.child(local);
    if (element === null) throw this.invalid(path, 'is missing');
    return element;
  }

  /** A text that tells something: trimmed, cut at a length nobody needs more of; empty where it is missing. */
  shortText(parent: Element, local: string): string {
    return cutText(parent.child(local)?.text.trim() ?? '', SHORT_TEXT_CHARACTERS_MAX);
  }

  /** @returns null where the field is missing or empty */
  unsignedInt(parent: Element, local: string, path: string): number | null {
    const text = parent.child(local)?.text.trim() ?? '';
    if (text === '') return null;
    const value = unsignedIntOf(text);
    if (value === null) {
      throw this.invalid(path, `must be an unsigned integer, found ${JSON.stringify(text.slice(0, 32))}`);
    }
    return value;
  }

  /** A number that decides nothing: the default where it is missing, and where it is none, so that it turns nobody away. */
  unimportantInt(parent: Element, local: string, otherwise: number): number {
    const text = parent.child(local)?.text.trim() ?? '';
    if (text === '') return otherwise;
    const value = unsignedIntOf(text);
    if (value === null) this.mended.add('number');
    return value ?? otherwise;
  }

  /** Status of a response: 0 done, 1 to come. */
  status(response: Element): 0 | 1 {
    const path = `${response.local}.Status`;
    const status = this.unsignedInt(response, 'Status', path);
    if (status !== 0 && status !== 1) throw this.invalid(path, 'must be 0 or 1');
    return status;
  }

  /** The members of an array, whatever they are called and however many arrayType promises (SOAP 1.1, 5.4.2). */
  members(array: Element | null, path: string, membersMax: number): readonly Element[] {
    const members = array?.children ?? [];
    if (members.length > membersMax) {
      throw this.fault(ACS_FAULT.resourcesExceeded, `${path} may have at most ${membersMax} entries`);
    }
    return members;
  }
}

function unsignedIntOf(text: string): number | null {
  const value = /^\+?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value <= UNSIGNED_INT_MAX ? value : null;
}

/** What {@link decodeMessage} knows. */
export const MESSAGES: ReadonlySet<string> = new Set(
  Object.keys({
    Inform: true,
    TransferComplete: true,
    AutonomousTransferComplete: true,
    RequestDownload: true,
    GetRPCMethods: true,
    GetRPCMethodsResponse: true,
    GetParameterValuesResponse: true,
    SetParameterValuesResponse: true,
    DownloadResponse: true,
    RebootResponse: true,
    CancelTransferResponse: true,
    GetQueuedTransfersResponse: true,
    GetAllQueuedTransfersResponse: true,
  } satisfies Readonly<Record<Exclude<CpeMessage['type'], 'unknown' | 'Fault'>, true>>),
);

/** @returns null for an RPC that is not known */
export function decodeMessage(reader: MessageReader, element: Element): CpeMessage | null {
  switch (element.local) {
    case 'Inform':
      return decodeInform(reader, element);
    case 'TransferComplete':
      return decodeTransferComplete(reader, element);
    case 'AutonomousTransferComplete':
      return decodeAutonomousTransfer(reader, element);
    case 'GetRPCMethods':
    case 'RequestDownload':
      return { type: element.local };
    case 'GetRPCMethodsResponse':
      return { type: 'GetRPCMethodsResponse', methods: decodeMethods(reader, element) };
    case 'GetParameterValuesResponse':
      return { type: 'GetParameterValuesResponse', parameters: decodeParameters(reader, element) };
    case 'SetParameterValuesResponse':
    case 'RebootResponse':
    case 'CancelTransferResponse':
      return { type: element.local };
    case 'DownloadResponse':
      return {
        type: 'DownloadResponse',
        status: reader.status(element),
        startTime: reader.shortText(element, 'StartTime'),
        completeTime: reader.shortText(element, 'CompleteTime'),
      };
    case 'GetQueuedTransfersResponse':
    case 'GetAllQueuedTransfersResponse':
      return { type: element.local, commandKeys: decodeQueue(reader, element) };
    default:
      return null;
  }
}

/** TR-069 A.3.3.1 */
function decodeInform(reader: MessageReader, element: Element): Inform {
  return {
    type: 'Inform',
    deviceId: decodeDeviceId(reader, reader.required(element, 'DeviceId', 'Inform.DeviceId')),
    events: decodeEvents(reader, element.child('Event')),
    // Since TR-069 Amendment 3 it must be taken for 1 in any case.
    maxEnvelopes: reader.unimportantInt(element, 'MaxEnvelopes', 1),
    currentTime: reader.shortText(element, 'CurrentTime'),
    retryCount: reader.unimportantInt(element, 'RetryCount', 0),
    parameters: decodeParameters(reader, element),
  };
}

function decodeDeviceId(reader: MessageReader, element: Element): DeviceIdStruct {
  const identity = (local: string): string => {
    const text = element.child(local)?.text.trim() ?? '';
    if (text.length > IDENTITY_CHARACTERS_MAX) {
      throw reader.invalid(
        `Inform.DeviceId.${local}`,
        `may have at most ${IDENTITY_CHARACTERS_MAX} characters`,
      );
    }
    return text;
  };
  const required = (local: string): string => {
    const text = identity(local);
    if (text === '') throw reader.invalid(`Inform.DeviceId.${local}`, 'is missing or empty');
    // Where characters could not be read, two CPEs might look like one. A product class may hold them: the other two tell CPEs apart.
    if (reader.mended.has('character') || reader.mended.has('bytes')) {
      if (text.includes(UNREADABLE)) {
        throw reader.invalid(`Inform.DeviceId.${local}`, 'holds characters that cannot be read');
      }
    }
    return text;
  };
  return {
    manufacturer: reader.shortText(element, 'Manufacturer'),
    oui: required('OUI'),
    productClass: identity('ProductClass'),
    serialNumber: required('SerialNumber'),
  };
}

function decodeEvents(reader: MessageReader, list: Element | null): readonly EventStruct[] {
  if (list === null) reader.mended.add('event');
  return reader
    .members(list, 'Inform.Event', EVENTS_MAX)
    .map((member) => ({
      eventCode: reader.shortText(member, 'EventCode'),
      commandKey: reader.shortText(member, 'CommandKey'),
    }))
    .filter((event) => event.eventCode !== '');
}

/** TR-069 A.3.3.2 */
function decodeTransferComplete(reader: MessageReader, element: Element): TransferComplete {
  const fault = element.child('FaultStruct');
  return {
    type: 'TransferComplete',
    commandKey: reader.shortText(element, 'CommandKey'),
    fault: fault === null ? null : decodeTransferFault(reader, fault),
    startTime: reader.shortText(element, 'StartTime'),
    completeTime: reader.shortText(element, 'CompleteTime'),
  };
}

/** TR-069 A.3.3.3. Nothing of it is required: refused, it would come again in every session. */
function decodeAutonomousTransfer(reader: MessageReader, element: Element): AutonomousTransferComplete {
  const fault = element.child('FaultStruct');
  const url = element.child('TransferURL')?.text.trim() ?? '';
  return {
    type: 'AutonomousTransferComplete',
    transferUrl: cutText(url, TRANSFER_URL_CHARACTERS_MAX),
    isDownload: isTrue(element, 'IsDownload'),
    fileType: reader.shortText(element, 'FileType'),
    targetFileName: reader.shortText(element, 'TargetFileName'),
    fault: fault === null ? null : decodeTransferFault(reader, fault),
  };
}

function isTrue(parent: Element, local: string): boolean {
  const text = parent.child(local)?.text.trim().toLowerCase();
  return text === '1' || text === 'true';
}

/** @returns null for code 0, and where there is no code: then nothing says that the transfer failed */
function decodeTransferFault(reader: MessageReader, fault: Element): FaultStruct | null {
  const faultCode = decodeFaultCode(fault) ?? 0;
  return faultCode === 0 ? null : { faultCode, faultString: reader.shortText(fault, 'FaultString') };
}

/**
 * A fault whose code cannot be read is a fault all the same: refused, it would come again in every session.
 *
 * @returns null where the field is missing or empty
 */
function decodeFaultCode(fault: Element): number | null {
  const text = fault.child('FaultCode')?.text.trim() ?? '';
  if (text === '') return null;
  return /^\d{1,5}$/.test(text) ? Number(text) : FAULT_CODE_UNSPECIFIED;
}

function decodeMethods(reader: MessageReader, response: Element): readonly string[] {
  return reader
    .members(response.child('MethodList'), 'MethodList', reader.limits.parametersMax)
    .map((member) => cutText(member.text.trim(), NAME_CHARACTERS_MAX));
}

/**
 * TR-069 A.4.1.1 and A.4.1.7. Both have their entries in a TransferList, and of an entry only its key is wanted. Where the queue holds
 * what others asked for as well, an entry without a key is left out unless it is a download of firmware.
 */
function decodeQueue(reader: MessageReader, response: Element): readonly string[] {
  return reader
    .members(response.child('TransferList'), `${response.local}.TransferList`, QUEUED_TRANSFERS_MAX)
    .map((member) => ({ member, commandKey: reader.shortText(member, 'CommandKey') }))
    .filter(({ member, commandKey }) => commandKey !== '' || mayBeFirmware(member))
    .map(({ commandKey }) => commandKey);
}

/** An entry of GetQueuedTransfers says neither, and is of what the ACS asked for. */
function mayBeFirmware(queued: Element): boolean {
  if (queued.child('IsDownload') !== null && !isTrue(queued, 'IsDownload')) return false;
  const fileType = queued.child('FileType')?.text.trim() ?? '';
  return fileType === '' || fileType.startsWith('1 ') || fileType.startsWith('X ');
}

function decodeParameters(reader: MessageReader, message: Element): readonly Parameter[] {
  const path = `${message.local}.ParameterList`;
  const members = reader.members(message.child('ParameterList'), path, reader.limits.parametersMax);
  const parameters: Parameter[] = [];
  for (const member of members) {
    const name = member.child('Name')?.text.trim() ?? '';
    // An entry without a name says nothing about any parameter; the rest of the list is still good.
    if (name === '') continue;
    if (name.length > PARAMETER_NAME_CHARACTERS_MAX) {
      throw reader.invalid(`${path} Name`, `may have at most ${PARAMETER_NAME_CHARACTERS_MAX} characters`);
    }
    const value = member.child('Value');
    const xsdType = localType(value?.type ?? null);
    const told = parameterValue(value?.text ?? '', xsdType);
    // Here, so that nothing behind this edge has a secret that it could store, digest or tell.
    parameters.push({ name, value: isSecretParameter(name) ? keptOfSecret(told) : told, xsdType });
  }
  return parameters;
}

/** `xsd:unsignedInt` → `unsignedInt`, `xsd:string(1024)` → `string` (ZTE); a value without type is a string. */
function localType(type: string | null): string {
  if (type === null) return 'string';
  const local = /^[\w.-]+/.exec(type.slice(type.indexOf(':') + 1).trim())?.[0];
  return local === undefined ? 'string' : cutText(local, NAME_CHARACTERS_MAX);
}

/**
 * A SOAP fault of a CPE. Its CWMP part is looked for by local name, since CPEs qualify it in many ways; where it is
 * missing, the fault is "internal error" with SOAP's own words.
 *
 * @see TR-069 3.4.7 and A.5.1
 */
export function decodeFault(reader: MessageReader, element: Element): CpeResponse {
  const detail = element.child('detail') ?? element.child('Detail');
  const fault = detail?.child('Fault') ?? detail;
  const faultCode = fault === null ? null : decodeFaultCode(fault);
  if (fault === null || faultCode === null) {
    const faultString = reader.shortText(element, 'faultstring');
    return { type: 'Fault', fault: { faultCode: FAULT_CODE_UNSPECIFIED, faultString }, parameterFaults: [] };
  }
  const members = reader.members(fault, 'Fault', reader.limits.parametersMax);
  return {
    type: 'Fault',
    fault: { faultCode, faultString: reader.shortText(fault, 'FaultString') },
    parameterFaults: members
      .filter((member) => member.local === 'SetParameterValuesFault')
      .map((member) => ({
        name: cutText(member.child('ParameterName')?.text.trim() ?? '', PARAMETER_NAME_CHARACTERS_MAX),
        faultCode: decodeFaultCode(member) ?? FAULT_CODE_UNSPECIFIED,
        faultString: reader.shortText(member, 'FaultString'),
      })),
  };
}
