import test from 'ava';
import { fieldOf, NO_SUCH_ID, resultsOf, TIME, UUID } from './support.js';
import { BOARDS, operationIn, startUpgrades, type TestUpgrades, WDR4300 } from './upgrade-support.js';

/** Devices that were given an image each, and the operations that this began. */
async function startWithOperations(t: Parameters<typeof startUpgrades>[0], version: '1.2' | '1.3' = '1.3') {
  const at = await startUpgrades(t, { firmwareUpgrader: { version } });
  const { images } = await at.build('Routers', '2', [WDR4300], { organization: null });
  const given = async (serialNumber: string, organization = at.north) => {
    const device = await at.device(serialNumber, { modelName: BOARDS.wdr4300 }, organization);
    const token = at.tokens.installation.operator;
    const json = { image: images[WDR4300] };
    const { body } = await at.ask('PUT', `device/${device.id}/firmware/`, { json, token });
    return { device: device.id, operation: operationIn(body) };
  };
  return { at, image: images[WDR4300], given };
}

const idsIn = (answer: Parameters<typeof resultsOf>[0]) => resultsOf(answer).map(({ id }) => id);

test('an operation has the fields of the reference in their order, in lists and by itself', async (t) => {
  const { at, image, given } = await startWithOperations(t);
  const { device, operation } = await given('1');
  const told = await at.ask('GET', `upgrade-operation/${operation}/`);
  t.is(told.status, 200);
  const [log, created, modified] = ['log', 'created', 'modified'].map((name) => fieldOf(told.body, name));
  t.regex(operation, UUID);
  t.regex(String(created), TIME);
  t.is(typeof log, 'string');
  const expected = {
    id: operation,
    device,
    image,
    status: 'in-progress',
    log,
    progress: 0,
    modified,
    created,
  };
  t.is(told.text, JSON.stringify(expected));
  t.is(told.headers.get('Allow'), 'GET, HEAD, OPTIONS');
  t.deepEqual((await at.ask('GET', 'upgrade-operation/')).body, {
    count: 1,
    next: null,
    previous: null,
    results: [expected],
  });
  const { created: _, ...ofDevice } = expected;
  t.is(
    (await at.ask('GET', `device/${device}/upgrade-operation/`)).text,
    JSON.stringify({ count: 1, next: null, previous: null, results: [ofDevice] }),
  );
});

test('an operation is told without the last slash too, and its list is not', async (t) => {
  const { at, given } = await startWithOperations(t);
  const { operation } = await given('1');
  const told = await at.ask('GET', `upgrade-operation/${operation}/`);
  const without = await at.ask('GET', `upgrade-operation/${operation}`);
  t.is(without.status, 200);
  t.is(without.text, told.text);
  t.is((await at.ask('GET', 'upgrade-operation')).status, 301);
});

test('version 1.2 tells no progress, and calls aborted what was cancelled', async (t) => {
  const { at, given } = await startWithOperations(t, '1.2');
  const { operation } = await given('1');
  await at.move(operation, { state: 'cancelled', reason: 'withdrawn' });
  const told = await at.ask('GET', `upgrade-operation/${operation}/`);
  t.deepEqual(Object.keys(Object(told.body)), [
    'id',
    'device',
    'image',
    'status',
    'log',
    'modified',
    'created',
  ]);
  t.like(told.body, { status: 'aborted' });
  t.like((await at.ask('GET', 'upgrade-operation/?status=aborted')).body, { count: 1 });
  t.is((await at.ask('GET', 'upgrade-operation/?status=cancelled')).status, 400);
  t.is((await at.ask('POST', `upgrade-operation/${operation}/cancel/`)).status, 404);
});

test('status and progress follow the upgrade of the device', async (t) => {
  const { at, given } = await startWithOperations(t);
  const { operation } = await given('1');
  const shown = async () => (await at.ask('GET', `upgrade-operation/${operation}/`)).body;
  for (const [state, progress] of [
    ['sent', 10],
    ['accepted', 20],
    ['transferred', 65],
  ] as const) {
    await at.run(operation, state, { status: false });
    t.like(await shown(), { status: 'in-progress', progress });
  }
  await at.run(operation, 'failed', { concludedFrom: '1.0.0' });
  for (const [state, status, progress] of [
    ['failed', 'failed', 90],
    ['timed-out', 'failed', 90],
    ['cancelled', 'cancelled', 90],
    ['verified', 'success', 100],
  ] as const) {
    await at.move(operation, { state });
    t.like(await shown(), { status, progress }, state);
  }
});

