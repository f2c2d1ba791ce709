import test from 'ava';
import fc from 'fast-check';
import { SubnetIndex } from '../../../acs/membership/subnet-index.js';
import { UsernameIndex } from '../../../acs/membership/username-index.js';
import { isListed, subnetList } from '../../../common/index.js';

const v4 = fc
  .tuple(fc.constantFrom(10, 192, 255, 0), fc.constantFrom(0, 1, 128), fc.nat(3), fc.nat(255))
  .map((parts) => parts.join('.'));
const v6 = fc
  .tuple(fc.constantFrom('2001:db8', 'fe80', '0', '::ffff'), fc.nat(3), fc.nat(0xffff))
  .map(([head, middle, tail]) =>
    head === '::ffff' ? `::ffff:10.0.${middle}.${tail % 256}` : `${head}::${middle}:${tail.toString(16)}`,
  );
const subnet = fc.oneof(
  fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map(([address, bits]) => `${address}/${bits}`),
  fc.tuple(v6, fc.integer({ min: 0, max: 128 })).map(([address, bits]) => `${address}/${bits}`),
  v4,
  v6,
);

test('the first subnet that an address is in is the first whose list has it', (t) => {
  fc.assert(
    fc.property(fc.array(subnet, { maxLength: 20 }), fc.oneof(v4, v6), (subnets, address) => {
      const index = new SubnetIndex();
      for (const [rank, each] of subnets.entries()) index.add(each, rank);
      const wanted = subnets.findIndex((each) => isListed(subnetList([each]), address));
      return index.rankOf(address) === (wanted < 0 ? Number.POSITIVE_INFINITY : wanted);
    }),
    { numRuns: 2_000 },
  );
  t.is(new SubnetIndex().rankOf('no address'), Number.POSITIVE_INFINITY);
});

test('the first user name that is it, or that it begins with, is found', (t) => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), minLength: 1, maxLength: 4 });
  const written = fc.tuple(name, fc.boolean()).map(([each, begins]) => (begins ? `${each}*` : each));
  fc.assert(
    fc.property(fc.array(written, { maxLength: 20 }), name, (names, username) => {
      const index = new UsernameIndex();
      for (const [rank, each] of names.entries()) index.add(each, rank);
      const isMeant = (each: string) =>
        each.endsWith('*') ? username.startsWith(each.slice(0, -1)) : each === username;
      const wanted = names.findIndex(isMeant);
      return index.rankOf(username) === (wanted < 0 ? Number.POSITIVE_INFINITY : wanted);
    }),
    { numRuns: 2_000 },
  );
  t.true(new UsernameIndex().isEmpty);
});
