import { createHash, randomUUID } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { type Clock, type Logger, SECOND_MS } from '../../common/index.js';
import type { Lease } from '../../store/index.js';
import { PROBLEMS_MAX } from '../validation/index.js';
import { RuleConflictError } from '../vocabulary/index.js';
import type { FileBody, FileRuleProblem, FileRules } from './file-rules.js';
import { type RuleFileContent, readRuleDirectory } from './rule-directory.js';
import { parseRuleFile, type RuleFileEntry, type RuleFileProblem } from './rule-file.js';

/** Editors and deployments write several times in a row; the scan waits until they pause this long. */
const DEBOUNCE_MS = 200;
/** A change is seen at once; this is for file systems that do not report, and for a lease that became free. */
const RESCAN_MS = 10 * SECOND_MS;
/** So long after a process died another takes over its rule files. */
const LEASE_MS = 3 * RESCAN_MS;
const PROBLEMS_LOGGED_MAX = 10;

/** What the last scan of the rule files came to. */
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
  /** Another process applies the files. */
  | { readonly state: 'standby'; readonly atMs: number }
  | { readonly state: 'failed'; readonly atMs: number; readonly error: string };

export interface RuleFileWatcher {
  status(): RuleFilesStatus;
  /** Scans now, whatever has changed; resolves with what it came to. */
  scan(): Promise<RuleFilesStatus>;
  /** Resolves with the outcome of the next scan that ends, whoever caused it. */
  nextScan(): Promise<RuleFilesStatus>;
  /** Stops watching, ends the scan that runs, and lets another process take over. */
  close(): Promise<void>;
}

export interface WatchOptions {
  readonly directory: string;
  readonly rules: FileRules;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * Loads the rule files of a directory (`*.json`, each a rule or an array of rules), now and whenever they change. All files are
 * applied together or not at all, by one process at a time; a directory that is missing or empty changes nothing.
 *
 * @returns once the files were scanned for the first time
 */
export async function watchRuleDirectory(options: WatchOptions): Promise<RuleFileWatcher> {
  const watcher = createWatcher(options);
  await watcher.scan();
  return watcher;
}

function createWatcher({ directory, rules, logger, clock }: WatchOptions): RuleFileWatcher {
  const holder = randomUUID();
  let status: RuleFilesStatus = { state: 'starting' };
  let lease: Lease | null = null;
  /** What was applied last, while this process has had the lease. */
  let appliedDigest: string | null = null;
  let reported = '';
  let closed = false;
  let running: Promise<RuleFilesStatus> = Promise.resolve(status);
  let debounce: NodeJS.Timeout | null = null;
  let watching: FSWatcher | null = null;
  let waiting: ((status: RuleFilesStatus) => void)[] = [];

  const attempt = async (): Promise<RuleFilesStatus> => {
    const atMs = clock();
    const wasHeld = lease !== null;
    lease = await rules.leaseFiles(holder, LEASE_MS);
    if (lease === null) return { state: 'standby', atMs };
    if (!wasHeld) appliedDigest = null;
    const found = await readRuleDirectory(directory);
    if (found.kind === 'empty') return { state: 'empty', atMs };
    if (found.kind === 'unreadable') return { state: 'broken', atMs, problems: found.problems };
    const digest = digestOf(found.files);
    if (digest === appliedDigest && status.state === 'applied') return status;
    const outcome = await apply(rules, found.files, lease);
    if (outcome.problems.length > 0) return { state: 'broken', atMs, problems: outcome.problems };
    appliedDigest = digest;
    const { rules: applied, warnings } = outcome;
    return {
      state: 'applied',
      atMs,
      files: found.files.length,
      rules: applied,
      ...(warnings.length > 0 && { warnings }),
    };
  };

  const scanOnce = async (): Promise<RuleFilesStatus> => {
    watching ??= tryToWatch(directory, changed);
    try {
      status = await attempt();
    } catch (error) {
      if (error instanceof RuleConflictError) lease = null;
      status = {
        state: 'failed',
        atMs: clock(),
        error: error instanceof Error ? error.message : String(error),
      };
    }
    reported = report(logger, directory, status, reported);
    const told = waiting;
    waiting = [];
    for (const tell of told) tell(status);
    return status;
  };

  /** One after the other: a change during a scan causes another one after it. */
  const scan = (): Promise<RuleFilesStatus> => {
    if (!closed) running = running.then(scanOnce);
    return running;
  };

  function changed(): void {
    if (closed) return;
    if (debounce !== null) clearTimeout(debounce);
    debounce = setTimeout(() => void scan(), DEBOUNCE_MS);
  }

  function tryToWatch(path: string, onChange: () => void): FSWatcher | null {
    try {
      const made = watch(path, { persistent: false }, onChange);
      // The directory was removed or replaced: watched anew by the next scan.
      made.on('error', () => {
        made.close();
        watching = null;
      });
      return made;
    } catch {
      return null;
    }
  }

  const timer = setInterval(() => {
    // Watching a directory that was replaced hears nothing; watching it anew costs nothing.
    watching?.close();
    watching = null;
    void scan();
  }, RESCAN_MS);
  timer.unref();

  return {
    status: () => status,
    scan,
    nextScan: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      closed = true;
      clearInterval(timer);
      if (debounce !== null) clearTimeout(debounce);
      await running;
      watching?.close();
      if (lease !== null) await rules.releaseFiles(lease);
    },
  };
}

