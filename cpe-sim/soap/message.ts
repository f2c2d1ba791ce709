/** The CWMP versions there are. 1.3 and 1.4 use the namespace of 1.2 (targetNamespace of their schemas). */
export const CWMP_VERSIONS = ['1.0', '1.1', '1.2', '1.3', '1.4'] as const;
export type CwmpVersion = (typeof CWMP_VERSIONS)[number];

export function namespaceOf(version: CwmpVersion): string {
  const minor = version === '1.0' || version === '1.1' ? version.replace('.', '-') : '1-2';
  return `urn:dslforum-org:cwmp-${minor}`;
}

export const XSD_TYPES = [
  'string',
  'int',
  'unsignedInt',
  'long',
  'unsignedLong',
  'boolean',
  'dateTime',
  'base64',
] as const;
/** The types of parameters (TR-106 3.2), without prefix. */
export type XsdType = (typeof XSD_TYPES)[number];

export interface NamedValue {
  readonly name: string;
  readonly value: string;
  readonly type: XsdType;
}

export interface EventStruct {
  readonly eventCode: string;
  readonly commandKey: string;
}

export interface CpeFault {
  readonly faultCode: number;
  readonly faultString: string;
}

export interface ParameterFault extends CpeFault {
  readonly name: string;
}

export interface CpeIdentity {
  /** At most 64 characters each. */
  readonly manufacturer: string;
  /** Six upper-case hex digits. */
  readonly oui: string;
  readonly productClass: string;
  readonly serialNumber: string;
}

/** What a CPE asks of its ACS (TR-069 A.3.3 and A.3.1). Times are ISO 8601 in UTC. */
export type CpeRequest =
  | {
      readonly type: 'Inform';
      readonly deviceId: CpeIdentity;
      readonly events: readonly EventStruct[];
      readonly currentTime: string;
      readonly retryCount: number;
      readonly parameters: readonly NamedValue[];
    }
  | {
      readonly type: 'TransferComplete';
      readonly commandKey: string;
      readonly fault: CpeFault | null;
      readonly startTime: string;
      readonly completeTime: string;
    }
  | { readonly type: 'GetRPCMethods' };

/** A transfer of which the ACS has not been told that it is over (TR-069 A.4.1.7). */
export interface QueuedTransfer {
  readonly commandKey: string;
  /** 1 not yet started, 2 in progress, 3 completed. */
  readonly state: 1 | 2 | 3;
  readonly fileType: string;
  readonly fileSizeBytes: number;
  readonly targetFileName: string;
}

/** What a CPE answers (TR-069 A.3.1 and A.3.2). */
export type CpeResponse =
  | { readonly type: 'GetRPCMethodsResponse'; readonly methods: readonly string[] }
  | { readonly type: 'GetParameterValuesResponse'; readonly parameters: readonly NamedValue[] }
  | {
      readonly type: 'GetParameterNamesResponse';
      readonly parameters: readonly { readonly name: string; readonly writable: boolean }[];
    }
  | { readonly type: 'SetParameterValuesResponse'; readonly status: 0 | 1 }
  | {
      readonly type: 'DownloadResponse';
      readonly status: 0 | 1;
      readonly startTime: string;
      readonly completeTime: string;
    }
  | { readonly type: 'RebootResponse' | 'CancelTransferResponse' }
  | {
      readonly type: 'GetQueuedTransfersResponse' | 'GetAllQueuedTransfersResponse';
      readonly transfers: readonly QueuedTransfer[];
    }
  | {
      readonly type: 'Fault';
      readonly fault: CpeFault;
      readonly parameterFaults: readonly ParameterFault[];
    };

export type CpeMessage = CpeRequest | CpeResponse;

export interface SetParameter {
  readonly name: string;
  readonly value: string;
  /** What its xsi:type said, without prefix; null where there was none. */
  readonly type: string | null;
}

/** TR-069 A.3.2.8 */
export interface Download {
  readonly type: 'Download';
  readonly commandKey: string;
  readonly fileType: string;
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** 0 where the ACS does not know. */
  readonly fileSizeBytes: number;
  readonly targetFileName: string;
  readonly delaySeconds: number;
}

/** What an ACS asks of a CPE. */
export type AcsRequest =
  | { readonly type: 'GetRPCMethods' }
  | { readonly type: 'GetParameterValues'; readonly names: readonly string[] }
  | { readonly type: 'GetParameterNames'; readonly path: string; readonly nextLevel: boolean }
  | {
      readonly type: 'SetParameterValues';
      readonly parameters: readonly SetParameter[];
      readonly parameterKey: string;
    }
  | Download
  | { readonly type: 'Reboot' | 'CancelTransfer'; readonly commandKey: string }
  | { readonly type: QueueMethod }
  /** Known, but its arguments are not what the schema says; answered with fault 9003. */
  | { readonly type: 'invalid'; readonly name: string; readonly reason: string }
  /** Answered with fault 9000. */
  | { readonly type: 'unknown'; readonly name: string };

/** What an ACS answers. */
export type AcsResponse =
  | { readonly type: 'InformResponse' }
  | { readonly type: 'TransferCompleteResponse' }
  | { readonly type: 'GetRPCMethodsResponse'; readonly methods: readonly string[] }
  | { readonly type: 'Fault'; readonly fault: CpeFault };

export interface AcsEnvelope {
  /** The header's cwmp:ID, to be sent back with a response; null where there is none. */
  readonly id: string | null;
  /** The header's HoldRequests (TR-069 3.4.2): the CPE must not send requests of its own for now. */
  readonly holdRequests: boolean;
  readonly message: AcsRequest | AcsResponse;
}

/** The RPCs that tell what is queued (TR-069 A.4.1.1, A.4.1.7). */
export const QUEUE_METHODS = ['GetQueuedTransfers', 'GetAllQueuedTransfers'] as const;
export type QueueMethod = (typeof QUEUE_METHODS)[number];

/** The RPCs that a CPE may know (TR-069 A.4.1). */
export const OPTIONAL_METHODS = [...QUEUE_METHODS, 'CancelTransfer'] as const;
export type OptionalMethod = (typeof OPTIONAL_METHODS)[number];

/** The RPCs every CPE answers (TR-069 A.3.1.1). */
export const CPE_METHODS = [
  'GetRPCMethods',
  'SetParameterValues',
  'GetParameterValues',
  'GetParameterNames',
  'Download',
  'Reboot',
] as const;

/** GetAllQueuedTransfers came with CWMP 1.1, CancelTransfer with CWMP 1.2. */
export function hasMethod(version: CwmpVersion, method: OptionalMethod): boolean {
  switch (method) {
    case 'GetQueuedTransfers':
      return true;
    case 'GetAllQueuedTransfers':
      return version !== '1.0';
    case 'CancelTransfer':
      return version !== '1.0' && version !== '1.1';
    default:
      return method satisfies never;
  }
}

/** "Unknown time" (TR-069 3.2): what is sent where a time is not known. */
export const UNKNOWN_TIME = '0001-01-01T00:00:00Z';
