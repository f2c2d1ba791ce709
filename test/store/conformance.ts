import test, { type ExecutionContext } from 'ava';
import { type Store, StoreError } from '../../store/index.js';
import { bulk } from './conformance/bulk.js';
import { commits } from './conformance/commits.js';
import { concurrency } from './conformance/concurrency.js';
import { documents } from './conformance/documents.js';
import { indexes } from './conformance/indexes.js';
import { model } from './conformance/model.js';
import { pages } from './conformance/pages.js';
import { passing } from './conformance/passing.js';
import type { PairRule, Rule } from './conformance/rule.js';
import { watching } from './conformance/watching.js';
import { rejects, SEQUENCED_THINGS, THINGS, type Thing } from './things.js';

export interface EngineUnderTest {
  /** A new, empty place for a store: a directory, a database name. */
  place(t: ExecutionContext): Promise<string>;
  open(place: string): Promise<Store>;
  /** Whether one process can open a place twice, as two nodes would. */
  readonly opensTwice: boolean;
  /** One test at a time: a server that all have in common would be asked by all of them at once. */
  readonly isSerial: boolean;
  /** How often each property is tried: an engine behind a socket is asked less often. */
  readonly numRuns: number;
}

/** Every promise of `store/collection.ts`, to be kept by every engine. */
export function conformance(name: string, engine: EngineUnderTest): void {
  const testOne = engine.isSerial ? test.serial : test;
  const rule: Rule = (title, act) =>
    testOne(`${name}: ${title}`, async (t) => {
      const store = await engine.open(await engine.place(t));
      try {
        await act(t, store.collection<Thing>(THINGS), store);
      } finally {
        await store.close();
      }
    });

  const pairRule: PairRule = (title, act) =>
    testOne(`${name}: ${title}`, async (t) => {
      const place = await engine.place(t);
      const here = await engine.open(place);
      const there = engine.opensTwice ? await engine.open(place) : here;
      const node = (store: Store) => ({ store, things: store.collection<Thing>(THINGS) });
      try {
        await act(t, node(here), node(there));
      } finally {
        await here.close();
        await there.close();
      }
    });

  documents(rule);
  commits(rule);
  indexes(rule);
  pages(rule);
  concurrency(pairRule);
  passing(pairRule);
  bulk(rule);
  watching(pairRule);
  model(rule, engine.numRuns);

  testOne(
    `${name}: close waits for what is under way; calls made later throw; all of it is there after`,
    async (t) => {
      const place = await engine.place(t);
      const store = await engine.open(place);
      const things = store.collection<Thing>(SEQUENCED_THINGS);
      await things.put({ id: 'first' });
      const puts = Array.from({ length: 20 }, (_, at) => things.put({ id: `d${at}`, n: at }));
      const closed = store.close();
      await rejects(t, things.get('first'), 'closed', /closed/);
      await rejects(t, things.put({ id: 'late' }), 'closed', /closed/);
      await rejects(t, things.find({ limit: 1 }), 'closed', /closed/);
      await rejects(t, things.sequence(), 'closed', /closed/);
      t.throws(() => store.collection(SEQUENCED_THINGS), { instanceOf: StoreError, code: 'closed' });
      const revisions = await Promise.all(puts);
      await closed;
      await store.close();

      const again = await engine.open(place);
      const found = again.collection<Thing>(SEQUENCED_THINGS);
      t.is(await found.count(), 21);
      t.is(await found.count({ index: 'n' }), 20);
      const sequence = await found.sequence();
      t.true(sequence > 0);
      t.false(revisions.includes(await found.put({ id: 'd0' })));
      t.true((await found.sequence()) > sequence);
      await again.close();
    },
  );
}
