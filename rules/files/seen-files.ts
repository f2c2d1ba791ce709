import { join } from 'node:path';
import { inTurns, type MonotonicClock, monotonicClock, SECOND_MS, type Turn } from '../../common/index.js';
import {
  bytesTogether,
  digesting,
  listRuleDirectory,
  markOf,
  type RuleDirectory,
  type RuleFileContent,
  type readBounded,
  unreadable,
} from './rule-directory.js';

/**
 * A file whose mark stands for its content: that was read so long after the mark was first seen that no write since can have left
 * the mark as it was. No clock of a file system is coarser than two seconds (FAT), and none is compared with ours.
 */
const MARK_IS_SURE_MS = 3 * SECOND_MS;

interface Seen {
  readonly mark: string;
  /** When it was first seen with this mark, by the monotonic clock. */
  readonly sinceMs: number;
  readonly isSure: boolean;
  /** Of its content as it was read last. */
  readonly digest: string;
  readonly size: number;
}

/** A file as it was read now. */
export interface DigestedFile extends RuleFileContent {
  readonly digest: string;
}

/** The rule files there are, by name. */
export type FoundFiles =
  | {
      readonly kind: 'found';
      /** With another content than they are known by, or asked for. */
      readonly files: readonly DigestedFile[];
      /** Names of the others. */
      readonly unchanged: ReadonlySet<string>;
    }
  | Exclude<RuleDirectory, { readonly kind: 'read' }>;

export interface Looking {
  /** The digest by which a file is known; null where it is not, or is to be read whatever is in it. */
  readonly knownBy: (name: string) => string | null;
  readonly read: typeof readBounded;
  /** Called whenever the file system has answered. */
  readonly onProgress: () => void;
  /** When what was read is hashed. */
  readonly turn: Turn;
}

/** What is known of the files of a directory as they were read last, so that those that have not changed are not read again. */
export class SeenFiles {
  #seen = new Map<string, Seen>();

  constructor(private readonly monotonic: MonotonicClock = monotonicClock) {}

  /**
   * Looks at the files one after the other. Only those that may have changed are read, and only the bytes of those that have are
   * held.
   */
  async look(directory: string, { knownBy, read, onProgress, turn }: Looking): Promise<FoundFiles> {
    const listed = await listRuleDirectory(directory);
    onProgress();
    if (listed.kind !== 'listed') return this.#forget(listed);
    const next = new Map<string, Seen>();
    const files: DigestedFile[] = [];
    const unchanged = new Set<string>();
    const together = bytesTogether();
    for (const name of listed.names) {
      const path = join(directory, name);
      // The mark is older than what is read: a write in between is seen by the next scan.
      const mark = await this.#marked(name, path);
      onProgress();
      const known = knownBy(name);
      const before = this.#seen.get(name);
      if (mark !== null && before?.isSure === true && before.mark === mark.mark && before.digest === known) {
        next.set(name, before);
        unchanged.add(name);
        if (!together.takes(before.size)) return this.#forget(together.tooMuch(name));
        continue;
      }
      const bytes = await read(path, onProgress);
      onProgress();
      if (bytes === 'not-a-file') continue;
      if (typeof bytes === 'string') return this.#forget(unreadable(name, bytes));
      if (!together.takes(bytes.length)) return this.#forget(together.tooMuch(name));
      const digest = await inTurns(digesting(bytes), turn);
      const size = bytes.length;
      next.set(name, { ...(mark ?? { mark: '', sinceMs: this.monotonic(), isSure: false }), digest, size });
      if (digest === known) unchanged.add(name);
      else files.push({ name, bytes, digest });
    }
    this.#seen = next;
    return next.size === 0 ? { kind: 'empty' } : { kind: 'found', files, unchanged };
  }

  async #marked(name: string, path: string): Promise<Pick<Seen, 'mark' | 'sinceMs' | 'isSure'> | null> {
    const mark = await markOf(path);
    if (mark === null) return null;
    const before = this.#seen.get(name);
    const nowMs = this.monotonic();
    const sinceMs = before?.mark === mark ? before.sinceMs : nowMs;
    return { mark, sinceMs, isSure: nowMs - sinceMs >= MARK_IS_SURE_MS };
  }

  /** Where something is wrong with the directory, all of it is read again. */
  #forget<Result>(result: Result): Result {
    this.#seen.clear();
    return result;
  }
}
