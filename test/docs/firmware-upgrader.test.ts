import test from 'ava';
import { requireNamedTests } from './named-tests.js';

test('every row of docs/api/firmware-upgrader.md that names a test names one that there is', (t) =>
  requireNamedTests(t, 'docs/api/firmware-upgrader.md', 70));
