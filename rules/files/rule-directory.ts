import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuleFileProblem } from './rule-file.js';

export const RULE_FILE_BYTES_MAX = 16 * 1024 * 1024;
export const RULE_FILES_MAX = 10_000;
/** All rule files together: those that have changed are in memory while they are applied. */
export const RULE_DIRECTORY_BYTES_MAX = 256 * 1024 * 1024;
const FILE_NAME_CHARACTERS_MAX = 200;
/** So much of a file is read and hashed at a time: less than a millisecond. */
const PORTION_BYTES = 256 * 1024;

export interface RuleFileContent {
  readonly name: string;
  readonly bytes: Buffer;
}

export type RuleDirectory =
  | { readonly kind: 'read'; readonly files: readonly RuleFileContent[] }
  /** It is not there, or no rule file is in it. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'unreadable'; readonly problems: readonly RuleFileProblem[] };

/** The rule files there are, by name, or why they are not to be had. */
export type RuleFileNames =
  | { readonly kind: 'listed'; readonly names: readonly string[] }
  | Exclude<RuleDirectory, { readonly kind: 'read' }>;

/** What stands beside a rule file and tests it (`ferry rules test`): no rules are in it. */
export const TEST_FILE_SUFFIX = '.test.json';

export function isRuleFileName(name: string): boolean {
  return name.endsWith('.json') && !name.endsWith(TEST_FILE_SUFFIX) && !name.startsWith('.');
}

/**
 * Lists all `*.json` of a directory, in order of their names; hidden files, sub-directories and the tests of rules (`*.test.json`)
 * are left alone.
 */
export async function listRuleDirectory(directory: string): Promise<RuleFileNames> {
  let names: readonly string[];
  try {
    names = (await readdir(directory)).filter(isRuleFileName).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return { kind: 'empty' };
    return unreadable('', `a directory that can be read (${codeOf(error)})`);
  }
  if (names.length > RULE_FILES_MAX)
    return unreadable('', `at most ${RULE_FILES_MAX} files; put rules together`);
  const long = names.find((name) => name.length > FILE_NAME_CHARACTERS_MAX);
  if (long !== undefined)
    return unreadable(long, `a file name of at most ${FILE_NAME_CHARACTERS_MAX} characters`);
  return { kind: 'listed', names };
}

/**
 * Reads all rule files of a directory, one after the other.
 * @param onProgress  called whenever the file system has answered
 */
export async function readRuleDirectory(
  directory: string,
  onProgress: () => void = () => {},
): Promise<RuleDirectory> {
  const listed = await listRuleDirectory(directory);
  if (listed.kind !== 'listed') return listed;
  const files: RuleFileContent[] = [];
  const together = bytesTogether();
  for (const name of listed.names) {
    const bytes = await readBounded(join(directory, name), onProgress);
    onProgress();
    if (bytes === 'not-a-file') continue;
    if (typeof bytes === 'string') return unreadable(name, bytes);
    if (!together.takes(bytes.length)) return together.tooMuch(name);
    files.push({ name, bytes });
  }
  return files.length === 0 ? { kind: 'empty' } : { kind: 'read', files };
}

type Unreadable = Extract<RuleDirectory, { readonly kind: 'unreadable' }>;

/** Counts the bytes of rule files that belong together. */
export function bytesTogether(): {
  takes(bytes: number): boolean;
  tooMuch(file: string): Unreadable;
} {
  let sum = 0;
  return {
    takes(bytes) {
      sum += bytes;
      return sum <= RULE_DIRECTORY_BYTES_MAX;
    },
    tooMuch: (file) =>
      unreadable(file, `at most ${RULE_DIRECTORY_BYTES_MAX} bytes in all rule files together`),
  };
}

export function unreadable(file: string, expected: string): Unreadable {
  return { kind: 'unreadable', problems: [{ file, field: '', code: 'unreadable', expected }] };
}

/**
 * Reads one file, which may be a rule file, its test, or something that a test names. A FIFO, a socket or a device is no file, and
 * is not waited for.
 * @param onProgress  called after each portion
 * @returns what it should have been instead, where it cannot be read
 */
export async function readBounded(path: string, onProgress: () => void = () => {}): Promise<Buffer | string> {
  let file: FileHandle;
  try {
    // A device may act on being opened: what it is is looked at first, and once more when it is open.
    if (!(await stat(path)).isFile()) return 'not-a-file';
    // Opening a FIFO waits for who writes to it, unless told not to.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    // Renamed or removed since the directory was listed: what came of it is seen by the next scan.
    return codeOf(error) === 'ENOENT' ? 'not-a-file' : `a file that can be read (${codeOf(error)})`;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return 'not-a-file';
    if (stats.size > RULE_FILE_BYTES_MAX) return `at most ${RULE_FILE_BYTES_MAX} bytes; split the file`;
    const bytes = Buffer.alloc(stats.size);
    let filled = 0;
    while (filled < bytes.length) {
      const length = Math.min(PORTION_BYTES, bytes.length - filled);
      const { bytesRead } = await file.read(bytes, filled, length, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
      onProgress();
    }
    return bytes.subarray(0, filled);
  } catch (error) {
    return `a file that can be read (${codeOf(error)})`;
  } finally {
    await file.close();
  }
}

/** The content of a file in short. In steps: hashing 16 MiB takes some ten milliseconds. */
export function* digesting(bytes: Buffer): Generator<void, string> {
  const hash = createHash('sha256');
  for (let from = 0; from < bytes.length; from += PORTION_BYTES) {
    hash.update(bytes.subarray(from, from + PORTION_BYTES));
    yield;
  }
  return hash.digest('base64');
}

/**
 * What a file system says of a file that changes when its content does; null where it is no file, or not there. Two writes within
 * what the file system's clock tells apart look the same.
 */
export async function markOf(path: string): Promise<string | null> {
  try {
    const stats = await stat(path, { bigint: true });
    if (!stats.isFile()) return null;
    return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':');
  } catch {
    return null;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
