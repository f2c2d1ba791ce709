import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuleFileProblem } from './rule-file.js';

export const RULE_FILE_BYTES_MAX = 16 * 1024 * 1024;
export const RULE_FILES_MAX = 10_000;
/** All rule files together: they are in memory while they are applied. */
export const RULE_DIRECTORY_BYTES_MAX = 256 * 1024 * 1024;
const FILE_NAME_CHARACTERS_MAX = 200;

export interface RuleFileContent {
  readonly name: string;
  readonly bytes: Buffer;
}

export type RuleDirectory =
  | { readonly kind: 'read'; readonly files: readonly RuleFileContent[] }
  /** It is not there, or no rule file is in it. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'unreadable'; readonly problems: readonly RuleFileProblem[] };

/** What stands beside a rule file and tests it (`ferry rules test`): no rules are in it. */
export const TEST_FILE_SUFFIX = '.test.json';

export function isRuleFileName(name: string): boolean {
  return name.endsWith('.json') && !name.endsWith(TEST_FILE_SUFFIX) && !name.startsWith('.');
}

/**
 * Reads all `*.json` of a directory, in order of their names; hidden files, sub-directories and the tests of rules (`*.test.json`)
 * are left alone.
 */
export async function readRuleDirectory(directory: string): Promise<RuleDirectory> {
  let names: readonly string[];
  try {
    names = (await readdir(directory)).filter(isRuleFileName).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return { kind: 'empty' };
    return unreadable('', `a directory that can be read (${codeOf(error)})`);
  }
  if (names.length > RULE_FILES_MAX)
    return unreadable('', `at most ${RULE_FILES_MAX} files; put rules together`);
  const files: RuleFileContent[] = [];
  let bytesTogether = 0;
  for (const name of names) {
    if (name.length > FILE_NAME_CHARACTERS_MAX) {
      return unreadable(name, `a file name of at most ${FILE_NAME_CHARACTERS_MAX} characters`);
    }
    const bytes = await readBounded(join(directory, name));
    if (bytes === 'not-a-file') continue;
    if (typeof bytes === 'string') return unreadable(name, bytes);
    bytesTogether += bytes.length;
    if (bytesTogether > RULE_DIRECTORY_BYTES_MAX) {
      return unreadable(name, `at most ${RULE_DIRECTORY_BYTES_MAX} bytes in all rule files together`);
    }
    files.push({ name, bytes });
  }
  return files.length === 0 ? { kind: 'empty' } : { kind: 'read', files };
}

function unreadable(file: string, expected: string): RuleDirectory {
  return { kind: 'unreadable', problems: [{ file, field: '', code: 'unreadable', expected }] };
}

/**
 * Reads one file, which may be a rule file, its test, or something that a test names.
 * @returns what it should have been instead, where it cannot be read
 */
export async function readBounded(path: string): Promise<Buffer | string> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    // Renamed or removed since the directory was listed: what came of it is seen by the next scan.
    return codeOf(error) === 'ENOENT' ? 'not-a-file' : `a file that can be read (${codeOf(error)})`;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return 'not-a-file';
    if (stats.size > RULE_FILE_BYTES_MAX) return `at most ${RULE_FILE_BYTES_MAX} bytes; split the file`;
    const bytes = Buffer.alloc(stats.size);
    const { bytesRead } = await file.read(bytes, 0, stats.size, 0);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    return `a file that can be read (${codeOf(error)})`;
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
