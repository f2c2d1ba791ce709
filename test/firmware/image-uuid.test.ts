import test from 'ava';
import { createSecrets } from '../../common/index.js';
import { imageUuidsBy } from '../../firmware/index.js';
import { testSecrets } from '../support/secrets.js';

const uuids = imageUuidsBy(testSecrets);

test('the UUID of an image follows from its number and the master key, and leads back to the number', (t) => {
  for (const number of [0, 1, 2, 255, 256, 123_456_789, 2 ** 40 + 3, 2 ** 48 - 1]) {
    const uuid = uuids.of(number);
    t.regex(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    t.is(imageUuidsBy(testSecrets).of(number), uuid);
    t.is(uuids.numberOf(uuid), number);
  }
  t.is(new Set(Array.from({ length: 1_000 }, (_, number) => uuids.of(number))).size, 1_000);
  t.throws(() => uuids.of(2 ** 48));
  t.throws(() => uuids.of(-1));
});

test('a UUID that another master key has made, or anybody has changed, is of no image', (t) => {
  const others = imageUuidsBy(createSecrets(Buffer.alloc(32, 8)));
  t.not(others.of(1), uuids.of(1));
  t.is(uuids.numberOf(others.of(1)), null);
  const uuid = uuids.of(1);
  for (const [at, digit] of [...uuid].entries()) {
    if (digit === '-') continue;
    const changed = uuid.slice(0, at) + (digit === '0' ? '1' : '0') + uuid.slice(at + 1);
    t.is(uuids.numberOf(changed), null, changed);
  }
  for (const text of ['', 'x', uuid.toUpperCase(), `${uuid}0`, uuid.replaceAll('-', '')])
    t.is(uuids.numberOf(text), null);
});
