import { randomBytes } from 'node:crypto';
import {
  COMMIT_CHANGES_MAX,
  DOCUMENT_BYTES_MAX,
  ID_BYTES_MAX,
  INDEX_VALUE_BYTES_MAX,
  PAGE_ITEMS_MAX,
  StoreError,
} from '../../../store/index.js';
import { given, ids, rejects, THINGS, type Thing } from '../things.js';
import type { Rule } from './rule.js';

/** What a document may be, and that it comes back as it was. */
export function documents(rule: Rule): void {
  rule('a document comes back as it was put, and is null before and after', async (t, things) => {
    t.is(await things.get('a'), null);
    const document = { id: 'a', n: -1.5e300, s: 'ü€😀\0\n"\\', deep: { list: [1, null, [true, {}]] } };
    const revision = await things.put(document);
    t.deepEqual(await things.get('a'), { document, revision });
    t.true(await things.delete('a'));
    t.is(await things.get('a'), null);
    t.false(await things.delete('a'));
  });

  rule(
    'a store tells how many bytes it takes, more of them once there is more in it',
    async (t, things, store) => {
      const before = await store.sizeBytes();
      t.true(Number.isInteger(before) && before >= 0, String(before));
      for (let n = 0; n < 4; n++)
        await things.put({ id: `large-${n}`, s: randomBytes(1024 * 1024).toString('hex') });
      // A database may write its files some time later.
      if ((await store.inspect()).engine === 'lmdb')
        t.true((await store.sizeBytes()) >= before + 4 * 1024 * 1024);
      t.true((await store.sizeBytes()) >= before);
    },
  );

  rule('getMany answers in the order asked, null where there is none', async (t, things) => {
    await things.put({ id: 'a' });
    await things.put({ id: 'b' });
    const found = await things.getMany(['b', 'missing', '', 'a', 'b']);
    t.deepEqual(
      found.map((stored) => stored?.document.id),
      ['b', undefined, undefined, 'a', 'b'],
    );
    await rejects(t, things.getMany(Array<string>(PAGE_ITEMS_MAX + 1).fill('a')), 'bad-query', /at most/);
  });

  rule('an id that no document can have is simply not there', async (t, things, store) => {
    await things.put({ id: '\ufffd', n: 1 });
    const impossible = ['', '\0', 'a\0b', '\ud800', 'x'.repeat(ID_BYTES_MAX + 1)];
    t.deepEqual(
      (await things.getMany(['\ufffd', ...impossible])).map((stored) => stored?.document.id),
      ['\ufffd', ...impossible.map(() => undefined)],
    );
    for (const id of impossible) {
      t.false(await things.delete(id));
      const outcome = await store.commit([
        things.requiring(id, null),
        things.requiring('other', null),
        things.putting({ id: '\ufffd', n: 2 }),
      ]);
      t.true(outcome.committed);
      t.false((await store.commit([things.requiring('\ufffd', null), things.requiring(id, null)])).committed);
    }
    t.is((await things.get('\ufffd'))?.document.n, 2);
    t.is(await things.count(), 1);
  });

  rule('a document that JSON cannot hold is refused, and nothing is stored', async (t, things, store) => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const wrong: [unknown, RegExp][] = [
      [Number.NaN, /n must be a finite number/],
      [Number.POSITIVE_INFINITY, /finite/],
      [() => 1, /function/],
      [1n, /bigint/],
      [Symbol('x'), /symbol/],
      [new Date(0), /plain object/],
      [new Map(), /plain object/],
      [[undefined], /n\.0 must be a JSON value/],
      [{ a: [{ b: Number.NaN }] }, /n\.a\.0\.b/],
      [{ toJSON: () => 1 }, /n\.toJSON/],
      ['\ud800', /lone surrogate/],
      [{ '\udc00': 1 }, /lone surrogate/],
      [cycle, /nested deeper/],
      ['x'.repeat(DOCUMENT_BYTES_MAX), /at most 8388608 bytes/],
    ];
    for (const [n, message] of wrong) await rejects(t, things.put({ id: 'a', n }), 'bad-document', message);
    for (const id of ['', 'a\0b', '\ud800', 'x'.repeat(ID_BYTES_MAX + 1), '€'.repeat(171), undefined, 7]) {
      await rejects(t, things.put({ id } as Thing), 'bad-document', /id must be/);
      if (typeof id === 'string') t.is(await things.get(id), null);
    }
    const many = Array.from({ length: COMMIT_CHANGES_MAX + 1 }, () => things.requiring('a', null));
    await rejects(t, store.commit(many), 'bad-query', /at most 5000/);
    t.is(await things.count(), 0);
  });

  rule(
    'what JSON drops is dropped, and names that mean something to JavaScript are plain data',
    async (t, things) => {
      const hostile = JSON.parse(
        '{"id":"a","__proto__":{"polluted":true},"constructor":1,"s":"\\\\ud800"}',
      ) as Thing;
      await things.put({ ...hostile, n: undefined });
      await things.put(hostile);
      const { document } = given(await things.get('a'));
      t.deepEqual(Object.keys(document), ['id', '__proto__', 'constructor', 's']);
      t.is(({} as Record<string, unknown>)['polluted'], undefined);
      t.is(document.s, '\\ud800');
      await things.put({ id: 'b', n: undefined });
      t.deepEqual(Object.keys(given(await things.get('b')).document), ['id']);
    },
  );

  rule(
    'what is stored is what was given at the call, and what is read is the reader’s own',
    async (t, things) => {
      const document = { id: 'a', tags: ['before'] };
      const put = things.put(document);
      document.tags.push('after');
      await put;
      const read = given(await things.get('a'));
      (read.document.tags as string[]).push('changed');
      t.deepEqual((await things.get('a'))?.document.tags, ['before']);
    },
  );

  rule('the largest ids, values and documents fit', async (t, things) => {
    const id = `${'€'.repeat(170)}xx`;
    const long = '\0'.repeat(INDEX_VALUE_BYTES_MAX * 2);
    const text = 'ü'.repeat((DOCUMENT_BYTES_MAX - 8000) / 2);
    await things.put({ id, s: long, n: long, deep: { text } });
    t.is((given(await things.get(id)).document.deep as { text: string }).text.length, text.length);
    t.deepEqual(await ids(things, { index: 's-n', equals: [long, long] }), [id]);
    const page = await things.find({ index: 's-n', limit: 1000 });
    t.is(page.items[0]?.document.id, id);
  });

  rule('a collection is opened twice only with the same definition', async (t, things, store) => {
    t.is(store.collection<Thing>(THINGS), things);
    t.throws(() => store.collection({ name: 'things', indexes: {} }), { instanceOf: StoreError });
    const wrong = [
      { name: '', indexes: {} },
      { name: 'Things', indexes: {} },
      { name: 'x'.repeat(41), indexes: {} },
      { name: 'x', indexes: { id: ['a'] } },
      { name: 'x', indexes: { a: [] } },
      { name: 'x', indexes: { a: ['a', 'b', 'c', 'd', 'e'] } },
      { name: 'x', indexes: { a: ['a..b'] } },
    ];
    for (const definition of wrong) t.throws(() => store.collection(definition), { instanceOf: StoreError });
    await rejects(
      t,
      store.commit([{ kind: 'delete', collection: 'unknown', id: 'a', revision: null }]),
      'bad-query',
      /opened/,
    );
  });
}