async function apply(
  rules: FileRules,
  files: readonly RuleFileContent[],
  lease: Lease,
): Promise<{
  readonly problems: readonly RuleFileProblem[];
  readonly warnings: readonly RuleFileProblem[];
  readonly rules: number;
}> {
  const problems: RuleFileProblem[] = [];
  const entries: { readonly file: string; readonly entry: RuleFileEntry }[] = [];
  for (const { name, bytes } of files) {
    const parsed = parseRuleFile(name, bytes);
    if (parsed.parsed) for (const entry of parsed.entries) entries.push({ file: name, entry });
    else problems.push(...parsed.problems);
  }
  if (problems.length > 0) return { problems: problems.slice(0, PROBLEMS_MAX), warnings: [], rules: 0 };
  const bodies = entries.map(({ file, entry }): FileBody => ({ file, body: entry.body }));
  const outcome = await rules.applyFiles(bodies, lease);
  const told = outcome.applied ? outcome.warnings : outcome.problems;
  const located = told.slice(0, PROBLEMS_MAX).flatMap(locatedIn(entries));
  return outcome.applied
    ? { problems: [], warnings: located, rules: bodies.length }
    : { problems: located, warnings: [], rules: 0 };
}

function locatedIn(
  entries: readonly { readonly file: string; readonly entry: RuleFileEntry }[],
): (problem: FileRuleProblem) => RuleFileProblem[] {
  return ({ entry: index, path, ...problem }) => {
    const found = entries[index];
    if (found === undefined) return [];
    const { file, entry } = found;
    const item = entry.item === null ? {} : { item: entry.item };
    return [{ ...problem, file, ...item, ...entry.locate(path) }];
  };
}

function digestOf(files: readonly RuleFileContent[]): string {
  const hash = createHash('sha256');
  for (const { name, bytes } of files) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  return hash.digest('base64');
}

/** Logs a scan's outcome, but the same one only once; every application is one of its own. @returns what to compare the next one with */
function report(logger: Logger, directory: string, status: RuleFilesStatus, before: string): string {
  const { atMs: _, ...outcome } = { atMs: 0, ...status };
  const now = JSON.stringify(status.state === 'applied' ? status : outcome);
  if (now === before) return before;
  switch (status.state) {
    case 'starting':
    case 'standby':
      logger.info(`rules.files-${status.state}`, { directory });
      return now;
    case 'applied':
      logger.info('rules.files-applied', { directory, files: status.files, rules: status.rules });
      for (const warning of status.warnings?.slice(0, PROBLEMS_LOGGED_MAX) ?? []) {
        logger.warn('rules.file-flawed', { directory, ...warning });
      }
      return now;
    case 'empty':
      logger.error('rules.directory-empty', { directory });
      return now;
    case 'failed':
      logger.error('rules.files-failed', { directory, error: status.error });
      return now;
    case 'broken':
      for (const problem of status.problems.slice(0, PROBLEMS_LOGGED_MAX)) {
        logger.error('rules.file-broken', { directory, ...problem });
      }
      return now;
    default: {
      const never: never = status;
      throw new Error(`Unknown state ${String(never)}`);
    }
  }
}
