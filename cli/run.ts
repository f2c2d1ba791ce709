import { StoreAddressError, StoreError, StoreInUseError } from '../store/index.js';
import { BackupError } from './backup/format.js';
import { CommandError } from './command.js';
import { commandLine } from './command-line.js';
import { ConfigError } from './config.js';
import { InstallationError } from './first-start.js';
import type { Io } from './io.js';
import { ListenError } from './server/listeners.js';
import { UsageError } from './usage.js';
import { WorkersNotStartedError } from './workers/supervisor.js';

/** EX_SOFTWARE of sysexits.h: a defect of Ferry's. */
const DEFECT_EXIT_CODE = 70;

/**
 * Runs one command to its end.
 * @param words  of the command line, without the program's own name
 * @returns the exit code; where it is not 0 standard error says why
 */
export async function runCommandLine(words: readonly string[], io: Io): Promise<number> {
  try {
    await commandLine(words, io).parseAsync();
    return 0;
  } catch (error) {
    const { text, exitCode } = outcomeOf(error, words);
    io.stderr.write(text);
    return exitCode;
  }
}

/** What a command's failure says to the user and to the shell. */
function outcomeOf(
  error: unknown,
  words: readonly string[],
): { readonly text: string; readonly exitCode: number } {
  if (error instanceof UsageError) return { text: error.text(words), exitCode: 2 };
  // The worker has said why.
  if (error instanceof WorkersNotStartedError) return { text: '', exitCode: error.exitCode };
  if (error instanceof ConfigError) return { text: `ferry: ${error.message}\n`, exitCode: 2 };
  if (error instanceof StoreAddressError) return { text: `ferry: --store: ${error.message}\n`, exitCode: 2 };
  if (error instanceof CommandError) return { text: `ferry: ${error.message}\n`, exitCode: error.exitCode };
  if (
    error instanceof ListenError ||
    error instanceof InstallationError ||
    error instanceof BackupError ||
    error instanceof StoreError ||
    error instanceof StoreInUseError ||
    isSystemError(error)
  ) {
    return { text: `ferry: ${error.message}\n`, exitCode: 1 };
  }
  const defect = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `ferry: ${defect}\n`, exitCode: DEFECT_EXIT_CODE };
}

/** Of the machine, not of Ferry: a file that may not be read, a disk that is full. Its message names it. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
