import { INDEX_VALUE_BYTES_MAX } from '../../../store/index.js';
import { ids, rejects, shuffled, type Thing } from '../things.js';
import type { Rule } from './rule.js';

/** What is in an index, in which order, and what a range of it holds. */
export function indexes(rule: Rule): void {
  rule('an index sorts false, true, numbers, strings, ties by id', async (t, things, store) => {
    const values = [
      false,
      true,
      -1e308,
      -2,
      -1.5,
      0,
      1e-300,
      1,
      10,
      2 ** 53,
      '',
      '\0',
      '\0a',
      ' ',
      '1',
      'B',
      'a',
      'ab',
      'b',
      'ü',
      '￿',
      '😀',
    ];
    const documents = values.flatMap((n, at) => [
      { id: `${at}-2`, n },
      { id: `${at}-1`, n },
    ]);
    await store.commit(shuffled(documents).map((document) => things.putting(document)));
    const expected = values.flatMap((_, at) => [`${at}-1`, `${at}-2`]);
    t.deepEqual(await ids(things, { index: 'n' }), expected);
    t.deepEqual(await ids(things, { index: 'n', order: 'descending' }), expected.toReversed());
    t.deepEqual(await ids(things, { index: 'n', equals: [-0] }), ['5-1', '5-2']);
    t.deepEqual(await ids(things, { index: 'n', equals: ['a'], order: 'descending' }), ['16-2', '16-1']);
  });

  rule('ids sort by code point', async (t, things, store) => {
    const sorted = ['!', 'A', 'a', 'a!', 'aa', 'b', 'é', '￿', '😀', '😀!'];
    await store.commit(shuffled(sorted).map((id) => things.putting({ id })));
    t.deepEqual(await ids(things, {}), sorted);
    t.deepEqual(await ids(things, { order: 'descending' }), sorted.toReversed());
    t.deepEqual(await ids(things, { prefix: 'a' }), ['a', 'a!', 'aa']);
    t.deepEqual(await ids(things, { equals: ['a'] }), ['a']);
    t.deepEqual(await ids(things, { atLeast: 'aa', below: '😀' }), ['aa', 'b', 'é', '￿']);
    t.deepEqual(await ids(things, { atLeast: 'aa', below: 'é', order: 'descending' }), ['b', 'aa']);
    t.deepEqual(await ids(things, { equals: ['aa'], order: 'descending' }), ['aa']);
    t.deepEqual(await ids(things, { atLeast: 'b', below: 'a' }), []);
    t.deepEqual(await ids(things, { atLeast: 5, below: 'a' }), ['!', 'A']);
    t.deepEqual(await ids(things, { below: 5 }), []);
    t.deepEqual(await ids(things, { equals: [5] }), []);
    t.deepEqual(await ids(things, { atLeast: '😀'.repeat(10_000) }), []);
    t.deepEqual(await ids(things, { equals: ['x'.repeat(10_000)] }), []);
    t.is(await things.count(), sorted.length);
  });

  rule('a document without a field, or with null there, is not in its index', async (t, things, store) => {
    const documents: Thing[] = [
      { id: 'whole', n: 1, s: 'x', deep: { er: { value: 1 } } },
      { id: 'no n', s: 'x' },
    ];
    documents.push(
      { id: 'null', n: null, s: 'x', deep: { er: null } },
      { id: 'object', n: {}, s: 'x', deep: { er: [1] } },
    );
    documents.push({ id: 'empty', n: [], s: 'x', deep: 'er' });
    await store.commit(documents.map((document) => things.putting(document)));
    t.deepEqual(await ids(things, { index: 'n' }), ['whole']);
    t.deepEqual(await ids(things, { index: 's-n' }), ['whole']);
    t.deepEqual(await ids(things, { index: 'deep' }), ['whole']);
    t.is(await things.count({ index: 's' }), 5);
  });

  rule(
    'a compound index takes equality on its first fields and a range on the next',
    async (t, things, store) => {
      const documents = ['a', 'a\0', 'ab', 'b'].flatMap((s) =>
        [1, 2, 10].map((n) => ({ id: `${s.replace('\0', '0')}:${n}`, s, n })),
      );
      await store.commit(documents.map((document) => things.putting(document)));
      t.deepEqual(await ids(things, { index: 's-n', equals: ['a'] }), ['a:1', 'a:2', 'a:10']);
      t.deepEqual(await ids(things, { index: 's-n', equals: ['a', 2] }), ['a:2']);
      t.deepEqual(await ids(things, { index: 's-n', equals: ['a'], atLeast: 2 }), ['a:2', 'a:10']);
      t.deepEqual(await ids(things, { index: 's-n', equals: ['a'], below: 10, order: 'descending' }), [
        'a:2',
        'a:1',
      ]);
      t.deepEqual(await ids(things, { index: 's-n', equals: ['ab'], atLeast: 2, below: 3 }), ['ab:2']);
      t.is(await things.count({ index: 's-n', prefix: 'a' }), 9);
      t.is(await things.count({ index: 's-n', atLeast: 'a\0', below: 'b' }), 6);
    },
  );

  rule('an array is found by each element, and given once in a range', async (t, things, store) => {
    await store.commit([
      things.putting({ id: '1', tags: ['b', 'a', 'a', null, {}, 'c'], n: 1 }),
      things.putting({ id: '2', tags: ['b'], n: 2 }),
      things.putting({ id: '3', tags: 'b', n: 3 }),
    ]);
    t.deepEqual(await ids(things, { index: 'tags', equals: ['b'] }), ['1', '2', '3']);
    t.deepEqual(await ids(things, { index: 'tags', equals: ['c'] }), ['1']);
    t.deepEqual(await ids(things, { index: 'tags' }), ['1', '2', '3']);
    t.deepEqual(await ids(things, { index: 'tags', order: 'descending' }), ['1', '3', '2']);
    t.deepEqual(await ids(things, { index: 'tags', atLeast: 'b' }), ['1', '2', '3']);
    t.deepEqual(await ids(things, { index: 'tags', below: 'c', order: 'descending' }), ['3', '2', '1']);
    t.deepEqual(await ids(things, { index: 'tags-n', equals: ['b'], atLeast: 2 }), ['2', '3']);
    t.is(await things.count({ index: 'tags' }), 3);
    t.is(await things.count({ index: 'tags', prefix: 'b' }), 3);
    await things.put({ id: '1', tags: ['c'], n: 1 });
    t.deepEqual(await ids(things, { index: 'tags' }), ['2', '3', '1']);
    await things.put({ id: '2', tags: ['a', 'b'], n: 2 });
    t.deepEqual(await ids(things, { index: 'tags' }), ['2', '3', '1']);
    await rejects(t, things.put({ id: '4', tags: ['a'], n: [1] }), 'bad-document', /only one .* array/);
    await rejects(
      t,
      things.put({ id: '4', tags: Array.from({ length: 1001 }, (_, at) => at) }),
      'bad-document',
      /1000/,
    );
    t.is(await things.get('4'), null);
  });

  rule('strings beyond what an index holds are still told apart', async (t, things, store) => {
    const common = 'x'.repeat(INDEX_VALUE_BYTES_MAX);
    const values = ['x', common, `${common}\0`, `${common}a`, `${common}b`, `${common}ü`, 'y'];
    await store.commit(
      values.map((s, at) => things.putting({ id: String(at), s, n: 9 - at, tags: [s, `${s}!`] })),
    );
    for (const [at, s] of values.entries()) {
      t.deepEqual(await ids(things, { index: 's', equals: [s] }), [String(at)]);
      t.deepEqual(await ids(things, { index: 's-n', equals: [s, 9 - at] }), [String(at)]);
      t.is(await things.count({ index: 's', equals: [s] }), 1);
      t.is(await things.count({ index: 's', below: s }), at);
      t.is(await things.count({ index: 's', atLeast: s }), values.length - at);
      t.is(
        await things.count({ index: 's', prefix: s }),
        values.filter((value) => value.startsWith(s)).length,
      );
      t.deepEqual(await ids(things, { index: 'tags', equals: [`${s}!`] }), [String(at)]);
    }
    t.deepEqual(await ids(things, { index: 's', atLeast: `${common}a`, below: `${common}ü` }), ['3', '4']);
    t.is(await things.count({ index: 'tags', prefix: common }), 5);
  });
}
