import test from 'ava';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { fieldOf, NO_SUCH_ID, TIME, UUID } from './support.js';
import {
  BOARDS,
  operationIn,
  present,
  startUpgrades,
  WDR3600,
  WDR4300,
  WDR4300_OLD,
} from './upgrade-support.js';

const NONE = '{"detail":"No DeviceFirmware matches the given query."}';

test('a device without firmware is given an image by PUT, which begins an upgrade, and has it from then on', async (t) => {
  const at = await startUpgrades(t);
  const { build, images } = await at.build('Routers', '2', [WDR4300]);
  const { id, cpeid } = await at.device('1', { modelName: BOARDS.wdr4300 });
  const path = `device/${id}/firmware/`;
  for (const method of ['GET', 'PATCH', 'DELETE']) t.is((await at.ask(method, path)).text, NONE, method);

  const put = await at.ask('PUT', path, {
    json: { image: images[WDR4300], installed: true, id: NO_SUCH_ID },
  });
  t.is(put.status, 201);
  const [firmware, modified, operation] = ['id', 'modified', 'upgrade_operation'].map((name) =>
    fieldOf(put.body, name),
  );
  t.regex(String(firmware), UUID);
  t.regex(String(modified), TIME);
  t.regex(String(fieldOf(operation, 'id')), UUID);
  const expected = { id: firmware, image: images[WDR4300], installed: false, modified };
  t.is(put.text, JSON.stringify({ ...expected, upgrade_operation: operation }));
  t.is(put.headers.get('Allow'), 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS');

  const got = await at.ask('GET', path);
  t.is(got.status, 200);
  t.is(got.text, JSON.stringify(expected));
  const { ruleId, state, batch } = await at.operation(operationIn(put.body));
  t.is(state, 'pending');
  t.is((await at.upgrading.batches.get(batch))?.through, 'firmware-upgrader');
  const rule = await at.rules.get(ruleId as never);
  t.like(rule, { rule: { target: { softwareVersion: '2' } } });
  t.like(await at.upgrading.deviceFirmwares.get(cpeid), { build: build.id, type: WDR4300 });
  // It is in no list of batches.
  t.like((await at.ask('GET', 'batch-upgrade-operation/')).body, { count: 0 });
});

test('an upgrade begins where the image is another or not installed, and one that follows another under way is aborted', async (t) => {
  const at = await startUpgrades(t);
  const one = await at.build('Routers', '1', [WDR4300]);
  const two = await at.build('Routers', '2', [WDR4300]);
  const { id } = await at.device('1', { modelName: BOARDS.wdr4300 });
  const path = `device/${id}/firmware/`;
  const put = (image: string | undefined) => at.ask('PUT', path, { json: { image } });
  const first = await put(one.images[WDR4300]);
  t.is(first.status, 201);
  // Not installed yet: one more, which finds the first under way.
  const again = await put(one.images[WDR4300]);
  t.is(again.status, 200);
  t.not(operationIn(again.body), operationIn(first.body));
  t.like((await at.ask('GET', `upgrade-operation/${operationIn(again.body)}/`)).body, {
    status: 'aborted',
    progress: 0,
  });
  await at.move(operationIn(first.body), { state: 'failed', reason: 'fault-9010' });
  const patched = await at.ask('PATCH', path, { json: {} });
  t.is(patched.status, 200);
  t.like(patched.body, { installed: false });
  await at.move(operationIn(patched.body), { state: 'verified' });
  t.like((await at.ask('GET', path)).body, { installed: true });
  // Installed, and the same: nothing begins, and the last operation is told.
  const same = await put(one.images[WDR4300]);
  t.is(same.status, 200);
  t.is(operationIn(same.body), operationIn(patched.body));
  t.like(same.body, { installed: true });
  const other = await put(two.images[WDR4300]);
  t.is(other.status, 200);
  t.like(other.body, { image: two.images[WDR4300], installed: false });
  t.false([first, again, patched].some(({ body }) => operationIn(body) === operationIn(other.body)));
});

test('of two who give a device firmware at a time one upgrade begins', async (t) => {
  const at = await startUpgrades(t);
  const { images } = await at.build('Routers', '1', [WDR4300]);
  const { id, cpeid } = await at.device('1', { modelName: BOARDS.wdr4300 });
  const path = `device/${id}/firmware/`;
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => at.ask('PUT', path, { json: { image: images[WDR4300] } })),
  );
  t.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 201]);
  const states: string[] = [];
  for await (const { state } of at.upgrading.operations.scan({ cpeid })) states.push(state);
  t.deepEqual(states.sort(), ['pending', 'skipped', 'skipped', 'skipped', 'skipped', 'skipped']);
});

