import { OPTIONAL_METHODS, type OptionalMethod } from './soap/index.js';

/**
 * Faults on order: ways in which a CPE misbehaves, each seen in the field. Several may be given to one CPE and combine.
 * `times` is how often it happens before the CPE behaves; null: always.
 */
export type Fault =
  /** Answers Download with a SOAP Fault. */
  | { readonly kind: 'refuse'; readonly faultCode: number; readonly times: number | null }
  /** Accepts the Download, then reports this fault by TransferComplete without fetching anything. */
  | {
      readonly kind: 'transfer';
      readonly faultCode: number;
      readonly faultString: string;
      readonly times: number | null;
    }
  /** Never answers Download: keeps the connection open and silent until the ACS closes it. */
  | { readonly kind: 'hang'; readonly times: number | null }
  /**
   * Breaks the connection off mid-session: before it has read the InformResponse, before it has read the Download (which is
   * lost), or instead of sending the DownloadResponse (the transfer goes on all the same).
   */
  | { readonly kind: 'drop'; readonly at: DropPoint; readonly times: number | null }
  /** Sends TransferComplete before its reboot, in a session of its own. */
  | { readonly kind: 'early-complete' }
  /** Sends TransferComplete in the Download's own session, after its response, and reboots afterwards. */
  | { readonly kind: 'same-session-complete' }
  /** Fetches before it answers Download with Status 0; no TransferComplete; reboots afterwards (TR-069 A.3.2.8). */
  | { readonly kind: 'status-zero' }
  /** Reports success, and comes back with the version it had. */
  | { readonly kind: 'old-version' }
  /** Fetches the image and is not heard of again. */
  | { readonly kind: 'never-back' }
  /** Sends a TransferComplete again, in a second session, although it was answered. */
  | { readonly kind: 'complete-twice' }
  /** Comes back with its new version, and sends TransferComplete only so much later. */
  | { readonly kind: 'late-complete'; readonly delayMs: number }
  /** Answers this RPC with fault 9000, and does not list it among its methods. */
  | { readonly kind: 'unsupported'; readonly method: OptionalMethod }
  /** Answers CancelTransfer with this fault, whatever the transfer has come to. */
  | { readonly kind: 'refuse-cancel'; readonly faultCode: number; readonly times: number | null }
  /** Says that nothing is queued, whatever is. */
  | { readonly kind: 'hide-queue'; readonly times: number | null }
  /** Takes so long to say what is queued. */
  | { readonly kind: 'slow-queue'; readonly delayMs: number }
  /** Loses in a reboot what it has queued, under way and not yet reported. */
  | { readonly kind: 'forget-queue' }
  /** Answers connection requests with 503. */
  | { readonly kind: 'busy-connection-request'; readonly times: number | null };

export type FaultKind = Fault['kind'];

const DROP_POINTS = ['inform-response', 'download', 'download-response'] as const;
export type DropPoint = (typeof DROP_POINTS)[number];

/** A fault that was written wrongly; the message names it and what it should be. */
export class FaultSyntaxError extends Error {
  override readonly name = 'FaultSyntaxError';
}

/** The CPE faults of TR-069 A.5.1, as texts for FaultString. */
const CPE_FAULT_STRINGS: Readonly<Record<number, string>> = {
  9000: 'Method not supported',
  9001: 'Request denied',
  9002: 'Internal error',
  9003: 'Invalid arguments',
  9004: 'Resources exceeded',
  9005: 'Invalid parameter name',
  9006: 'Invalid parameter type',
  9007: 'Invalid parameter value',
  9008: 'Attempt to set a non-writable parameter',
  9009: 'Notification request rejected',
  9010: 'Download failure',
  9011: 'Upload failure',
  9012: 'File transfer server authentication failure',
  9013: 'Unsupported protocol for file transfer',
  9014: 'Download failure: unable to join multicast group',
  9015: 'Download failure: unable to contact file server',
  9016: 'Download failure: unable to access file',
  9017: 'Download failure: unable to complete download',
  9018: 'Download failure: file corrupted',
  9019: 'Download failure: file authentication failure',
  9020: 'Download failure: unable to complete download within specified time windows',
  9021: 'Cancelation of file transfer not permitted in current transfer state',
};

export function faultStringOf(faultCode: number): string {
  return CPE_FAULT_STRINGS[faultCode] ?? `Fault ${faultCode}`;
}

