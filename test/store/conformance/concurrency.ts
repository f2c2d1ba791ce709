import { setImmediate as turn } from 'node:timers/promises';
import { COMMIT_CHANGES_MAX, DOCUMENT_BYTES_MAX } from '../../../store/index.js';
import { given, ids, type Thing } from '../things.js';
import type { PairRule } from './rule.js';

/** So many commits have a condition before it fails: an engine may do something about one that is asked for often. */
const BEFORE_SWITCH = 60;

/** What holds between two nodes on one store, or two users of one. */
export function concurrency(rule: PairRule): void {
  rule('no update of two nodes is lost, and none gets a revision of the other', async (t, here, there) => {
    const revisions = new Set<number>();
    const both = [here, there];
    const writers = Array.from({ length: 20 }, async (_, at) => {
      const { things, store } = given(both[at % 2]);
      const outcome = await store.commit([things.counting('counter', { n: 1 })]);
      revisions.add(Number(outcome.committed && outcome.revisions[0]));
      revisions.add(await things.put({ id: `own-${at}` }));
      for (;;) {
        const stored = await things.get('read-modify-write');
        const document = { id: 'read-modify-write', n: Number(stored?.document.n ?? 0) + 1 };
        const revision =
          stored === null ? await things.insert(document) : await things.replace(document, stored.revision);
        if (revision === null) continue;
        revisions.add(revision);
        return;
      }
    });
    await Promise.all(writers);
    for (const { things } of both) {
      t.is((await things.get('counter'))?.document.n, 20);
      t.is((await things.get('read-modify-write'))?.document.n, 20);
    }
    t.is(revisions.size, 60);
  });

  rule('of all who insert one id, or replace one revision, one succeeds', async (t, here, there) => {
    for (let round = 0; round < 5; round++) {
      const id = `d${round}`;
      const contenders = Array.from({ length: 10 }, (_, at) => ({
        ...(at % 2 === 0 ? here : there),
        n: at,
      }));
      const inserted = await Promise.all(contenders.map(({ things, n }) => things.insert({ id, n })));
      const won = inserted.filter((revision) => revision !== null);
      t.is(won.length, 1);
      t.is(
        (await here.things.get(id))?.document.n,
        inserted.findIndex((revision) => revision !== null),
      );
      const replaced = await Promise.all(
        contenders.map(({ things, n }) => things.replace({ id, n }, given(won[0]))),
      );
      t.is(replaced.filter((revision) => revision !== null).length, 1);
      const deleted = await Promise.all(contenders.map(({ things }) => things.delete(id)));
      t.is(deleted.filter(Boolean).length, 1);
    }
  });

  rule('a bound on a count holds however many count at once', async (t, here, there) => {
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, at) => {
        const { things, store } = at % 2 === 0 ? here : there;
        return store.commit([
          things.counting('slots', { n: 1 }, { n: 10 }),
          things.inserting({ id: `s${at}` }),
        ]);
      }),
    );
    t.is(outcomes.filter(({ committed }) => committed).length, 10);
    t.is((await there.things.get('slots'))?.document.n, 10);
    t.is(await there.things.count({ prefix: 's' }), 11);
  });

  for (const absent of [true, false]) {
    rule(
      `when a document that is a condition ${absent ? 'is made' : 'has changed'}, no commit on the condition comes after`,
      async (t, here, there) => {
        for (let round = 0; round < 5; round++) {
          const switchId = `switch-${round}`;
          const revision = absent ? null : await here.things.put({ id: switchId, n: 1 });
          let isOff = false;
          const reservers = Array.from({ length: 6 }, async (_, reserver) => {
            const node = reserver % 2 === 0 ? here : there;
            for (let at = 0; ; at++) {
              const id = `r${round}-${reserver}-${at}`;
              const knewItOff = isOff;
              const { committed } = await node.store.commit([
                node.things.requiring(switchId, revision),
                node.things.inserting({ id }),
              ]);
              if (committed && knewItOff) t.fail('a commit that began after the switch');
              if (!committed) return;
            }
          });
          // Many are done before, and some are under way.
          while ((await there.things.count({ prefix: `r${round}-` })) < BEFORE_SWITCH) await turn();
          const switched = { id: switchId, n: 0 };
          t.truthy(
            revision === null
              ? await there.things.insert(switched)
              : await there.things.replace(switched, revision),
          );
          isOff = true;
          const done = await there.things.count({ prefix: `r${round}-` });
          await Promise.all(reservers);
          t.is(await there.things.count({ prefix: `r${round}-` }), done);
        }
      },
    );
  }

  rule('a page is of one moment while others move amounts between documents', async (t, here, there) => {
    const accounts = ['a', 'b', 'c'];
    await here.store.commit(accounts.map((id) => here.things.putting({ id, n: 100, tags: [1, id] })));
    let running = true;
    const watch = (async () => {
      for (let looks = 0; running || looks < 3; looks++) {
        for (const query of [{ index: 'id' }, { index: 'tags', equals: [1] }, { index: 'n' }] as const) {
          const { items } = await there.things.find({ ...query, limit: 10 });
          t.is(
            items.reduce((sum, { document }) => sum + Number(document.n), 0),
            300,
          );
        }
        await turn();
      }
    })();
    await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        here.store.commit([
          here.things.counting(given(accounts[at % 3]), { n: -7 }),
          here.things.counting(given(accounts[(at + 1) % 3]), { n: 7 }),
        ]),
      ),
    );
    running = false;
    await watch;
  });

  rule('a scan sees what stays exactly once while others write', async (t, here, there) => {
    const stay = Array.from({ length: 250 }, (_, at) => `stay${String(at).padStart(3, '0')}`);
    await here.store.commit(stay.map((id, at) => here.things.putting({ id, n: at, tags: ['all', at % 5] })));
    let running = true;
    const writing = (async () => {
      for (let round = 0; running; round++) {
        await here.store.commit([
          here.things.putting({ id: `come${round}`, n: round % 250, tags: ['all'] }),
          here.things.putting({
            id: given(stay[round % 250]),
            n: round % 250,
            tags: ['all', round % 5, 'x'],
          }),
        ]);
        await here.things.delete(`come${round}`);
      }
    })();
    for (const query of [{ index: 'n' }, { index: 'tags', equals: ['all'] }, {}]) {
      const seen: string[] = [];
      for await (const { document } of there.things.scan(query)) seen.push(document.id);
      t.deepEqual(seen.filter((id) => id.startsWith('stay')).sort(), stay);
    }
    running = false;
    await writing;
  });

  rule('large documents go through together, and come back whole', async (t, here, there) => {
    const text = 'x€'.repeat((DOCUMENT_BYTES_MAX - 1000) / 4);
    const values = Array.from({ length: 2_000_000 }, (_, at) => at % 10);
    const documents: Thing[] = [0, 1, 2].map((at) => ({ id: `big${at}`, n: at, deep: text }));
    documents.push({ id: 'many', deep: values });
    const { committed } = await here.store.commit(documents.map((document) => here.things.putting(document)));
    t.true(committed);
    const found = await there.things.getMany(documents.map(({ id }) => id));
    t.true(found.every((stored, at) => JSON.stringify(stored?.document) === JSON.stringify(documents[at])));
    t.deepEqual(await ids(there.things, { index: 'n' }), ['big0', 'big1', 'big2']);
  });

  rule('as many changes as a commit may have are done at once', async (t, here, there) => {
    const changes = Array.from({ length: COMMIT_CHANGES_MAX }, (_, at) =>
      here.things.putting({ id: `d${at}`, n: at % 7 }),
    );
    t.true((await here.store.commit(changes)).committed);
    t.is(await there.things.count({ index: 'n' }), COMMIT_CHANGES_MAX);
    t.is(await there.things.count(), COMMIT_CHANGES_MAX);
  });
}