test('a device that reports the os of a build has its firmware, installed, without an operation', async (t) => {
  const at = await startUpgrades(t);
  const { images } = await at.build('Routers', '1', [WDR4300], { os: 'OpenWrt 23' });
  const { id } = await at.device('1', { modelName: BOARDS.wdr4300, softwareVersion: 'OpenWrt 23' });
  const path = `device/${id}/firmware/`;
  t.like((await at.ask('GET', path)).body, { image: images[WDR4300], installed: true });
  const put = await at.ask('PUT', path, { json: { image: images[WDR4300] } });
  t.is(put.status, 200);
  t.like(put.body, { installed: true, upgrade_operation: { id: null } });
  t.is((await at.ask('DELETE', path)).status, 204);
  t.is((await at.ask('GET', path)).text, NONE);
  t.is((await at.ask('DELETE', path)).text, NONE);
});

test('only an image of the type of the board is taken, and of a board that is not known only one that fits', async (t) => {
  const at = await startUpgrades(t);
  const { images } = await at.build('Routers', '1', [WDR4300, WDR4300_OLD, WDR3600]);
  const known = await at.device('1', { modelName: BOARDS.wdr4300 });
  const unknown = await at.device('2', { modelName: 'HGW 1' });
  const put = (device: string, image: unknown) =>
    at.ask('PUT', `device/${device}/firmware/`, { json: { image } });
  for (const type of [WDR4300_OLD, WDR3600]) {
    const refused = await put(known.id, images[type]);
    t.is(refused.status, 400, type);
    t.is(refused.text, `{"image":["Invalid pk \\"${images[type]}\\" - object does not exist."]}`);
  }
  const mismatch = await put(unknown.id, images[WDR4300]);
  t.is(mismatch.status, 400);
  t.is(mismatch.text, '{"__all__":["Device model and image model do not match"]}');
  t.is((await put(known.id, images[WDR4300])).status, 201);
});

test('PATCH {} sends again what a build has given, also where another type is the last for the board', async (t) => {
  const at = await startUpgrades(t);
  const { build, images } = await at.build('Routers', '1', [WDR4300_OLD]);
  const { id, cpeid } = await at.device('1', { modelName: BOARDS.wdr4300 });
  const { body } = await at.ask('POST', `build/${build.id}/upgrade/`, { json: { upgrade_all: true } });
  await at.made(fieldOf(body, 'batch'));
  for await (const operation of at.upgrading.operations.scan({ cpeid }))
    await at.move(operation.id, { state: 'failed', reason: 'fault-9010' });
  const path = `device/${id}/firmware/`;
  const patched = await at.ask('PATCH', path, { json: {} });
  t.is(patched.status, 200);
  t.like(patched.body, { image: images[WDR4300_OLD], installed: false });
  t.is((await at.operation(operationIn(patched.body))).state, 'pending');
  // Said by name it is none that may be chosen.
  t.is((await at.ask('PATCH', path, { json: { image: images[WDR4300_OLD] } })).status, 400);
  const device = present(await at.store.collection<Device>(DEVICES).get(cpeid)).document;
  await at.putDevice({ ...device, serialNumber: '1', modelName: 'HGW 1' });
  t.is(
    (await at.ask('PATCH', path, { json: {} })).text,
    '{"__all__":["Device model and image model do not match"]}',
  );
});

test('what is wrong with the image is told by field, and whose it is to another is not', async (t) => {
  const at = await startUpgrades(t);
  const { images } = await at.build('Routers', '1', [WDR4300], { organization: at.south });
  const { id } = await at.device('1', { modelName: BOARDS.wdr4300 });
  const path = `device/${id}/firmware/`;
  for (const [json, problem] of [
    [{}, 'This field is required.'],
    [{ image: null }, 'This field may not be null.'],
    [{ image: 'bad' }, '“bad” is not a valid UUID.'],
    [{ image: true }, 'Incorrect type. Expected pk value, received bool.'],
    [{ image: NO_SUCH_ID }, `Invalid pk "${NO_SUCH_ID}" - object does not exist.`],
    [{ image: images[WDR4300] }, `Invalid pk "${images[WDR4300]}" - object does not exist.`],
  ] as const) {
    const answer = await at.ask('PUT', path, { json });
    t.is(answer.status, 400, JSON.stringify(json));
    t.is(answer.text, JSON.stringify({ image: [problem] }));
  }
  // Nor does it go to one of another organization by whoever may do both.
  const token = at.tokens.installation.admin;
  t.is((await at.ask('PUT', path, { json: { image: images[WDR4300] }, token })).status, 400);
});