test('operations are filtered by device, image, status and organization, all together', async (t) => {
  const { at, image, given } = await startWithOperations(t);
  const [one, two, other] = [await given('1'), await given('2'), await given('3', at.south)];
  await at.move(two.operation, { state: 'failed', reason: 'fault-9010' });
  const token = at.tokens.installation.viewer;
  const [n, s] = [at.north, at.south];
  for (const [query, ids] of [
    ['', [other, two, one]],
    [`device=${one.device}`, [one]],
    [`device=${NO_SUCH_ID}`, []],
    [`image=${image}`, [other, two, one]],
    [`image=${NO_SUCH_ID}`, []],
    ['status=failed', [two]],
    ['status=in-progress', [other, one]],
    ['status=success', []],
    ['status=', [other, two, one]],
    [`device__organization=${n.id}`, [two, one]],
    [`device__organization__slug=${s.slug}`, [other]],
    ['device__organization__slug=nobody', []],
    [`device__organization_slug=${s.slug}`, [other]],
    ['device__organization_slug=nobody', []],
    [`device__organization__slug=${n.slug}&device__organization_slug=${s.slug}`, []],
    [`organization=${n.slug}`, [two, one]],
    [`organization=${n.slug}&device__organization__slug=${s.slug}`, []],
    [`organization=${n.id}`, []],
    ['organization=', [other, two, one]],
    [`status=in-progress&device__organization=${n.id}&image=${image}`, [one]],
    ['unknown=1', [other, two, one]],
  ] as const) {
    const answer = await at.ask('GET', `upgrade-operation/?${query}`, { token });
    t.is(answer.status, 200, query);
    t.deepEqual(
      idsIn(answer),
      ids.map(({ operation }) => operation),
      query,
    );
    t.is(fieldOf(answer.body, 'count'), ids.length);
  }
});

test('filters that are wrong are told by name, all at once; one by another organization as one by none', async (t) => {
  const { at } = await startWithOperations(t);
  const choice = 'Select a valid choice. That choice is not one of the available choices.';
  for (const [query, problems] of [
    ['status=bogus', { status: ['Select a valid choice. bogus is not one of the available choices.'] }],
    ['device__organization=bad', { device__organization: ['“bad” is not a valid UUID.'] }],
    [`device__organization=${NO_SUCH_ID}`, { device__organization: [choice] }],
    [`device__organization=${at.south.id}`, { device__organization: [choice] }],
    [
      'device=bad&image=bad',
      { device: ['“bad” is not a valid UUID.'], image: ['“bad” is not a valid UUID.'] },
    ],
  ] as const) {
    const answer = await at.ask('GET', `upgrade-operation/?${query}`);
    t.is(answer.status, 400, query);
    t.is(answer.text, JSON.stringify(problems));
  }
});

test('operations are sorted by device, when they were made or changed, the newest first unless told', async (t) => {
  const { at, given } = await startWithOperations(t);
  const all = [await given('1'), await given('2'), await given('3')];
  const [first, second, third] = all.map(({ operation }) => operation);
  await at.move(String(first), { state: 'failed' });
  const byDevice = all.toSorted((a, b) => (a.device < b.device ? -1 : 1)).map(({ operation }) => operation);
  for (const [ordering, ids] of [
    ['', [third, second, first]],
    ['created', [first, second, third]],
    ['-created', [third, second, first]],
    ['modified', [second, third, first]],
    ['-modified', [first, third, second]],
    ['device_id', byDevice],
    ['-device_id', byDevice.toReversed()],
    ['id', [third, second, first]],
  ] as const) {
    t.deepEqual(idsIn(await at.ask('GET', `upgrade-operation/?ordering=${ordering}`)), ids, ordering);
  }
  const page = await at.ask('GET', 'upgrade-operation/?page_size=2&page=2');
  t.deepEqual(idsIn(page), [first]);
  t.like(page.body, {
    count: 3,
    next: null,
    previous: `${at.url}/api/v1/firmware-upgrader/upgrade-operation/?page_size=2`,
  });
  t.is((await at.ask('GET', 'upgrade-operation/?page=2')).text, '{"detail":"Invalid page."}');
});

