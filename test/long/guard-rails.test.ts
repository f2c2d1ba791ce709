import test from 'ava';
import { untilSuspended, wildConditions } from '../rules/wild-conditions.js';

/** Each of these is given up after its time; `npm run test:hunt` has 60. */
const SLOW = Number(process.env['FERRY_SLOW_RULES'] ?? 16);
const QUICK = 40;

test(`of ${QUICK + SLOW} wild rules of every kind all are suspended in the end, and no CPE notices`, async (t) => {
  t.timeout(30 * 60_000);
  await untilSuspended(t, wildConditions({ quick: QUICK, slow: SLOW }));
});
