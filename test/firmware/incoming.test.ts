import { Readable } from 'node:stream';
import test from 'ava';
import { Intake } from '../../firmware/incoming.js';
import { sha256Of } from './support.js';

const OPTIONS = { bytesMax: 1_000, idleMsMax: 60_000, by: 'tester' };
const CONTENT = Buffer.from('firmware');

for (const where of ['update', 'end'] as const) {
  test(`content is taken although looking into it fails in ${where}`, async (t) => {
    const fault = new Error('a fault of ours');
    const fail = () => {
      throw fault;
    };
    const inspection = { update() {}, end: fail, [where]: fail };
    const intake = new Intake(Readable.from([CONTENT, CONTENT]), OPTIONS, inspection);
    let bytes = 0;
    for await (const chunk of intake.chunks()) bytes += chunk.length;
    t.is(bytes, 2 * CONTENT.length);
    t.deepEqual(intake.received('incoming/x'), {
      name: 'incoming/x',
      sha256: sha256Of(Buffer.concat([CONTENT, CONTENT])),
      sizeBytes: bytes,
      inspected: { findings: [], facts: {}, broken: [], unread: [] },
      notInspected: fault,
    });
  });
}

test('whatever else is at work has its turn between the pieces of content', async (t) => {
  const pieces = 100;
  let turns = 0;
  let over = false;
  const turn = () => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  const content = Readable.from(Array.from({ length: pieces }, () => CONTENT));
  let taken = 0;
  for await (const _ of new Intake(content, OPTIONS).chunks()) taken++;
  over = true;
  t.is(taken, pieces);
  t.true(turns >= 2 * pieces, `${turns} turns of the event loop`);
});
