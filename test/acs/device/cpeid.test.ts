import test from 'ava';
import fc from 'fast-check';
import { CPEID_CHARACTERS_MAX, cpeidOf, isCpeId } from '../../../acs/device/cpeid.js';

const identity = (oui: string, productClass: string, serialNumber: string): string | null =>
  cpeidOf({ oui, productClass, serialNumber });

test('a cpeid is OUI-ProductClass-SerialNumber, without a product class OUI-SerialNumber', (t) => {
  t.is(identity('00A1B2', 'HGW', '1'), '00A1B2-HGW-1');
  t.is(identity('00A1B2', '', '1'), '00A1B2-1');
});

test('a byte outside the unreserved set is written ~XX, also the hyphen and the tilde themselves', (t) => {
  t.is(identity('00A1B2', 'H-G W', 'S/1~é'), '00A1B2-H~2DG~20W-S~2F1~7E~C3~A9');
});

test('an identity too long for a key is refused', (t) => {
  t.is(identity('00A1B2', 'é'.repeat(64), 'é'.repeat(64)), null);
});

test('two devices never share a cpeid, and it needs no escaping in a URL', (t) => {
  const part = fc.string({ unit: 'binary', maxLength: 12 });
  const device = fc.record({
    oui: part.filter(Boolean),
    productClass: part,
    serialNumber: part.filter(Boolean),
  });
  fc.assert(
    fc.property(device, device, (a, b) => {
      const [left, right] = [cpeidOf(a), cpeidOf(b)];
      if (left === null || right === null) return;
      t.is(encodeURIComponent(left), left);
      t.true(left.length <= CPEID_CHARACTERS_MAX);
      // Lone surrogates have no UTF-8 of their own; a decoded envelope holds none.
      if ([a, b].every((d) => Object.values(d).every((text) => !/\p{Surrogate}/u.test(text)))) {
        t.is(left === right, JSON.stringify(a) === JSON.stringify(b));
      }
    }),
    { numRuns: 1_000 },
  );
});

test('what is made of a device is known for a cpeid, and nothing else is', (t) => {
  const part = fc.string({ unit: 'binary', maxLength: 12 });
  fc.assert(
    fc.property(part.filter(Boolean), part, part.filter(Boolean), (oui, productClass, serialNumber) => {
      const cpeid = cpeidOf({ oui, productClass, serialNumber });
      if (cpeid !== null) t.true(isCpeId(cpeid), cpeid);
    }),
    { numRuns: 1_000 },
  );
  const written = fc.string({ unit: fc.constantFrom('A', 'z', '-', '~', '2', 'F', '4', '1', '/', 'é') });
  fc.assert(
    fc.property(written, (text) => {
      t.is(isCpeId(text), /^[\w.~-]+$/.test(text) && isMadeOf(text), text);
    }),
    { numRuns: 1_000 },
  );
});

/** Two or three parts, each of them characters that stand for themselves and escapes of those that do not. */
function isMadeOf(text: string): boolean {
  const parts = text.split('-');
  const [first = '', ...others] = parts;
  const last = others.at(-1) ?? '';
  return (
    first !== '' &&
    last !== '' &&
    parts.length <= 3 &&
    !(parts.length === 3 && others[0] === '') &&
    parts.every((part) => {
      const bytes = decodeURIComponentOrNull(part.replaceAll('~', '%'));
      return (
        bytes !== null &&
        !/~(?![0-9A-F]{2})/.test(part) &&
        !/~(?:4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|3[0-9]|2E|5F)/.test(part)
      );
    })
  );
}

function decodeURIComponentOrNull(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

test('where the serial number tells CPEs apart it is the cpeid, written so that no two share one', (t) => {
  const bySerial = (serialNumber: string): string | null =>
    cpeidOf({ oui: '00A1B2', productClass: 'HGW', serialNumber }, 'serial');
  t.is(bySerial('S-1/é'), 'S~2D1~2F~C3~A9');
  t.is(bySerial('é'.repeat(200)), null);
  const serial = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 12 })
    .filter((text) => !/\p{Surrogate}/u.test(text));
  fc.assert(
    fc.property(serial, serial, (a, b) => {
      const [left, right] = [bySerial(a) ?? '', bySerial(b) ?? ''];
      t.is(left === right, a === b);
      const isWritten: boolean = a === left;
      t.is(isCpeId(a, 'serial'), isWritten);
      t.false(isCpeId(left));
      t.true(isCpeId(left, 'serial'));
    }),
    { numRuns: 1_000 },
  );
});
