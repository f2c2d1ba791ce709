#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import process from 'node:process';
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { simulatorOptions } from '../cpe-sim/index.js';
import { StoreError } from '../store/index.js';
import { type Arguments, CommandError } from './command.js';
import { configCommand } from './commands/config.js';
import { demoCommand } from './commands/demo.js';
import { freezeCommand } from './commands/freeze.js';
import { imageCommands } from './commands/image.js';
import { serveCommand } from './commands/serve.js';
import { simCommand } from './commands/sim.js';
import { userCommands } from './commands/user.js';
import { CONFIG_NAMES, ConfigError, flagOf, OPTIONS } from './config.js';
import { columnsOf, type Io, type Output } from './io.js';
import { ListenError } from './server.js';
import { SAY_WHICH, UsageError } from './usage.js';

const HELP_COLUMNS_MAX = 120;
/** EX_SOFTWARE of sysexits.h: a defect of Ferry's. */
const DEFECT_EXIT_CODE = 70;

const packageJson = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  environment: process.env,
};

function commandLine(words: readonly string[]): Argv {
  return yargs([...words])
    .scriptName('ferry')
    .usage('Ferry, a TR-069 auto-configuration server for firmware upgrades\n\n$0 <command>')
    .parserConfiguration({ 'dot-notation': false })
    .command(serveCommand(io))
    .command(demoCommand(io))
    .command(simCommand(io))
    .command(imageCommands(io))
    .command(userCommands(io))
    .command(freezeCommand(io))
    .command(configCommand(io))
    .demandCommand(1, SAY_WHICH)
    .strict()
    .check(checkGivenOnce)
    .recommendCommands()
    .version(packageJson.version)
    .alias('help', 'h')
    .wrap(Math.min(HELP_COLUMNS_MAX, columnsOf(io.stdout)))
    .exitProcess(false)
    .fail((message, error, usage) => {
      if (error && error.name !== 'YError') throw error;
      // What yargs hands over here has a help() that returns the text, whatever its types say.
      throw new UsageError(message ?? error?.message ?? '', String(usage.help()));
    });
}

/** yargs makes a list of an option that is given twice, and of `--name a --name b` the text "a,b". */
function checkGivenOnce(args: Arguments): true {
  for (const [name, value] of Object.entries(args)) {
    if (Array.isArray(value) && name !== '_' && !REPEATABLE.has(flagOf(name))) {
      throw new CommandError(`--${flagOf(name)} is given more than once`, 2);
    }
  }
  return true;
}

const REPEATABLE: ReadonlySet<string> = new Set([
  ...CONFIG_NAMES.filter((name) => Array.isArray(OPTIONS[name].default)).map(flagOf),
  ...Object.entries(simulatorOptions).flatMap(([name, option]) => ('repeatable' in option ? [name] : [])),
]);

/** What a command's end says to the user and to the shell. */
function report(error: unknown, words: readonly string[]): void {
  if (error instanceof UsageError) {
    io.stderr.write(error.text(words));
    process.exitCode = 2;
  } else if (error instanceof ConfigError) {
    io.stderr.write(`ferry: ${error.message}\n`);
    process.exitCode = 2;
  } else if (error instanceof CommandError) {
    io.stderr.write(`ferry: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else if (error instanceof ListenError || error instanceof StoreError || isSystemError(error)) {
    io.stderr.write(`ferry: ${error.message}\n`);
    process.exitCode = 1;
  } else {
    io.stderr.write(`ferry: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = DEFECT_EXIT_CODE;
  }
}

/** Of the machine, not of Ferry: a file that may not be read, a disk that is full. Its message names it. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** Whoever reads may stop to (`ferry image list | head -1`); a file that takes no more is told. */
function survive(stream: Output, name: string): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    if (stream !== io.stderr) io.stderr.write(`ferry: ${name}: ${error.message}\n`);
    process.exitCode = 1;
  });
}

survive(io.stdout, 'standard output');
survive(io.stderr, 'standard error');
const words = hideBin(process.argv);
try {
  await commandLine(words).parseAsync();
} catch (error) {
  report(error, words);
}
