import test from 'ava';
import { HOUSE } from './house.js';
import { readSources } from './imports.js';
import { breaches } from './laws.js';

test('no import of Ferry runs back up, past a face or in a circle', (t) => {
  t.deepEqual(breaches(readSources('.'), HOUSE), []);
});
