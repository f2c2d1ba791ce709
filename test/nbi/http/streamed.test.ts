import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { jsonPieces, LongList, sendStreamed } from '../../../nbi/http/index.js';

type Sent = Parameters<typeof sendStreamed>[0];

async function sent(items: AsyncIterable<unknown>, indent: number | null = null) {
  const response = new PassThrough();
  let hasBegun = false;
  const fields = { result: 0, items: new LongList(items), more: { a: 1 }, none: new LongList(listOf()) };
  const pieces = jsonPieces(fields, (value) => JSON.stringify(value), indent);
  const sending = sendStreamed(
    { response, over: new AbortController().signal } as unknown as Sent,
    pieces,
    () => {
      hasBegun = true;
    },
  );
  const [ended, received] = await Promise.allSettled([
    sending,
    sending.then(
      () => text(response),
      () => null,
    ),
  ]);
  return { ended: ended.status, hasBegun, text: received.status === 'fulfilled' ? received.value : null };
}

async function* listOf(...items: readonly unknown[]) {
  yield* items;
}

// biome-ignore lint/correctness/useYield: it fails before it has anything
async function* failing(): AsyncGenerator<unknown, void> {
  throw new Error('The store is away');
}

test('an answer has its fields in their order, whatever its lists have', async (t) => {
  const whole = await sent(listOf(1, 'b'));
  t.deepEqual(whole, {
    ended: 'fulfilled',
    hasBegun: true,
    text: '{"result":0,"items":[1,"b"],"more":{"a":1},"none":[]}',
  });
  t.is((await sent(listOf())).text, '{"result":0,"items":[],"more":{"a":1},"none":[]}');
  t.is(
    (await sent(listOf(1), 1)).text,
    '{\n "result": 0,\n "items": [\n  1\n ],\n "more": {"a":1},\n "none": []\n}',
  );
});

test('a list that fails at its first read is thrown before anything of the answer has begun', async (t) => {
  t.deepEqual(await sent(failing()), { ended: 'rejected', hasBegun: false, text: null });
});
