import fc from 'fast-check';
import type { CpeId } from '../../common/index.js';
import type { Condition, DecisionInput, ParameterTree } from '../../rules/index.js';
import { contextOf } from './setup.js';

/** Random runs of a property: `FERRY_PROPERTY_RUNS=100000 npx ava …` looks longer. */
export function propertyRuns(least: number): number {
  const wanted = Number(process.env['FERRY_PROPERTY_RUNS']);
  return Number.isSafeInteger(wanted) && wanted > least ? wanted : least;
}

/** Few values of few fields, so that rules share buckets, and conditions are sometimes true. */
const CPEIDS = ['A-1', 'A-2', 'A-3'];
const VERSIONS = ['1.0', '1.1', '2.0'];
const EVENTS = ['0 BOOTSTRAP', '1 BOOT', '2 PERIODIC'];
const TAGS = ['beta', 'lab', 'vip'];
const STATES = ['Up', 'Down'];

const VALUES: Readonly<Record<string, fc.Arbitrary<string | number | boolean | null>>> = {
  cpeid: fc.constantFrom(...CPEIDS),
  productClass: fc.constantFrom('HGW', 'STB'),
  softwareVersion: fc.constantFrom(...VERSIONS, 1, null),
  hardwareVersion: fc.constantFrom('A', 'B', true),
  events: fc.constantFrom(...EVENTS),
  tags: fc.constantFrom(...TAGS),
  'parameters.Device.IP.Interface.1.Status': fc.constantFrom(...STATES, 1, false),
  'parameters.Device.X.Level': fc.constantFrom(1, 2, '1'),
  toString: fc.constantFrom('x'),
};

const objectForm: fc.Arbitrary<Condition> = fc
  .uniqueArray(fc.constantFrom(...Object.keys(VALUES)), { minLength: 1, maxLength: 4 })
  .chain((fields) =>
    fc.record(
      Object.fromEntries(
        fields.map((field) => {
          const value = VALUES[field] ?? fc.constant('x');
          // A long list is looked up otherwise than a short one.
          const padding = Array.from({ length: 12 }, (_, index) => `other-${index}`);
          return [
            field,
            fc.oneof(
              { weight: 4, arbitrary: value },
              { weight: 2, arbitrary: fc.array(value, { minLength: 1, maxLength: 3 }) },
              { weight: 1, arbitrary: value.map((one) => [...padding, one]) },
            ),
          ];
        }),
      ),
    ),
  );

/** In object form, with patterns of the same values. */
export const anyPatterns: fc.Arbitrary<Exclude<Condition, string>> = fc
  .uniqueArray(fc.constantFrom(...Object.keys(VALUES)), { minLength: 1, maxLength: 3 })
  .chain((fields) =>
    fc.record(
      Object.fromEntries(
        fields.map((field) => {
          const value = fc
            .tuple(VALUES[field] ?? fc.constant('x'), fc.nat(4), fc.nat(4), fc.boolean())
            .map(([whole, from, to, isPattern]) =>
              typeof whole === 'string' && isPattern
                ? `${whole.slice(0, from)}*${whole.slice(from + to)}`
                : whole,
            );
          return [field, fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 4 }))];
        }),
      ),
    ),
  );

const conjunct: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...CPEIDS).map((value) => `cpeid = "${value}"`),
  fc.constantFrom('HGW', 'STB').map((value) => `productClass = "${value}"`),
  fc.constantFrom(...VERSIONS).map((value) => `"${value}" = softwareVersion`),
  fc.constantFrom(...EVENTS).map((value) => `"${value}" in events`),
  fc.constantFrom(...TAGS).map((value) => `tags = "${value}"`),
  fc.constantFrom(...STATES).map((value) => `parameters.Device.IP.Interface.1.Status = "${value}"`),
  fc.constantFrom(
    'productClass in ["HGW", "X"]',
    'hardwareVersion != "A"',
    '$exists(modelName)',
    'registered > 0',
  ),
  fc.constantFrom('softwareVersion > "1.0"', 'softwareVersion < 2', '$count(events) = 2', 'parameters'),
  fc.constantFrom('(productClass = "HGW" or hardwareVersion = "B")', '$not(softwareVersion = "1.0")'),
);

const stringForm: fc.Arbitrary<Condition> = fc
  .array(conjunct, { minLength: 1, maxLength: 4 })
  .map((conjuncts) => conjuncts.join(' and '));

export const anyCondition: fc.Arbitrary<Condition> = fc.oneof(objectForm, stringForm);

export interface DescribedCpe {
  readonly context: DecisionInput['context'];
  readonly parameters: ParameterTree;
}

export const anyCpe: fc.Arbitrary<DescribedCpe> = fc.record({
  context: fc
    .record(
      {
        cpeid: fc.constantFrom(...CPEIDS, 'B-1') as fc.Arbitrary<CpeId>,
        productClass: fc.constantFrom('HGW', 'STB', 'X'),
        softwareVersion: fc.constantFrom(...VERSIONS),
        hardwareVersion: fc.constantFrom('A', 'B'),
        modelName: fc.constant('M'),
        events: fc.subarray(EVENTS),
        tags: fc.array(fc.constantFrom(...TAGS), { maxLength: 3 }),
      },
      { requiredKeys: ['cpeid', 'productClass', 'events', 'tags'] },
    )
    .map((over) => {
      const { softwareVersion: _, ...unversioned } = contextOf();
      return { ...unversioned, ...over };
    }),
  parameters: fc.oneof(
    fc.constant({}),
    fc.record({
      Device: fc.record(
        {
          IP: fc
            .constantFrom<ParameterTree[string]>('Up', 'Down', 1, false)
            .map((Status) => ({ Interface: { '1': { Status } } })),
          X: fc.constantFrom<ParameterTree[string]>(1, 2, '1').map((Level) => ({ Level })),
        },
        { requiredKeys: [] },
      ),
    }) as fc.Arbitrary<ParameterTree>,
  ),
});
