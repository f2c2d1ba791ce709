import { randomUUID } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import {
  Background,
  type Clock,
  type Logger,
  type MonotonicClock,
  monotonicClock,
  SECOND_MS,
  type Turn,
} from '../../common/index.js';
import type { Lease } from '../../store/index.js';
import { RuleConflictError, type StoredRule } from '../vocabulary/index.js';
import { AppliedFiles } from './applied-files.js';
import { applyRuleFiles } from './apply.js';
import type { FileRules } from './file-rules.js';
import { report } from './report.js';
import { markOf, readBounded } from './rule-directory.js';
import { type FoundFiles, SeenFiles } from './seen-files.js';
import { STALL_LIMITS, type StallLimits, StallWatch } from './stall.js';
import type { RuleFilesNow, RuleFilesStatus } from './status.js';

/** Editors and deployments write several times in a row; the scan waits until they pause this long. */
const DEBOUNCE_MS = 200;
/** A change is seen at once; this is for file systems that do not report, and for a lease that became free. */
const RESCAN_MS = 10 * SECOND_MS;
/** So long after a process died another takes over its rule files. */
const LEASE_MS = 3 * RESCAN_MS;
const LEASE_RENEWED_MS = RESCAN_MS;

export interface RuleFileWatcher {
  status(): RuleFilesNow;
  /** Scans now, whatever has changed; resolves with what it came to. While one hangs none begins. */
  scan(): Promise<RuleFilesStatus>;
  /** Resolves with the outcome of the next scan that ends, whoever caused it. */
  nextScan(): Promise<RuleFilesStatus>;
  /** Stops watching, waits for rules that are being written but for no file system, and lets another process take over. */
  close(): Promise<void>;
}

export interface WatchOptions {
  readonly directory: string;
  readonly rules: FileRules;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Of what elapses. Default: this process's. */
  readonly monotonic?: MonotonicClock;
  readonly stallLimits?: StallLimits;
  /** See {@link Applying.onReadAnew}. */
  readonly onReadAnew?: (rules: readonly StoredRule[]) => void;
  /** How often the directory is scanned where nothing tells of a change. Default: ten seconds. */
  readonly rescanMs?: number;
  /** How a file is read. Default: from the file system. */
  readonly read?: typeof readBounded;
}

/**
 * Loads the rule files of a directory (`*.json`, each a rule or an array of rules), now and whenever they change. All files are
 * applied together or not at all, by one process at a time; a directory that is missing or empty changes nothing.
 *
 * @returns once the files were scanned for the first time, or that is known to hang
 */
export async function watchRuleDirectory(options: WatchOptions): Promise<RuleFileWatcher> {
  const watcher = new Watcher(options);
  await Promise.race([watcher.scan(), watcher.hangs]);
  return watcher;
}

/** What reading the files came to: nothing where nobody wants to know any more. */
type Found = FoundFiles | { readonly kind: 'closed' };

