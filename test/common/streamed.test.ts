import { constants, PerformanceObserver } from 'node:perf_hooks';
import test from 'ava';
import { noteStreamed } from '../../common/index.js';
import { until } from '../support/ferry.js';

test('the young generation is collected for every few MiB that stream through, and for less it is not', async (t) => {
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
  for (let chunk = 0; chunk < 63; chunk++) noteStreamed(64 * 1_024);
  for (let chunk = 0; chunk < 65; chunk++) noteStreamed(64 * 1_024);
  await until('both are told of', async () => minor >= 2);
  t.is(minor, 2);
});
