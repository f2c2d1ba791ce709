import type { CpeId } from '../../common/index.js';

/**
 * Why an operation did not end well, each with words for people. The list is bounded, as every batch keeps a count for each: what is known
 * beyond it stands in the operation's `detail`. Fault codes are those of Download and TransferComplete (TR-069 A.5.1).
 */
const REASONS = {
  'fault-9000': 'the device does not know the Download method',
  'fault-9001': 'the device denied the request',
  'fault-9002': 'an internal error of the device',
  'fault-9003': 'the device takes the arguments of the Download for invalid',
  'fault-9004': 'the device lacks resources',
  'fault-9010': 'the download failed',
  'fault-9012': 'the file server refused the credentials of the device',
  'fault-9013': 'the device does not support the protocol of the file transfer',
  'fault-9015': 'the device could not reach the file server',
  'fault-9016': 'the device could not access the file',
  'fault-9017': 'the device could not complete the download',
  'fault-9018': 'the device found the file damaged or of the wrong format',
  'fault-9019': 'the device could not authenticate the file',
  'fault-other': 'another fault of the device',
  'old-version': 'the device runs the software version of before',
  'other-version': 'the device reports another software version than the one awaited',
  'not-heard-of': 'the device was not heard of again in time',
  'not-reached': 'the device was not reached in time',
  'too-late': 'the time was over before the device came',
  withdrawn: 'it was cancelled',
  'does-not-fit': 'the image does not fit the device',
  'image-missing': 'the image is not there',
  'image-name-taken': 'another image has the name of the one that was meant',
  'unknown-device': 'no such device is known',
  'ambiguous-device': 'several devices have this serial number',
  'ambiguous-serial': 'others have the serial number by which the condition names it',
  'other-organization': 'the device is of another organization',
  'not-enrolled': 'the device is not enrolled',
  duplicate: 'the device was named more than once',
  'device-gone': 'the device is not known any more',
  'already-under-way': 'another upgrade of the device is under way',
  'rule-gone': 'the rule that it was to run by is gone',
} as const satisfies Readonly<Record<string, string>>;

export type OperationReason = keyof typeof REASONS;

/** All there are: at most 32. */
export const OPERATION_REASONS = Object.keys(REASONS) as readonly OperationReason[];

/** How many CPEs of a batch ended for a reason, and some of them. */
interface ReasonCount {
  readonly reason: string;
  readonly count: number;
  readonly words: string;
  readonly examples: readonly CpeId[];
}

/** Of these a batch has not failed: nothing was to be done, or somebody wanted it so. */
const NO_FAILURES: ReadonlySet<string> = new Set<OperationReason>(['duplicate', 'withdrawn']);

/** What a reason says to people; of one that this version does not know, the reason itself. */
export function wordsOf(reason: string): string {
  return isReason(reason) ? REASONS[reason] : reason;
}

/** What was not upgraded and why, the most frequent reason first, in words as well; of what there is none of nothing. */
export function reasonsOf({
  byReason,
  examples,
}: {
  readonly byReason: Readonly<Record<string, number>>;
  readonly examples: Readonly<Record<string, readonly CpeId[]>>;
}): readonly ReasonCount[] {
  return Object.entries(byReason)
    .filter(([, count]) => count > 0)
    .sort(([a, more], [b, less]) => less - more || (a < b ? -1 : 1))
    .map(([reason, count]) => ({
      reason,
      count,
      words: wordsOf(reason),
      examples: examples[reason] ?? [],
    }));
}

/** Whether a batch with an operation that ended for this reason has failed. */
export function isFailure(reason: string): boolean {
  return !NO_FAILURES.has(reason);
}

/** That of a FaultCode (TR-069 A.5.1). */
export function reasonOfFault(faultCode: number): OperationReason {
  const reason = `fault-${faultCode}`;
  return isReason(reason) ? reason : 'fault-other';
}

function isReason(reason: string): reason is OperationReason {
  return Object.hasOwn(REASONS, reason);
}
