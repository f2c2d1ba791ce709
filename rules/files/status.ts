import type { RuleFileProblem } from './rule-file.js';

/** What the last scan of the rule files came to, or that there is none. */
export type RuleFilesStatus =
  | { readonly state: 'starting' }
  | {
      readonly state: 'applied';
      readonly atMs: number;
      readonly files: number;
      readonly rules: number;
      /** What was applied all the same, and will be refused by a later version. */
      readonly warnings?: readonly RuleFileProblem[];
    }
  /** Nothing was changed: the rules are as the last good files had them. */
  | { readonly state: 'broken'; readonly atMs: number; readonly problems: readonly RuleFileProblem[] }
  | { readonly state: 'empty'; readonly atMs: number }
  /** The file system does not answer, or is far too slow: the rules are as they were, and no other scan begins. */
  | { readonly state: 'hanging'; readonly atMs: number }
  /** Another process applies the files. */
  | { readonly state: 'standby'; readonly atMs: number }
  | { readonly state: 'failed'; readonly atMs: number; readonly error: string };

/** The same, and how long it is since a scan was completed. */
export type RuleFilesNow = RuleFilesStatus & {
  /** By the monotonic clock; null where none was yet. */
  readonly lastScanAgeMs: number | null;
};
