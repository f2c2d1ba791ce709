import test from 'ava';
import type { BatchId, CpeId } from '../../../common/index.js';
import type { Change } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { all, type OpenedBuilds, openBuilds } from './support.js';

const ONE = '55555555-5555-4555-8555-555555555555';
const OTHER = '66666666-6666-4666-8666-666666666666';

/** A device that has nothing yet, and one that was given the build before. */
async function openWithDevices(t: Parameters<typeof openBuilds>[0]) {
  const at = await openBuilds(t);
  const before = await at.build('router', '1', ['a']);
  const build = await at.build('router', '2', ['a']);
  const bare = await at.device('1', { modelName: 'A' });
  const given = await at.device('2', { modelName: 'A' });
  await at.given(given, await at.imageOf(before, 'a'), 'verified');
  return { at, build, cpeids: [bare, given] };
}

/** How many operations of a device wait, and how many were skipped. */
async function statesOf(at: OpenedBuilds, cpeid: CpeId) {
  const states = (await all(at.operations.scan({ cpeid }))).map(({ state }) => state);
  return states.filter((state) => state !== 'verified').sort();
}

test('of two batches that have looked at a device at a time one alone gives it its firmware', async (t) => {
  const { at, build, cpeids } = await openWithDevices(t);
  const along = async (batch: string) => {
    const devices = { batch: batch as BatchId, firmwareless: true, within: null };
    const byCpe = new Map<CpeId, readonly Change[]>();
    for await (const { cpeid, along = [], skipped } of at.targets.targetsOf(build, devices)) {
      t.is(skipped, undefined);
      byCpe.set(cpeid, along);
    }
    return byCpe;
  };
  const [one, other] = [await along(ONE), await along(OTHER)];
  for (const cpeid of cpeids) {
    t.true((await at.store.commit([...(one.get(cpeid) ?? [])])).committed);
    t.false((await at.store.commit([...(other.get(cpeid) ?? [])])).committed);
  }
});

test('of two batches of a build that are made at a time one waits for each device, and the other skips it', async (t) => {
  const { at, build, cpeids } = await openWithDevices(t);
  const { buildUpgrades, batches } = await at.upgrading();
  const how = { firmwareless: true, by: BY, within: null, persistent: true };
  const started = await Promise.all([buildUpgrades.start(build, how), buildUpgrades.start(build, how)]);
  await Promise.all(started.map((batch) => (batch === null ? null : batches.made(batch.id))));
  for (const cpeid of cpeids) t.deepEqual(await statesOf(at, cpeid), ['pending', 'skipped'], cpeid);
});

test('of a batch of a build and somebody who gives a device its firmware meanwhile one upgrade waits', async (t) => {
  const { at, build, cpeids } = await openWithDevices(t);
  const { buildUpgrades, deviceFirmwares, batches } = await at.upgrading();
  const how = { by: BY, within: null, persistent: true };
  const image = await at.imageOf(build, 'a');
  const [batch] = await Promise.all([
    buildUpgrades.start(build, { ...how, firmwareless: true }),
    ...cpeids.map((cpeid) => deviceFirmwares.assign(cpeid, image, how)),
  ]);
  if (batch !== null) await batches.made(batch.id);
  for (const cpeid of cpeids) t.deepEqual(await statesOf(at, cpeid), ['pending', 'skipped'], cpeid);
});
