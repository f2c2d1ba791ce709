import test from 'ava';
import fc from 'fast-check';
import type { Device } from '../../../acs/device/device.js';
import { deviceContinuing, deviceSuperseded, hasMark } from '../../../acs/upgrade/marks.js';
import type { CountKey, CpeId, ResultId } from '../../../common/index.js';
import { deviceOf, upgradeOf } from '../../support/installation.js';

const OLD = '00A1B2-HGW-1' as CpeId;
const NEW = '00F0F0-HGW-1' as CpeId;
const upgrade = upgradeOf(OLD, 0);
const earlier = '0b8f2a52-7c5c-4d0c-9a53-0d8b1e9f7a11' as ResultId;

const anyCounts: fc.Arbitrary<Device['counts']> = fc.dictionary(
  fc.constantFrom('a', 'b', 'c') as fc.Arbitrary<CountKey>,
  fc.record({
    started: fc.nat(5),
    failures: fc.nat(5),
    verified: fc.boolean(),
    givenBack: fc.nat(5),
  }),
);

test('a device that goes on under another identity takes the mark along, and the two point to each other', (t) => {
  const owner = deviceOf(OLD, upgrade);
  const successor: Device = { ...deviceOf(NEW, null), late: earlier };
  const next = deviceContinuing(successor, owner, upgrade);
  t.like(next, { id: NEW, supersedes: OLD, inFlight: upgrade.id, late: undefined });
  t.true(hasMark(next, upgrade.id));
  t.like(deviceSuperseded(owner, successor), { id: OLD, supersededBy: NEW, inFlight: upgrade.id });
});

test('one that goes back to its first identity has no link that runs in a circle', (t) => {
  const there = deviceContinuing(deviceOf(NEW, null), deviceOf(OLD, upgrade), upgrade);
  const left = deviceSuperseded(deviceOf(OLD, upgrade), there);
  const back = deviceContinuing(left, there, upgrade);
  t.like(back, { supersedes: NEW, supersededBy: undefined });
  t.like(deviceSuperseded(there, left), { supersededBy: OLD, supersedes: undefined });
});

test('executions count for both: the new identity has begun all that either has, and is upgraded where either is', (t) => {
  fc.assert(
    fc.property(anyCounts, anyCounts, (oldCounts, newCounts) => {
      const owner: Device = { ...deviceOf(OLD, upgrade), counts: oldCounts };
      const successor: Device = { ...deviceOf(NEW, null), counts: newCounts };
      const next = deviceContinuing(successor, owner, upgrade);
      const keys = new Set([...Object.keys(oldCounts), ...Object.keys(newCounts)] as CountKey[]);
      t.deepEqual(Object.keys(next.counts).sort(), [...keys].sort() as string[]);
      for (const key of keys) {
        const [was, is, both] = [oldCounts[key], newCounts[key], next.counts[key]];
        t.is(both?.started, (was?.started ?? 0) + (is?.started ?? 0));
        t.is(both?.verified, was?.verified === true || is?.verified === true);
      }
      // Told once more, nothing is counted twice.
      const again = deviceContinuing(next, deviceSuperseded(owner, next), upgrade);
      t.deepEqual(again.counts, next.counts);
    }),
  );
});
