import type { Store } from '../../../store/index.js';
import { given, ids, PASSING_THINGS, type Thing } from '../things.js';
import type { PairRule } from './rule.js';

/** So many commits have a condition before it fails: an engine may do something about one that is asked for often. */
const BEFORE_SWITCH = 60;

/** What holds for a collection whose single changes need not be durable; but for that they are as others. */
export function passing(rule: PairRule): void {
  const open = (store: Store) => store.collection<Thing>(PASSING_THINGS);

  rule('what is passing is seen by all as soon as it is answered', async (t, here, there) => {
    const [one, other] = [open(here.store), open(there.store)];
    const names = Array.from({ length: 30 }, (_, at) => `s${String(at).padStart(2, '0')}`);
    await Promise.all(
      names.map(async (id, at) => {
        const inserted = given(await one.insert({ id, n: at }));
        t.deepEqual(await other.get(id), { document: { id, n: at }, revision: inserted });
        const replaced = given(await other.replace({ id, n: at + 100 }, inserted));
        t.deepEqual(await one.get(id), { document: { id, n: at + 100 }, revision: replaced });
        t.is(await one.insert({ id }), null);
        t.is(await one.replace({ id }, inserted), null);
        t.false(await one.delete(id, inserted));
        if (at % 3 === 0) t.true(await one.delete(id, replaced));
      }),
    );
    const left = names.filter((_, at) => at % 3 !== 0);
    t.deepEqual(await ids(other, {}), left);
    t.is(await other.count(), left.length);
    t.deepEqual(
      (await other.getMany(names)).map((stored) => stored?.document.id ?? null),
      names.map((id) => (left.includes(id) ? id : null)),
    );
    const again = await Promise.all(names.map((id) => other.insert({ id })));
    t.deepEqual(
      again.map((revision) => revision !== null),
      names.map((id) => !left.includes(id)),
    );
    t.is(await one.count(), names.length);
  });

  rule('of all who insert, replace or delete one passing document, one succeeds', async (t, here, there) => {
    const contenders = Array.from({ length: 10 }, (_, at) => ({
      things: open((at % 2 === 0 ? here : there).store),
      n: at,
    }));
    for (let round = 0; round < 6; round++) {
      const id = `d${round}`;
      // Others do the same to documents of their own meanwhile, and must not be hurt.
      const bystander = async (at: number) => {
        const { things } = given(contenders[at]);
        const own = { id: `${id}-${at}`, n: at };
        const revision = given(await things.insert(own));
        const next = given(await things.replace(own, revision));
        t.true(await things.delete(own.id, next));
      };
      const others = contenders.map((_, at) => bystander(at));
      const inserted = await Promise.all(contenders.map(({ things, n }) => things.insert({ id, n })));
      const won = inserted.filter((revision) => revision !== null);
      t.is(won.length, 1);
      const replaced = await Promise.all(
        contenders.map(({ things, n }) => things.replace({ id, n }, given(won[0]))),
      );
      const [next, ...more] = replaced.filter((revision) => revision !== null);
      t.deepEqual(more, []);
      t.deepEqual(await open(there.store).get(id), {
        document: { id, n: replaced.findIndex((revision) => revision !== null) },
        revision: given(next),
      });
      const deleted = await Promise.all(contenders.map(({ things }) => things.delete(id, given(next))));
      t.is(deleted.filter(Boolean).length, 1);
      await Promise.all(others);
    }
    t.is(await open(here.store).count(), 0);
  });

  rule(
    'a commit of several changes and one of a single change to the same passing document exclude each other',
    async (t, here, there) => {
      const [one, other] = [open(here.store), open(there.store)];
      let together = 0;
      for (let round = 0; round < 25; round++) {
        const id = `d${round}`;
        const revision = given(await one.insert({ id, n: 'new' }));
        const single = () =>
          round % 3 === 0 ? other.delete(id, revision) : other.replace({ id, n: 'single' }, revision);
        const several = () =>
          here.store.commit([
            one.replacing({ id, n: 'several' }, revision),
            here.things.counting('total', { n: 1 }),
          ]);
        // Whoever asks first is not always the one who comes first.
        const early = round % 2 === 0 ? single() : null;
        const both = several();
        const alone = await (early ?? single());
        const { committed } = await both;
        const isAlone = alone !== null && alone !== false;
        t.not(isAlone, committed);
        if (committed) together++;
        const left = (await other.get(id))?.document.n;
        t.is(left, committed ? 'several' : round % 3 === 0 ? undefined : 'single');
      }
      t.is(Number((await here.things.get('total'))?.document.n ?? 0), together);
    },
  );

  rule(
    'what is conditional on a passing document does not happen after it changed',
    async (t, here, there) => {
      const [one, other] = [open(here.store), open(there.store)];
      for (const change of ['replace', 'delete', 'insert'] as const) {
        const id = `condition-${change}`;
        const revision = change === 'insert' ? null : given(await one.insert({ id }));
        let done = 0;
        const use = async (at: number) => {
          const { store, things } = at % 2 === 0 ? here : there;
          const outcome = await store.commit([
            open(store).requiring(id, revision),
            things.inserting({ id: `${change}-${at}` }),
          ]);
          if (outcome.committed) done++;
        };
        for (let at = 0; at < BEFORE_SWITCH; at++) await use(at);
        const using = Array.from({ length: 20 }, (_, at) => use(BEFORE_SWITCH + at));
        if (revision === null) t.truthy(await other.insert({ id }));
        else if (change === 'replace') t.truthy(await other.replace({ id, n: 1 }, revision));
        else t.true(await other.delete(id, revision));
        const counted = await here.things.count({ prefix: `${change}-` });
        await Promise.all(using);
        t.is(done, await here.things.count({ prefix: `${change}-` }));
        t.is(counted, done);
        await use(-1);
        t.is(await there.things.get(`${change}--1`), null);
      }
    },
  );
}
