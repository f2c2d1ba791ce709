import test from 'ava';
import type { RuleId } from '../../../common/index.js';
import { BY } from '../../support/actor.js';
import { putUpgradeOf } from './elsewhere.js';
import { errorOf, SERVICE, startSystemUpdate, told } from './support.js';

const UPDATE = `${SERVICE}/update`;
const IDLE = 'No update is made ready or under way';
const READY = 'An image is ready: start the update';

test('an update is made ready, started, runs, and leaves the CPE idle with a longer history', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A1');
  const [registered] = [nbi.seconds()];
  const first = { time: registered, version: '1.0' };
  const update = async () => told(await nbi.api(box, 'GET', UPDATE));
  const number = await nbi.image('hgw-2.bin', { version: '2.0' });
  const shown = (state: string, state_description: string, time: number, more: object = {}) => ({
    status: 200,
    body: { state, state_description, last_state_time: time, ...more },
  });
  t.deepEqual(await update(), shown('IDLE', IDLE, registered, { update_history: [first] }));

  nbi.tick();
  const asked = { target_version: '2.0', update_history: [first] };
  t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/init`)), { status: 204, body: '' });
  await nbi.ready();
  t.deepEqual(await update(), shown('INITIALIZED', READY, nbi.seconds(), asked));

  nbi.tick();
  t.deepEqual(told(await nbi.api(box, 'POST', `${UPDATE}/start`)), { status: 204, body: '' });
  const started = nbi.seconds();
  const waiting = 'Started; the device gets the image when it comes';
  t.deepEqual(await update(), shown('RUNNING', waiting, started, asked));
  await nbi.sent(box, 'accepted', { targetVersion: '2.0' });
  t.deepEqual(await update(), shown('RUNNING', 'Under way: the image is being sent', started, asked));
  await nbi.sent(box, 'transferred', { targetVersion: '2.0' });
  const installing = 'Under way: the device has the image and installs it';
  t.deepEqual(await update(), shown('RUNNING', installing, started, asked));

  await nbi.ended(box, 'verified', { targetVersion: '2.0', fromVersion: '1.0' });
  const { body } = await update();
  const [before, after] = (body as { readonly update_history: readonly object[] }).update_history;
  t.deepEqual(before, first);
  t.like(after, { version: '2.0' });
  t.is(await nbi.state(box), 'IDLE');
  const operation = await nbi.operation(await nbi.operationOf(box));
  t.is(operation.image?.number, number);
  t.is((await nbi.upgrading.batches.get(operation.batch))?.through, 'system-update');
});

test('while an image is being made ready the state is INITIALIZING, and whoever asks goes on with it', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A2');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  await nbi.upgrading.systemUpdates.close();
  t.is((await nbi.api(box, 'POST', `${UPDATE}/init`)).status, 204);
  const { body } = await nbi.api(box, 'GET', UPDATE);
  t.deepEqual(body, {
    state: 'INITIALIZING',
    state_description: 'The image is being looked at and its content read',
    last_state_time: nbi.seconds(),
    target_version: '2.0',
    update_history: [{ time: nbi.seconds() - 1, version: '1.0' }],
  });
  t.deepEqual(
    told(await nbi.api(box, 'POST', `${UPDATE}/init`)),
    errorOf(
      409,
      'UPDATE_STATE',
      'update: an update that is IDLE: it is INITIALIZING; reset it first where that can be',
    ),
  );
  t.deepEqual(
    told(await nbi.api(box, 'POST', `${UPDATE}/start`)),
    errorOf(409, 'UPDATE_STATE', 'update: an update that is INITIALIZED: it is INITIALIZING'),
  );
  const another = nbi.anotherNode();
  t.is((await another.of(box.cpeid)).state, 'initializing');
  await another.settled();
  t.is(await nbi.state(box), 'INITIALIZED');
});

test('init and start are refused in every other state, and reset leads back to IDLE from all but RUNNING', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A3');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  const call = async (name: string) => told(await nbi.api(box, 'POST', `${UPDATE}/${name}`));
  const done = { status: 204, body: '' };
  const refusedInit = (state: string) =>
    errorOf(
      409,
      'UPDATE_STATE',
      `update: an update that is IDLE: it is ${state}; reset it first where that can be`,
    );
  const refusedStart = (state: string) =>
    errorOf(409, 'UPDATE_STATE', `update: an update that is INITIALIZED: it is ${state}`);
  t.deepEqual(await call('start'), refusedStart('IDLE'));
  t.deepEqual(await call('reset'), done);
  await call('init');
  await nbi.ready();
  t.deepEqual(await call('init'), refusedInit('INITIALIZED'));
  t.deepEqual(await call('reset'), done);
  t.is(await nbi.state(box), 'IDLE');
  for (const [end, state, words] of [
    ['failed', 'FAILED_GRACEFUL', 'Failed, and the device runs what it ran before: '],
    ['timed-out', 'FAILED_CRITICAL', 'The device was not heard of again: '],
  ] as const) {
    await call('init');
    await nbi.ready();
    await call('start');
    await nbi.ended(box, end, { targetVersion: '2.0', result: { code: 500, message: 'it said so' } });
    const { body } = await nbi.api(box, 'GET', UPDATE);
    t.like(body, { state, target_version: '2.0' });
    t.true(String((body as { readonly state_description: string }).state_description).startsWith(words));
    t.deepEqual(await call('init'), refusedInit(state));
    t.deepEqual(await call('start'), refusedStart(state));
    t.deepEqual(await call('reset'), done);
    t.is(await nbi.state(box), 'IDLE');
  }
});

test('what was started and not sent yet is withdrawn by reset; once it was sent it is the device’s', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A4');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  const call = async (name: string) => told(await nbi.api(box, 'POST', `${UPDATE}/${name}`));
  const begin = async () => {
    nbi.tick();
    await call('init');
    await nbi.ready();
    await call('start');
    return nbi.operation(await nbi.operationOf(box));
  };
  const { batch, id } = await begin();
  const held = `: the batch ${batch} of the API system-update has it`;
  t.deepEqual(
    await call('init'),
    errorOf(
      409,
      'UPDATE_STATE',
      `update: an update that is IDLE: it is RUNNING${held}; reset it first where that can be`,
    ),
  );
  t.deepEqual(
    await call('start'),
    errorOf(409, 'UPDATE_STATE', `update: an update that is INITIALIZED: it is RUNNING${held}`),
  );
  t.is((await call('reset')).status, 204);
  t.is((await nbi.operation(id)).state, 'cancelled');
  t.is(await nbi.state(box), 'IDLE');
  const again = await begin();
  await nbi.sent(box, 'accepted', { targetVersion: '2.0' });
  t.deepEqual(
    await call('reset'),
    errorOf(
      409,
      'UPDATE_NOT_OWN',
      `update: an update that has not been sent: it is RUNNING: the batch ${again.batch} of the API system-update has it, and goes on`,
    ),
  );
  t.is(await nbi.state(box), 'RUNNING');
  await nbi.ended(box, 'cancelled');
  t.is(await nbi.state(box), 'IDLE');
});

test('of two starts at once one starts one batch, and the other is told so', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A5');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  const another = nbi.anotherNode();
  const answers = await Promise.all([
    ...[1, 2, 3].map(() => nbi.api(box, 'POST', `${UPDATE}/start`).then(({ status }) => status)),
    another.start(box.cpeid, BY).then(
      () => 204,
      () => 409,
    ),
  ]);
  t.deepEqual(answers.sort(), [204, 409, 409, 409]);
  const operations: string[] = [];
  for await (const { id } of nbi.upgrading.operations.scan({ cpeid: box.cpeid })) operations.push(id);
  t.is(operations.length, 1);
  const events: string[] = [];
  for await (const { action, subject } of nbi.events.scan({}))
    if (subject === 'batch' || action === 'update-started') events.push(`${subject} ${action}`);
  t.deepEqual(events.sort(), ['batch added', 'device update-started'], 'nothing is noted of the others');
});

test('what another API has waiting is IDLE until it is sent; then it is RUNNING, and ends as here, and reset names whose it is', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A6');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  const reset = async () => told(await nbi.api(box, 'POST', `${UPDATE}/reset`));
  const begin = async () =>
    nbi.upgrading.cpeUpgrades.start(
      { cpeids: [box.cpeid], image: 'hgw-2.bin', through: 'firmware-slots', organization: nbi.north.id },
      BY,
    );
  const { id } = await begin();
  t.is(await nbi.state(box), 'IDLE');
  const whose = `the batch ${id} of the API firmware-slots has it`;
  t.deepEqual(
    await reset(),
    errorOf(409, 'UPDATE_NOT_OWN', `update: an update of this API: ${whose}: withdraw it there`),
  );
  await nbi.sent(box, 'accepted', { targetVersion: '2.0' });
  t.like((await nbi.api(box, 'GET', UPDATE)).body, {
    state: 'RUNNING',
    state_description: `Under way: the image is being sent (by the batch ${id} of the API firmware-slots)`,
    target_version: '2.0',
  });
  t.deepEqual(
    await reset(),
    errorOf(
      409,
      'UPDATE_NOT_OWN',
      `update: an update that has not been sent: it is RUNNING: ${whose}, and goes on`,
    ),
  );
  await nbi.ended(box, 'failed', { targetVersion: '2.0' });
  t.is(await nbi.state(box), 'FAILED_GRACEFUL');
  t.is((await reset()).status, 204);
  t.is(await nbi.state(box), 'IDLE');
  nbi.tick();
  await begin();
  await nbi.ended(box, 'verified', { targetVersion: '2.0' });
  const { body } = await nbi.api(box, 'GET', UPDATE);
  t.like(body, { state: 'IDLE' });
  t.is((body as { readonly update_history: readonly unknown[] }).update_history.length, 2);
});

test('what is ready here stays so while another API has something waiting, and is void once that has ended', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A7');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  const order = {
    cpeids: [box.cpeid],
    image: 'hgw-2.bin',
    through: 'batches',
    organization: nbi.north.id,
  } as const;
  await nbi.upgrading.cpeUpgrades.start(order, BY);
  const { waiting } = await nbi.upgrading.cpeUpgrades.now(box.cpeid);
  t.is(await nbi.state(box), 'INITIALIZED');
  if (waiting === null) throw new Error('Nothing waits');
  t.true(await nbi.upgrading.cpeUpgrades.withdraw(waiting, BY));
  t.is(await nbi.state(box), 'INITIALIZED');
  await nbi.upgrading.cpeUpgrades.start(order, BY);
  await nbi.sent(box, 'accepted');
  t.is(await nbi.state(box), 'RUNNING');
  await nbi.ended(box, 'verified', { targetVersion: '2.0' });
  t.is(await nbi.state(box), 'IDLE');
  t.is((await nbi.api(box, 'POST', `${UPDATE}/start`)).status, 409);
});

test('an upgrade by somebody’s rule is told of, by the rule’s name as whoever asks knows it', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A8');
  await putUpgradeOf(nbi, box, 'for all' as RuleId);
  const described = async (as: string) =>
    (
      (await nbi.api(box, 'GET', UPDATE, { as })).body as {
        readonly state_description: string;
      }
    ).state_description;
  t.is(
    await described(nbi.as.north.viewer),
    'Under way: the image is being sent (by the rule for all of the installation)',
  );
  t.is(
    await described(nbi.as.installation.viewer),
    'Under way: the image is being sent (by the rule for all)',
  );
});

test('init takes the newest image that fits, of the organization of the device or shared, and is refused where there is none', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A9');
  const init = async () => told(await nbi.api(box, 'POST', `${UPDATE}/init`));
  const target = async () => {
    const { status } = await init();
    const { body } = await nbi.api(box, 'GET', UPDATE);
    await nbi.api(box, 'POST', `${UPDATE}/reset`);
    return status === 204 ? (body as { readonly target_version?: string }).target_version : status;
  };
  const none = errorOf(409, 'UPDATE_NO_IMAGE', 'update: a valid image that fits the device: upload one');
  t.deepEqual(await init(), none);
  await nbi.image('other.bin', { metadata: { productClass: 'OTHER', softwareVersion: '9' } });
  await nbi.image('config.bin', { metadata: { fileType: 'X 00A1B2 Settings', softwareVersion: '9' } });
  await nbi.image('south.bin', { organization: nbi.south.id, version: '9' });
  t.deepEqual(await init(), none);
  await nbi.image('shared.bin', { organization: null, version: '2.0' });
  t.is(await target(), '2.0');
  await nbi.image('own.bin', { version: '3.0' });
  t.is(await target(), '3.0');
  await nbi.image('newer.bin', { organization: null, version: '4.0' });
  t.is(await target(), '4.0');
});

test('an image whose content is damaged is not made ready; one that is gone by then is not started', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A10');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  await nbi.images.remove('hgw-2.bin', BY, nbi.north.id);
  t.deepEqual(
    told(await nbi.api(box, 'POST', `${UPDATE}/start`)),
    errorOf(
      409,
      'UPDATE_NO_IMAGE',
      'update: an image that is there for the device: the one that was made ready is not any more; reset the update',
    ),
  );
  await nbi.api(box, 'POST', `${UPDATE}/reset`);
  await nbi.image('damaged.bin', { version: '3.0' });
  await nbi.damage('damaged.bin');
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  t.like((await nbi.api(box, 'GET', UPDATE)).body, {
    state: 'FAILED_GRACEFUL',
    state_description:
      'Failed, and the device runs what it ran before: the content of the image damaged.bin is damaged: upload it again',
    target_version: '3.0',
  });
  t.is((await nbi.api(box, 'POST', `${UPDATE}/reset`)).status, 204);
  t.is(await nbi.state(box), 'IDLE');
});

test('a CPE that waits to be enrolled is not updated, and one that came anew has nothing of the one before', async (t) => {
  const nbi = await startSystemUpdate(t, { enrol: 'approve' });
  const waiting = await nbi.box('A11', nbi.north, { enrolment: 'waiting' });
  await nbi.image('hgw-2.bin', { version: '2.0' });
  t.deepEqual(
    told(await nbi.api(waiting, 'POST', `${UPDATE}/init`)),
    errorOf(409, 'DEVICE_NOT_ENROLLED', 'update: a device that is enrolled: approve it first'),
  );
  const box = await nbi.box('A12');
  await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  t.is(await nbi.state(box), 'INITIALIZED');
  await nbi.box('A12');
  t.is(await nbi.state(box), 'IDLE');
  t.is((await nbi.api(box, 'POST', `${UPDATE}/init`)).status, 204);
});
