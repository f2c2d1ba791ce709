import test from 'ava';
import { isPermissive } from './licence.js';

const EXPRESSIONS: Readonly<Record<string, boolean>> = {
  MIT: true,
  'BlueOak-1.0.0': true,
  '(MIT OR CC0-1.0)': true,
  'MIT OR GPL-3.0-only': true,
  'GPL-3.0-only OR MIT': true,
  'MIT AND ISC': true,
  'MIT AND GPL-3.0-only': false,
  'GPL-2.0-only AND MIT OR ISC': true,
  'GPL-2.0-only AND (MIT OR ISC)': false,
  '(MIT AND (ISC OR GPL-2.0-only))': true,
  'AGPL-3.0-only': false,
  'SEE LICENSE IN LICENSE.md': false,
  'MIT WITH something': false,
  '(MIT': false,
  'MIT)': false,
  'MIT OR': false,
  mit: false,
  UNLICENSED: false,
  'none stated': false,
  '': false,
};

for (const [expression, permissive] of Object.entries(EXPRESSIONS))
  test(`"${expression}" is ${permissive ? '' : 'not '}permissive`, (t) => {
    t.is(isPermissive(expression), permissive);
  });
