import { statfs } from 'node:fs/promises';
import { type Logger, type MonotonicClock, monotonicClock, SECOND_MS, withinTime } from '../common/index.js';

/** What writes to the disk of an installation: documents, and images. */
export type DiskPlace = 'store' | 'images';

/** A disk that is full lets one write pass and the next not: for so long after one that failed it is not said to be well. */
const FAILED_MS_MIN = 10 * SECOND_MS;
/** A file system that hangs must not keep health from being told. */
const STATFS_MS_MAX = 2 * SECOND_MS;

interface Failure {
  readonly reason: string;
  readonly atMs: number;
  hasWrittenSince: boolean;
}

/** Whether what this process writes reaches its disk, and how much room there is left. */
export class DiskWatch {
  readonly #directory: string;
  readonly #freeBytesMin: number;
  readonly #logger: Logger;
  readonly #monotonic: MonotonicClock;
  readonly #failures = new Map<DiskPlace, Failure>();
  #freeBytes = Number.NaN;
  #wasFailing = false;
  #wasLow = false;

  constructor(parts: {
    readonly directory: string;
    /** With less it is said to be low; 0: however little there is. */
    readonly freeBytesMin: number;
    readonly logger: Logger;
    readonly monotonic?: MonotonicClock;
  }) {
    this.#directory = parts.directory;
    this.#freeBytesMin = parts.freeBytesMin;
    this.#logger = parts.logger;
    this.#monotonic = parts.monotonic ?? monotonicClock;
  }

  /** Takes how a write went: null where it succeeded. Called for every write. */
  wrote(place: DiskPlace, failure: Error | null): void {
    if (failure !== null) {
      this.#failures.set(place, {
        reason: failure.message,
        atMs: this.#monotonic(),
        hasWrittenSince: false,
      });
    } else if (this.#failures.size > 0) {
      const known = this.#failures.get(place);
      if (known !== undefined) known.hasWrittenSince = true;
    }
  }

  /** As of the last {@link look}; NaN where that is not known. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Looks how much room there is, and says what has changed. @returns whether the disk is well */
  async look(): Promise<boolean> {
    const found = await withinTime(statfs(this.#directory), STATFS_MS_MAX).catch(() => null);
    this.#freeBytes = found === null ? Number.NaN : found.bavail * found.bsize;
    const isLow = this.#freeBytes < this.#freeBytesMin;
    this.#forgetMended(found !== null && !isLow);
    const [failing] = this.#failures;
    if (failing !== undefined && !this.#wasFailing) {
      const [place, { reason }] = failing;
      this.#logger.error('disk.writes-fail', { place, reason });
    }
    if (failing === undefined && this.#wasFailing) this.#logger.info('disk.writes-again');
    if (isLow !== this.#wasLow) {
      const fields = { freeBytes: this.#freeBytes, freeBytesMin: this.#freeBytesMin };
      if (isLow) this.#logger.warn('disk.low', fields);
      else this.#logger.info('disk.roomy', fields);
    }
    this.#wasFailing = failing !== undefined;
    this.#wasLow = isLow;
    return !this.#wasFailing && !isLow;
  }

  /** @param isRoomy  an image may be uploaded once in months, and what was left of one that did not fit is gone */
  #forgetMended(isRoomy: boolean): void {
    const before = this.#monotonic() - FAILED_MS_MIN;
    for (const [place, { atMs, hasWrittenSince }] of this.#failures) {
      const isMended = hasWrittenSince || (isRoomy && place === 'images');
      if (isMended && atMs <= before) this.#failures.delete(place);
    }
  }
}
