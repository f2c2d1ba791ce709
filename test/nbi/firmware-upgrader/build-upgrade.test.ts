import test from 'ava';
import { fieldOf, NO_SUCH_ID, UUID } from './support.js';
import { BOARDS, operationIn, startUpgrades, WDR3600, WDR4300 } from './upgrade-support.js';

const NOBODY =
  '{"error":"No devices found matching the specified filters. Please adjust your group and/or location filters."}';

/** Two builds of a category: a device that runs the first, one that runs the second, and one that runs nothing known. */
async function startWithBuilds(t: Parameters<typeof startUpgrades>[0], version: '1.2' | '1.3' = '1.3') {
  const at = await startUpgrades(t, { firmwareUpgrader: { version }, enrol: 'approve' });
  const one = await at.build('Routers', '1', [WDR4300, WDR3600], { os: 'OS 1' });
  const two = await at.build('Routers', '2', [WDR4300], { os: 'OS 2' });
  const on = (serialNumber: string, softwareVersion: string, modelName: string = BOARDS.wdr4300) =>
    at.device(serialNumber, { modelName, softwareVersion });
  return { at, one, two, on, path: `build/${two.build.id}/upgrade/` };
}

test('a dry run tells the firmware of devices that do not run the build, and devices without that it fits', async (t) => {
  const { at, on, path } = await startWithBuilds(t);
  const behind = [await on('1', 'OS 1'), await on('2', 'OS 1'), await on('3', 'OS 1', BOARDS.wdr3600)];
  await on('4', 'OS 2');
  const bare = [await on('5', 'other'), await on('6', 'other')];
  await on('7', 'other', BOARDS.wdr3600);
  await at.device('8', { modelName: BOARDS.wdr4300 }, at.south);
  await at.device('9', { modelName: BOARDS.wdr4300, enrolment: 'waiting' });
  const firmwares: unknown[] = [];
  for (const { id } of behind)
    firmwares.unshift(fieldOf((await at.ask('GET', `device/${id}/firmware/`)).body, 'id'));
  const told = await at.ask('GET', path);
  t.is(told.status, 200);
  const devices = bare.map(({ id }) => id).reverse();
  t.is(told.text, JSON.stringify({ device_firmwares: firmwares, devices }));
  t.is(told.headers.get('Content-Type'), 'application/json');
  t.is(told.headers.get('Allow'), 'GET, POST, HEAD, OPTIONS');
  const indented = await at.ask('GET', path, { headers: { Accept: 'application/json; indent=4' } });
  t.is(indented.text, JSON.stringify({ device_firmwares: firmwares, devices }, null, 4));
  const page = await at.ask('GET', path, { headers: { Accept: 'text/html' } });
  t.is(page.status, 200);
  t.true(page.text.includes(devices[0] ?? ''));
  // Nothing has been begun by that.
  t.like((await at.ask('GET', 'upgrade-operation/')).body, { count: 0 });
});

test('POST upgrades devices with firmware of the category, and those without only where it says so', async (t) => {
  const { at, two, on, path } = await startWithBuilds(t);
  const behind = await on('1', 'OS 1');
  const noImage = await on('2', 'OS 1', BOARDS.wdr3600);
  const bare = await on('3', 'other');
  const first = await at.ask('POST', path);
  t.is(first.status, 201);
  const batch = fieldOf(first.body, 'batch');
  t.regex(String(batch), UUID);
  t.is(first.text, JSON.stringify({ batch }));
  await at.made(batch);
  const devicesOf = async (id: unknown) => {
    const { body } = await at.ask('GET', `batch-upgrade-operation/${id}/`);
    const operations = fieldOf(body, 'upgradeoperations');
    return Array.isArray(operations) ? operations.map((each) => [each.device, each.status]) : [];
  };
  t.deepEqual(await devicesOf(batch), [[behind.id, 'in-progress']]);
  const firmware = await at.ask('GET', `device/${behind.id}/firmware/`);
  t.like(firmware.body, { image: two.images[WDR4300], installed: false });
  t.is((await at.ask('GET', `device/${bare.id}/firmware/`)).status, 404);
  // The one whose type the build has no image of is looked at, and gets nothing.
  t.deepEqual((await at.ask('GET', `device/${noImage.id}/upgrade-operation/`)).body, {
    count: 0,
    next: null,
    previous: null,
    results: [],
  });

  for (const sent of [{ json: { upgrade_all: true } }, { form: { upgrade_all: 'on' } }]) {
    const all = await at.ask('POST', path, sent);
    t.is(all.status, 201);
    await at.made(fieldOf(all.body, 'batch'));
    // What is under way of an earlier one has its own aborted.
    const devices = await devicesOf(fieldOf(all.body, 'batch'));
    t.deepEqual(devices.map(([device]) => device).sort(), [behind.id, bare.id].sort());
    t.true(devices.some(([device, status]) => device === behind.id && status === 'aborted'));
  }
  t.like((await at.ask('GET', `device/${bare.id}/firmware/`)).body, { image: two.images[WDR4300] });
});

test('where there is nobody to upgrade there is no batch; in version 1.2 one that never ends', async (t) => {
  const { at, on, path } = await startWithBuilds(t);
  await on('1', 'OS 2');
  await on('2', 'other');
  const nobody = await at.ask('POST', path);
  t.is(nobody.status, 400);
  t.is(nobody.text, NOBODY);
  t.is((await at.ask('POST', path, { json: { upgrade_all: true } })).status, 201);

  const old = await startWithBuilds(t, '1.2');
  const made = await old.at.ask('POST', old.path);
  t.is(made.status, 201);
  const batch = fieldOf(made.body, 'batch');
  await old.at.made(batch);
  t.like((await old.at.ask('GET', `batch-upgrade-operation/${batch}/`)).body, {
    status: 'in-progress',
    progress_report: '0 out of 0',
    upgradeoperations: [],
  });
});

