import { Builder } from 'xml2js';
import {
  type CpeFault,
  type CpeMessage,
  type CwmpVersion,
  type NamedValue,
  namespaceOf,
  type QueuedTransfer,
  type XsdType,
} from './message.js';
import type { EnvelopeStyle } from './style.js';

/** An element as xml2js builds it: `$` holds attributes, any other key a child, an array repeats it. */
interface Element {
  readonly [name: string]:
    | string
    | Element
    | readonly (string | Element)[]
    | Readonly<Record<string, string>>;
}

/** What XML 1.0 cannot carry is dropped; lengths are checked where texts arise. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML 1.0 forbids
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

function text(value: string): string {
  return value.replace(NOT_XML, '');
}

function attributes(style: EnvelopeStyle, entries: readonly [string, string][]): Record<string, string> {
  return Object.fromEntries(style.attributeOrder === 'reversed' ? entries.toReversed() : entries);
}

/**
 * Writes one envelope.
 * @param id  the header's cwmp:ID; null: none
 * @returns the bytes to POST, in the style's charset
 * @see TR-069 3.4 and Annex A
 */
export function encodeEnvelope(
  message: CpeMessage,
  id: string | null,
  version: CwmpVersion,
  style: EnvelopeStyle,
): Buffer {
  const { soap, encoding, xsd, xsi, cwmp } = style.prefixes;
  const header: Element =
    id === null
      ? {}
      : {
          [`${soap}:Header`]: { [`${cwmp}:ID`]: { $: { [`${soap}:mustUnderstand`]: '1' }, _: text(id) } },
        };
  const envelope: Element = {
    [`${soap}:Envelope`]: {
      $: attributes(style, [
        [`xmlns:${soap}`, 'http://schemas.xmlsoap.org/soap/envelope/'],
        [`xmlns:${encoding}`, 'http://schemas.xmlsoap.org/soap/encoding/'],
        [`xmlns:${xsd}`, 'http://www.w3.org/2001/XMLSchema'],
        [`xmlns:${xsi}`, 'http://www.w3.org/2001/XMLSchema-instance'],
        [`xmlns:${cwmp}`, namespaceOf(version)],
      ]),
      ...header,
      [`${soap}:Body`]: bodyOf(message, version, style),
    },
  };
  const xml = new Builder({
    headless: !style.xmlDeclaration,
    xmldec: { version: '1.0', encoding: style.charset.toUpperCase() },
    renderOpts:
      style.whiteSpace === 'indented' ? { pretty: true, indent: '\t', newline: '\r\n' } : { pretty: false },
  }).buildObject(envelope);
  if (style.charset === 'utf-8') return Buffer.from(xml);
  // Only values hold such characters, so a character reference is fine wherever one stands.
  const references = xml.replace(/[\u{100}-\u{10ffff}]/gu, (character) => `&#${character.codePointAt(0)};`);
  return Buffer.from(references, 'latin1');
}

function array(
  style: EnvelopeStyle,
  memberType: string,
  memberName: string,
  members: readonly (string | Element)[],
): Element {
  const count = { exact: `${members.length}`, padded: `${members.length}`.padStart(4, '0'), zero: '0' }[
    style.arrayCounts
  ];
  return {
    $: { [`${style.prefixes.encoding}:arrayType`]: `${memberType}[${count}]` },
    [memberName]: members.map((member) => (typeof member === 'string' ? text(member) : member)),
  };
}

function parameterList(style: EnvelopeStyle, parameters: readonly NamedValue[]): Element {
  const { xsi, cwmp } = style.prefixes;
  return array(
    style,
    `${cwmp}:ParameterValueStruct`,
    'ParameterValueStruct',
    parameters.map(({ name, value, type }) => ({
      Name: text(name),
      Value: { $: { [`${xsi}:type`]: typeName(style, type) }, _: text(value) },
    })),
  );
}

/** @param more  what the entries of this list have besides key and state */
function transferList(
  style: EnvelopeStyle,
  struct: string,
  transfers: readonly QueuedTransfer[],
  more: (transfer: QueuedTransfer) => Element,
): Element {
  const members = transfers.map((transfer) => ({
    CommandKey: text(transfer.commandKey),
    State: `${transfer.state}`,
    ...more(transfer),
  }));
  return array(style, `${style.prefixes.cwmp}:${struct}`, struct, members);
}

function typeName(style: EnvelopeStyle, type: XsdType): string {
  return type === 'base64' ? `${style.prefixes.encoding}:base64` : `${style.prefixes.xsd}:${type}`;
}

