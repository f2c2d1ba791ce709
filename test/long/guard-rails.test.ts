import test from 'ava';
import { untilSuspended, wildConditions } from '../rules/wild-conditions.js';

test('of 100 wild rules of every kind all are suspended in the end, and no CPE notices', async (t) => {
  t.timeout(30 * 60_000);
  await untilSuspended(t, wildConditions({ quick: 40, slow: 60 }));
});