class Watcher implements RuleFileWatcher {
  readonly #options: WatchOptions;
  readonly #holder = randomUUID();
  readonly #monotonic: MonotonicClock;
  readonly #seen: SeenFiles;
  readonly #stall: StallWatch;
  readonly #timer: NodeJS.Timeout;
  /** Resolves when a scan first hangs. */
  readonly hangs: Promise<void>;
  #tellHang = () => {};
  readonly #closing: Promise<void>;
  #tellClosing = () => {};
  #status: RuleFilesStatus = { state: 'starting' };
  /** Since when the scan that runs hangs. */
  #hanging: { readonly state: 'hanging'; readonly atMs: number; readonly sinceMs: number } | null = null;
  #lastScanMs: number | null = null;
  #lease: Lease | null = null;
  #leasedMs = 0;
  /** Counts how often the lease was taken other than from this watcher itself. */
  #tenure = 0;
  /** Keeps the work from taking the time that CPEs need. */
  readonly #background = new Background();
  /** What the rules were made to say last, by this process under a lease that it has had ever since; null: look at all files. */
  #applied: AppliedFiles | null = null;
  /** Whether what was read last is that. */
  #isApplied = false;
  #reported = '';
  #closed = false;
  #running: Promise<RuleFilesStatus> = Promise.resolve(this.#status);
  /** A scan that will begin when the one that runs ends. */
  #next: Promise<RuleFilesStatus> | null = null;
  #debounce: NodeJS.Timeout | null = null;
  #watching: FSWatcher | null = null;
  #waiting: ((status: RuleFilesStatus) => void)[] = [];
  /** Beside CPEs the work takes its time, in which the lease must not run out. */
  readonly #turn: Turn = async (work) => {
    if (this.#lease !== null && this.#monotonic() - this.#leasedMs >= LEASE_RENEWED_MS) await this.#acquire();
    return this.#background.turn('', work);
  };

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? monotonicClock;
    this.#seen = new SeenFiles(this.#monotonic);
    this.#stall = new StallWatch(options.stallLimits ?? STALL_LIMITS, () => this.#hang());
    this.hangs = new Promise((resolve) => {
      this.#tellHang = resolve;
    });
    this.#closing = new Promise((resolve) => {
      this.#tellClosing = resolve;
    });
    this.#timer = setInterval(() => {
      if (this.#hanging !== null) return;
      // Watching a directory that was replaced hears nothing; watching it anew costs nothing.
      this.#unwatch();
      void this.scan();
    }, options.rescanMs ?? RESCAN_MS).unref();
  }

  status(): RuleFilesNow {
    const lastScanAgeMs = this.#lastScanMs === null ? null : this.#monotonic() - this.#lastScanMs;
    if (this.#hanging === null) return { ...this.#status, lastScanAgeMs };
    return { state: 'hanging', atMs: this.#hanging.atMs, lastScanAgeMs };
  }

  /** One after the other: a change during a scan causes one more after it, however many there are. */
  scan(): Promise<RuleFilesStatus> {
    if (this.#closed) return this.#running;
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#scanOnce();
    });
    this.#running = this.#next;
    return this.#running;
  }

  nextScan(): Promise<RuleFilesStatus> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#debounce !== null) clearTimeout(this.#debounce);
    this.#tellClosing();
    await this.#running;
    this.#unwatch();
    const lease = this.#lease;
    this.#lease = null;
    if (lease !== null) await this.#options.rules.releaseFiles(lease);
  }

  async #scanOnce(): Promise<RuleFilesStatus> {
    if (this.#closed) return this.#status;
    const { clock, logger, directory } = this.#options;
    try {
      this.#status = await this.#attempt();
    } catch (error) {
      if (error instanceof RuleConflictError) this.#lease = null;
      this.#isApplied = false;
      this.#applied = null;
      const message = error instanceof Error ? error.message : String(error);
      this.#status = { state: 'failed', atMs: clock(), error: message };
    }
    if (this.#hanging !== null && !this.#closed) {
      const seconds = Math.round((this.#monotonic() - this.#hanging.sinceMs) / SECOND_MS);
      logger.info('rules.scan-goes-on', { directory, seconds });
      this.#hanging = null;
    }
    if (this.#closed) return this.#status;
    this.#lastScanMs = this.#monotonic();
    this.#reported = report(logger, directory, this.#status, this.#reported);
    const told = this.#waiting;
    this.#waiting = [];
    for (const tell of told) tell(this.#status);
    return this.#status;
  }

  async #attempt(): Promise<RuleFilesStatus> {
    const atMs = this.#options.clock();
    const entangled = new Set<string>();
    for (;;) {
      if ((await this.#acquire()) === null) return { state: 'standby', atMs };
      const [tenure, applied] = [this.#tenure, this.#applied];
      const found = await this.#read(entangled);
      switch (found.kind) {
        case 'closed':
          return this.#status;
        case 'empty':
          this.#isApplied = false;
          return { state: 'empty', atMs };
        case 'unreadable':
          this.#isApplied = false;
          return { state: 'broken', atMs, problems: found.problems };
        case 'found':
          break;
        default:
          return found satisfies never;
      }
      const changed = found.files.map(({ name }) => name);
      const gone = applied?.without([...changed, ...found.unchanged]) ?? [];
      if (this.#isApplied && changed.length === 0 && gone.length === 0) return this.#status;
      this.#isApplied = false;
      // Reading may have taken as long as the lease.
      if ((await this.#acquire()) === null) return { state: 'standby', atMs };
      // Another has applied files meanwhile: all are looked at anew.
      if (this.#tenure !== tenure) continue;
      const { onReadAnew: told } = this.#options;
      const onReadAnew = told === undefined ? {} : { onReadAnew: told };
      const outcome = await applyRuleFiles(this.#options.rules, found.files, {
        renewed: async () => {
          const lease = await this.#acquire();
          return this.#tenure === tenure ? lease : null;
        },
        turn: this.#turn,
        ...onReadAnew,
        beside: applied === null ? null : { unchanged: found.unchanged, changed: [...changed, ...gone] },
      });
      switch (outcome.kind) {
        case 'entangled':
          for (const name of outcome.files) entangled.add(name);
          continue;
        case 'broken':
          return { state: 'broken', atMs, problems: outcome.problems };
        case 'applied':
          break;
        default:
          return outcome satisfies never;
      }
      this.#applied = (applied ?? new AppliedFiles([])).next(outcome.files, found.unchanged);
      this.#isApplied = true;
      return { state: 'applied', atMs, ...this.#applied.summary() };
    }
  }

  /** Takes the lease, or takes it again. */
  async #acquire(): Promise<Lease | null> {
    this.#lease = await this.#options.rules.leaseFiles(this.#holder, LEASE_MS);
    this.#leasedMs = this.#monotonic();
    if (this.#lease?.isContinued !== true) {
      // Another may have applied other files.
      this.#tenure++;
      this.#applied = null;
      this.#isApplied = false;
    }
    return this.#lease;
  }

  /** Reads the files that have changed. Whoever closes the watcher does not wait for it. @param asked  files that are read whatever is in them */
  async #read(asked: ReadonlySet<string>): Promise<Found> {
    this.#stall.begin();
    const reading = this.#readChanged(asked);
    // Nobody waits for it once the watcher is closed.
    reading.catch(() => {});
    try {
      return await Promise.race([reading, this.#closing.then(() => ({ kind: 'closed' }) as const)]);
    } finally {
      this.#stall.end();
    }
  }

  async #readChanged(asked: ReadonlySet<string>): Promise<FoundFiles> {
    const { directory, read = readBounded } = this.#options;
    const onProgress = () => {
      if (this.#closed) throw new Error('The watcher is closed');
      this.#stall.progress();
    };
    if (this.#watching === null) {
      // Watching asks the file system on the thread of the event loop: not before it has answered elsewhere.
      await markOf(directory);
      onProgress();
      this.#watching = this.#tryToWatch(directory);
    }
    const applied = this.#applied;
    const knownBy = (name: string) => (asked.has(name) ? null : (applied?.digestOf(name) ?? null));
    return this.#seen.look(directory, { knownBy, read, onProgress, turn: this.#turn });
  }

  #hang(): void {
    const { clock, logger, directory } = this.#options;
    this.#hanging = { state: 'hanging', atMs: clock(), sinceMs: this.#monotonic() };
    this.#reported = report(logger, directory, { state: 'hanging', atMs: clock() }, this.#reported);
    this.#tellHang();
  }

  #changed(): void {
    if (this.#closed) return;
    if (this.#debounce !== null) clearTimeout(this.#debounce);
    this.#debounce = setTimeout(() => void this.scan(), DEBOUNCE_MS);
  }

  #tryToWatch(directory: string): FSWatcher | null {
    try {
      const made = watch(directory, { persistent: false }, () => this.#changed());
      // The directory was removed or replaced: watched anew by the next scan.
      made.on('error', () => this.#unwatch());
      return made;
    } catch {
      return null;
    }
  }

  #unwatch(): void {
    this.#watching?.close();
    this.#watching = null;
  }
}