test('version 1.2 upgrades devices without firmware where a form has the field, whatever it says', async (t) => {
  const { at, on, path } = await startWithBuilds(t, '1.2');
  await on('1', 'other');
  const countOf = async (sent: object) => {
    const { body } = await at.ask('POST', path, sent);
    await at.made(fieldOf(body, 'batch'));
    const { body: batch } = await at.ask('GET', `batch-upgrade-operation/${fieldOf(body, 'batch')}/`);
    return fieldOf(batch, 'progress_report');
  };
  t.is(await countOf({ json: { upgrade_all: true } }), '0 out of 0');
  t.is(await countOf({ form: { upgrade_all: 'false' } }), '0 out of 1');
});

test('what is wrong with the body, and any group or location, is told by field', async (t) => {
  const { at, on, path } = await startWithBuilds(t);
  await on('1', 'OS 1');
  const none = `Invalid pk "${NO_SUCH_ID}" - object does not exist.`;
  for (const [json, problems] of [
    [{ upgrade_all: 'perhaps' }, { upgrade_all: ['Must be a valid boolean.'] }],
    [{ group: 'bad' }, { group: ['“bad” is not a valid UUID.'] }],
    [
      { group: NO_SUCH_ID, location: NO_SUCH_ID },
      { group: [none], location: [none] },
    ],
    [[], { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] }],
  ] as const) {
    const answer = await at.ask('POST', path, { json });
    t.is(answer.status, 400, JSON.stringify(json));
    t.is(answer.text, JSON.stringify(problems));
  }
  t.is((await at.ask('GET', `${path}?group=${NO_SUCH_ID}`)).text, JSON.stringify({ group: [none] }));
  t.is((await at.ask('GET', `${path}?location=bad`)).status, 400);
  t.is((await at.ask('GET', `${path}?location=`)).status, 200);
  t.is((await at.ask('POST', path, { json: { group: null, location: null, other: 1 } })).status, 201);
});

test('a build of another organization is as one that there is not, and a shared one is upgraded by those of the installation alone', async (t) => {
  const at = await startUpgrades(t);
  const theirs = await at.build('Routers', '1', [WDR4300], { organization: at.south });
  const shared = await at.build('Routers', '1', [WDR4300], { organization: null });
  const [own, other] = [
    await at.device('1', { modelName: BOARDS.wdr4300 }),
    await at.device('2', { modelName: BOARDS.wdr4300 }, at.south),
  ];
  for (const id of [theirs.build.id, NO_SUCH_ID]) {
    for (const method of ['GET', 'POST']) {
      const answer = await at.ask(method, `build/${id}/upgrade/`);
      t.is(answer.status, 404);
      t.is(answer.text, '{"detail":"No Build matches the given query."}');
    }
  }
  const path = `build/${shared.build.id}/upgrade/`;
  t.deepEqual((await at.ask('GET', path)).body, { device_firmwares: [], devices: [own.id] });
  const refused = await at.ask('POST', path, { json: { upgrade_all: true } });
  t.is(refused.status, 403);
  t.is(refused.text, '{"detail":"You do not have permission to perform this action."}');
  const token = at.tokens.installation.operator;
  t.deepEqual((await at.ask('GET', path, { token })).body, {
    device_firmwares: [],
    devices: [other.id, own.id],
  });
  t.is((await at.ask('GET', `${path}?organization=${at.south.slug}`, { token })).status, 404);
  const made = await at.ask('POST', path, { json: { upgrade_all: true }, token });
  t.is(made.status, 201);
  await at.made(fieldOf(made.body, 'batch'));
  // Each is told of his own of it.
  const detail = `batch-upgrade-operation/${fieldOf(made.body, 'batch')}/`;
  t.like((await at.ask('GET', detail, { token })).body, { progress_report: '0 out of 2' });
  const ofNorth = (await at.ask('GET', detail)).body;
  t.like(ofNorth, { progress_report: '0 out of 1', upgradeoperations: [{ device: own.id }] });
  t.is((await at.ask('POST', path, { token: at.tokens.north.viewer })).status, 403);
});

test('a build that is deleted takes its batches along, and what was begun for one device stays', async (t) => {
  const { at, two, on, path } = await startWithBuilds(t);
  const [one, other] = [await on('1', 'OS 1'), await on('2', 'other')];
  const put = await at.ask('PUT', `device/${other.id}/firmware/`, { json: { image: two.images[WDR4300] } });
  const made = await at.ask('POST', path);
  const batch = fieldOf(made.body, 'batch');
  await at.made(batch);
  t.is((await at.ask('DELETE', `build/${two.build.id}/`)).status, 204);
  await at.upgrading.batches.round();
  t.is((await at.ask('GET', `batch-upgrade-operation/${batch}/`)).status, 404);
  t.like((await at.ask('GET', `device/${one.id}/upgrade-operation/`)).body, { count: 0 });
  t.like((await at.ask('GET', `upgrade-operation/${operationIn(put.body)}/`)).body, { image: null });
  for (const { id } of [one, other])
    t.is((await at.ask('GET', `device/${id}/firmware/`)).status, id === one.id ? 200 : 404);
});
