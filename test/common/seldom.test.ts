import test from 'ava';
import { Seldom } from '../../common/index.js';

test('of each kind the first is said, and then one in each interval, with how many were left out', (t) => {
  let nowMs = 0;
  const seldom = new Seldom(1_000, () => nowMs);
  t.is(seldom.admit('a'), 0);
  t.is(seldom.admit('a'), null);
  t.is(seldom.admit('b'), 0);
  nowMs = 999;
  t.is(seldom.admit('a'), null);
  nowMs = 1_000;
  t.is(seldom.admit('a'), 2);
  t.is(seldom.admit('a'), null);
  nowMs = 5_000;
  t.is(seldom.admit('a'), 1);
});
