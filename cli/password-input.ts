import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError } from './command.js';
import type { Arguments } from './config-sources.js';
import type { Io } from './io.js';

const GENERATED_PASSWORD_BYTES = 18;

/**
 * The password of a command with `--password-stdin`: a line of standard input, or asked for; where nobody can be asked one is made.
 * @throws CommandError where there is none
 */
export async function passwordFrom(
  args: Arguments,
  io: Io,
): Promise<{ password: string; generated: boolean }> {
  if (args['passwordStdin']) return { password: await firstLine(io), generated: false };
  if (!io.stdin.isTTY)
    return { password: randomBytes(GENERATED_PASSWORD_BYTES).toString('base64url'), generated: true };
  const [password, again] = await askHidden(['Password: ', 'Again: '], io);
  if (password === undefined || password !== again) throw new CommandError('The two passwords differ.');
  return { password, generated: false };
}

const LINE_BYTES_MAX = 8 * 1024;

async function firstLine(io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of io.stdin) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    sizeBytes += bytes.length;
    if (bytes.includes('\n')) break;
    if (sizeBytes > LINE_BYTES_MAX)
      throw new CommandError('Standard input holds no password: its line is too long.');
  }
  const line = Buffer.concat(chunks).toString().split('\n')[0]?.replace(/\r$/, '') ?? '';
  if (line === '') throw new CommandError('Standard input holds no password.');
  return line;
}

/** Asks one thing after the other; what is typed is not shown. */
async function askHidden(prompts: readonly string[], io: Io): Promise<string[]> {
  // readline echoes to its output; this one swallows what is typed.
  const muted = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: io.stdin, output: muted, terminal: true });
  // Not one question after the other: lines that are pasted together come before the second is asked.
  const answered = lines[Symbol.asyncIterator]();
  const answers: string[] = [];
  try {
    for (const prompt of prompts) {
      io.stderr.write(prompt);
      const answer = await answered.next();
      io.stderr.write('\n');
      // Ctrl-C and Ctrl-D end the lines.
      if (answer.done) throw new CommandError('No password was given.', 130);
      answers.push(answer.value);
    }
    return answers;
  } finally {
    lines.close();
  }
}
