import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { periodicSession } from '../sessions.js';

/**
 * The known CPEs, in a process of their own: `cpes.js PORT CPES PAUSE_MS`. Each has one periodic session after the other, with a pause
 * between, whatever becomes of it.
 */
export type CpesOrder = { readonly kind: 'go' | 'rest' | 'tell' };

/** Since it was last told. */
export interface CpesTold {
  readonly sessions: number;
  readonly failed: number;
  readonly seconds: number;
  /** Of the sessions that went through. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Who is turned away does not come again at once. */
const FAILED_PAUSE_MS = 100;
/** How often whoever rests looks whether that is over. */
const REST_MS = 50;

const [port = 0, cpes = 0, pauseMs = 0] = process.argv.slice(2).map(Number);
let isResting = true;
let failed = 0;
let sinceMs = performance.now();
let latenciesMs: number[] = [];

async function live(cpe: number): Promise<never> {
  await pause((cpe / cpes) * pauseMs);
  for (;;) {
    if (isResting) {
      await pause(REST_MS);
      continue;
    }
    const beganMs = performance.now();
    try {
      await periodicSession(port, cpe);
      latenciesMs.push(performance.now() - beganMs);
      if (pauseMs > 0) await pause(pauseMs);
    } catch {
      failed++;
      await pause(Math.max(FAILED_PAUSE_MS, pauseMs));
    }
  }
}

function told(): CpesTold {
  const nowMs = performance.now();
  const sorted = latenciesMs.sort((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const all = {
    sessions: sorted.length,
    failed,
    seconds: (nowMs - sinceMs) / 1_000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
  [latenciesMs, failed, sinceMs] = [[], 0, nowMs];
  return all;
}

process.on('message', ({ kind }: CpesOrder) => {
  if (kind !== 'tell') isResting = kind === 'rest';
  process.send?.(told());
});
process.on('disconnect', () => process.exit(0));
for (let cpe = 0; cpe < cpes; cpe++) void live(cpe);
