import test from 'ava';
import { killRound } from '../e2e/kill-round.js';

/** `npm run test:hunt` has 100. */
const ROUNDS = Number(process.env['FERRY_KILL_ROUNDS'] ?? 10);
const CPES = 50;
/** From before the first rule is posted to after the last CPE has rebooted. */
const KILL_MS_MAX = 3_500;

for (let round = 1; round <= ROUNDS; round++) {
  test.serial(`kill -9 at a random moment of an upgrade of ${CPES} CPEs, round ${round}`, async (t) => {
    await killRound(t, CPES, Math.random() * KILL_MS_MAX);
  });
}
