import { constants, PerformanceObserver } from 'node:perf_hooks';
import test from 'ava';
import { noteStreamed } from '../../common/index.js';
import { collectingEvery } from '../../common/streamed.js';
import { until } from '../support/ferry.js';

test('the young generation is collected for every few MiB that stream through, and for less it is not', (t) => {
  const collected: unknown[] = [];
  const note = collectingEvery(4 * 1_024 * 1_024, (how) => collected.push(how));
  for (let chunk = 0; chunk < 63; chunk++) note(64 * 1_024);
  t.deepEqual(collected, []);
  note(64 * 1_024);
  for (let chunk = 0; chunk < 63; chunk++) note(64 * 1_024);
  t.deepEqual(collected, [{ type: 'minor' }]);
  note(64 * 1_024);
  t.deepEqual(collected, [{ type: 'minor' }, { type: 'minor' }]);
});

test('what is collected then is the young generation, and at once', async (t) => {
  let minor = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // Types of Node.js 20 have no details of entries.
      const { kind, flags } = (entry as unknown as { detail: Readonly<Record<string, number>> }).detail;
      const isAsked = ((flags ?? 0) & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
      if (isAsked && kind === constants.NODE_PERFORMANCE_GC_MINOR) minor++;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  t.teardown(() => observer.disconnect());
  // Node.js tells of none that falls into another, so that one alone may be missed.
  await until('it is told of', async () => {
    noteStreamed(4 * 1_024 * 1_024);
    return minor > 0;
  });
  t.true(minor > 0);
});
