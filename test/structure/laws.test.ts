import test from 'ava';
import type { Import, Sources } from './imports.js';
import { breaches, type Laws } from './laws.js';

/** `'a/x.ts > b/index.ts'`: one file imports another; a lone path is a file that imports none. */
function house(...lines: readonly string[]): Sources {
  const imports = lines
    .filter((line) => line.includes(' > '))
    .map((line): Import => {
      const [from = '', to = ''] = line.split(' > ');
      return { from, to };
    });
  const files = new Set(lines.flatMap((line) => line.split(' > ')));
  return { files: [...files], imports };
}

const LAWS: Laws = {
  mayImport: { low: [], mid: ['low'], top: ['mid', 'low'] },
  ordered: {},
  lookAnywhere: [],
  pastFaces: [],
};
const IN_ORDER: Laws = { ...LAWS, ordered: { mid: ['first', 'second'] } };

test('an import by the face, downwards, is none', (t) => {
  t.deepEqual(
    breaches(house('top/x.ts > mid/index.ts', 'mid/index.ts > mid/y.ts', 'mid/y.ts > low/z.ts'), LAWS),
    [],
  );
});

test('an import that runs back up is named with both files', (t) => {
  t.deepEqual(breaches(house('low/x.ts > top/y.ts'), LAWS), [
    'low/x.ts imports top/y.ts: low/ does not stand on top/',
  ]);
});

test('a folder that nobody placed is named', (t) => {
  t.deepEqual(breaches(house('new/x.ts > low/y.ts'), LAWS), [
    'new/ has no place in the order of the folders',
    'new/x.ts imports low/y.ts: new/ does not stand on low/',
  ]);
});

test('a room imports no later one, and a file beside the rooms imports them all', (t) => {
  const rooms = ['mid/engine.ts > mid/first/a.ts', 'mid/engine.ts > mid/second/b.ts'];
  t.deepEqual(breaches(house(...rooms, 'mid/second/b.ts > mid/first/a.ts'), IN_ORDER), []);
  t.deepEqual(breaches(house(...rooms, 'mid/first/a.ts > mid/second/b.ts'), IN_ORDER), [
    'mid/first/a.ts imports mid/second/b.ts, which stands above it',
  ]);
});

test('a room imports no file that stands beside the rooms', (t) => {
  t.deepEqual(breaches(house('mid/first/a.ts > mid/engine.ts', 'mid/second/b.ts'), IN_ORDER), [
    'mid/first/a.ts imports mid/engine.ts, which stands above it',
  ]);
});

test('the order names the rooms that there are, and no others', (t) => {
  t.deepEqual(breaches(house('mid/first/a.ts', 'mid/third/b.ts'), IN_ORDER), [
    'mid/third/ has no place in the order of mid/',
    'mid/second/ stands in the order of mid/ and is not there',
  ]);
});

test('a circle of files is a breach, also where it is long', (t) => {
  t.deepEqual(breaches(house('low/a.ts > low/b.ts', 'low/b.ts > low/c.ts', 'low/c.ts > low/a.ts'), LAWS), [
    'a circle of imports: low/a.ts, low/b.ts, low/c.ts',
  ]);
});

test('two folders that need one another are a breach though no two files do', (t) => {
  t.deepEqual(breaches(house('low/a/x.ts > low/b/y.ts', 'low/b/z.ts > low/a/w.ts'), LAWS), [
    'a circle of rooms in low/: a, b',
  ]);
});

test('an import past a face is a breach, of a folder within another too', (t) => {
  const faces = ['mid/index.ts > mid/a/index.ts', 'mid/a/index.ts > mid/a/x.ts'];
  t.deepEqual(breaches(house(...faces, 'top/t.ts > mid/a/index.ts'), LAWS), [
    'top/t.ts imports mid/a/index.ts past mid/index.ts',
  ]);
  t.deepEqual(breaches(house(...faces, 'mid/b.ts > mid/a/x.ts'), LAWS), [
    'mid/b.ts imports mid/a/x.ts past mid/a/index.ts',
  ]);
});

test('an import past a face that is meant is none, as long as it is there', (t) => {
  const meant: Laws = { ...LAWS, pastFaces: [{ from: 'top/x.ts', to: 'mid/y.ts' }] };
  t.deepEqual(breaches(house('mid/index.ts', 'top/x.ts > mid/y.ts'), meant), []);
  t.deepEqual(breaches(house('mid/index.ts', 'top/x.ts', 'mid/y.ts'), meant), [
    'top/x.ts imports mid/y.ts no more: take it off the list of those that may',
  ]);
});

test('who may look anywhere goes past faces, and not against the order', (t) => {
  const laws: Laws = { ...LAWS, lookAnywhere: ['top', 'low'] };
  t.deepEqual(breaches(house('mid/index.ts', 'top/x.ts > mid/y.ts'), laws), []);
  t.is(breaches(house('mid/index.ts', 'low/x.ts > mid/y.ts'), laws).length, 1);
});
