import test from 'ava';
import fc from 'fast-check';
import type { ResultId } from '../../../common/index.js';
import { BatchError, operationIdOf } from '../../../rollout/index.js';
import { BY, cpe, listOf, openTestBatches } from './support.js';

const CPES = 4;
const CASES = Number(process.env['FERRY_PROPERTY_CASES'] ?? 12);

type Step =
  | { readonly kind: 'session'; readonly cpe: number }
  | { readonly kind: 'end'; readonly cpe: number; readonly how: 'verified' | 'failed' }
  | { readonly kind: 'cancel' | 'retry' | 'round'; readonly node: 0 | 1 }
  | { readonly kind: 'cancel-one'; readonly cpe: number; readonly node: 0 | 1 };

const which = fc.integer({ min: 0, max: CPES - 1 });
const node = fc.constantFrom(0 as const, 1 as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('session' as const), cpe: which }),
  fc.record({
    kind: fc.constant('end' as const),
    cpe: which,
    how: fc.constantFrom('verified' as const, 'failed' as const),
  }),
  fc.record({ kind: fc.constantFrom('cancel' as const, 'retry' as const, 'round' as const), node }),
  fc.record({ kind: fc.constant('cancel-one' as const), cpe: which, node }),
);

test('whatever is done at once on two nodes, counts agree, nobody is upgraded twice for one try, and the verified stay', async (t) => {
  t.timeout(120_000);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 10 }),
      async (rounds) => {
        const has = await openTestBatches(t, {
          underWay: { withdraw: async () => 'asked', call() {} },
        });
        const nodes = [has.batches, has.another()] as const;
        const { id } = await has.batches.create(listOf(await has.haveCpes(CPES)), BY);
        const running = new Map<number, ResultId>();
        const verified = new Set<number>();
        const run = async (each: Step): Promise<void> => {
          switch (each.kind) {
            case 'session': {
              const upgrade = await has.session(cpe(each.cpe));
              if (upgrade === null) return;
              t.false(verified.has(each.cpe), 'who is verified is not upgraded again');
              t.false(running.has(each.cpe), 'who is being upgraded is not upgraded');
              running.set(each.cpe, upgrade.id);
              return;
            }
            case 'end': {
              const upgrade = running.get(each.cpe);
              if (upgrade === undefined) return;
              running.delete(each.cpe);
              await has.end(cpe(each.cpe), upgrade, each.how);
              if (each.how === 'verified') verified.add(each.cpe);
              return;
            }
            case 'cancel':
              await nodes[each.node].cancel(id, BY);
              return;
            case 'retry':
              await nodes[each.node].retry(id, {}, BY);
              return;
            case 'round':
              await nodes[each.node].round();
              return;
            case 'cancel-one':
              await nodes[each.node].cancelOne(operationIdOf(id, cpe(each.cpe)), BY);
              return;
            default:
              each satisfies never;
          }
        };
        const allowed = (error: unknown): void => {
          if (!(error instanceof BatchError)) throw error;
        };
        for (const steps of rounds) {
          // Of one CPE one thing at a time: it has one session.
          const apart = steps.filter(
            (each, index) =>
              !('cpe' in each) ||
              !steps.slice(0, index).some((other) => 'cpe' in other && other.cpe === each.cpe),
          );
          await Promise.all(apart.map((each) => run(each).catch(allowed)));
          await has.counted(id);
        }
        await has.batches.cancel(id, BY);
        for (const each of nodes) await each.made(id);
        await has.batches.round();
        const counts = await has.counted(id);
        t.is(counts.pending ?? 0, 0);
        t.is(counts.verified ?? 0, verified.size);
        t.is(counts.running ?? 0, running.size);
        for (let index = 0; index < CPES; index++) t.is(await has.session(cpe(index)), null);
        for (const each of nodes) await each.close();
      },
    ),
    { numRuns: CASES },
  );
});