test('firmware stays in its category, but for version 1.2', async (t) => {
  for (const version of ['1.3', '1.2'] as const) {
    const at = await startUpgrades(t, { firmwareUpgrader: { version } });
    const one = await at.build('Routers', '1', [WDR4300]);
    const two = await at.build('Others', '1', [WDR4300]);
    const { id } = await at.device('1', { modelName: BOARDS.wdr4300 });
    const path = `device/${id}/firmware/`;
    t.is((await at.ask('PUT', path, { json: { image: one.images[WDR4300] } })).status, 201);
    const moved = await at.ask('PUT', path, { json: { image: two.images[WDR4300] } });
    t.is(moved.status, version === '1.2' ? 200 : 400);
  }
});

test('a device that is not known and one of another organization are answered the same', async (t) => {
  const at = await startUpgrades(t);
  const { images } = await at.build('Routers', '1', [WDR4300], { organization: null });
  const { id } = await at.device('1', { modelName: BOARDS.wdr4300 }, at.south);
  const token = at.tokens.south.operator;
  const json = { image: images[WDR4300] };
  t.is((await at.ask('PUT', `device/${id}/firmware/`, { json, token })).status, 201);
  for (const device of [id, NO_SUCH_ID]) {
    const path = `device/${device}/firmware/`;
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const answer = await at.ask(method, path, method === 'PATCH' ? { json: {} } : {});
      t.is(answer.status, 404, method);
      t.is(answer.text, NONE);
    }
    const put = await at.ask('PUT', path, { json });
    t.is(put.status, 404);
    t.is(put.text, '{"detail":"device not found"}');
  }
  t.is((await at.ask('GET', 'device/1/firmware/')).headers.get('Content-Type'), 'text/html; charset=utf-8');
});

test('a device that is not enrolled is told of and not changed', async (t) => {
  for (const [version, detail] of [
    ['1.3', 'Firmware upgrades are not allowed for deactivated devices.'],
    ['1.2', 'You do not have permission to perform this action.'],
  ] as const) {
    const at = await startUpgrades(t, { firmwareUpgrader: { version }, enrol: 'approve' });
    const { images } = await at.build('Routers', '1', [WDR4300], { os: 'OS 1' });
    const said = { modelName: BOARDS.wdr4300, softwareVersion: 'OS 1', enrolment: 'waiting' } as const;
    const { id } = await at.device('1', said);
    const path = `device/${id}/firmware/`;
    t.is((await at.ask('GET', path)).status, 200);
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const body = method === 'DELETE' ? {} : { json: { image: images[WDR4300] } };
      const answer = await at.ask(method, path, body);
      t.is(answer.status, 403, method);
      t.is(answer.text, JSON.stringify({ detail }));
    }
  }
});

test('viewers are told of firmware and change none', async (t) => {
  const at = await startUpgrades(t);
  const { images } = await at.build('Routers', '1', [WDR4300]);
  const { id } = await at.device('1', { modelName: BOARDS.wdr4300 });
  const path = `device/${id}/firmware/`;
  const json = { image: images[WDR4300] };
  const token = at.tokens.north.viewer;
  t.is((await at.ask('PUT', path, { json, token })).status, 403);
  t.is((await at.ask('PUT', path, { json })).status, 201);
  t.is((await at.ask('GET', path, { token })).status, 200);
  for (const method of ['PATCH', 'DELETE']) t.is((await at.ask(method, path, { token })).status, 403);
  t.is((await at.ask('GET', path, { token: null })).status, 401);
});

test('firmware that is deleted is gone, its operation stays and goes on, and what is given next is new', async (t) => {
  const at = await startUpgrades(t);
  const { images } = await at.build('Routers', '1', [WDR4300]);
  const { id } = await at.device('1', { modelName: BOARDS.wdr4300 });
  const path = `device/${id}/firmware/`;
  const json = { image: images[WDR4300] };
  const put = await at.ask('PUT', path, { json });
  const deleted = await at.ask('DELETE', path);
  t.is(deleted.status, 204);
  t.is(deleted.text, '');
  t.is((await at.ask('GET', path)).text, NONE);
  t.like((await at.ask('GET', `upgrade-operation/${operationIn(put.body)}/`)).body, {
    status: 'in-progress',
    image: images[WDR4300],
  });
  t.is((await at.ask('PUT', path, { json })).status, 201);
});

test('firmware goes with its image, and its operations stay', async (t) => {
  const at = await startUpgrades(t);
  const { images, build } = await at.build('Routers', '1', [WDR4300]);
  const { id } = await at.device('1', { modelName: BOARDS.wdr4300 });
  const path = `device/${id}/firmware/`;
  const put = await at.ask('PUT', path, { json: { image: images[WDR4300] } });
  await at.move(operationIn(put.body), { state: 'failed', reason: 'fault-9010' });
  const [image] = build.images;
  await at.images.remove(image?.name ?? '', null, at.north.id);
  t.is((await at.ask('GET', path)).text, NONE);
  t.like((await at.ask('GET', `upgrade-operation/${operationIn(put.body)}/`)).body, { image: null });
});
