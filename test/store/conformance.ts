import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import {
  COMMIT_CHANGES_MAX,
  type Collection,
  type Cursor,
  DOCUMENT_BYTES_MAX,
  type Document,
  type FindQuery,
  ID_BYTES_MAX,
  INDEX_VALUE_BYTES_MAX,
  PAGE_ITEMS_MAX,
  type Revision,
  type Store,
  StoreError,
  type StoreErrorCode,
} from '../../store/index.js';

export interface EngineUnderTest {
  /** A new, empty place for a store: a directory, a database name. */
  place(t: ExecutionContext): Promise<string>;
  open(place: string): Promise<Store>;
}

export interface Thing extends Document {
  readonly n?: unknown;
  readonly s?: unknown;
  readonly tags?: unknown;
  readonly deep?: unknown;
}

export const THINGS = {
  name: 'things',
  indexes: {
    n: ['n'],
    s: ['s'],
    tags: ['tags'],
    deep: ['deep.er.value'],
    's-n': ['s', 'n'],
    'tags-n': ['tags', 'n'],
  },
};

/** Every promise of `store/collection.ts`, to be kept by every engine. */
export function conformance(name: string, engine: EngineUnderTest): void {
  const rule = (
    title: string,
    act: (t: ExecutionContext, things: Collection<Thing>, store: Store) => Promise<void>,
  ) =>
    test(`${name}: ${title}`, async (t) => {
      const store = await engine.open(await engine.place(t));
      try {
        await act(t, store.collection<Thing>(THINGS), store);
      } finally {
        await store.close();
      }
    });

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
    'insert refuses an id that exists, replace and delete a revision that is not current',
    async (t, things) => {
      const first = given(await things.insert({ id: 'a', n: 1 }));
      t.is(await things.insert({ id: 'a', n: 2 }), null);
      const second = given(await things.replace({ id: 'a', n: 3 }, first));
      t.is(await things.replace({ id: 'a', n: 4 }, first), null);
      t.is(await things.replace({ id: 'b', n: 4 }, second), null);
      t.false(await things.delete('a', first));
      t.deepEqual((await things.get('a'))?.document, { id: 'a', n: 3 });
      t.true(await things.delete('a', second));
    },
  );

  rule('a revision never comes back, also not after a delete and a new insert', async (t, things) => {
    const seen = new Set<number>();
    for (let round = 0; round < 3; round++) {
      seen.add(given(await things.insert({ id: 'a' })));
      seen.add(await things.put({ id: 'a' }));
      await things.delete('a');
    }
    t.is(seen.size, 6);
  });

  rule(
    'a commit does all of its changes or none, and names the first that is refused',
    async (t, things, store) => {
      await things.put({ id: 'there', n: 1 });
      const before = await things.sequence();
      const outcome = await store.commit([
        things.putting({ id: 'new', tags: ['x'] }),
        things.deleting('there'),
        things.counting('counter', { n: 1 }),
        refused, // its own commit deleted it
        things.requiring('there', null),
        things.inserting({ id: 'new' }),
      ]);
      t.deepEqual(outcome, { committed: false, refused: things.inserting({ id: 'new' }) });
      t.is(await things.get('new'), null);
      t.is(await things.get('counter'), null);
      t.deepEqual((await things.get('there'))?.document, { id: 'there', n: 1 });
      t.is(await things.count({ index: 'tags' }), 0);
      t.is(await things.sequence(), before);
    },
  );

  rule(
    'a commit spans collections and gives a revision for each change that wrote',
    async (t, things, store) => {
      const others = store.collection<Thing>({ name: 'others', indexes: {} });
      const kept = await others.put({ id: 'kept' });
      const outcome = await store.commit([
        others.requiring('kept', kept),
        others.requiring('missing', null),
        things.putting({ id: 'a' }),
        others.putting({ id: 'a' }),
        others.deleting('kept', kept),
      ]);
      const a = given(await things.get('a')).revision;
      const b = given(await others.get('a')).revision;
      t.deepEqual(outcome, { committed: true, revisions: [null, null, a, b, null] });
      t.is(await others.get('kept'), null);
    },
  );

  rule('requiring refuses another revision, and null a document that is there', async (t, things, store) => {
    const old = await things.put({ id: 'a' });
    const now = await things.put({ id: 'a' });
    t.false((await store.commit([things.requiring('a', old)])).committed);
    t.false((await store.commit([things.requiring('a', null)])).committed);
    t.true((await store.commit([things.requiring('a', now)])).committed);
    t.deepEqual(await store.commit([]), { committed: true, revisions: [] });
  });

  rule('changes of one commit see each other', async (t, things, store) => {
    const outcome = await store.commit([
      things.inserting({ id: 'a', n: 1 }),
      things.counting('a', { n: 2 }),
      things.deleting('a'),
      things.inserting({ id: 'a', s: 'last' }),
    ]);
    t.true(outcome.committed);
    t.deepEqual((await things.get('a'))?.document, { id: 'a', s: 'last' });
    t.is(await things.count({ index: 'n' }), 0);
    t.is(await things.count({ index: 's', equals: ['last'] }), 1);
  });

  rule(
    'counting adds to a document it makes where it is missing, up to a bound',
    async (t, things, store) => {
      const count = async (add: number, atMost?: number) =>
        (
          await store.commit([
            things.counting('c', { n: add, 'other-counter': 1 }, atMost === undefined ? {} : { n: atMost }),
          ])
        ).committed;
      t.true(await count(2, 2));
      t.false(await count(1, 2));
      t.true(await count(-1));
      t.true(await count(0.5, 1.5));
      t.deepEqual((await things.get('c'))?.document, { id: 'c', n: 1.5, 'other-counter': 3 } as Thing);
      t.deepEqual(await ids(things, { index: 'n', equals: [1.5] }), ['c']);
      await things.put({ id: 'text', n: 'one' });
      await rejects(t, store.commit([things.counting('text', { n: 1 })]), 'bad-document', /n is counted/);
      await rejects(t, store.commit([things.counting('c', { n: Number.NaN })]), 'bad-document', /finite/);
      for (const field of ['id', 'a.b', '$inc', '', '__proto__']) {
        await rejects(t, store.commit([things.counting('c', { [field]: 1 })]), 'bad-document', /counter/);
      }
    },
  );

  rule('no update is lost under 50 concurrent writers', async (t, things, store) => {
    await things.put({ id: 'read-modify-write', n: 0 });
    const writers = Array.from({ length: 50 }, async () => {
      await store.commit([things.counting('counter', { n: 1 })]);
      for (;;) {
        const { document, revision } = given(await things.get('read-modify-write'));
        if ((await things.replace({ ...document, n: Number(document.n) + 1 }, revision)) !== null) return;
      }
    });
    await Promise.all(writers);
    t.is((await things.get('counter'))?.document.n, 50);
    t.is((await things.get('read-modify-write'))?.document.n, 50);
  });

  rule('a transfer between documents never shows half', async (t, things, store) => {
    await store.commit([things.putting({ id: 'a', n: 500 }), things.putting({ id: 'b', n: 500 })]);
    let running = true;
    const watch = (async () => {
      for (let looks = 0; running || looks < 5; looks++) {
        const [a, b] = await things.getMany(['a', 'b']);
        t.is(Number(a?.document.n) + Number(b?.document.n), 1000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await Promise.all(
      Array.from({ length: 100 }, () =>
        store.commit([things.counting('a', { n: -1 }), things.counting('b', { n: 1 })]),
      ),
    );
    running = false;
    await watch;
    t.is((await things.get('b'))?.document.n, 600);
  });

  rule('sequence grows with every change of its collection, and with no other', async (t, things, store) => {
    const others = store.collection<Thing>({ name: 'others', indexes: {} });
    const steps = [await things.sequence()];
    await things.put({ id: 'a' });
    steps.push(await things.sequence());
    await store.commit([things.counting('a', { n: 1 })]);
    steps.push(await things.sequence());
    await things.delete('a');
    steps.push(await things.sequence());
    t.deepEqual(
      [...new Set(steps)].sort((a, b) => a - b),
      steps,
    );
    await others.put({ id: 'a' });
    t.is(await things.sequence(), given(steps.at(-1)));
  });

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

  rule('pages cover the range once, in either order, at any size', async (t, things, store) => {
    const total = 101;
    await store.commit(
      Array.from({ length: total }, (_, at) =>
        things.putting({ id: `d${at}`, n: at % 10, tags: [at % 3, at % 7, 'all'] }),
      ),
    );
    for (const index of ['id', 'n', 'tags']) {
      for (const order of ['ascending', 'descending'] as const) {
        for (const limit of [1, 7, 100, 101, 1000]) {
          const pages = await collectPages(things, { index, order, limit });
          t.true(pages.every((page) => page.length <= limit));
          t.is(new Set(pages.flat()).size, total, `${index} ${order} ${limit}`);
          t.is(pages.flat().length, total);
          if (index !== 'tags') t.is(pages.length, Math.ceil(total / limit));
        }
      }
    }
    const scanned: string[] = [];
    for await (const { document } of things.scan({ index: 'n', order: 'descending', below: 5 }))
      scanned.push(document.id);
    t.is(scanned.length, await things.count({ index: 'n', below: 5 }));
  });

  rule('a cursor stays valid when its document is gone and others come and go', async (t, things, store) => {
    const stay = Array.from({ length: 50 }, (_, at) => `stay${String(at).padStart(2, '0')}`);
    await store.commit(stay.map((id) => things.putting({ id, n: 1 })));
    const seen: string[] = [];
    let after: Cursor | null = null;
    for (let round = 0; round === 0 || after !== null; round++) {
      const page = await things.find({ index: 'n', limit: 5, ...(after === null ? {} : { after }) });
      seen.push(...page.items.map(({ document }) => document.id));
      after = page.next;
      const last = page.items.at(-1)?.document.id ?? '';
      await store.commit([
        things.deleting(last),
        things.putting({ id: `!before${round}`, n: 1 }),
        things.putting({ id: 'moves', n: round % 2 }),
      ]);
    }
    t.deepEqual(
      seen.filter((id) => id.startsWith('stay')),
      stay,
    );
  });

  rule('a cursor is only good for the query it came from', async (t, things, store) => {
    await store.commit(['a', 'b', 'c'].map((s) => things.putting({ id: s, s, n: 1 })));
    const next = given((await things.find({ index: 's', limit: 1 })).next);
    t.regex(next, /^[A-Za-z0-9_-]+$/);
    t.is((await things.find({ index: 's', limit: 2, after: next })).items.length, 2);
    const wrong: FindQuery[] = [
      { index: 'n', limit: 1, after: next },
      { limit: 1, after: next },
      { index: 's', limit: 1, prefix: 'b', after: next },
      { index: 's', limit: 1, order: 'descending', after: next },
      ...['', 'x', '!', `${next}=`, 'A'.repeat(5000), next.slice(0, 12)].map((after) => ({
        index: 's',
        limit: 1,
        after: after as Cursor,
      })),
    ];
    for (const query of wrong) await rejects(t, things.find(query), 'bad-query', /cursor/);
  });

  rule('a mangled cursor is refused or harmless', async (t, things, store) => {
    await store.commit(['a', 'b', 'c'].map((s) => things.putting({ id: s, s })));
    const next = given((await things.find({ index: 's', limit: 1 })).next);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.nat(40), async (noise, keep) => {
        const after = Buffer.concat([Buffer.from(next, 'base64url').subarray(0, keep), noise]).toString(
          'base64url',
        );
        const outcome = await things
          .find({ index: 's', limit: 5, after: after as Cursor })
          .catch((error: unknown) => error);
        if (outcome instanceof Error) return outcome instanceof StoreError && outcome.code === 'bad-query';
        return true;
      }),
      { numRuns: 200 },
    );
    t.pass();
  });

  rule('a query that cannot be is refused with what is wrong', async (t, things) => {
    const wrong: [Partial<FindQuery>, RegExp][] = [
      [{ index: 'nope' }, /no index "nope"; there are: id, n/],
      [{ index: 'constructor' }, /no index/],
      [{ limit: 0 }, /limit/],
      [{ limit: PAGE_ITEMS_MAX + 1 }, /limit/],
      [{ limit: 1.5 }, /limit/],
      [{ index: 'n', equals: [1, 2] }, /at most 1/],
      [{ index: 'n', equals: [1], below: 2 }, /leaves free/],
      [{ index: 's', prefix: 'a', atLeast: 'a' }, /excludes/],
      [{ index: 'n', atLeast: Number.NaN }, /atLeast/],
      [{ index: 's', equals: ['\ud800'] }, /equals\[0\]/],
    ];
    for (const [query, message] of wrong)
      await rejects(t, things.find({ limit: 1, ...query }), 'bad-query', message);
    await rejects(t, things.count({ index: 'nope' }), 'bad-query', /no index/);
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
    t.is(await things.sequence(), 0);
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

  rule('a page of large documents ends early and is continued', async (t, things) => {
    const text = 'x'.repeat(DOCUMENT_BYTES_MAX - 100);
    for (let at = 0; at < 5; at++) await things.put({ id: String(at), n: 1, deep: text });
    const pages = await collectPages(things, { index: 'n', limit: 1000 });
    t.true(pages.length > 1);
    t.deepEqual(pages.flat(), ['0', '1', '2', '3', '4']);
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

  test(`${name}: close waits for what is under way; calls made later throw; all of it is there after`, async (t) => {
    const place = await engine.place(t);
    const store = await engine.open(place);
    const things = store.collection<Thing>(THINGS);
    await things.put({ id: 'first' });
    const puts = Array.from({ length: 20 }, (_, at) => things.put({ id: `d${at}`, n: at }));
    const closed = store.close();
    await rejects(t, things.get('first'), 'closed', /closed/);
    await rejects(t, things.put({ id: 'late' }), 'closed', /closed/);
    await rejects(t, things.find({ limit: 1 }), 'closed', /closed/);
    await rejects(t, things.sequence(), 'closed', /closed/);
    t.throws(() => store.collection(THINGS), { instanceOf: StoreError, code: 'closed' });
    const revisions = await Promise.all(puts);
    await closed;
    await store.close();

    const again = await engine.open(place);
    const found = again.collection<Thing>(THINGS);
    t.is(await found.count(), 21);
    t.is(await found.count({ index: 'n' }), 20);
    t.is(await found.sequence(), Math.max(...revisions));
    t.true((await found.put({ id: 'next' })) > Math.max(...revisions));
    await again.close();
  });

  rule('the engine and a plain map agree on random operations', async (t, _, store) => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        const things = store.collection<Thing>({ ...THINGS, name: `model-${++round}` });
        const model = new Map<string, { document: Thing; revision: Revision }>();
        for (const step of operations) await runBoth(store, things, model, step);
        await agree(t, things, model);
      }),
      { numRuns: 60 },
    );
    t.pass();
  });
}

type Step =
  | { readonly kind: 'put' | 'insert' | 'replace'; readonly document: Thing; readonly stale: boolean }
  | { readonly kind: 'delete'; readonly id: string };

const someId = fc.constantFrom('a', 'b', 'c', 'aa', 'é');
const someValue = fc.oneof(
  fc.constantFrom<unknown>(
    true,
    false,
    null,
    0,
    -1,
    2.5,
    '',
    'a',
    'ab',
    'x'.repeat(300),
    `${'x'.repeat(300)}y`,
    {},
  ),
  fc.string({ maxLength: 3, unit: 'grapheme' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const someDocument: fc.Arbitrary<Thing> = fc.record(
  {
    id: someId,
    n: someValue,
    s: someValue,
    tags: fc.oneof(someValue, fc.array(someValue, { maxLength: 4 })),
  },
  { requiredKeys: ['id'] },
);
const operation: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('put', 'insert', 'replace'),
    document: someDocument,
    stale: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('delete'), id: someId }),
);

async function runBoth(
  store: Store,
  things: Collection<Thing>,
  model: Map<string, { document: Thing; revision: Revision }>,
  step: Step,
): Promise<void> {
  if (step.kind === 'delete') {
    if ((await things.delete(step.id)) !== model.delete(step.id)) throw new Error('delete differs');
    return;
  }
  const { document } = step;
  const current = model.get(document.id)?.revision ?? null;
  const revision = step.stale || current === null ? (((current ?? 0) - 1) as Revision) : current;
  const change =
    step.kind === 'put'
      ? things.putting(document)
      : step.kind === 'insert'
        ? things.inserting(document)
        : things.replacing(document, revision);
  const expected = step.kind === 'put' || (step.kind === 'insert' ? current === null : revision === current);
  const outcome = await store.commit([change]);
  if (outcome.committed !== expected) throw new Error(`${step.kind} differs`);
  if (outcome.committed) {
    const stored = JSON.parse(JSON.stringify(document)) as Thing;
    model.set(document.id, { document: stored, revision: given(outcome.revisions[0] ?? null) });
  }
}

async function agree(
  t: ExecutionContext,
  things: Collection<Thing>,
  model: ReadonlyMap<string, { document: Thing; revision: Revision }>,
): Promise<void> {
  for (const id of ['a', 'b', 'c', 'aa', 'é']) t.deepEqual(await things.get(id), model.get(id) ?? null);
  for (const [index, fields] of Object.entries(THINGS.indexes)) {
    const indexed = [...model.values()].filter(({ document }) =>
      fields.every((field) => elements((document as unknown as Record<string, unknown>)[field]).length > 0),
    );
    const expected = indexed.map(({ document }) => document.id).sort();
    t.deepEqual((await ids(things, { index })).sort(), expected, index);
    t.is(await things.count({ index }), expected.length);
    for (const value of new Set(
      indexed.flatMap(({ document }) => elements(document[fields[0] as keyof Thing])),
    )) {
      const holding = indexed.filter(({ document }) =>
        elements(document[fields[0] as keyof Thing]).includes(value),
      );
      const found = await ids(things, { index, equals: [value], order: 'descending' });
      t.deepEqual(found.sort(), holding.map(({ document }) => document.id).sort(), `${index} ${value}`);
    }
  }
}

function elements(value: unknown): (string | number | boolean)[] {
  const isScalar = (one: unknown) =>
    typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean';
  return (Array.isArray(value) ? value : [value]).filter(isScalar);
}

export async function ids(things: Collection<Thing>, query: Omit<FindQuery, 'limit'>): Promise<string[]> {
  return (await collectPages(things, { limit: 1000, ...query })).flat();
}

async function collectPages(things: Collection<Thing>, query: FindQuery): Promise<string[][]> {
  const pages: string[][] = [];
  let after: Cursor | null = null;
  do {
    const page: Awaited<ReturnType<typeof things.find>> = await things.find(
      after === null ? query : { ...query, after },
    );
    pages.push(page.items.map(({ document }) => document.id));
    after = page.next;
  } while (after !== null);
  return pages;
}

async function rejects(
  t: ExecutionContext,
  promise: Promise<unknown>,
  code: StoreErrorCode,
  message: RegExp,
): Promise<void> {
  const error = await t.throwsAsync(promise, { instanceOf: StoreError, message });
  t.is((error as StoreError | undefined)?.code, code);
}

export function given<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('Expected a value');
  return value;
}

/** The same disorder every time. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item, at) => ({ item, at: ((at * 7919) % 104729) % 31 }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
