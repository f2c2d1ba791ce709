import test from 'ava';
import fc from 'fast-check';
import { ImageFormatError, ImageReader, makeImage, readImage } from '../../cpe-sim/index.js';

const version = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }).filter((text) => {
  try {
    return encodeURIComponent(text) !== '';
  } catch {
    return false;
  }
});

test('what was made is read back, in whatever pieces it comes', (t) => {
  fc.assert(
    fc.property(
      version,
      fc.option(version, { nil: undefined }),
      fc.integer({ min: 1_024, max: 9_000 }),
      fc.array(fc.integer({ min: 1, max: 2_000 }), { maxLength: 20 }),
      (softwareVersion, productClass, sizeBytes, cuts) => {
        const product = productClass === undefined ? {} : { productClass };
        const image = makeImage({ softwareVersion, sizeBytes, ...product });
        const reader = new ImageReader();
        let offset = 0;
        for (const cut of cuts) {
          reader.push(image.subarray(offset, offset + cut));
          offset = Math.min(image.length, offset + cut);
        }
        reader.push(image.subarray(offset));
        const { sha256, ...read } = reader.end();
        t.regex(sha256, /^[0-9a-f]{64}$/);
        t.deepEqual(read, { softwareVersion, sizeBytes, ...product });
        t.is(image.length, sizeBytes);
      },
    ),
    { numRuns: 200 },
  );
});

test('any flipped bit is detected', (t) => {
  const image = makeImage({ softwareVersion: '2.0.0', productClass: 'HGW-1', sizeBytes: 4_096 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: image.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      const broken = Buffer.from(image);
      broken[at] = (broken[at] ?? 0) ^ (1 << bit);
      t.throws(() => readImage(broken), { instanceOf: ImageFormatError });
    }),
    { numRuns: 500 },
  );
  for (let at = 0; at < 200; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const broken = Buffer.from(image);
      broken[at] = (broken[at] ?? 0) ^ (1 << bit);
      t.throws(() => readImage(broken), { instanceOf: ImageFormatError }, `byte ${at}, bit ${bit}`);
    }
  }
});

test('a cut image is detected', (t) => {
  const image = makeImage({ softwareVersion: '2.0.0', sizeBytes: 2_000 });
  for (const size of [0, 10, 100, 1_999])
    t.throws(() => readImage(image.subarray(0, size)), { instanceOf: ImageFormatError });
});

test('bytes without a header line are refused after 1,024 of them', (t) => {
  const reader = new ImageReader();
  t.throws(() => reader.push(Buffer.alloc(100_000, 'a')), { instanceOf: ImageFormatError });
});

test('the same arguments make the same image, another version another', (t) => {
  const make = (softwareVersion: string): Buffer => makeImage({ softwareVersion, sizeBytes: 1_000 });
  t.deepEqual(make('1'), make('1'));
  t.notDeepEqual(make('1').subarray(-100), make('2').subarray(-100));
});

test('a size that cannot hold the header is refused', (t) => {
  t.throws(() => makeImage({ softwareVersion: '1', sizeBytes: 50 }), { instanceOf: RangeError });
  t.throws(() => makeImage({ softwareVersion: '', sizeBytes: 5_000 }), { instanceOf: RangeError });
});
