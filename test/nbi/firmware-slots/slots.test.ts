import test from 'ava';
import { BY } from '../../support/actor.js';
import { BOX, errorOf, standing, startSlots, type TestSlots } from './support.js';

const SLOTS = `${BOX}/api/firmware/slots`;

async function upgradeTo(at: TestSlots, slot: string) {
  const answer = await at.ask('POST', '/api/firmware/upgrade', { json: { slot_id: slot, message: null } });
  if (answer.status !== 200) throw new Error(answer.text);
}

async function put(at: TestSlots, name: string, version: string) {
  const image = await at.image(name, version);
  return (await at.deviceSlots.put(at.device, image, BY)).key;
}

test('a CPE that tells of no slots has what it runs in the first of five, and four empty ones', async (t) => {
  const at = await startSlots(t);
  const { status, body, headers } = await at.ask('GET', '/api/firmware/slots');
  t.is(status, 200);
  t.is(headers.get('Allow'), 'GET');
  t.deepEqual(body, {
    items: [
      {
        body: {
          after_reboot: false,
          current: true,
          upgrade_news: null,
          upgrade_notes: '',
          version: '1.0.0',
        },
        key: '1',
        meta: { href: `${SLOTS}/1` },
      },
      ...['2', '3', '4', '5'].map((key) => ({ body: {}, key, meta: { href: `${SLOTS}/${key}` } })),
    ],
    meta: {
      first: `${SLOTS}/1`,
      href: SLOTS,
      last: `${SLOTS}/5`,
      next: null,
      previous: null,
      parent: `${BOX}/api/firmware`,
    },
  });
});

test('one slot is told with links to those around it, an empty one with an empty body', async (t) => {
  const at = await startSlots(t);
  t.deepEqual((await at.ask('GET', '/api/firmware/slots/1')).body, {
    body: { after_reboot: false, current: true, upgrade_news: null, upgrade_notes: '', version: '1.0.0' },
    key: '1',
    meta: {
      first: `${SLOTS}/1`,
      href: `${SLOTS}/1`,
      last: `${SLOTS}/5`,
      next: `${SLOTS}/2`,
      parent: SLOTS,
      previous: null,
    },
  });
  const { body, headers } = await at.ask('GET', '/api/firmware/slots/5');
  t.deepEqual(body, {
    body: {},
    key: '5',
    meta: {
      first: `${SLOTS}/1`,
      href: `${SLOTS}/5`,
      last: `${SLOTS}/5`,
      next: null,
      parent: SLOTS,
      previous: `${SLOTS}/4`,
    },
  });
  t.is(headers.get('Allow'), 'GET, DELETE');
  for (const key of ['0', '6', 'x', '1.0', '__proto__']) {
    const answer = await at.ask('GET', `/api/firmware/slots/${key}`);
    t.is(answer.status, 404);
    t.deepEqual(answer.body, {
      error: {
        details: { mount_point: '/firmware/slots', resource: key },
        message: 'Resource was not found',
        type: 'ResourceNotFound',
      },
      meta: { href: `${SLOTS}/${key}`, parent: SLOTS },
    });
  }
});

test('a slot is emptied, and its image stays in the library; the current one and the one after reboot are not', async (t) => {
  const at = await startSlots(t);
  t.is(await put(at, 'hgw-2.bin', '2.0.0'), '2');
  t.is(await put(at, 'hgw-3.bin', '3.0.0'), '3');
  await upgradeTo(at, '3');
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0', '3 3.0.0 >']);
  for (const [key, reason] of [
    ['1', 'the device runs this firmware'],
    ['3', 'the device is to run this firmware after its next reboot'],
  ] as const) {
    const answer = await at.ask('DELETE', `/api/firmware/slots/${key}`);
    t.is(answer.status, 403);
    t.deepEqual(answer.body, {
      error: {
        details: { mount_point: '/firmware/slots', resource: key, reason },
        message: 'The operation is not allowed',
        type: 'OperationNotAllowed',
      },
      meta: { href: `${SLOTS}/${key}`, parent: SLOTS },
    });
  }
  const gone = await at.ask('DELETE', '/api/firmware/slots/2');
  t.is(gone.status, 200);
  t.deepEqual(gone.body, { meta: { href: `${SLOTS}/2`, parent: SLOTS } });
  t.deepEqual(await standing(at), ['1 1.0.0 *', '3 3.0.0 >']);
  t.not(await at.images.get('hgw-2.bin', at.north.id), null);
  for (const key of ['2', '9'])
    t.deepEqual(errorOf(await at.ask('DELETE', `/api/firmware/slots/${key}`)), [
      404,
      'ResourceNotFound',
      { mount_point: '/firmware/slots', resource: key },
    ]);
});

