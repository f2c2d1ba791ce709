import test from 'ava';
import { type Reply, ruleBody, startNbi } from '../support.js';

const RULES = '/v1/dyn/FirmwareStorage';

const idsOf = ({ body }: Reply) =>
  (body as { readonly details: readonly { readonly id: string }[] }).details.map(({ id }) => id);

async function startWithRules(t: Parameters<typeof startNbi>[0], count: number, sortedItemsMax = 10_000) {
  let nowMs = 1_743_400_000_000;
  const nbi = await startNbi(t, { clock: () => nowMs++, limits: { sortedItemsMax } });
  const json = Array.from({ length: count }, (_, n) => ruleBody(`R${n}`, { priority: (n * 7) % count }));
  await nbi.call(`${RULES}/.*`, { method: 'POST', json });
  return { nbi, all: idsOf(await nbi.call(`${RULES}/.*`)) };
}

test('a page begins behind as many entries as offset says, in the order of the list, and Link goes on behind it', async (t) => {
  const { nbi, all } = await startWithRules(t, 25);
  for (const [query, from, to] of [
    ['offset=0', 0, 25],
    ['offset=0&limit=10', 0, 10],
    ['offset=10&limit=10', 10, 20],
    ['offset=20&limit=10', 20, 25],
    ['offset=24', 24, 25],
    ['offset=7', 7, 25],
    ['limit=10000', 0, 25],
  ] as const) {
    const reply = await nbi.call(`${RULES}/.*?${query}`);
    t.deepEqual(idsOf(reply), all.slice(from, to), query);
    const next = /^<(.*)>; rel="next"$/.exec(reply.headers.get('Link') ?? '')?.[1];
    t.is(next === undefined, to === 25, query);
    if (next === undefined) continue;
    t.notRegex(next, /offset/);
    t.deepEqual(idsOf(await nbi.call(next)), all.slice(to, to + 10), query);
  }
  for (const beyond of ['25', '26', '1000000'])
    t.is((await nbi.call(`${RULES}/.*?offset=${beyond}`)).status, 404, beyond);
  const lines = await nbi.call(`${RULES}/.*?offset=23`, { headers: { Accept: 'application/x-ndjson' } });
  t.is(String(lines.body).trim().split('\n').length, 2);
});

test('offset counts what is selected, and what is sorted', async (t) => {
  const { nbi } = await startWithRules(t, 40, 6);
  const byPriority = idsOf(await nbi.call(`${RULES}/.*?sort=priority&limit=40`));
  // More are passed over than are held at a time.
  for (const offset of [0, 1, 5, 6, 7, 12, 13, 39]) {
    const page = await nbi.call(`${RULES}/.*?sort=priority&limit=3&offset=${offset}`);
    t.deepEqual(idsOf(page), byPriority.slice(offset, offset + 3), String(offset));
  }
  t.is((await nbi.call(`${RULES}/.*?sort=priority&limit=3&offset=40`)).status, 404);
  const back = await nbi.call(`${RULES}/.*?sort=-priority&limit=2&offset=9`);
  t.deepEqual(idsOf(back), byPriority.toReversed().slice(9, 11));
  const high = await nbi.call(`${RULES}/.*?priority>=30&sort=priority&limit=2&offset=4`);
  t.deepEqual(idsOf(high), byPriority.slice(34, 36));
  const own = idsOf(await nbi.call(`${RULES}/.*?priority>=30`));
  t.deepEqual(idsOf(await nbi.call(`${RULES}/.*?priority>=30&offset=4&limit=2`)), own.slice(4, 6));
});

test('offset beside after, and an offset or limit that is none, are a 400 that names it', async (t) => {
  const { nbi } = await startWithRules(t, 3);
  const { headers } = await nbi.call(`${RULES}/.*?limit=1`);
  const after = headers.get('X-Next-After');
  for (const query of [
    `offset=1&after=${after}`,
    `offset=0&after=${after}`,
    'offset=1000001',
    'offset=-1',
    'offset=1.5',
    'offset=x',
    'offset=',
    'offset=1&offset=2',
    'limit=10001',
    'limit=0',
  ]) {
    const { status, body } = await nbi.call(`${RULES}/.*?${query}`);
    const [problem] = (body as { readonly details: readonly { readonly field: string }[] }).details;
    t.deepEqual([status, problem?.field], [400, query.split('=')[0]], query);
  }
});

test('a page far behind the first needs a place of lists, as it reads all before it', async (t) => {
  const nbi = await startNbi(t, { limits: { listsAtATime: 0, waitSecondsMax: 0 } });
  await nbi.call(`${RULES}/.*`, { method: 'POST', json: [ruleBody('a'), ruleBody('b')] });
  t.deepEqual(idsOf(await nbi.call(`${RULES}/.*?limit=1000&offset=1`)), ['a']);
  t.is((await nbi.call(`${RULES}/.*?limit=1000&offset=1001`)).status, 503);
  t.is((await nbi.call(`${RULES}/.*?limit=2001`)).status, 503);
});
