import test from 'ava';
import { BY } from '../../support/actor.js';
import { BOX, errorOf, formOf, NOW_MS, standing, startSlots, type TestSlots } from './support.js';

const TEST = '/api/firmware/test';
const UPGRADE = '/api/firmware/upgrade';
const HEARD = new Date(NOW_MS).toISOString();

async function put(at: TestSlots, name: string, version: string, metadata: object = {}) {
  const image = await at.image(name, version, metadata);
  return (await at.deviceSlots.put(at.device, image, BY)).key;
}

/** Lines as a summary has them that was passed, but for these. */
function summary(
  notes: Readonly<Record<string, string>> = {},
  failed: Readonly<Record<string, string>> = {},
) {
  const said: Readonly<Record<string, string>> = {
    Device: `what it told at ${HEARD} is looked at`,
    Version: '2.0.0 is newer than 1.0.0',
    Storage: 'could not be read: the CPE has told no parameter of its free storage',
    Configuration: '',
    Hardware: '',
    Tainted: 'could not be read: no upgrade of Ferry has brought what the CPE runs',
    Upgrade: '',
    ...notes,
  };
  return Object.entries(said)
    .flatMap(([name, note]) => [
      `${name} check started`,
      ...(note === '' ? [] : [`${name} check: ${note}`]),
      failed[name] === undefined ? `${name} check finished` : `${name} check failed: ${failed[name]}`,
    ])
    .join('\n');
}

const summaryOf = ({ body }: { readonly body: unknown }) =>
  (body as { body: { test_summary: string } }).body.test_summary;

test('a test that is passed answers a line for each thing looked at, and changes nothing', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  for (const slot_id of ['2', 2]) {
    const answer = await at.ask('POST', TEST, { json: { slot_id, other: 'passed over' } });
    t.is(answer.status, 200);
    t.deepEqual(answer.body, {
      body: { test_summary: summary() },
      key: '2',
      meta: {
        href: `${BOX}${TEST}`,
        parent: `${BOX}/api/firmware`,
        slot: `${BOX}/api/firmware/slots/2`,
        upgrade: `${BOX}${UPGRADE}`,
      },
    });
    t.is(answer.headers.get('Allow'), 'POST');
  }
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0']);
});

test('an upgrade answers at once, and its slot is the one after reboot', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  const answer = await at.ask('POST', UPGRADE, { json: { slot_id: '2', message: 'Security fix' } });
  t.is(answer.status, 200);
  t.deepEqual(answer.body, {
    body: { test_summary: summary() },
    key: '2',
    meta: {
      href: `${BOX}${UPGRADE}`,
      parent: `${BOX}/api/firmware`,
      slot: `${BOX}/api/firmware/slots/2`,
    },
  });
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0 >']);
  const { batch } = await at.onlyOperation();
  t.like(await at.upgrading.batches.get(batch), {
    through: 'firmware-slots',
    note: 'Security fix',
    organization: at.north.id,
    by: 'operator@north',
  });
});

test('asked twice it is begun once; another slot is chosen instead of it; and the current one withdraws it', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  await put(at, 'hgw-3.bin', '3.0.0');
  const upgrade = (slot_id: string) => at.ask('POST', UPGRADE, { json: { slot_id, message: null } });
  t.is((await upgrade('2')).status, 200);
  const first = await at.onlyOperation();
  t.is((await upgrade('2')).status, 200);
  t.is((await at.onlyOperation()).id, first.id);
  t.is((await upgrade('3')).status, 200);
  t.not((await at.onlyOperation()).id, first.id);
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0', '3 3.0.0 >']);
  const refused = await upgrade('1');
  t.is(refused.status, 400, 'the library has no file of it');
  const back = await at.image('hgw-1.bin', '1.0.0');
  t.is((await at.deviceSlots.put(at.device, back, BY)).key, '4');
});

