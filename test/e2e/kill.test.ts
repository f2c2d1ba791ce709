import test from 'ava';
import { killRound } from './kill-round.js';

test('kill -9 in the middle of a fleet upgrade loses nothing and sends nothing twice', async (t) => {
  await killRound(t, 20, 900);
});