test('who is of an organization is told of its devices alone, and of the others as of none', async (t) => {
  const { at, given } = await startWithOperations(t);
  const [own, other] = [await given('1'), await given('2', at.south)];
  t.deepEqual(idsIn(await at.ask('GET', 'upgrade-operation/')), [own.operation]);
  for (const id of [other.operation, NO_SUCH_ID]) {
    const answer = await at.ask('GET', `upgrade-operation/${id}/`);
    t.is(answer.status, 404);
    t.is(answer.text, '{"detail":"No UpgradeOperation matches the given query."}');
  }
  for (const device of [other.device, NO_SUCH_ID]) {
    const answer = await at.ask('GET', `device/${device}/upgrade-operation/`);
    t.is(answer.status, 404);
    t.is(answer.text, '{"detail":"device not found"}');
  }
  const wanted = await at.ask('GET', `upgrade-operation/${own.operation}/?organization=${at.south.slug}`);
  t.is(wanted.status, 404);
  for (const path of ['upgrade-operation/', `upgrade-operation/${own.operation}/`])
    t.is((await at.ask('GET', path, { token: null })).status, 401);
});

test("a device's operations are none where another organization's are wanted, and not none of a device that there is not", async (t) => {
  const { at, given } = await startWithOperations(t);
  const { device, operation } = await given('1');
  for (const token of [at.tokens.installation.viewer, at.tokens.north.viewer]) {
    const list = (of: string, slug: string) =>
      at.ask('GET', `device/${of}/upgrade-operation/?organization=${slug}`, { token });
    t.deepEqual(idsIn(await list(device, at.north.slug)), [operation]);
    for (const slug of [at.south.slug, 'nobody']) {
      const answer = await list(device, slug);
      t.is(answer.status, 200);
      t.is(answer.text, '{"count":0,"next":null,"previous":null,"results":[]}');
    }
    t.is((await list(NO_SUCH_ID, at.south.slug)).status, 404);
  }
});

test("a device's operations are filtered by status", async (t) => {
  const { at, given } = await startWithOperations(t);
  const { device, operation } = await given('1');
  const list = (query: string) => at.ask('GET', `device/${device}/upgrade-operation/?${query}`);
  t.deepEqual(idsIn(await list('status=in-progress')), [operation]);
  t.deepEqual(idsIn(await list('status=failed')), []);
  t.is((await list('status=idle')).status, 400);
});

const cancelled = (at: TestUpgrades, id: string, token = at.tokens.north.operator) =>
  at.ask('POST', `upgrade-operation/${id}/cancel/`, { token });

test('an operation that waits is cancelled, and says so', async (t) => {
  const { at, given } = await startWithOperations(t);
  const { operation } = await given('1');
  const answer = await cancelled(at, operation);
  t.is(answer.status, 200);
  t.is(answer.text, '{"message":"Upgrade operation cancelled successfully"}');
  t.is(answer.headers.get('Allow'), 'POST, OPTIONS');
  const { body } = await at.ask('GET', `upgrade-operation/${operation}/`);
  t.like(body, { status: 'cancelled', progress: 0 });
  t.is(String(fieldOf(body, 'log')).split('\n').at(-1), 'Upgrade operation has been cancelled by user');
  t.is((await at.ask('GET', `upgrade-operation/${operation}/cancel/`)).status, 405);
});

test('an operation whose Download was sent is in progress until its device has answered', async (t) => {
  const { at, given } = await startWithOperations(t);
  const { operation } = await given('1');
  await at.run(operation, 'accepted', { status: false });
  t.is((await cancelled(at, operation)).status, 200);
  t.like((await at.ask('GET', `upgrade-operation/${operation}/`)).body, { status: 'in-progress' });
  t.not((await at.operation(operation)).cancelAskedAtMs, undefined);
});

test('what has ended, or whose device flashes, is not cancelled', async (t) => {
  const { at, given } = await startWithOperations(t);
  const { operation } = await given('1');
  await at.run(operation, 'transferred', { status: false });
  const flashing = await cancelled(at, operation);
  t.is(flashing.status, 409);
  t.is(flashing.text, '{"error":"Cannot cancel upgrade: firmware reflashing has already started"}');
  for (const [state, status] of [
    ['verified', 'success'],
    ['failed', 'failed'],
    ['skipped', 'aborted'],
    ['cancelled', 'cancelled'],
  ] as const) {
    await at.move(operation, { state });
    const answer = await cancelled(at, operation);
    t.is(answer.status, 409);
    t.is(answer.text, `{"error":"Cannot cancel operation with status: ${status}"}`);
  }
});

test('what there is not, and what is of another organization, is not found to be cancelled; viewers cancel nothing', async (t) => {
  const { at, given } = await startWithOperations(t);
  const other = await given('2', at.south);
  for (const id of [other.operation, NO_SUCH_ID]) {
    const answer = await cancelled(at, id);
    t.is(answer.status, 404);
    t.is(answer.text, '{"error":"Upgrade operation not found"}');
  }
  t.is((await cancelled(at, other.operation, at.tokens.south.viewer)).status, 403);
});
