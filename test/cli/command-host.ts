import process from 'node:process';
import { Readable } from 'node:stream';
import type { Input, Output } from '../../cli/io.js';
import { runCommandLine } from '../../cli/run.js';
import { END_OF_COMMAND, type HostedCommand } from './support.js';

// A process that runs one command after the other, for `ferry` in support.ts.

function written(stream: Output, text: string): Promise<void> {
  return new Promise((resolve) => stream.write(text, () => resolve()));
}

process.on('message', async ({ words, environment, input, cwd }: HostedCommand) => {
  process.chdir(cwd);
  const stdin: Input = Readable.from(input === '' ? [] : [Buffer.from(input)]);
  const { stdout, stderr } = process;
  const exitCode = await runCommandLine(words, { stdout, stderr, stdin, environment });
  await Promise.all([written(stdout, END_OF_COMMAND), written(stderr, END_OF_COMMAND)]);
  process.send?.(exitCode);
});

process.on('disconnect', () => process.exit());