/**
 * cwmp-1-0 knows fewer codes than its successors: the finer transfer faults are 9010 there.
 * @param transfer  for TransferComplete, whose set is smaller than a Fault's
 */
function faultCodeIn(version: CwmpVersion, faultCode: number, transfer: boolean): string {
  const unknownIn10 = faultCode >= 9014 && faultCode < 9800;
  const unknownInTransfer = transfer && faultCode === 9013;
  return `${(version === '1.0' && unknownIn10) || unknownInTransfer ? 9010 : faultCode}`;
}

function faultElement(fault: CpeFault, version: CwmpVersion, transfer: boolean): Element {
  return {
    FaultCode: faultCodeIn(version, fault.faultCode, transfer),
    FaultString: text(fault.faultString),
  };
}

function bodyOf(message: CpeMessage, version: CwmpVersion, style: EnvelopeStyle): Element {
  const { cwmp, soap, xsd } = style.prefixes;
  const rpc = (children: Element): Element => ({ [`${cwmp}:${message.type}`]: children });
  switch (message.type) {
    case 'Inform':
      return rpc({
        DeviceId: {
          Manufacturer: text(message.deviceId.manufacturer),
          OUI: message.deviceId.oui,
          ProductClass: text(message.deviceId.productClass),
          SerialNumber: text(message.deviceId.serialNumber),
        },
        Event: array(
          style,
          `${cwmp}:EventStruct`,
          'EventStruct',
          message.events.map((event) => ({ EventCode: event.eventCode, CommandKey: text(event.commandKey) })),
        ),
        MaxEnvelopes: '1',
        CurrentTime: message.currentTime,
        RetryCount: `${message.retryCount}`,
        ParameterList: parameterList(style, message.parameters),
      });
    case 'TransferComplete':
      return rpc({
        CommandKey: text(message.commandKey),
        FaultStruct: faultElement(message.fault ?? { faultCode: 0, faultString: '' }, version, true),
        StartTime: message.startTime,
        CompleteTime: message.completeTime,
      });
    case 'GetRPCMethods':
    case 'RebootResponse':
    case 'CancelTransferResponse':
      return rpc({});
    case 'GetRPCMethodsResponse':
      return rpc({ MethodList: array(style, `${xsd}:string`, 'string', message.methods) });
    case 'GetParameterValuesResponse':
      return rpc({ ParameterList: parameterList(style, message.parameters) });
    case 'GetParameterNamesResponse':
      return rpc({
        ParameterList: array(
          style,
          `${cwmp}:ParameterInfoStruct`,
          'ParameterInfoStruct',
          message.parameters.map(({ name, writable }) => ({
            Name: text(name),
            Writable: writable ? '1' : '0',
          })),
        ),
      });
    case 'SetParameterValuesResponse':
      return rpc({ Status: `${message.status}` });
    case 'DownloadResponse':
      return rpc({
        Status: `${message.status}`,
        StartTime: message.startTime,
        CompleteTime: message.completeTime,
      });
    case 'GetQueuedTransfersResponse':
      return rpc({
        TransferList: transferList(style, 'QueuedTransferStruct', message.transfers, () => ({})),
      });
    case 'GetAllQueuedTransfersResponse':
      return rpc({
        TransferList: transferList(
          style,
          'AllQueuedTransferStruct',
          message.transfers,
          ({ fileType, fileSizeBytes, targetFileName }) => ({
            IsDownload: '1',
            FileType: text(fileType),
            FileSize: `${fileSizeBytes}`,
            TargetFileName: text(targetFileName),
          }),
        ),
      });
    case 'Fault': {
      const faults = message.parameterFaults.map((fault) => ({
        ParameterName: text(fault.name),
        ...faultElement(fault, version, false),
      }));
      return {
        [`${soap}:Fault`]: {
          faultcode: CLIENT_FAULTS.has(message.fault.faultCode) ? 'Client' : 'Server',
          faultstring: 'CWMP fault',
          detail: {
            [`${cwmp}:Fault`]: {
              ...faultElement(message.fault, version, false),
              SetParameterValuesFault: faults,
            },
          },
        },
      };
    }
    default:
      return unreachable(message);
  }
}

/** The faults that blame the message of the ACS; all others are "Server" (TR-069 A.5.1). */
const CLIENT_FAULTS: ReadonlySet<number> = new Set([9003, 9005, 9006, 9007, 9008]);

function unreachable(message: never): never {
  throw new TypeError(`no such message: ${JSON.stringify(message)}`);
}
