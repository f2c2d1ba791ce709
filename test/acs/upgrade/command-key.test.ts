import test from 'ava';
import fc from 'fast-check';
import {
  commandKeyOf,
  isProofOfKey,
  matchKey,
  resultIdOf,
  resultIdsIn,
} from '../../../acs/upgrade/command-key.js';
import type { CommandKey, ResultId } from '../../../common/index.js';

const id = 'cd3627cd-1908-4ff8-8fe3-f7078723a684' as ResultId;
const other = '0b8f2a52-7c5c-4d0c-9a53-0d8b1e9f7a11' as ResultId;
const sent = commandKeyOf(id);
/** What Ferry sent before. */
const long = id.replaceAll('-', '') as string as CommandKey;

const anyId = fc.uuid().map((uuid) => uuid as ResultId);

test('a result id and its CommandKey name each other: 22 characters, in the room for 32', (t) => {
  t.is(String(sent), 'zTYnzRkIT_iP4_cHhyOmhA');
  fc.assert(
    fc.property(anyId, (each) => {
      t.regex(commandKeyOf(each), /^[\w-]{22}$/);
      t.is(resultIdOf(commandKeyOf(each)), each);
      t.is(resultIdOf(each.replaceAll('-', '')), each, 'as they were before');
    }),
  );
});

test('nothing else is a CommandKey of ours', (t) => {
  for (const foreign of [
    '',
    'download-1',
    `${long}0`,
    long.toUpperCase(),
    `${sent}0`,
    `${sent.slice(0, -1)}B`,
  ]) {
    t.is(resultIdOf(foreign), null, foreign);
  }
});

test('a key is known that a CPE gives otherwise than it was sent', (t) => {
  for (const key of [sent, long] as const) {
    const ways: readonly (readonly [string, ReturnType<typeof matchKey>])[] = [
      [key, 'exact'],
      [`${key}0123456789`, 'continued'],
      [`${key}\0\0 garbage`, 'continued'],
      [` ${key}  `, 'altered'],
      [`"${key}"`, 'altered'],
      [`'${key}`, 'altered'],
      [key.toUpperCase(), 'altered'],
      [`"${key.toLowerCase()}"`, 'altered'],
      [`CommandKey=${key}`, 'altered'],
      [key.slice(0, 16), 'cut'],
      [key.slice(0, 8), 'cut'],
      [key.slice(-16), 'cut'],
      ['', 'empty'],
      ['""', 'empty'],
      ['(null)', 'empty'],
    ];
    for (const [given, match] of ways) t.is(matchKey(given, key), match, given);
  }
});

test('a key that is clearly another is not', (t) => {
  const another = [commandKeyOf(other), other.replaceAll('-', ''), commandKeyOf(other).toUpperCase()];
  for (const given of [...another, 'download-1', '1', sent.slice(0, 7), `${sent.slice(0, 12)}AAAAAAAAAA`]) {
    t.is(matchKey(given, sent), null, given);
    t.is(matchKey(given, long), null, given);
  }
});

test('of two keys neither is ever taken for the other, whole, continued or cut to a half', (t) => {
  fc.assert(
    fc.property(anyId, anyId, fc.string({ maxLength: 10 }), (left, right, behind) => {
      fc.pre(left !== right);
      for (const given of [commandKeyOf(left), left.replaceAll('-', ''), commandKeyOf(left).slice(0, 11)]) {
        t.is(matchKey(given, commandKeyOf(right)), null);
        t.is(matchKey(`${given}${behind}`, commandKeyOf(right)), null);
      }
    }),
  );
});

test('only so much of a key as nobody can guess is proof of it', (t) => {
  for (const given of [sent, sent.toLowerCase(), `${sent}xyz`, `"${sent}"`, sent.slice(0, 16)]) {
    t.true(isProofOfKey(given, sent), given);
  }
  for (const given of [
    '',
    '(null)',
    sent.slice(0, 15),
    `${sent.slice(0, 8)}${' '.repeat(20)}`,
    commandKeyOf(other),
  ]) {
    t.false(isProofOfKey(given, sent), given);
  }
});

test('a key that is whole names its result, whatever stands around it and behind it', (t) => {
  for (const given of [sent, long, `"${sent}"`, `${sent}0123456789`, long.toUpperCase(), `${long}tail`]) {
    t.deepEqual(
      resultIdsIn(given).filter((each) => each === id),
      [id],
      given,
    );
  }
  t.deepEqual(resultIdsIn(''), []);
});
