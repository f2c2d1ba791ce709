import { until } from '../../support/ferry.js';
import type { Thing } from '../things.js';
import type { PairRule } from './rule.js';

/** What {@link Collection.watch} promises, wherever it says nothing and wherever it does. */
export function watching(rule: PairRule): void {
  rule(
    'who reads again only where the watch has moved sees own changes at once, and those of others soon',
    async (t, here, there) => {
      const watch = here.things.watch();
      let last: { readonly position: number | null; readonly n: unknown } = { position: null, n: null };
      const read = async () => {
        const position = watch.position();
        if (position === null || position !== last.position) {
          last = { position, n: (await here.things.get('a'))?.document.n ?? null };
        }
        return last.n;
      };
      const changes: ((n: number) => Promise<unknown>)[] = [];
      for (const { things, store } of [here, there]) {
        changes.push(
          (n) => things.put({ id: 'a', n }),
          (n) => store.commit([things.putting({ id: 'b', n }), things.putting({ id: 'a', n })]),
          (n) => store.commit([things.counting('a', { n: n - Number(last.n) })]),
          () => things.delete('a'),
          (n) => things.insert({ id: 'a', n }),
        );
      }
      // Long enough for a watch that ever knows anything to begin meanwhile.
      for (let round = 0; round < 10; round++) {
        for (const [at, change] of changes.entries()) {
          const n = 100 * round + at;
          await change(n);
          const wanted = ((await there.things.get('a')) as { document: Thing } | null)?.document.n ?? null;
          if (at < changes.length / 2) t.is(await read(), wanted);
          else await until(`change ${at} of round ${round} is seen`, async () => (await read()) === wanted);
        }
      }
    },
  );
}
