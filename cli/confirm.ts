import { createInterface } from 'node:readline/promises';
import { CommandError } from './command.js';
import type { Io } from './io.js';

/**
 * Asks before something is deleted.
 * @param what  as in `3 rules`
 * @throws CommandError where nobody is there to be asked, or says no
 */
export async function confirmDeletion(what: string, io: Io): Promise<void> {
  if (!io.stdin.isTTY) throw new CommandError('Say --yes to delete them, or --dry-run to list them.', 2);
  const lines = createInterface({ input: io.stdin, output: io.stderr });
  try {
    const answer = await lines.question(`Delete ${what}? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing was deleted.');
  } finally {
    lines.close();
  }
}
