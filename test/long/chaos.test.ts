import test from 'ava';
import { chaosRound } from '../e2e/chaos-round.js';
import { mongodbUrl } from '../support/mongodb.js';

/** What a slow machine gets upgraded in a few minutes; `npm run test:hunt` has the patience for more. */
const CPES = Number(process.env['FERRY_CHAOS_CPES'] ?? 150);
const CHAOS_MS = 30_000;
const ROUNDS = Number(process.env['FERRY_CHAOS_ROUNDS'] ?? 1);
/** The seed of the first round; each round logs its own. */
const SEED = Number(process.env['FERRY_CHAOS_SEED'] ?? 1);

const url = mongodbUrl();
if (url !== null) {
  for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
    test.serial(
      `nodes that are killed and a database that is cut off lose nothing and do nothing twice, seed ${seed}`,
      async (t) => {
        t.timeout(32 * 60_000);
        await chaosRound(t, { url, seed, cpes: CPES, chaosMs: CHAOS_MS });
      },
    );
  }
}
