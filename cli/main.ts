#!/usr/bin/env node
import process from 'node:process';
import { hideBin } from 'yargs/helpers';
import type { Io, Output } from './io.js';
import { runCommandLine } from './run.js';

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  environment: process.env,
};

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
const exitCode = await runCommandLine(hideBin(process.argv), io);
if (exitCode !== 0) process.exitCode = exitCode;
