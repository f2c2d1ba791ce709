import test from 'ava';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { GatheredMetrics } from '../../../cli/workers/gathered-metrics.js';

/** A worker's own figures. */
function createWorker() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    sent: new Counter({ name: 'sent_total', help: 'x', labelNames: ['state'], registers }),
    memory: new Gauge({ name: 'memory_bytes', help: 'x', registers }),
    shared: new Gauge({ name: 'open', help: 'x', registers, aggregator: 'max' }),
    took: new Histogram({ name: 'took_seconds', help: 'x', buckets: [1], registers }),
  };
}

test('figures of several workers are one; what those counted that are gone stays, what they had does not', async (t) => {
  const workers = new Map([
    [1, createWorker()],
    [2, createWorker()],
  ]);
  const gathered = new GatheredMetrics();
  const ask = async (workerId: number, askId: number) => {
    const metrics = (await workers.get(workerId)?.registry.getMetricsAsJSON()) ?? [];
    // As it comes over the channel between the processes.
    gathered.answered(workerId, askId, JSON.parse(JSON.stringify(metrics)));
  };
  const text = () => gathered.text([...workers.keys()], (workerId, askId) => void ask(workerId, askId));
  for (const [number, { sent, memory, shared, took }] of workers) {
    sent.inc({ state: 'a' }, number);
    memory.set(100 * number);
    shared.set(7);
    took.observe(0.5);
  }
  const together = await text();
  t.regex(together, /^sent_total\{state="a"\} 3$/m);
  t.regex(together, /^memory_bytes 300$/m);
  t.regex(together, /^open 7$/m);
  t.regex(together, /^took_seconds_count 2$/m);
  t.regex(together, /^took_seconds_bucket\{le="1"\} 2$/m);

  for (const [fresh, gone] of [
    [3, 1],
    [4, 2],
  ] as const) {
    gathered.ended(gone);
    workers.delete(gone);
    workers.set(fresh, createWorker());
  }
  workers.get(3)?.sent.inc({ state: 'a' }, 10);
  workers.get(3)?.memory.set(5);
  const later = await text();
  t.regex(later, /^sent_total\{state="a"\} 13$/m);
  t.regex(later, /^memory_bytes 5$/m);
  t.regex(later, /^took_seconds_count 2$/m);
});

test('a worker that ends while it is asked is not waited for', async (t) => {
  const gathered = new GatheredMetrics();
  const asked = gathered.text([1], () => gathered.ended(1));
  t.is((await asked).trim(), '');
});
