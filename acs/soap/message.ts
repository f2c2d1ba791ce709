import type { ParameterValue } from '../../rules/index.js';

/** The CWMP namespaces there are; 1.3 and 1.4 use the URN of 1.2, but some CPEs send their own and are answered in kind. */
export const CWMP_NAMESPACES = [
  'urn:dslforum-org:cwmp-1-0',
  'urn:dslforum-org:cwmp-1-1',
  'urn:dslforum-org:cwmp-1-2',
  'urn:dslforum-org:cwmp-1-3',
  'urn:dslforum-org:cwmp-1-4',
] as const;
export type CwmpNamespace = (typeof CWMP_NAMESPACES)[number];

/** How a CPE writes, so that it is answered in kind. */
export interface EnvelopeStyle {
  readonly namespace: CwmpNamespace;
}

export interface DeviceIdStruct {
  readonly manufacturer: string;
  readonly oui: string;
  readonly productClass: string;
  readonly serialNumber: string;
}

export interface EventStruct {
  readonly eventCode: string;
  readonly commandKey: string;
}

/** A parameter as it came, but for secrets, of which there is only that they are set: what xsi:type said of it, and the JS value of that type. */
export interface Parameter {
  readonly name: string;
  readonly value: ParameterValue;
  /** `xsd:string` and the like without prefix: string, int, unsignedInt, boolean, dateTime, base64 … */
  readonly xsdType: string;
}

export interface FaultStruct {
  readonly faultCode: number;
  readonly faultString: string;
}

/** What a fault says of one parameter (TR-069 A.3.2.1, SetParameterValuesFault). */
export interface ParameterFault extends FaultStruct {
  readonly name: string;
}

/** TR-069 A.3.3.1 */
export interface Inform {
  readonly type: 'Inform';
  readonly deviceId: DeviceIdStruct;
  readonly events: readonly EventStruct[];
  readonly maxEnvelopes: number;
  readonly currentTime: string;
  readonly retryCount: number;
  readonly parameters: readonly Parameter[];
}

/** TR-069 A.3.3.2 */
export interface TransferComplete {
  readonly type: 'TransferComplete';
  readonly commandKey: string;
  /** null where FaultCode is 0. */
  readonly fault: FaultStruct | null;
  readonly startTime: string;
  readonly completeTime: string;
}

/** TR-069 A.3.3.3, from cwmp-1-1 on: of a transfer that this ACS did not ask for. */
export interface AutonomousTransferComplete {
  readonly type: 'AutonomousTransferComplete';
  readonly transferUrl: string;
  readonly isDownload: boolean;
  readonly fileType: string;
  readonly targetFileName: string;
  /** null where FaultCode is 0. */
  readonly fault: FaultStruct | null;
}

export type CpeRequest =
  | Inform
  | TransferComplete
  | AutonomousTransferComplete
  | { readonly type: 'GetRPCMethods' }
  /** The CPE asks for a file, which it is then sent by a Download or not (TR-069 A.4.2.2); of what type is for rules to say. */
  | { readonly type: 'RequestDownload' }
  /** An RPC this ACS does not know; answered with fault 8000. */
  | { readonly type: 'unknown'; readonly name: string };

export type CpeResponse =
  | { readonly type: 'GetRPCMethodsResponse'; readonly methods: readonly string[] }
  | { readonly type: 'GetParameterValuesResponse'; readonly parameters: readonly Parameter[] }
  /** Applied, or to be applied after a reboot (TR-069 A.3.2.1), which makes no difference here: what is refused is a fault. */
  | { readonly type: 'SetParameterValuesResponse' }
  /** 0: done already; 1: TransferComplete follows (TR-069 A.3.2.8). */
  | {
      readonly type: 'DownloadResponse';
      readonly status: 0 | 1;
      readonly startTime: string;
      readonly completeTime: string;
    }
  | { readonly type: 'RebootResponse' }
  /** What it had of the transfer is gone, and no TransferComplete follows. */
  | { readonly type: 'CancelTransferResponse' }
  | {
      readonly type: `${QueueRequest['type']}Response`;
      /** Of what it has queued, in whatever state: not yet started, in progress, or completed and not yet reported. */
      readonly commandKeys: readonly string[];
    }
  | {
      readonly type: 'Fault';
      readonly fault: FaultStruct;
      readonly parameterFaults: readonly ParameterFault[];
    };

export type CpeMessage = CpeRequest | CpeResponse;

