import test from 'ava';
import fc from 'fast-check';
import { cutText } from '../../common/index.js';

test('a text is cut at its bound, but never inside a surrogate pair', (t) => {
  t.is(cutText('abc', 3), 'abc');
  t.is(cutText('abcd', 3), 'abc');
  t.is(cutText('ab😀', 3), 'ab');
  t.is(cutText('ab😀', 4), 'ab😀');
});

test('what is cut from well-formed text is well-formed, a beginning, and at most one unit short', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.integer({ min: 1, max: 12 }),
      (text, max) => {
        const cut = cutText(text, max);
        t.true(text.startsWith(cut));
        t.true(cut.length <= max && cut.length >= Math.min(text.length, max) - 1);
        t.false(/\p{Surrogate}/u.test(cut));
      },
    ),
  );
});
