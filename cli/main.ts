#!/usr/bin/env node
import process from 'node:process';
import { hideBin } from 'yargs/helpers';
import { StoreError } from '../store/index.js';
import { BackupError } from './backup/format.js';
import { CommandError } from './command.js';
import { commandLine } from './command-line.js';
import { ConfigError } from './config.js';
import { InstallationError } from './installation.js';
import type { Io, Output } from './io.js';
import { ListenError } from './server.js';
import { UsageError } from './usage.js';
import { WorkersNotStartedError } from './workers/supervisor.js';

/** EX_SOFTWARE of sysexits.h: a defect of Ferry's. */
const DEFECT_EXIT_CODE = 70;

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  environment: process.env,
};

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
  } else if (error instanceof WorkersNotStartedError) {
    // The worker has said why.
    process.exitCode = error.exitCode;
  } else if (
    error instanceof ListenError ||
    error instanceof InstallationError ||
    error instanceof BackupError ||
    error instanceof StoreError ||
    isSystemError(error)
  ) {
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
  await commandLine(words, io).parseAsync();
} catch (error) {
  report(error, words);
}