/** What an ordered 9010 says unless told: the commonest failure there is, in the words of a common make. */
const FILE_NOT_FOUND = 'Download failure. File not found.';

/** FaultString holds 256 characters (schema of TransferComplete's FaultStruct). */
const FAULT_STRING_CHARACTERS_MAX = 256;
const TIMES_MAX = 1_000_000;
const DELAY_MS_MAX = 24 * 60 * 60 * 1_000;
/** What TransferComplete may carry from cwmp-1-2 on; vendors have 9800 to 9899. */
const TRANSFER_FAULT_CODES = [
  9001, 9002, 9010, 9011, 9012, 9014, 9015, 9016, 9017, 9018, 9019, 9020,
] as const;

/** "Not permitted in current transfer state" (TR-069 A.4.1.9). */
const FAULT_TOO_LATE = 9021;
/** What a CPE may answer CancelTransfer with that knows it. */
const CANCEL_FAULT_CODES = [9001, 9002, 9003, 9004, FAULT_TOO_LATE] as const;
const FAULT_CODE_MAX = 9899;

/** How the faults are written on a command line, with an example each; for help texts. */
export const FAULT_SYNTAX = [
  'refuse:CODE[:TIMES]',
  'transfer:CODE[:FAULT STRING]',
  'hang[:TIMES]',
  'drop:inform-response|download|download-response[:TIMES]',
  'early-complete',
  'same-session-complete',
  'status-zero',
  'old-version',
  'never-back',
  'complete-twice',
  'late-complete:MS',
  'unsupported:GetQueuedTransfers|GetAllQueuedTransfers|CancelTransfer',
  'refuse-cancel[:CODE[:TIMES]]',
  'hide-queue[:TIMES]',
  'slow-queue:MS',
  'forget-queue',
  'busy-connection-request:TIMES',
] as const;

function wrong(text: string, expected: string): FaultSyntaxError {
  return new FaultSyntaxError(`fault ${JSON.stringify(text.slice(0, 100))}: ${expected}`);
}

function integer(text: string, part: string | undefined, name: string, min: number, max: number): number {
  const value = part !== undefined && /^\d{1,9}$/.test(part) ? Number(part) : Number.NaN;
  if (!(value >= min && value <= max))
    throw wrong(text, `${name} must be a whole number from ${min} to ${max}`);
  return value;
}

function times(text: string, part: string | undefined, absent: number | null): number | null {
  return part === undefined ? absent : integer(text, part, 'TIMES', 1, TIMES_MAX);
}

function isVendorCode(code: number): boolean {
  return code >= 9800 && code <= 9899;
}

function parseTransfer(text: string, code: string | undefined, rest: readonly string[]): Fault {
  const faultCode = integer(text, code, 'CODE', 9000, 9899);
  if (!TRANSFER_FAULT_CODES.some((known) => known === faultCode) && !isVendorCode(faultCode)) {
    throw wrong(text, `TransferComplete carries only ${TRANSFER_FAULT_CODES.join(', ')} and 9800 to 9899`);
  }
  const standard = faultCode === 9010 ? FILE_NOT_FOUND : faultStringOf(faultCode);
  const faultString = rest.length > 0 ? rest.join(':') : standard;
  if (faultString.length > FAULT_STRING_CHARACTERS_MAX)
    throw wrong(text, `FAULT STRING has at most ${FAULT_STRING_CHARACTERS_MAX} characters`);
  return { kind: 'transfer', faultCode, faultString, times: null };
}

/**
 * Reads a fault as it is written on a command line, see {@link FAULT_SYNTAX}.
 * @example parseFault('refuse:9004:2'), parseFault('transfer:9010:Download failure. File not found.')
 * @throws FaultSyntaxError
 */