test('what was sent stays; asking for it again is answered as before, for another slot it is in the way', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  await put(at, 'hgw-3.bin', '3.0.0');
  await at.ask('POST', UPGRADE, { json: { slot_id: '2', message: null } });
  await at.run('accepted');
  t.is((await at.ask('POST', UPGRADE, { json: { slot_id: '2', message: null } })).status, 200);
  const failure =
    'another upgrade is under way, to 2.0.0 (begun through firmware-slots): it is to end, or be cancelled, first';
  const answer = await at.ask('POST', UPGRADE, { json: { slot_id: '3', message: null } });
  t.is(answer.status, 400);
  t.deepEqual(answer.body, {
    error: {
      details: {
        exit_code: 1,
        test_summary: summary({ Version: '3.0.0 is newer than 1.0.0' }, { Upgrade: failure }),
      },
      message: 'The firmware test failed',
      type: 'FirmwareTestFailed',
    },
    meta: { href: `${BOX}${UPGRADE}`, parent: `${BOX}/api/firmware` },
  });
});

test('an upgrade that another API has begun is in the way, and is named', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  await at.image('hgw-9.bin', '9.0.0');
  const order = { cpeids: [at.device.id], image: 'hgw-9.bin', organization: at.north.id };
  await at.upgrading.cpeUpgrades.start({ ...order, through: 'system-update' }, BY);
  const before = await at.onlyOperation();
  const answer = await at.ask('POST', UPGRADE, { json: { slot_id: '2', message: null } });
  t.is(answer.status, 400);
  const { details } = (answer.body as { error: { details: { test_summary: string } } }).error;
  t.true(
    details.test_summary.endsWith('(begun through system-update): it is to end, or be cancelled, first'),
  );
  t.is((await at.onlyOperation()).id, before.id);
});

test('what lacks its paths is told which; a key that is null is there', async (t) => {
  const at = await startSlots(t);
  const cases = [
    [TEST, {}, ['slot_id']],
    [TEST, '', ['slot_id']],
    [UPGRADE, {}, ['slot_id', 'message']],
    [UPGRADE, { message: 'x' }, ['slot_id']],
    [UPGRADE, { slot_id: '2' }, ['message']],
  ] as const;
  for (const [path, json, missing_paths] of cases) {
    const asked = json === '' ? { body: '', headers: { 'Content-Type': 'application/json' } } : { json };
    const answer = await at.ask('POST', path, asked);
    t.is(answer.status, 400);
    t.deepEqual(answer.body, {
      error: {
        details: { missing_paths },
        message: 'Some paths were missing from the request body',
        type: 'IncompleteRequestBodyError',
      },
      meta: { href: `${BOX}${path}`, parent: `${BOX}/api/firmware` },
    });
  }
});

test('a slot that is empty, or that there is not, is no resource', async (t) => {
  const at = await startSlots(t);
  for (const [path, json] of [
    [TEST, { slot_id: 3 }],
    [UPGRADE, { slot_id: '3', message: null }],
    [TEST, { slot_id: '99' }],
  ] as const) {
    const answer = await at.ask('POST', path, { json });
    t.is(answer.status, 404);
    t.deepEqual(answer.body, {
      error: {
        details: { mount_point: path.replace('/api', ''), resource: String(json.slot_id) },
        message: 'Resource was not found',
        type: 'ResourceNotFound',
      },
      meta: { href: `${BOX}${path}`, parent: `${BOX}/api/firmware` },
    });
  }
});

test('a body of other values is told what should stand there', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  const cases = [
    [
      TEST,
      { slot_id: null },
      { path: 'slot_id', expected: 'the key of a slot, as a text or a whole number' },
    ],
    [TEST, { slot_id: 1.5 }, { path: 'slot_id', expected: 'the key of a slot, as a text or a whole number' }],
    [UPGRADE, { slot_id: '2', message: 7 }, { path: 'message', expected: 'a text, or null' }],
    [
      UPGRADE,
      { slot_id: '2', message: 'x'.repeat(1_001) },
      { path: 'message', expected: 'at most 1000 printable characters, in any number of lines' },
    ],
    [TEST, [], { path: '', expected: 'a JSON object' }],
  ] as const;
  for (const [path, json, details] of cases)
    t.deepEqual(errorOf(await at.ask('POST', path, { json })), [400, 'InvalidRequestBodyError', details]);
});