test('what is verified is current, and what ran before keeps its slot', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  await upgradeTo(at, '2');
  const upgrade = await at.run('accepted');
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0 >']);
  await at.change({ softwareVersion: '2.0.0' });
  await at.end(upgrade, { state: 'verified' }, { state: 'verified' });
  t.deepEqual(await standing(at), ['1 1.0.0', '2 2.0.0 *']);
  t.is((await at.ask('DELETE', '/api/firmware/slots/1')).status, 200);
  t.deepEqual(await standing(at), ['2 2.0.0 *']);
});

test('an upgrade that failed, or was not heard of, leaves the current one and an error at its slot', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  const errorAt2 = async () => {
    const { body } = await at.ask('GET', '/api/firmware/slots/2');
    return (body as { error?: unknown }).error;
  };
  await upgradeTo(at, '2');
  const failed = await at.run('accepted');
  await at.end(
    failed,
    { state: 'failed', reason: 'fault-9010' },
    { state: 'failed', result: { code: 500, message: 'Upgrade has failed' }, fault: 9010 },
  );
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0']);
  t.like(await errorAt2(), { message: 'The upgrade to this firmware has failed', type: 'UpgradeFailed' });
  await upgradeTo(at, '2');
  t.is(await errorAt2(), undefined);
  const lost = await at.run('accepted');
  await at.end(lost, { state: 'timed-out', reason: 'not-heard-of' }, { state: 'timed-out' });
  t.like(await errorAt2(), { type: 'UpgradeTimedOut' });
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0']);
});

test('what another API has begun stands in an empty slot that is after reboot', async (t) => {
  const at = await startSlots(t);
  await at.image('hgw-9.bin', '9.0.0');
  const order = { cpeids: [at.device.id], image: 'hgw-9.bin', organization: at.north.id };
  await at.upgrading.cpeUpgrades.start({ ...order, through: 'sc-cloud' }, BY);
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 9.0.0 >']);
  t.is((await at.ask('DELETE', '/api/firmware/slots/2')).status, 403);
});

test('a CPE that tells of FirmwareImage has those slots, by its own numbers', async (t) => {
  const at = await startSlots(t);
  const info = 'Device.DeviceInfo.';
  const table = {
    [`${info}ActiveFirmwareImage`]: `${info}FirmwareImage.1.`,
    [`${info}BootFirmwareImage`]: `${info}FirmwareImage.1.`,
    [`${info}FirmwareImage.1.Version`]: '1.0.0',
    [`${info}FirmwareImage.1.Status`]: 'Available',
    [`${info}FirmwareImage.2.Version`]: '0.9.0',
    [`${info}FirmwareImage.2.Status`]: 'Available',
    [`${info}FirmwareImage.2.Alias`]: 'cpe-2',
  };
  await at.tell(table);
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 0.9.0']);
  t.is((await at.ask('GET', '/api/firmware/slots/3')).status, 404);
  t.is((await at.ask('DELETE', '/api/firmware/slots/1')).status, 403);
  t.is((await at.ask('DELETE', '/api/firmware/slots/2')).status, 200);
  t.deepEqual(await standing(at), ['1 1.0.0 *']);
  t.is(await put(at, 'hgw-2.bin', '2.0.0'), '2');
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0']);

  await at.change({ softwareVersion: '2.0.0' });
  t.deepEqual(await standing(at), ['1 1.0.0', '2 2.0.0 *'], 'before the table is read anew');
  await at.tell({
    ...table,
    [`${info}ActiveFirmwareImage`]: `${info}FirmwareImage.2.`,
    [`${info}BootFirmwareImage`]: `${info}FirmwareImage.2.`,
    [`${info}FirmwareImage.2.Version`]: '2.0.0',
  });
  t.deepEqual(await standing(at), ['1 1.0.0', '2 2.0.0 *']);
  await at.tell({
    ...table,
    [`${info}FirmwareImage.2.Version`]: '',
    [`${info}FirmwareImage.2.Status`]: 'NoImage',
  });
  await at.change({ softwareVersion: '1.0.0' });
  t.deepEqual(await standing(at), ['1 1.0.0 *']);
});

