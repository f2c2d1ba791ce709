import test from 'ava';
import fc from 'fast-check';
import type { BatchId, CpeId } from '../../../common/index.js';
import { type Build, targetVersionOf } from '../../../firmware/index.js';
import { DEVICE_FIRMWARES, type FirmwareRecord } from '../../../rollout/builds/firmware-record.js';
import { BY } from '../../support/actor.js';
import { all, HOME, NORTH, type OpenedBuilds, openBuilds, present, SOUTH } from './support.js';

const numRuns = Number(process.env['FERRY_PROPERTY_CASES'] ?? 15);
const BATCH = '55555555-5555-4555-8555-555555555555' as BatchId;

const seldom = fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 9);
const cpe = fc.record({
  model: fc.constantFrom('A', 'B', 'HGW', undefined),
  reports: fc.constantFrom('OS 1', 'OS 2', 'OS 3', undefined),
  organization: fc.constantFrom(HOME, NORTH, SOUTH, undefined),
  isWaiting: seldom,
  isSuperseded: seldom,
  /** Of which build it was given an image of which type; null: what it had was taken away. */
  given: fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant(null) },
    {
      weight: 4,
      arbitrary: fc.record({
        build: fc.nat(2),
        type: fc.constantFrom('a', 'b', 'T'),
        state: fc.constantFrom('verified', 'failed', 'pending'),
      }),
    },
  ),
});
const TYPES = ['a', 'b', 'T'];
const typesOfBuild = fc.subarray(TYPES, { minLength: 1 });
const fleet = fc.record({
  owner: fc.constantFrom(null, null, NORTH, HOME),
  within: fc.constantFrom(null, null, null, NORTH, SOUTH, HOME),
  types: fc.tuple(typesOfBuild, typesOfBuild, typesOfBuild),
  cpes: fc.array(cpe, { minLength: 4, maxLength: 12 }),
});
type Fleet = typeof fleet extends fc.Arbitrary<infer F> ? F : never;

async function made(at: OpenedBuilds, { owner: organization, types, cpes }: Fleet) {
  const builds = [
    await at.build('router', '1', types[0], { os: 'OS 1', organization }),
    await at.build('router', '2', types[1], { os: 'OS 2', organization }),
    await at.build('phone', '3', types[2], { os: 'OS 3', organization }),
  ];
  const cpeids: CpeId[] = [];
  for (const [index, { model, reports, organization, isWaiting, isSuperseded, given }] of cpes.entries()) {
    const cpeid = await at.device(String(index), {
      productClass: '',
      ...(model !== undefined && { modelName: model }),
      ...(reports !== undefined && { softwareVersion: reports }),
      ...(organization !== undefined && { organization: { id: organization as never, by: 'hand' } }),
      ...(isWaiting && { enrolment: 'waiting' }),
      ...(isSuperseded && { supersededBy: 'another' as CpeId }),
    });
    cpeids.push(cpeid);
    const build = given == null ? undefined : builds[given.build];
    if (given != null && build?.images.some(({ type }) => type === given.type))
      await at.given(cpeid, await at.imageOf(build, given.type), given.state);
    const atMs = at.tick();
    const nothing = { id: cpeid, image: null, operation: null, createdAtMs: atMs, modifiedAtMs: atMs };
    if (given === null) await at.store.collection<FirmwareRecord>(DEVICE_FIRMWARES).put(nothing);
  }
  return { builds, cpeids };
}

/** Which of the CPEs a build would upgrade, told once more in other words. */
function expected({ owner, within, types, cpes }: Fleet) {
  const organization = owner ?? within;
  const has = (build: number, type: string) => types[build]?.includes(type) === true;
  const fits = (model: string | undefined, type: string) =>
    (type === 'a' && (model === 'A' || model === 'B')) || (type === 'b' && model === 'B');
  const found = { firmwares: new Set<number>(), devices: new Set<number>(), targets: new Set<number>() };
  if (owner !== null && within !== null && owner !== within) return found;
  for (const [index, each] of cpes.entries()) {
    const whose = each.organization ?? HOME;
    if (each.isWaiting || each.isSuperseded || (organization !== null && whose !== organization)) continue;
    const { given, model, reports } = each;
    const isThere = given != null && has(given.build, given.type);
    const reported = ['OS 1', 'OS 2', 'OS 3'].indexOf(reports ?? '');
    // One of another owner is not this device's.
    const isOfOwner = owner === null || owner === whose;
    const type = ['b', 'a'].find((type) => has(reported, type) && fits(model, type));
    const firmware = isThere
      ? { build: given.build, type: given.type, installed: given.state === 'verified' }
      : given !== null && isOfOwner && reported >= 0 && type !== undefined
        ? { build: reported, type, installed: true }
        : null;
    if (firmware === null) {
      if (TYPES.some((type) => has(1, type) && fits(model, type))) {
        found.devices.add(index);
        found.targets.add(index);
      }
    } else if (firmware.build !== 2 && !(firmware.build === 1 && firmware.installed)) {
      found.firmwares.add(index);
      if (has(1, firmware.type)) found.targets.add(index);
    }
  }
  return found;
}

