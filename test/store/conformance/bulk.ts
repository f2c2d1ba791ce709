import type { Document } from '../../../store/index.js';
import { ids, rejects, SEQUENCED_THINGS, THINGS, type Thing } from '../things.js';
import type { Rule } from './rule.js';

/** Filling and emptying whole collections. */
export function bulk(rule: Rule): void {
  rule(
    'what is loaded is as if it had been put: by id, in every index, counted',
    async (t, things, store) => {
      const documents: Thing[] = Array.from({ length: 250 }, (_, at) => ({
        id: `d${String(at).padStart(3, '0')}`,
        n: at % 7,
        s: `ß${at}`,
        tags: [at % 3, 'all', `t${at}`],
      }));
      await Promise.all([0, 50, 100, 150, 200].map((at) => store.load(THINGS, documents.slice(at, at + 50))));
      t.is(await things.count(), 250);
      t.deepEqual((await things.get('d007'))?.document, documents[7]);
      for (const index of ['n', 's', 'tags', 's-n', 'tags-n']) t.is(await things.count({ index }), 250);
      t.deepEqual(await ids(things, { index: 'tags', equals: ['t9'] }), ['d009']);
      t.is((await ids(things, { index: 'tags-n', equals: ['all', 3] })).length, 36);
      const revisions = new Set<number>();
      for await (const { revision } of things.scan({})) revisions.add(revision);
      t.is(revisions.size, 250);
      t.false(revisions.has(await things.put({ id: 'd000' })));
    },
  );

  rule(
    'what is there already is put by a load, with its index entries, and loading again changes nothing',
    async (t, things, store) => {
      await things.put({ id: 'longer', tags: ['a', 'b', 'c', 'd'] });
      await things.put({ id: 'shorter', tags: ['a', 'x'] });
      const loaded: Thing[] = [
        { id: 'longer', tags: ['a', 'z'] },
        { id: 'new', tags: ['a', 'n'] },
        { id: 'shorter', tags: ['a', 'p', 'q', 'r'] },
      ];
      for (let round = 0; round < 2; round++) {
        await store.load(THINGS, loaded);
        t.deepEqual(
          (await things.getMany(['longer', 'new', 'shorter'])).map((stored) => stored?.document),
          loaded,
        );
        const of = (tag: string) => ids(things, { index: 'tags', equals: [tag] });
        t.deepEqual(await of('a'), ['longer', 'new', 'shorter']);
        t.deepEqual(
          [await of('x'), await of('d'), await of('z'), await of('r')],
          [[], [], ['longer'], ['shorter']],
        );
      }
    },
  );

  rule(
    'a load with a document that cannot be stored, or with too many, writes none',
    async (t, things, store) => {
      const bad = { id: 'bad', n: Number.NaN } as Document;
      await rejects(t, store.load(THINGS, [{ id: 'good' }, bad]), 'bad-document', /finite/);
      const unindexable = { id: 'bad', tags: Array.from({ length: 1_001 }, (_, at) => at) } as Document;
      await rejects(t, store.load(THINGS, [{ id: 'good' }, unindexable]), 'bad-document', /1,?000/);
      const many = Array.from({ length: 5_001 }, (_, at) => ({ id: `m${at}` }));
      await rejects(t, store.load(THINGS, many), 'bad-query', /at most 5000/);
      await store.load(THINGS, []);
      t.is(await things.count(), 0);
    },
  );

  rule('clear leaves nothing of a collection and everything of the others', async (t, things, store) => {
    const others = store.collection<Thing>({ ...SEQUENCED_THINGS, name: 'others' });
    await others.put({ id: 'kept', tags: ['a', 'b'] });
    const documents = Array.from({ length: 1_200 }, (_, at) => ({ id: `d${at}`, tags: [at, 'all'] }));
    await store.load(THINGS, documents);
    const before = (await things.get('d0'))?.revision;
    await store.clear(THINGS);
    t.is(await things.count(), 0);
    t.is(await things.count({ index: 'tags' }), 0);
    t.deepEqual(await ids(others, { index: 'tags', equals: ['b'] }), ['kept']);
    await store.load(THINGS, [{ id: 'd0' }]);
    t.not((await things.get('d0'))?.revision, before);
    t.is(await things.count(), 1);
  });

  rule('a sequence grows with a load and with a clear', async (t, _, store) => {
    const definition = { ...SEQUENCED_THINGS, name: 'sequenced' };
    const things = store.collection<Thing>(definition);
    await store.load(definition, [{ id: 'a' }]);
    const loaded = await things.sequence();
    t.true(loaded > 0);
    await store.clear(definition);
    t.true((await things.sequence()) > loaded);
  });
}
