import type { CpeUpgrade, CpeUpgradesNow } from '../../rollout/index.js';
import { CODES, type Code } from './codes.js';

/** How far the file of an upgrade is. */
export interface FileProgress {
  /** 1 while an upgrade runs: its file is on its way, or being written. */
  readonly 'is-upload-file': 0 | 1;
  /** In per cent; 100 once the CPE has all of it. In between nobody tells: CPEs fetch by themselves. */
  readonly 'upload-file-pos': number;
}

const PER_CENT_MAX = 100;
export const NO_FILE: FileProgress = { 'is-upload-file': 0, 'upload-file-pos': 0 };

/** @param running  null: nothing was sent, or it has ended */
export function fileProgress(running: CpeUpgrade | null): FileProgress {
  if (running === null) return NO_FILE;
  return { 'is-upload-file': 1, 'upload-file-pos': running.stage === 'transferred' ? PER_CENT_MAX : 0 };
}

/** What has become of the upgrades of a CPE: nothing is wrong as long as one runs, or waits that was begun after the last ended; else as that has. */
export function outcomeOf({ waiting, running, ended }: CpeUpgradesNow): {
  readonly result: Code;
  readonly message?: string;
} {
  if (running !== null || ended === null) return { result: CODES.done };
  if (waiting !== null && waiting.changedAtMs >= ended.changedAtMs) return { result: CODES.done };
  const result = codeOfEnded(ended);
  return { result, ...(result !== CODES.done && ended.failure !== null && { message: ended.failure.text }) };
}

function codeOfEnded({ stage, failure }: CpeUpgrade): Code {
  switch (stage) {
    case 'waiting':
    case 'sent':
    case 'transferred':
    case 'verified':
    case 'cancelled':
      return CODES.done;
    case 'not-heard-of':
      return CODES.notHeardOf;
    case 'failed':
    case 'refused':
      return codeOfReason(failure?.reason ?? '');
    default:
      return stage satisfies never;
  }
}

const OF_REASONS: ReadonlyMap<string, Code> = new Map<string, Code>([
  ['does-not-fit', CODES.doesNotFit],
  ['other-organization', CODES.doesNotFit],
  ['image-missing', CODES.noFirmware],
  ['image-name-taken', CODES.noFirmware],
  ['already-under-way', CODES.busy],
  ['not-enrolled', CODES.notEnrolled],
  ['unknown-device', CODES.noDevice],
  ['device-gone', CODES.noDevice],
  ['ambiguous-device', CODES.ambiguousDevice],
  ['ambiguous-serial', CODES.ambiguousDevice],
  ['duplicate', CODES.repeated],
  ['not-heard-of', CODES.notHeardOf],
  ['not-reached', CODES.notHeardOf],
  ['too-late', CODES.notHeardOf],
]);

/** @param reason  why an operation was not carried out (`rollout/operations/reasons.ts`) */
export function codeOfReason(reason: string): Code {
  return OF_REASONS.get(reason) ?? CODES.failed;
}