test('under require-commit-log a message is asked for that is not blank; otherwise null will do', async (t) => {
  const at = await startSlots(t, { firmwareSlots: { requiresCommitLog: true } });
  await put(at, 'hgw-2.bin', '2.0.0');
  for (const message of [null, '', '  \n']) {
    const answer = await at.ask('POST', UPGRADE, { json: { slot_id: '2', message } });
    t.is(answer.status, 400);
    t.deepEqual(answer.body, {
      error: {
        details: { path: 'message' },
        message: 'An upgrade needs a message that says why',
        type: 'UpgradeMessageMissing',
      },
      meta: { href: `${BOX}${UPGRADE}`, parent: `${BOX}/api/firmware` },
    });
  }
  t.is((await at.ask('POST', UPGRADE, { json: { slot_id: '2', message: 'fix' } })).status, 200);
});

test('a firmware for other hardware fails the hardware check, and no upgrade is begun', async (t) => {
  const at = await startSlots(t);
  await put(at, 'other.bin', '2.0.0', { productClass: 'OTHER' });
  const detail = 'the image is for productClass "OTHER", the CPE\'s is "HGW"';
  for (const [path, json] of [
    [TEST, { slot_id: 2 }],
    [UPGRADE, { slot_id: 2, message: null }],
  ] as const)
    t.deepEqual(errorOf(await at.ask('POST', path, { json })), [
      400,
      'FirmwareTestFailed',
      { exit_code: 1, test_summary: summary({}, { Hardware: detail }) },
    ]);
  await t.throwsAsync(at.onlyOperation());
});

test('a step back is told and passed, as is what runs already', async (t) => {
  const at = await startSlots(t);
  await put(at, 'old.bin', '0.9.0');
  await put(at, 'same.bin', '1.0.0');
  const tested = async (slot_id: string) => summaryOf(await at.ask('POST', TEST, { json: { slot_id } }));
  t.is(await tested('2'), summary({ Version: '0.9.0 is older than 1.0.0' }));
  t.is(await tested('3'), summary({ Version: 'it runs 1.0.0 already' }));
});

test('free storage that the CPE has told is told beside the size of the file, and hinders nothing', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  const unit = 'Device.SoftwareModules.ExecEnv.1.';
  const tell = (free: number) => at.tell({ [`${unit}AvailableDiskSpace`]: free }, 'Device.SoftwareModules');
  const tested = async () => summaryOf(await at.ask('POST', TEST, { json: { slot_id: 2 } }));
  await tell(4);
  t.is(await tested(), summary({ Storage: 'the firmware has 9 bytes, and the CPE has told of 4096 free' }));
  await tell(0);
  t.is(await tested(), summary({ Storage: 'the firmware has 9 bytes, and the CPE has told of 0 free' }));
  await tell(-1);
  t.is(await tested(), summary());
});

test('of a firmware whose version nobody has said none is compared', async (t) => {
  const at = await startSlots(t);
  await at.ask('POST', '/api/upload/firmware', { body: formOf('a raw file', 'held.iso') });
  t.is(
    summaryOf(await at.ask('POST', TEST, { json: { slot_id: 2 } })),
    summary({
      Version: 'could not be read: nobody has said which version held.iso is; the CPE runs 1.0.0',
    }),
  );
});

