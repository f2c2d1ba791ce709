import process from 'node:process';

const REFUSED_EXIT_CODE = 2;

/** Ends a benchmark that was not asked for rightly, and says why: for `fail` of yargs. */
export function refuseOptions(message: string, error: Error): never {
  process.stderr.write(`${message || error.message} (--help tells what there is)\n`);
  process.exit(REFUSED_EXIT_CODE);
}
