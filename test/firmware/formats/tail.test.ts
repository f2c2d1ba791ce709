import { crc32 } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { TAIL_BYTES } from '../../../firmware/formats/format.js';
import { Tail } from '../../../firmware/formats/tail.js';
import { randomContent } from '../support.js';

const CONTENT = randomContent(3 * TAIL_BYTES + 7);

test('the tail is the last mebibyte, and the CRC that of all before it, whatever the portions', (t) => {
  const around = (bytes: number) => fc.integer({ min: Math.max(0, bytes - 2), max: bytes + 2 });
  const size = fc.oneof(
    ...[0, TAIL_BYTES, 2 * TAIL_BYTES, 3 * TAIL_BYTES].map(around),
    fc.nat({ max: CONTENT.length }),
  );
  const portion = fc.oneof(fc.constant(0), fc.constant(65_536), around(TAIL_BYTES), fc.nat({ max: 200_000 }));
  fc.assert(
    fc.property(size, fc.array(portion, { minLength: 1, maxLength: 5 }), (bytes, portions) => {
      const file = CONTENT.subarray(0, bytes);
      const tail = new Tail();
      let at = 0;
      for (const each of portions) {
        tail.add(Buffer.from(file.subarray(at, at + each)));
        at += each;
      }
      tail.add(Buffer.from(file.subarray(Math.min(at, bytes))));
      const before = Math.max(0, bytes - TAIL_BYTES);
      const told = tail.end();
      t.true(told.tail.equals(file.subarray(before)));
      t.is(told.crcBeforeTail, crc32(file.subarray(0, before)));
    }),
    { numRuns: 60 },
  );
});