test('of several upgrades that are asked for at once one is left, for one slot as for two', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  await put(at, 'hgw-3.bin', '3.0.0');
  for (const slots of [
    ['2', '2'],
    ['3', '2', '3'],
  ]) {
    const answers = await Promise.all(
      slots.map((slot_id) => at.ask('POST', UPGRADE, { json: { slot_id, message: null } })),
    );
    t.true(answers.some(({ status }) => status === 200));
    t.true(['2', '3'].includes((await at.onlyOperation()).image?.name.at(4) ?? ''));
  }
});

test('firmware of which nobody has said a version stays the current one, whatever ends after it', async (t) => {
  const at = await startSlots(t);
  await at.ask('POST', '/api/upload/firmware', { body: formOf('a raw file', 'held.iso') });
  await put(at, 'hgw-3.bin', '3.0.0');
  await at.ask('POST', UPGRADE, { json: { slot_id: '2', message: null } });
  const upgrade = await at.run('accepted', { targetVersion: null });
  await at.change({ softwareVersion: 'raw 7' });
  const fileType = '1 Firmware Upgrade Image';
  await at.end(
    upgrade,
    { state: 'verified' },
    { state: 'verified', fileType, concludedFrom: 'raw 7', targetVersion: null },
  );
  await at.ask('POST', UPGRADE, { json: { slot_id: '3', message: null } });
  const failed = await at.run('accepted');
  await at.end(failed, { state: 'failed', reason: 'fault-9010' }, { state: 'failed' });
  t.deepEqual(await standing(at), ['1 1.0.0', '2 raw 7 *', '3 3.0.0']);
  t.is((await at.ask('DELETE', '/api/firmware/slots/2')).status, 403);
  const tested = summaryOf(await at.ask('POST', TEST, { json: { slot_id: '3' } }));
  t.true(tested.includes('Tainted check started\nTainted check finished'));
});

test('what was changed by other means than upgrades is told', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  await put(at, 'hgw-3.bin', '3.0.0');
  await at.ask('POST', UPGRADE, { json: { slot_id: '2', message: null } });
  const upgrade = await at.run('accepted', { targetVersion: '2.0.0' });
  await at.change({ softwareVersion: '2.0.0' });
  await at.end(
    upgrade,
    { state: 'verified' },
    { state: 'verified', fileType: '1 Firmware Upgrade Image', concludedFrom: '2.0.0' },
  );
  const tested = async () => summaryOf(await at.ask('POST', TEST, { json: { slot_id: '3' } }));
  t.is(await tested(), summary({ Version: '3.0.0 is newer than 2.0.0', Tainted: '' }));
  await at.change({ softwareVersion: '2.0.0-mine' });
  t.is(
    await tested(),
    summary({
      Version: '3.0.0 is newer than 2.0.0-mine',
      Tainted:
        'the last upgrade has brought 2.0.0, and the CPE reports 2.0.0-mine: it was changed by other means',
    }),
  );
});

test('a CPE that is away is upgraded all the same, and its test tells what could not be read', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  const away = `could not be read: The CPE has not reported a ConnectionRequestURL; what it told at ${HEARD} is looked at`;
  const tested = await at.ask('POST', TEST, { json: { slot_id: 2, live: true } });
  t.is(summaryOf(tested), summary({ Device: away }));
  const upgraded = await at.ask('POST', UPGRADE, { json: { slot_id: 2, message: null, live: true } });
  t.is(summaryOf(upgraded), summary({ Device: away }));
  t.deepEqual(await standing(at), ['1 1.0.0 *', '2 2.0.0 >']);
});

test('while upgrades are frozen the test says so, and the upgrade waits', async (t) => {
  const at = await startSlots(t);
  await put(at, 'hgw-2.bin', '2.0.0');
  await at.rules.freeze({ frozen: true, by: BY });
  const answer = await at.ask('POST', TEST, { json: { slot_id: 2 } });
  const frozen = 'upgrades are frozen: nothing is sent before FreezeUpgrades lets go of them';
  t.is(summaryOf(answer), summary({ Configuration: frozen }));
});
