import test from 'ava';
import { fieldOf, idOf, NO_SUCH_ID, resultsOf, TIME } from './support.js';
import { BOARDS, startUpgrades, WDR4300 } from './upgrade-support.js';

/** A build, devices behind it, and a batch of these. */
async function startWithBatch(
  t: Parameters<typeof startUpgrades>[0],
  { version = '1.3', devices = 3 }: { readonly version?: '1.2' | '1.3'; readonly devices?: number } = {},
) {
  const at = await startUpgrades(t, { firmwareUpgrader: { version } });
  const { build } = await at.build('Routers', '2', [WDR4300]);
  const ids: string[] = [];
  for (let each = 0; each < devices; each++)
    ids.push((await at.device(String(each), { modelName: BOARDS.wdr4300 })).id);
  const start = async () => {
    at.tick();
    const { body } = await at.ask('POST', `build/${build.id}/upgrade/`, { form: { upgrade_all: 'true' } });
    await at.made(fieldOf(body, 'batch'));
    return String(fieldOf(body, 'batch'));
  };
  const batch = await start();
  const detail = async (id = batch) => (await at.ask('GET', `batch-upgrade-operation/${id}/`)).body;
  const operations = async () => {
    const found = fieldOf(await detail(), 'upgradeoperations');
    return Array.isArray(found) ? found.map(({ id }) => String(id)) : [];
  };
  return { at, build, ids, batch, start, detail, operations };
}

test('a batch has the fields of the reference in their order, in the list and by itself', async (t) => {
  for (const version of ['1.3', '1.2'] as const) {
    const { at, build, batch, ids } = await startWithBatch(t, { version });
    const is12 = version === '1.2';
    const told = await at.ask('GET', `batch-upgrade-operation/${batch}/`);
    t.is(told.status, 200);
    const buildBody = (await at.ask('GET', `build/${build.id}/`)).body;
    const operations = [];
    for (const device of ids) {
      const [only] = resultsOf(await at.ask('GET', `upgrade-operation/?device=${device}`));
      operations.push(only);
    }
    const [created, modified] = [fieldOf(told.body, 'created'), fieldOf(told.body, 'modified')];
    for (const time of [created, modified]) t.regex(String(time), TIME);
    const found = fieldOf(told.body, 'upgradeoperations') as { readonly device: string }[];
    const asText = (each: unknown) => JSON.stringify(each);
    t.deepEqual(found.map(asText).sort(), operations.map(asText).sort());
    const places = is12 ? {} : { group: null, location: null };
    const rest = { created, modified, upgrade_options: {}, status: 'idle', ...places };
    const rates = { success_rate: 0, failed_rate: 0, aborted_rate: 0, ...(!is12 && { cancelled_rate: 0 }) };
    const head = { id: batch, build: buildBody };
    const report = { progress_report: '0 out of 3', ...rates, upgradeoperations: found };
    t.is(told.text, JSON.stringify({ ...head, ...report, ...rest }));
    t.is(told.headers.get('Allow'), 'GET, HEAD, OPTIONS');
    const listed = await at.ask('GET', 'batch-upgrade-operation/');
    t.is(
      listed.text,
      JSON.stringify({ count: 1, next: null, previous: null, results: [{ ...head, ...rest }] }),
    );
  }
});

test('a batch is idle, then in progress, and what it comes to follows from its operations', async (t) => {
  const { at, detail, operations } = await startWithBatch(t);
  const [one = '', two = '', three = ''] = await operations();
  t.like(await detail(), { status: 'idle', progress_report: '0 out of 3' });
  await at.run(one, 'sent', { status: false });
  t.like(await detail(), { status: 'in-progress', progress_report: '0 out of 3' });
  await at.move(one, { state: 'verified' });
  await at.move(two, { state: 'failed', reason: 'fault-9010' });
  t.like(await detail(), { status: 'in-progress', progress_report: '2 out of 3', success_rate: 33 });
  for (const [state, reason, status, rates] of [
    [
      'verified',
      undefined,
      'failed',
      { success_rate: 66, failed_rate: 33, aborted_rate: 0, cancelled_rate: 0 },
    ],
    ['skipped', 'does-not-fit', 'failed', { success_rate: 33, failed_rate: 33, aborted_rate: 33 }],
    ['cancelled', 'withdrawn', 'failed', { aborted_rate: 0, cancelled_rate: 33 }],
  ] as const) {
    await at.move(three, { state, ...(reason !== undefined && { reason }) });
    t.like(await detail(), { status, progress_report: '3 out of 3', ...rates }, state);
  }
  await at.move(two, { state: 'verified' });
  t.like(await detail(), { status: 'cancelled' });
});