test('what was put before a CPE told of FirmwareImage is there, upgraded to and emptied as before', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  await put(at, 'hgw-3.bin', '3.0.0');
  const info = 'Device.DeviceInfo.';
  await at.tell({
    [`${info}ActiveFirmwareImage`]: `${info}FirmwareImage.1.`,
    [`${info}FirmwareImage.1.Version`]: '1.0.0',
    [`${info}FirmwareImage.2.Version`]: '0.9.0',
  });
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 0.9.0', '3 3.0.0', '4 2.0.0']);
  const call = { json: { slot_id: 3, message: null } };
  t.is((await at.ask('POST', '/api/firmware/upgrade', call)).status, 200);
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 0.9.0', '3 3.0.0 >', '4 2.0.0']);
  t.is((await at.ask('DELETE', '/api/firmware/slots/4')).status, 200);
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 0.9.0', '3 3.0.0 >']);
  t.is((await at.ask('GET', '/api/firmware/slots/4')).status, 404);
});

test('what a CPE boots next is after reboot, and is not emptied', async (t) => {
  const at = await startSlots(t);
  const info = 'Device.DeviceInfo.';
  await at.tell({
    [`${info}ActiveFirmwareImage`]: `${info}FirmwareImage.1.`,
    [`${info}BootFirmwareImage`]: `${info}FirmwareImage.2.`,
    [`${info}FirmwareImage.1.Version`]: '1.0.0',
    [`${info}FirmwareImage.2.Version`]: '2.0.0',
  });
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0 >']);
  t.is((await at.ask('DELETE', '/api/firmware/slots/2')).status, 403);
});

test('a CPE that moves to another organization brings nothing along of what the first has put there', async (t) => {
  const at = await startSlots(t, { imageSources: ['127.0.0.0/8'] });
  await put(at, 'hgw-2.bin', '2.0.0');
  await at.image('hgw-9.bin', '9.0.0');
  await at.ask('POST', '/api/firmware/fetch', { json: { url: 'http://127.0.0.1:9/x.iso?signed=secret' } });
  const order = { cpeids: [at.device.id], image: 'hgw-9.bin', organization: at.north.id };
  await at.upgrading.cpeUpgrades.start({ ...order, through: 'sc-cloud' }, BY);
  await at.change({ organization: { id: at.south.id, by: 'hand' } });
  const cookie = await at.sessionOf('operator@south');
  const ask = (path: string, json?: unknown) =>
    at.ask(json === undefined ? 'GET' : 'POST', path, { cookie, ...(json !== undefined && { json }) });
  const { items } = (await ask('/api/firmware/slots')).body as {
    items: readonly { body: { version?: string } }[];
  };
  t.deepEqual(
    items.map(({ body }) => body.version),
    ['1.0.0', '', undefined, undefined, undefined],
    'something waits, and what that is is not told',
  );
  t.like((await ask('/api/firmware/fetch')).body, { items: [] });
  t.is((await ask('/api/firmware/upgrade', { slot_id: '3', message: 'x' })).status, 404);
});
