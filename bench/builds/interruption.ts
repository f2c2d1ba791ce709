import process from 'node:process';

const FAILED_EXIT_CODE = 2;
/** 128 and the number of the signal, as a shell says it. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Does something that a signal ends in good order, and says on standard error why it could not be done.
 * @param run  has taken everything away that it made when it rejects
 * @param goneText  what is said of that
 * @returns the exit code
 */
export async function interruptible(
  run: (signal: AbortSignal) => Promise<number>,
  goneText: string,
): Promise<number> {
  const interruption = new AbortController();
  const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
  let interruptedBy: (typeof signals)[number] | null = null;
  for (const signal of signals) {
    // Not only once: who asks again while it is taken away would leave half of it.
    process.on(signal, () => {
      interruptedBy ??= signal;
      interruption.abort();
    });
  }
  try {
    return await run(interruption.signal);
  } catch (error) {
    if (interruptedBy !== null) {
      process.stderr.write(`Interrupted. ${goneText}\n`);
      return EXIT_CODES[interruptedBy];
    }
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return FAILED_EXIT_CODE;
  }
}