test('in version 1.2 what was aborted or cancelled fails no batch', async (t) => {
  const { at, detail, operations } = await startWithBatch(t, { version: '1.2' });
  const [one = '', two = '', three = ''] = await operations();
  await at.move(one, { state: 'verified' });
  await at.move(two, { state: 'skipped', reason: 'does-not-fit' });
  await at.move(three, { state: 'cancelled', reason: 'withdrawn' });
  t.like(await detail(), { status: 'success', success_rate: 33, aborted_rate: 66, failed_rate: 0 });
  t.false('cancelled_rate' in Object(await detail()));
});

test('batches are filtered by build, status and when they were made, and sorted', async (t) => {
  const { at, build, batch, start, operations } = await startWithBatch(t);
  const other = await at.build('Routers', '3', [WDR4300]);
  for (const operation of await operations()) await at.move(operation, { state: 'verified' });
  // Of all of them, again.
  await at.device('9', { modelName: BOARDS.wdr4300 });
  const second = await start();
  const created = fieldOf((await at.ask('GET', `batch-upgrade-operation/${batch}/`)).body, 'created');
  for (const [query, ids] of [
    ['', [second, batch]],
    [`build=${build.id}`, [second, batch]],
    [`build=${other.build.id}`, []],
    ['status=success', [batch]],
    ['status=idle', [second]],
    ['status=failed', []],
    [`created=${created}`, [batch]],
    [`created=${encodeURIComponent('2025-01-01T00:00:00Z')}`, []],
    ['ordering=created', [batch, second]],
    ['ordering=-modified', [second, batch]],
    [`organization=${at.north.slug}`, [second, batch]],
    ['organization=nobody', []],
  ] as const) {
    const answer = await at.ask('GET', `batch-upgrade-operation/?${query}`);
    t.deepEqual(
      resultsOf(answer).map(({ id }) => id),
      ids,
      query,
    );
  }
  const none = 'Select a valid choice. That choice is not one of the available choices.';
  const theirs = await at.build('Routers', '1', [WDR4300], { organization: at.south });
  for (const [query, problems] of [
    ['build=bad', { build: ['“bad” is not a valid UUID.'] }],
    [`build=${NO_SUCH_ID}`, { build: [none] }],
    [`build=${theirs.build.id}`, { build: [none] }],
    ['status=aborted', { status: ['Select a valid choice. aborted is not one of the available choices.'] }],
    ['created=yesterday', { created: ['Enter a valid date/time.'] }],
  ] as const) {
    const answer = await at.ask('GET', `batch-upgrade-operation/?${query}`);
    t.is(answer.status, 400, query);
    t.is(answer.text, JSON.stringify(problems));
  }
});

test('version 1.2 filters batches by no time, and knows none that was cancelled', async (t) => {
  const { at, batch } = await startWithBatch(t, { version: '1.2' });
  const listed = await at.ask('GET', 'batch-upgrade-operation/?created=yesterday');
  t.deepEqual(
    resultsOf(listed).map(({ id }) => id),
    [batch],
  );
  t.is((await at.ask('GET', 'batch-upgrade-operation/?status=cancelled')).status, 400);
});

test('a batch of another organization is as one that there is not, and nobody changes one here', async (t) => {
  const { at, batch } = await startWithBatch(t);
  const token = at.tokens.south.operator;
  for (const id of [batch, NO_SUCH_ID]) {
    const answer = await at.ask('GET', `batch-upgrade-operation/${id}/`, { token });
    t.is(answer.status, 404);
    t.is(answer.text, '{"detail":"No BatchUpgradeOperation matches the given query."}');
  }
  t.like((await at.ask('GET', 'batch-upgrade-operation/', { token })).body, { count: 0 });
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const answer = await at.ask(method, `batch-upgrade-operation/${batch}/`);
    t.is(answer.status, 405, method);
    t.is(answer.text, `{"detail":"Method \\"${method}\\" not allowed."}`);
  }
  t.is(
    idOf(await at.ask('GET', `batch-upgrade-operation/${batch}/`, { token: at.tokens.north.viewer })),
    batch,
  );
});

test('a batch of more operations than a page holds tells all of them', async (t) => {
  const { at, batch, ids } = await startWithBatch(t, { devices: 130 });
  const told = await at.ask('GET', `batch-upgrade-operation/${batch}/`);
  const operations = fieldOf(told.body, 'upgradeoperations');
  t.is(new Set(Array.isArray(operations) ? operations.map(({ device }) => device) : []).size, ids.length);
  const page = await at.ask('GET', `batch-upgrade-operation/${batch}/?format=api`);
  t.is(page.status, 200);
});
