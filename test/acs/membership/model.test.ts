import test from 'ava';
import fc from 'fast-check';
import { MembershipRules } from '../../../acs/membership/membership-rules.js';
import { isListed, type OrganizationId, subnetList } from '../../../common/index.js';
import { type MembershipRule, type Organization, OrganizationsNow } from '../../../organizations/index.js';
import { contextOf, openTestRules } from '../../rules/setup.js';

const subnet = fc.constantFrom('10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '192.0.2.0/24', '2001:db8::/32');
const username = fc.constantFrom('north', 'north-*', 'n*', 'south-1', 's*');
// As a text, and what it says of a CPE.
const CONDITIONS: readonly (readonly [MembershipRule, (cpe: Cpe) => boolean])[] = [
  [{ condition: { productClass: 'HGW' } }, ({ productClass }) => productClass === 'HGW'],
  [{ condition: { productClass: ['STB', 'HGW'], oui: 'B' } }, ({ oui }) => oui === 'B'],
  [{ condition: 'oui = "A" and "lab" in tags' }, ({ oui, tags }) => oui === 'A' && tags.includes('lab')],
  [{ condition: '"vip" in tags' }, ({ tags }) => tags.includes('vip')],
  [{ condition: 'oui > "A"' }, ({ oui }) => oui > 'A'],
  [{ condition: '$contains(productClass, "T")' }, ({ productClass }) => productClass.includes('T')],
  [{ condition: 'parameters.Device.X.Y = 1' }, ({ y }) => y === 1],
  // What a CPE belongs to is nothing that a condition could see here, by whatever way it looks.
  [{ condition: '$lookup($, "organization") = "one"' }, () => false],
];

interface Cpe {
  readonly ip: string;
  readonly username: string | null;
  readonly oui: string;
  readonly productClass: string;
  readonly tags: readonly string[];
  readonly y: number;
}

const rule = fc.oneof(
  subnet.map((each) => [{ subnet: each }, (cpe: Cpe) => isListed(subnetList([each]), cpe.ip)] as const),
  username.map(
    (each) =>
      [
        { username: each },
        ({ username: name }: Cpe) =>
          name !== null && (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each),
      ] as const,
  ),
  fc.constantFrom(...CONDITIONS),
);

const organization = fc.record({
  order: fc.nat(3),
  createdAtMs: fc.nat(2),
  active: fc.boolean(),
  rules: fc.array(rule, { maxLength: 4 }),
});

const cpe: fc.Arbitrary<Cpe> = fc.record({
  ip: fc.constantFrom('10.1.2.3', '10.1.9.9', '10.200.0.1', '192.0.2.7', '2001:db8::1', '203.0.113.1'),
  username: fc.constantFrom(null, 'north', 'north-1', 'south-1', 'x'),
  oui: fc.constantFrom('A', 'B'),
  productClass: fc.constantFrom('HGW', 'STB'),
  tags: fc.subarray(['lab', 'vip']),
  y: fc.nat(1),
});

test('a CPE belongs where a plain walk over all rules of all active organizations ends', async (t) => {
  const { rules } = await openTestRules(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(organization, { maxLength: 6 }),
      fc.array(cpe, { minLength: 1, maxLength: 6 }),
      async (organizations, cpes) => {
        const all = organizations.map(
          (each, index): Organization => ({
            ...each,
            id: String(index) as OrganizationId,
            name: '-',
            slug: String(index),
            isDefault: false,
            rules: each.rules.map(([written]) => written),
          }),
        );
        const failures: string[] = [];
        const compiled = await MembershipRules.of(new OrganizationsNow(1, all), {
          conditions: rules.standing,
          onFailure: ({ reason }) => failures.push(reason),
        });
        const inOrder = [...organizations.keys()].sort((one, other) => {
          const [a, b] = [organizations[one], organizations[other]];
          if (a === undefined || b === undefined) return 0;
          return a.order - b.order || a.createdAtMs - b.createdAtMs || one - other;
        });
        for (const each of cpes) {
          const wanted = inOrder.find(
            (index) =>
              organizations[index]?.active === true &&
              organizations[index].rules.some(([, holds]) => holds(each)),
          );
          const { organization: _, ...context } = contextOf({
            oui: each.oui,
            productClass: each.productClass,
            tags: each.tags,
            ip: each.ip,
          });
          const found = await compiled.first({
            ip: each.ip,
            username: each.username,
            context,
            readParameters: async () => ({ Device: { X: { Y: each.y } } }),
          });
          if (found?.slug !== (wanted === undefined ? undefined : String(wanted))) return false;
        }
        return failures.length === 0;
      },
    ),
    { numRuns: Number(process.env['FERRY_PROPERTY_CASES'] ?? 300) },
  );
  t.pass();
});
