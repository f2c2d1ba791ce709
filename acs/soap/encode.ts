import { escapeXml } from './escape.js';
import {
  ACS_FAULT,
  type AcsMessage,
  type Download,
  type EnvelopeStyle,
  type FaultStruct,
  type SetParameter,
} from './message.js';

/** A FileSize beyond what the field holds is sent as 0, "not specified" (TR-069 A.3.2.8). */
const UNSIGNED_INT_MAX = 4_294_967_295;
/** One envelope at a time is what TR-069 Amendment 6 leaves of MaxEnvelopes (A.3.3.1). */
const MAX_ENVELOPES = 1;

const XSI_TYPE: Readonly<Record<SetParameter['xsdType'], string>> = {
  string: 'xsd:string',
  int: 'xsd:int',
  unsignedInt: 'xsd:unsignedInt',
  boolean: 'xsd:boolean',
  dateTime: 'xsd:dateTime',
  base64: 'soap-enc:base64',
};

/**
 * Encodes one envelope of the ACS, in UTF-8 and valid against the schema of `style.namespace`; any text is escaped.
 * There is no XML declaration: some CPEs end their session on one, also some that send one, and none needs it (XML 1.0, 2.8).
 * Lists must not be empty and texts no longer than TR-069 allows: their length is the caller's promise.
 *
 * @param id  the header's ID: that of the CPE's request in a response, one's own in a request; null leaves the header out
 * @see   TR-069 Amendment 6, 3.4 and A.3
 */
export function encodeEnvelope(message: AcsMessage, id: string | null, style: EnvelopeStyle): string {
  const header =
    id === null
      ? ''
      : `<soap-env:Header><cwmp:ID soap-env:mustUnderstand="1">${escapeXml(id)}</cwmp:ID></soap-env:Header>`;
  return (
    '<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/"' +
    ' xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/"' +
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"' +
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' +
    ` xmlns:cwmp="${style.namespace}">` +
    `${header}<soap-env:Body>${encodeMessage(message)}</soap-env:Body></soap-env:Envelope>`
  );
}

function encodeMessage(message: AcsMessage): string {
  switch (message.type) {
    case 'InformResponse':
      return rpc('InformResponse', field('MaxEnvelopes', MAX_ENVELOPES));
    case 'TransferCompleteResponse':
    case 'AutonomousTransferCompleteResponse':
    case 'RequestDownloadResponse':
      return `<cwmp:${message.type}/>`;
    case 'GetRPCMethods':
    case 'GetQueuedTransfers':
    case 'GetAllQueuedTransfers':
      return `<cwmp:${message.type}/>`;
    case 'GetRPCMethodsResponse':
      return rpc('GetRPCMethodsResponse', strings('MethodList', message.methods));
    case 'GetParameterValues':
      return rpc('GetParameterValues', strings('ParameterNames', message.names));
    case 'SetParameterValues':
      return rpc(
        'SetParameterValues',
        parameterList(message.parameters) + field('ParameterKey', message.parameterKey),
      );
    case 'Download':
      return rpc('Download', downloadFields(message));
    case 'Reboot':
    case 'CancelTransfer':
      return rpc(message.type, field('CommandKey', message.commandKey));
    case 'Fault':
      return soapFault(message.fault);
    default:
      return unreachable(message);
  }
}

/** The order is the schema's, and all ten are required (TR-069 A.3.2.8). */
function downloadFields(download: Download): string {
  return (
    field('CommandKey', download.commandKey) +
    field('FileType', download.fileType) +
    field('URL', download.url) +
    field('Username', download.username) +
    field('Password', download.password) +
    field('FileSize', download.fileSizeBytes <= UNSIGNED_INT_MAX ? download.fileSizeBytes : 0) +
    field('TargetFileName', download.targetFileName) +
    field('DelaySeconds', download.delaySeconds) +
    '<SuccessURL></SuccessURL><FailureURL></FailureURL>'
  );
}

function parameterList(parameters: readonly SetParameter[]): string {
  const structs = parameters.map(
    ({ name, value, xsdType }) =>
      `<ParameterValueStruct>${field('Name', name)}` +
      `<Value xsi:type="${XSI_TYPE[xsdType]}">${escapeXml(value)}</Value></ParameterValueStruct>`,
  );
  const arrayType = `cwmp:ParameterValueStruct[${structs.length}]`;
  return `<ParameterList soap-enc:arrayType="${arrayType}">${structs.join('')}</ParameterList>`;
}

function strings(local: 'MethodList' | 'ParameterNames', values: readonly string[]): string {
  const members = values.map((value) => field('string', value)).join('');
  return `<${local} soap-enc:arrayType="xsd:string[${values.length}]">${members}</${local}>`;
}

/** TR-069 3.4.7; whose mistake it was follows from the code (A.5.2: only invalid arguments are the CPE's). */
function soapFault({ faultCode, faultString }: FaultStruct): string {
  const blame = faultCode === ACS_FAULT.invalidArguments ? 'Client' : 'Server';
  return (
    `<soap-env:Fault><faultcode>soap-env:${blame}</faultcode><faultstring>CWMP fault</faultstring><detail>` +
    rpc('Fault', field('FaultCode', faultCode) + field('FaultString', faultString)) +
    '</detail></soap-env:Fault>'
  );
}

function rpc(local: string, content: string): string {
  return `<cwmp:${local}>${content}</cwmp:${local}>`;
}

function field(local: string, value: string | number): string {
  return `<${local}>${typeof value === 'number' ? value : escapeXml(value)}</${local}>`;
}

function unreachable(message: never): never {
  throw new TypeError(`No encoding for ${JSON.stringify(message)}`);
}
