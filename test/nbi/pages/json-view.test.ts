import test from 'ava';
import fc from 'fast-check';
import { jsonView } from '../../../nbi/pages/index.js';

const NOWHERE = () => null;

/** The text that a reader sees. */
function seen(page: unknown): string {
  return String(page)
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

test('a value is shown as JSON that says the same, whatever its texts are', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      t.deepEqual(JSON.parse(seen(jsonView(value, NOWHERE))), JSON.parse(JSON.stringify(value)));
    }),
  );
  t.is(
    seen(jsonView({ a: [1, { b: null }], c: {} }, NOWHERE)),
    JSON.stringify({ a: [1, { b: null }], c: {} }, null, 4),
  );
});

test('what nobody sees, or what turns the order of signs around, is written out', (t) => {
  t.is(seen(jsonView('a\u202eb\u200bc\u{e0041}', NOWHERE)), '"a\\u202eb\\u200bc\\udb40\\udc41"');
  t.is(seen(jsonView({ 'a\u202e': 1 }, NOWHERE)), '{\n    "a\\u202e": 1\n}');
});

test('a text leads where its place says', (t) => {
  const page = jsonView({ results: [{ id: 'x' }, { id: 'y' }], id: 'z' }, (place, text) =>
    place.join('.') === 'results.1.id' ? `/items/${text}/` : null,
  );
  t.deepEqual(
    [...String(page).matchAll(/<a href="([^"]*)">/g)].map(([, path]) => path),
    ['/items/y/'],
  );
  t.true(String(jsonView('x', () => 'javascript:x')).includes('<a href="#">'));
});

test('of what is deep, long or many there is a mark, and the page stays small', (t) => {
  let deep: unknown = 'bottom';
  for (let depth = 0; depth < 10_000; depth++) deep = [deep];
  t.true(String(jsonView(deep, NOWHERE)).length < 20_000);
  t.true(
    seen(
      jsonView(
        Array.from({ length: 100_000 }, (_, n) => n),
        NOWHERE,
      ),
    ).length < 200_000,
  );
  t.true(seen(jsonView('a'.repeat(1_000_000), NOWHERE)).length < 21_000);
});
