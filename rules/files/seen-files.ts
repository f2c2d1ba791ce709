import { join } from 'node:path';
import { type MonotonicClock, monotonicClock, SECOND_MS, withPauses } from '../../common/index.js';
import { digesting, listRuleDirectory, markOf, type RuleFileContent } from './rule-directory.js';

/**
 * A file whose mark stands for its content: that was read so long after the mark was first seen that no write since can have left
 * the mark as it was. No clock of a file system is coarser than two seconds (FAT), and none is compared with ours.
 */
const MARK_IS_SURE_MS = 3 * SECOND_MS;

interface Seen {
  readonly mark: string;
  /** When it was first seen with this mark, by the monotonic clock. */
  readonly sinceMs: number;
  readonly digest: string;
  readonly isSure: boolean;
}

/** What is known of the files of a directory as they were read last, so that those that have not changed are not read again. */
export class SeenFiles {
  #seen = new Map<string, Seen>();

  constructor(private readonly monotonic: MonotonicClock = monotonicClock) {}

  /** Whether the directory has just the files that were read last, and none of them can have changed. */
  async areUnchanged(directory: string, onProgress: () => void): Promise<boolean> {
    const listed = await listRuleDirectory(directory);
    onProgress();
    if (listed.kind !== 'listed') return false;
    let files = 0;
    for (const name of listed.names) {
      const mark = await markOf(join(directory, name));
      onProgress();
      // A directory of that name, or a FIFO: it is left alone.
      if (mark === null && !this.#seen.has(name)) continue;
      const seen = this.#seen.get(name);
      if (seen === undefined || !seen.isSure || seen.mark !== mark) return false;
      files++;
    }
    return files === this.#seen.size;
  }

  /** The marks of files that are about to be read. */
  async marks(directory: string, onProgress: () => void): Promise<ReadonlyMap<string, Mark>> {
    const marks = new Map<string, Mark>();
    const listed = await listRuleDirectory(directory);
    onProgress();
    if (listed.kind !== 'listed') return marks;
    for (const name of listed.names) {
      const mark = await markOf(join(directory, name));
      onProgress();
      if (mark === null) continue;
      const before = this.#seen.get(name);
      const nowMs = this.monotonic();
      const sinceMs = before?.mark === mark ? before.sinceMs : nowMs;
      marks.set(name, { mark, sinceMs, isSure: nowMs - sinceMs >= MARK_IS_SURE_MS });
    }
    return marks;
  }

  /**
   * Remembers files that were read after their marks were taken.
   * @returns whether they are others, or have another content, than those that were read last
   */
  async take(files: readonly RuleFileContent[], marks: ReadonlyMap<string, Mark>): Promise<boolean> {
    const next = new Map<string, Seen>();
    let isChanged = files.length !== this.#seen.size;
    const comparing = function* (this: SeenFiles): Generator<void, void> {
      for (const { name, bytes } of files) {
        const digest = yield* digesting(bytes);
        isChanged ||= this.#seen.get(name)?.digest !== digest;
        const mark = marks.get(name) ?? { mark: '', sinceMs: this.monotonic(), isSure: false };
        next.set(name, { ...mark, digest });
      }
    };
    await withPauses(comparing.call(this));
    this.#seen = next;
    return isChanged;
  }

  /** Whatever is read next has changed. */
  forget(): void {
    this.#seen.clear();
  }
}

export interface Mark {
  readonly mark: string;
  readonly sinceMs: number;
  readonly isSure: boolean;
}
