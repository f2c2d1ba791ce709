import fc from 'fast-check';
import {
  type Cursor,
  DOCUMENT_BYTES_MAX,
  type FindQuery,
  PAGE_ITEMS_MAX,
  type Page,
  StoreError,
} from '../../../store/index.js';
import { collectPages, given, rejects, type Thing } from '../things.js';
import type { Rule } from './rule.js';

const STRETCH_DOCUMENTS_MAX = 300;

/** Pages, cursors, and queries that are refused. */
export function pages(rule: Rule): void {
  rule('pages cover the range once, in either order, at any size', async (t, things, store) => {
    const total = 41;
    await store.commit(
      Array.from({ length: total }, (_, at) =>
        things.putting({ id: `d${at}`, n: at % 10, tags: [at % 3, at % 7, 'all'] }),
      ),
    );
    for (const index of ['id', 'n', 'tags']) {
      for (const order of ['ascending', 'descending'] as const) {
        for (const limit of [1, 7, total - 1, total, 1000]) {
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

  rule('look-ups made at once give what each alone gives', async (t, things, store) => {
    const documents = Array.from({ length: 120 }, (_, at) => ({
      id: `d${at}`,
      n: at % 12,
      s: at < 90 ? 'many' : `s${at}`,
      tags: at % 5 === 0 ? [at % 7, 'some'] : at % 7,
    }));
    await store.commit(documents.map((document) => things.putting(document)));
    const queries: FindQuery[] = [];
    for (let at = 0; at < 14; at++) {
      queries.push({ index: 'n', equals: [at], limit: 1 + (at % 12) });
      queries.push({ index: 'n', equals: [at % 3], limit: 10 });
      queries.push({ index: 's', equals: [at % 2 === 0 ? 'many' : `s${at + 90}`], limit: 40 * at + 1 });
      queries.push({ index: 'tags', equals: [at % 2 === 0 ? at : 'some'], limit: 20 });
      queries.push({ index: 's-n', equals: ['many', at], limit: 5, order: 'descending' });
    }
    const alone: Page<Thing>[] = [];
    for (const query of queries) alone.push(await things.find(query));
    for (const index of ['n', 's', 'tags', 's-n']) {
      const some = queries
        .map((query, at) => ({ query, page: alone[at] }))
        .filter(({ query }) => query.index === index);
      t.deepEqual(
        await Promise.all(some.map(({ query }) => things.find(query))),
        some.map(({ page }) => given(page)),
        index,
      );
    }
    const first = given(alone[2]);
    const rest = await things.find({ index: 's', equals: ['many'], limit: 1000, after: given(first.next) });
    t.is(rest.items.length, 89);
  });

  rule(
    'a long scan lets everything else have its turn: no more than a few hundred documents come at a stretch',
    async (t, things, store) => {
      const total = 1_200;
      await store.commit(Array.from({ length: total }, (_, at) => things.putting({ id: `d${at}`, n: at })));
      let turns = 0;
      let immediate = setImmediate(function tick() {
        turns++;
        immediate = setImmediate(tick);
      });
      const seenInTurn = new Map<number, number>();
      for await (const _ of things.scan({})) seenInTurn.set(turns, (seenInTurn.get(turns) ?? 0) + 1);
      clearImmediate(immediate);
      const counts = [...seenInTurn.values()];
      t.is(
        counts.reduce((sum, count) => sum + count, 0),
        total,
      );
      t.true(Math.max(...counts) <= STRETCH_DOCUMENTS_MAX, `${Math.max(...counts)} documents in one turn`);
    },
  );

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

  rule(
    'a cursor can be made for any document, also one that is gone: the page goes on after it',
    async (t, things, store) => {
      const total = 30;
      await store.commit(
        Array.from({ length: total }, (_, at) =>
          things.putting({ id: `d${at}`, n: at % 4, s: `s${at % 3}` }),
        ),
      );
      const queries: Omit<FindQuery, 'limit' | 'after'>[] = [
        {},
        { prefix: 'd1' },
        { index: 'n' },
        { index: 'n', atLeast: 1, below: 3 },
        { index: 's-n', equals: ['s1'] },
      ];
      for (const query of queries) {
        for (const order of ['ascending', 'descending'] as const) {
          const { items } = await things.find({ ...query, order, limit: total });
          for (const [at, { document }] of items.entries()) {
            const after = given(things.cursorAt({ ...query, order }, document));
            if (at % 5 === 0) await things.delete(document.id);
            const page = await things.find({ ...query, order, limit: total, after });
            t.deepEqual(
              page.items.map(({ document: { id } }) => id),
              items.slice(at + 1).map(({ document: { id } }) => id),
            );
            await things.put(document);
          }
        }
      }
      const scanned: string[] = [];
      const after = given(things.cursorAt({}, { id: 'd7' }));
      for await (const { document } of things.scan({ after })) scanned.push(document.id);
      t.deepEqual(scanned, ['d8', 'd9']);
    },
  );

  rule('there is no cursor for a document that the query would never give', async (t, things) => {
    const nowhere: [Omit<FindQuery, 'limit' | 'after'>, Thing][] = [
      [{ prefix: 'd' }, { id: 'e' }],
      [{ below: 'd' }, { id: 'd' }],
      [{}, { id: '' }],
      [{}, { id: 'x'.repeat(513) }],
      [{ index: 'n' }, { id: 'd' }],
      [{ index: 'n' }, { id: 'd', n: null }],
      [
        { index: 'n', atLeast: 2 },
        { id: 'd', n: 1 },
      ],
      [
        { index: 's-n', equals: ['a'] },
        { id: 'd', s: 'b', n: 1 },
      ],
    ];
    for (const [query, document] of nowhere) t.is(things.cursorAt(query, document), null);
    t.throws(() => things.cursorAt({ index: 'nope' }, { id: 'd' }), { code: 'bad-query' });
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

  rule('a page of large documents ends early and is continued', async (t, things) => {
    const text = 'x'.repeat(DOCUMENT_BYTES_MAX - 100);
    const stored = ['0', '1', '2', '3'];
    for (const id of stored) await things.put({ id, n: 1, deep: text });
    const pages = await collectPages(things, { index: 'n', limit: 1000 });
    t.true(pages.length > 1);
    t.deepEqual(pages.flat(), stored);
  });
}
