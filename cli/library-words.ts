import { format } from 'node:util';
import type { Logger } from '../common/index.js';

/**
 * Lets what libraries and Node.js itself say to a console be events of the log, for the rest of the process: lmdb prints a commit's error with
 * its stack, and Node.js its warnings, between lines that a collector reads as JSON. (What native code writes to standard error no one here
 * can catch: see docs/operating.md.)
 */
export function logWordsOfLibraries(logger: Logger): void {
  const say =
    (level: 'error' | 'warn' | 'info') =>
    (message?: unknown, ...rest: unknown[]) => {
      const text = format(message, ...rest);
      const end = text.indexOf('\n');
      if (end === -1) logger[level]('library.said', { text });
      else logger[level]('library.said', { text: text.slice(0, end), stack: text.slice(end + 1) });
    };
  console.error = say('error');
  console.trace = say('warn');
  console.warn = say('warn');
  console.info = say('info');
  console.log = say('info');
  // Node's own listener, which prints.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message, stack }) =>
    logger.warn('library.warned', { kind: name, text: message, stack }),
  );
}
