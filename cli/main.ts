#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import process from 'node:process';
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { CommandError } from './command.js';
import { configCommand } from './commands/config.js';
import { demoCommand } from './commands/demo.js';
import { freezeCommand } from './commands/freeze.js';
import { imageCommands } from './commands/image.js';
import { serveCommand } from './commands/serve.js';
import { simCommand } from './commands/sim.js';
import { userCommands } from './commands/user.js';
import { ConfigError } from './config.js';
import type { Io } from './io.js';

const packageJson = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const io: Io = { stdout: process.stdout, stderr: process.stderr, stdin: process.stdin };

function commandLine(words: readonly string[]): Argv {
  return yargs([...words])
    .scriptName('ferry')
    .usage('Ferry, a TR-069 auto-configuration server for firmware upgrades\n\n$0 <command>')
    .env('FERRY')
    .command(serveCommand(io))
    .command(demoCommand(io))
    .command(simCommand(io))
    .command(imageCommands(io))
    .command(userCommands(io))
    .command(freezeCommand(io))
    .command(configCommand(io))
    .demandCommand(1, 'Say what to do: ferry serve starts the server, ferry demo shows what it does')
    .strict()
    .recommendCommands()
    .version(packageJson.version)
    .alias('help', 'h')
    .wrap(Math.min(120, io.stdout.columns ?? 100))
    .epilogue(
      'Every option can also be given as a FERRY_… variable (--data-dir: FERRY_DATA_DIR) or in a file (--config).',
    )
    .exitProcess(false)
    .fail((message, error) => {
      if (error) throw error;
      throw new CommandError(message, 2);
    });
}

try {
  await commandLine(hideBin(process.argv)).parseAsync();
} catch (error) {
  if (error instanceof CommandError || error instanceof ConfigError) {
    io.stderr.write(`ferry: ${error.message}\n`);
    if (error instanceof CommandError && error.exitCode === 2)
      io.stderr.write('ferry --help lists what there is\n');
    process.exitCode = error instanceof CommandError ? error.exitCode : 2;
  } else {
    io.stderr.write(`ferry: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 70;
  }
}
