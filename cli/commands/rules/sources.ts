import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type RuleFileContent,
  readBounded,
  readRuleDirectory,
  TEST_FILE_SUFFIX,
} from '../../../rules/index.js';
import { CommandError } from '../../command.js';

/** Rule files that belong together: a directory, or all files that were named one by one. */
export interface RuleSource {
  /** Named as on the command line, so that whoever reads a report finds them. */
  readonly files: readonly RuleFileContent[];
}

/**
 * Reads what the words of a command line name.
 * @throws CommandError for what is not there, cannot be read, or holds no rules
 */
export async function readSources(paths: readonly string[]): Promise<readonly RuleSource[]> {
  const sources: RuleSource[] = [];
  const named: RuleFileContent[] = [];
  for (const path of paths) {
    if (await isDirectory(path)) sources.push(await readSource(path));
    // A shell's `rules.d/*.json` names the tests, too.
    else if (!path.endsWith(TEST_FILE_SUFFIX)) named.push({ name: path, bytes: await readNamed(path) });
  }
  if (named.length > 0) sources.push({ files: named });
  if (sources.length === 0) throw new CommandError('There are only tests among these, no rule files.');
  return sources;
}

/** @throws CommandError */
export async function readSource(directory: string): Promise<RuleSource> {
  const found = await readRuleDirectory(directory);
  switch (found.kind) {
    case 'read':
      return {
        files: found.files.map(({ name, bytes }) => ({ name: join(directory, name), bytes })),
      };
    case 'empty':
      throw new CommandError(`There are no rule files (*.json) in ${directory}.`);
    case 'unreadable': {
      const [problem] = found.problems;
      throw new CommandError(`${join(directory, problem?.file ?? '')}: expected ${problem?.expected}`);
    }
    default: {
      const never: never = found;
      throw new Error(`Unknown kind of directory ${String(never)}`);
    }
  }
}

export async function readNamed(path: string): Promise<Buffer> {
  const bytes = await readBounded(path);
  if (bytes === 'not-a-file') throw new CommandError(`${path} is not a file.`);
  if (typeof bytes === 'string') throw new CommandError(`${path}: expected ${bytes}`);
  return bytes;
}

export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (reason === 'ENOENT') throw new CommandError(`There is no ${path}.`, 2);
    throw new CommandError(`${path} cannot be read (${reason}).`);
  }
}

/** A rule file and its tests, whichever of the two was named. */
export interface TestedFile {
  readonly directory: string;
  readonly ruleFile: string;
  readonly testFile: string;
}

export function testedFile(path: string): TestedFile {
  const [directory, name] = [dirname(path), basename(path)];
  const stem = name.endsWith(TEST_FILE_SUFFIX)
    ? name.slice(0, -TEST_FILE_SUFFIX.length)
    : name.replace(/\.json$/, '');
  return {
    directory,
    ruleFile: join(directory, `${stem}.json`),
    testFile: join(directory, `${stem}${TEST_FILE_SUFFIX}`),
  };
}
