import { given, ids, rejects, SEQUENCED_THINGS, type Thing } from '../things.js';
import type { Rule } from './rule.js';

/** Conditions, atomicity, revisions, counters, concurrent writers. */
export function commits(rule: Rule): void {
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
    async (t, _, store) => {
      const things = store.collection<Thing>({ ...SEQUENCED_THINGS, name: 'sequenced' });
      await things.put({ id: 'there', n: 1 });
      const before = await things.sequence();
      const outcome = await store.commit([
        things.putting({ id: 'new', tags: ['x'] }),
        things.deleting('there'),
        things.counting('counter', { n: 1 }),
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

  rule('a document that is a condition by being absent is nowhere to be seen', async (t, things, store) => {
    for (let round = 0; round < 20; round++) {
      const { committed } = await store.commit([
        things.requiring('absent', null),
        things.requiring('b-absent', null),
        things.putting({ id: `a${round}`, n: round }),
      ]);
      t.true(committed);
    }
    t.is(await things.get('absent'), null);
    t.deepEqual(await things.getMany(['absent']), [null]);
    t.is(await things.count(), 20);
    t.is(await things.count({ prefix: 'b' }), 0);
    t.is((await ids(things, {})).length, 20);
    t.is((await ids(things, { order: 'descending' })).length, 20);
    t.false(await things.delete('absent'));
    const revision = given(await things.insert({ id: 'absent', n: 7 }));
    t.is(await things.count(), 21);
    t.false((await store.commit([things.requiring('absent', null), things.deleting('a1')])).committed);
    t.true((await store.commit([things.requiring('absent', revision), things.deleting('a1')])).committed);
    t.true(await things.delete('absent'));
    t.is(await things.count(), 19);
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

  rule('counting by 0 asks about a bound and writes nothing', async (t, things, store) => {
    const revision = await things.put({ id: 'c', n: 2 });
    t.true((await store.commit([things.counting('c', { n: 0 }, { n: 2 })])).committed);
    t.deepEqual(await store.commit([things.counting('c', { n: 0, other: 0 }, { n: 2, other: 0 })]), {
      committed: true,
      revisions: [revision],
    });
    t.false((await store.commit([things.counting('c', { n: 0 }, { n: 1 })])).committed);
    t.deepEqual(await things.get('c'), { document: { id: 'c', n: 2 }, revision });
    t.true((await store.commit([things.counting('missing', { n: 0 }, { n: 0 })])).committed);
    t.deepEqual((await things.get('missing'))?.document, { id: 'missing', n: 0 });
  });

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

  rule('sequence grows with every change of its collection, and with no other', async (t, plain, store) => {
    await rejects(t, plain.sequence(), 'bad-query', /no sequence/);
    const things = store.collection<Thing>({ ...SEQUENCED_THINGS, name: 'sequenced' });
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
}
