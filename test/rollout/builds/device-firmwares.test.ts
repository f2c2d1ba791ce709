import test from 'ava';
import type { BatchId } from '../../../common/index.js';
import { BY } from '../../support/actor.js';
import { NORTH, type OpenedBuilds, openBuilds, present, SOUTH } from './support.js';

/** What is known of a CPE's firmware, where nobody makes batches. */
function firmwaresOf(at: OpenedBuilds) {
  const batches = { create: async () => Promise.reject(new Error('No batch is made in this test')) };
  return at.with(batches).deviceFirmwares;
}

test('a device has the firmware of the build whose os it reports, where an image is for its model', async (t) => {
  const at = await openBuilds(t);
  const firmwares = firmwaresOf(at);
  const build = await at.build('router', '1', ['a'], { os: 'OS 1' });
  const cpeid = await at.device('1', { modelName: 'A', softwareVersion: 'OS 1' });
  const { id, image, installed, operation, ...found } = present(await firmwares.get(cpeid));
  t.regex(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  t.deepEqual(image, await at.imageOf(build, 'a'));
  t.true(installed);
  t.is(operation, null);
  t.like(found, { cpeid, build: build.id, category: build.category, type: 'a' });
  for (const said of [
    { modelName: 'A', softwareVersion: 'OS 2' },
    { modelName: 'A' },
    { modelName: 'HGW', softwareVersion: 'OS 1' },
  ])
    t.is(await firmwares.get(await at.device(`other ${JSON.stringify(said)}`, said)), null);
});

test('the model is the ModelName, else the ProductClass', async (t) => {
  const at = await openBuilds(t);
  await at.build('router', '1', ['a'], { os: 'OS 1' });
  const cpeid = await at.device('1', { productClass: 'A', softwareVersion: 'OS 1' });
  t.like(await firmwaresOf(at).get(cpeid), { type: 'a' });
  const other = await at.device('2', { productClass: 'A', modelName: 'HGW', softwareVersion: 'OS 1' });
  t.is(await firmwaresOf(at).get(other), null);
});

test('the model is what a parameter says, where one is named and the device has told it', async (t) => {
  const at = await openBuilds(t, { modelParameter: 'Device.DeviceInfo.ModelNumber' });
  await at.build('router', '1', ['a'], { os: 'OS 1' });
  const said = { modelName: 'HGW', softwareVersion: 'OS 1' };
  const [told, silent] = [await at.device('1', said), await at.device('2', said)];
  await at.tell(told, { 'Device.DeviceInfo.ModelNumber': 'A' });
  t.like(await firmwaresOf(at).get(told), { type: 'a' });
  t.is(await firmwaresOf(at).get(silent), null);
});

test("what is reported is looked up among the organization's builds and the shared ones, never another's", async (t) => {
  const at = await openBuilds(t);
  const shared = await at.build('shared', '1', ['a'], { os: 'OS 1' });
  const own = await at.build('own', '1', ['a'], { os: 'OS 1', organization: NORTH });
  const buildOf = async (organization: string) => {
    const placed = { id: organization as never, by: 'hand' } as const;
    const said = { modelName: 'A', softwareVersion: 'OS 1', organization: placed };
    return (await firmwaresOf(at).get(await at.device(organization, said)))?.build;
  };
  t.is(await buildOf(NORTH), own.id);
  t.is(await buildOf(SOUTH), shared.id);
});

test('what was given counts more than what is reported, and is installed once its operation is verified', async (t) => {
  const at = await openBuilds(t);
  await at.build('router', '1', ['a'], { os: 'OS 1' });
  const next = await at.build('router', '2', ['a'], { os: 'OS 2' });
  const cpeid = await at.device('1', { modelName: 'A', softwareVersion: 'OS 1' });
  const image = await at.imageOf(next, 'a');
  for (const [state, installed] of [
    ['pending', false],
    ['running', false],
    ['failed', false],
    ['timed-out', false],
    ['cancelled', false],
    ['skipped', false],
    ['verified', true],
  ] as const) {
    await at.given(cpeid, image, state);
    t.like(await firmwaresOf(at).get(cpeid), { build: next.id, installed }, state);
  }
});

test('what gave way to another upgrade of its device is installed once the device reports its build', async (t) => {
  const at = await openBuilds(t);
  const next = await at.build('router', '2', ['a'], { os: 'OS 2' });
  const image = await at.imageOf(next, 'a');
  for (const [softwareVersion, installed] of [
    ['OS 1', false],
    ['OS 2', true],
  ] as const) {
    const cpeid = await at.device(softwareVersion.slice(-1), { modelName: 'A', softwareVersion });
    await at.given(cpeid, image, 'skipped', 'already-under-way');
    t.like(await firmwaresOf(at).get(cpeid), { build: next.id, installed }, softwareVersion);
  }
});

test('firmware whose image is gone is gone with it', async (t) => {
  const at = await openBuilds(t);
  const build = await at.build('router', '1', ['a']);
  const cpeid = await at.device('1', { modelName: 'A' });
  const image = await at.imageOf(build, 'a');
  await at.given(cpeid, image, 'verified');
  t.like(await firmwaresOf(at).get(cpeid), { build: build.id });
  await at.library.remove(image.name, BY);
  t.is(await firmwaresOf(at).get(cpeid), null);
});

test('what is taken away stays away, also where the device reports it, and is not there to be taken twice', async (t) => {
  const at = await openBuilds(t);
  const firmwares = firmwaresOf(at);
  await at.build('router', '1', ['a'], { os: 'OS 1' });
  const cpeid = await at.device('1', { modelName: 'A', softwareVersion: 'OS 1' });
  t.true(await firmwares.remove(cpeid, { by: BY, within: null }));
  t.is(await firmwares.get(cpeid), null);
  t.false(await firmwares.remove(cpeid, { by: BY, within: null }));
});

test("nobody takes the firmware of another organization's device", async (t) => {
  const at = await openBuilds(t);
  const firmwares = firmwaresOf(at);
  await at.build('router', '1', ['a'], { os: 'OS 1' });
  const organization = { id: SOUTH as never, by: 'hand' } as const;
  const cpeid = await at.device('1', { modelName: 'A', softwareVersion: 'OS 1', organization });
  t.false(await firmwares.remove(cpeid, { by: BY, within: NORTH }));
  t.not(await firmwares.get(cpeid), null);
});

test('a device that was removed and comes anew has nothing of what it was given before', async (t) => {
  const at = await openBuilds(t);
  const build = await at.build('router', '1', ['a']);
  const cpeid = await at.device('1', { modelName: 'A' });
  await at.given(cpeid, await at.imageOf(build, 'a'), 'verified');
  await at.devices.remove([cpeid], { why: 'asked', by: BY });
  t.is(await firmwaresOf(at).get(cpeid), null);
  await at.device('1', { modelName: 'A' });
  t.is(await firmwaresOf(at).get(cpeid), null);
});

test('a device that waits to be enrolled is looked at by no build', async (t) => {
  const at = await openBuilds(t);
  const build = await at.build('router', '1', ['a']);
  await at.device('1', { modelName: 'A', enrolment: 'waiting' });
  const targets = at.targets.targetsOf(build, { batch: 'x' as BatchId, firmwareless: true, within: null });
  for await (const target of targets) t.fail(target.cpeid);
  t.pass();
});