export function parseFault(text: string): Fault {
  const [kind, ...parts] = text.split(':');
  const [first, second] = parts;
  const only = (count: number): void => {
    if (parts.length > count)
      throw wrong(text, `too many parts; faults are written ${FAULT_SYNTAX.join(', ')}`);
  };
  switch (kind) {
    case 'refuse': {
      only(2);
      const faultCode = integer(text, first, 'CODE', 9000, 9899);
      if (faultCode > 9020 && !isVendorCode(faultCode))
        throw wrong(text, 'CODE must be 9000 to 9020 or 9800 to 9899');
      return { kind, faultCode, times: times(text, second, null) };
    }
    case 'transfer':
      return parseTransfer(text, first, parts.slice(1));
    case 'hang':
      only(1);
      return { kind, times: times(text, first, null) };
    case 'drop': {
      only(2);
      const at = DROP_POINTS.find((point) => point === first);
      if (at === undefined) throw wrong(text, `after drop: comes one of ${DROP_POINTS.join(', ')}`);
      // Once by default: a CPE that always drops its InformResponse is never seen at all.
      return { kind, at, times: times(text, second, 1) };
    }
    case 'late-complete':
    case 'slow-queue':
      only(1);
      return { kind, delayMs: integer(text, first, 'MS', 0, DELAY_MS_MAX) };
    case 'unsupported': {
      only(1);
      const method = OPTIONAL_METHODS.find((name) => name === first);
      if (method === undefined)
        throw wrong(text, `after unsupported: comes one of ${OPTIONAL_METHODS.join(', ')}`);
      return { kind, method };
    }
    case 'refuse-cancel': {
      only(2);
      const faultCode =
        first === undefined ? FAULT_TOO_LATE : integer(text, first, 'CODE', 9001, FAULT_CODE_MAX);
      if (!CANCEL_FAULT_CODES.some((known) => known === faultCode) && !isVendorCode(faultCode))
        throw wrong(text, `CODE must be one of ${CANCEL_FAULT_CODES.join(', ')} or 9800 to 9899`);
      return { kind, faultCode, times: times(text, second, null) };
    }
    case 'hide-queue':
      only(1);
      return { kind, times: times(text, first, null) };
    case 'busy-connection-request':
      only(1);
      return { kind, times: times(text, first, null) };
    case 'early-complete':
    case 'same-session-complete':
    case 'status-zero':
    case 'old-version':
    case 'never-back':
    case 'complete-twice':
    case 'forget-queue':
      only(0);
      return { kind };
    default:
      throw wrong(text, `no such fault; there are ${FAULT_SYNTAX.join(', ')}`);
  }
}

/** The faults of one CPE with how often each has happened. */
export class FaultPlan {
  readonly #faults: readonly Fault[];
  #used: number[] | null = null;

  constructor(faults: readonly Fault[] = []) {
    this.#faults = faults;
  }

  /** The first fault of this kind (and accepted by `fits`) that is to happen now; it counts as having happened. */
  take<Kind extends FaultKind>(
    kind: Kind,
    fits: (fault: Extract<Fault, { kind: Kind }>) => boolean = () => true,
  ): Extract<Fault, { kind: Kind }> | null {
    for (const [index, fault] of this.#faults.entries()) {
      if (!isKind(fault, kind) || !fits(fault)) continue;
      this.#used ??= this.#faults.map(() => 0);
      const used = this.#used[index] ?? 0;
      if ('times' in fault && typeof fault.times === 'number' && used >= fault.times) continue;
      this.#used[index] = used + 1;
      return fault;
    }
    return null;
  }
}

function isKind<Kind extends FaultKind>(fault: Fault, kind: Kind): fault is Extract<Fault, { kind: Kind }> {
  return fault.kind === kind;
}

/** Faults of the CPEs of a fleet: which (1-based, inclusive; null: all) and what. */
export interface FaultAssignment {
  readonly range: { readonly first: number; readonly last: number } | null;
  readonly fault: Fault;
}

/**
 * Reads `INDEX=FAULT`, `FIRST-LAST=FAULT` or `*=FAULT`; indexes count from 1.
 * @throws FaultSyntaxError
 */
export function parseFaultAssignment(text: string): FaultAssignment {
  const match = /^(?<which>\*|(?<first>\d{1,7})(?:-(?<last>\d{1,7}))?)=(?<fault>.*)$/s.exec(text)?.groups;
  if (match === undefined)
    throw wrong(text, 'must be INDEX=FAULT, FIRST-LAST=FAULT or *=FAULT, indexes from 1');
  const fault = parseFault(match['fault'] ?? '');
  if (match['which'] === '*') return { range: null, fault };
  const first = Number(match['first']);
  const last = match['last'] === undefined ? first : Number(match['last']);
  if (first < 1 || last < first) throw wrong(text, 'indexes count from 1, and a range goes upwards');
  return { range: { first, last }, fault };
}

/** The faults that assignments give to the CPE of this index (from 1). */
export function faultsOf(assignments: readonly FaultAssignment[], index: number): readonly Fault[] {
  return assignments
    .filter(({ range }) => range === null || (index >= range.first && index <= range.last))
    .map(({ fault }) => fault);
}