test('a dry run tells whom a batch of the build then upgrades, of any fleet, newest first', async (t) => {
  const seen = { firmwares: 0, devices: 0 };
  await fc.assert(
    fc.asyncProperty(fleet, async (given) => {
      const teardowns: (() => unknown)[] = [];
      const at = await openBuilds({
        ...t,
        teardown: (end: () => unknown) => teardowns.unshift(end),
      } as never);
      try {
        const { builds, cpeids } = await made(at, given);
        const build: Build = present(builds[1]);
        const indexOf = (cpeid: CpeId) => cpeids.indexOf(cpeid);
        const upgrading = await at.upgrading();
        const plan = upgrading.buildUpgrades.plan(build, given.within);
        const firmwares = await all(plan.firmwares);
        const devices = (await all(plan.devices)).map(indexOf);
        const targetsOf = async (firmwareless: boolean) =>
          all(at.targets.targetsOf(build, { batch: BATCH, firmwareless, within: given.within }));
        const targets = await targetsOf(true);
        seen.firmwares += firmwares.length;
        seen.devices += devices.length;
        const ascending = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);
        const law = expected(given);
        t.deepEqual(ascending(firmwares.map(({ cpeid }) => indexOf(cpeid))), ascending(law.firmwares));
        t.deepEqual(devices, ascending(law.devices).reverse());
        t.deepEqual(ascending(targets.map(({ cpeid }) => indexOf(cpeid))), ascending(law.targets));
        const times = firmwares.map(({ createdAtMs }) => createdAtMs);
        t.deepEqual(times, ascending(times).reverse());
        const without = (await targetsOf(false)).map(({ cpeid }) => indexOf(cpeid));
        t.deepEqual(
          ascending(without),
          ascending([...law.targets].filter((index) => law.firmwares.has(index))),
        );
        // Whoever may start it does.
        if (given.owner !== null && given.within !== null && given.owner !== given.within) return;
        const how = { firmwareless: true, by: BY, within: given.within, persistent: true };
        const batch = await upgrading.buildUpgrades.start(build, how);
        t.is(batch === null, firmwares.length + devices.length === 0);
        if (batch === null) return;
        await upgrading.batches.made(batch.id);
        const operations = await all(at.operations.scan({ batch: batch.id }));
        t.deepEqual(ascending(operations.map(({ cpeid }) => indexOf(cpeid))), ascending(law.targets));
        for (const { cpeid, id, image, state } of operations) {
          // One that gave way to another upgrade may run the build already.
          const { softwareVersion } = present(await at.devices.get(cpeid));
          const installed = state === 'skipped' && softwareVersion === targetVersionOf(build);
          t.like(await upgrading.deviceFirmwares.get(cpeid), {
            build: build.id,
            image,
            operation: id,
            installed,
          });
        }
      } finally {
        for (const end of teardowns) await end();
      }
    }),
    { numRuns },
  );
  t.log(seen);
});

test('a CPE that was registered anew stands where it came, whatever it was given before', async (t) => {
  const at = await openBuilds(t);
  const builds = [
    await at.build('router', '1', ['a'], { os: 'OS 1' }),
    await at.build('router', '2', ['a'], { os: 'OS 2' }),
  ] as const;
  const image = await at.imageOf(builds[0], 'a');
  const comes = (name: string) => at.device(name, { modelName: 'A', softwareVersion: 'OS 1' });
  const first = await comes('first');
  await at.given(first, image, 'verified');
  const second = await comes('second');
  await at.given(second, image, 'verified');
  const { buildUpgrades } = await at.upgrading();
  const planned = async () =>
    (await all(buildUpgrades.plan(builds[1], null).firmwares)).map(({ cpeid }) => cpeid);
  t.deepEqual(await planned(), [second, first]);
  await comes('first');
  t.deepEqual(await planned(), [first, second]);
});