/**
 * What the forgiving reader has put right, or passed over, so that a CPE is served. None of it is in a part that decides anything.
 *
 * - `character`  one that XML forbids, as it stands or as a reference: read as U+FFFD
 * - `ampersand`  one that begins no reference that XML knows: read as it stands
 * - `bytes`      some that the charset forbids: read as U+FFFD
 * - `charset`    a name that is misspelt, unknown, or contradicted by the bytes
 * - `namespace`  a prefix that is not declared, a message without one, a URI slightly off
 * - `attribute`  one that stands twice, or without a blank before it
 * - `tail`       what follows the envelope
 * - `markup`     a `<` that begins nothing, a comment or a declaration out of form
 * - `number`     a RetryCount or MaxEnvelopes that is none
 * - `event`      an Inform without an Event list
 * - `coding`     a Content-Encoding that is none, or another than the body's
 * - `host`       HTTP/1.1 without Host
 * - `blank-body` white space where there should be nothing
 */
export type Mend =
  | 'character'
  | 'ampersand'
  | 'bytes'
  | 'charset'
  | 'namespace'
  | 'attribute'
  | 'tail'
  | 'markup'
  | 'number'
  | 'event'
  | 'coding'
  | 'host'
  | 'blank-body';

/** One decoded envelope of a CPE. */
export interface CpeEnvelope {
  /** The header's cwmp:ID; null where there is none. */
  readonly id: string | null;
  readonly style: EnvelopeStyle;
  readonly message: CpeMessage;
  /** In the order in which it was met, each kind once; empty for nearly all. */
  readonly mended: readonly Mend[];
}

export interface SetParameter {
  readonly name: string;
  readonly value: string;
  readonly xsdType: 'string' | 'int' | 'unsignedInt' | 'boolean' | 'dateTime' | 'base64';
}

/** TR-069 A.3.2.8 */
export interface Download {
  readonly type: 'Download';
  readonly commandKey: string;
  readonly fileType: string;
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly fileSizeBytes: number;
  readonly targetFileName: string;
  readonly delaySeconds: number;
}

/** Asks a CPE what it has queued: by any cause (TR-069 A.4.1.7, from cwmp-1-1 on), or by ours alone (A.4.1.1). */
export type QueueRequest = { readonly type: 'GetAllQueuedTransfers' | 'GetQueuedTransfers' };

export type AcsRequest =
  | { readonly type: 'GetRPCMethods' }
  | { readonly type: 'GetParameterValues'; readonly names: readonly string[] }
  | {
      readonly type: 'SetParameterValues';
      readonly parameters: readonly SetParameter[];
      readonly parameterKey: string;
    }
  | Download
  | { readonly type: 'Reboot'; readonly commandKey: string }
  /** TR-069 A.4.1.9, from cwmp-1-2 on: the CPE is to give up the transfers of this key. */
  | { readonly type: 'CancelTransfer'; readonly commandKey: string }
  | QueueRequest;

export type AcsResponse =
  | { readonly type: 'InformResponse' }
  | { readonly type: 'TransferCompleteResponse' }
  | { readonly type: 'AutonomousTransferCompleteResponse' }
  | { readonly type: 'GetRPCMethodsResponse'; readonly methods: readonly string[] }
  | { readonly type: 'RequestDownloadResponse' }
  | { readonly type: 'Fault'; readonly fault: FaultStruct };

export type AcsMessage = AcsRequest | AcsResponse;

/** The ACS faults of TR-069 A.5.2. */
export const ACS_FAULT = {
  methodNotSupported: 8000,
  requestDenied: 8001,
  internalError: 8002,
  invalidArguments: 8003,
  resourcesExceeded: 8004,
  retryRequest: 8005,
  versionIncompatible: 8006,
} as const;
export type AcsFaultCode = (typeof ACS_FAULT)[keyof typeof ACS_FAULT];

/**
 * A body that is no CWMP message. With `envelope` set, enough was understood to answer with a SOAP fault in kind; without,
 * the answer is a bare HTTP status.
 */
export class SoapError extends Error {
  override readonly name = 'SoapError';
  constructor(
    message: string,
    readonly answer:
      | { readonly kind: 'http'; readonly status: 400 | 413 | 415 }
      | {
          readonly kind: 'fault';
          readonly faultCode: AcsFaultCode;
          readonly id: string | null;
          readonly style: EnvelopeStyle;
        },
    /** What the message is, by the local name of its element; null where nothing says so. */
    readonly rpc: string | null = null,
  ) {
    super(message);
  }
}

/** Whether a message of this name answers one of ours: a response is never answered with a fault (TR-069 3.5). */
export function isResponseName(rpc: string): boolean {
  return rpc === 'Fault' || rpc.endsWith('Response');
}
