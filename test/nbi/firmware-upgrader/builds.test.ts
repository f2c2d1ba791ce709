import test from 'ava';
import {
  addBuild,
  addCategory,
  fieldOf,
  idOf,
  NO_SUCH_ID,
  PREFIX,
  resultsOf,
  startUpgrader,
  TIME,
} from './support.js';

test('a build is made, told, changed and deleted, each in the fields of the reference and their order', async (t) => {
  const upgrader = await startUpgrader(t);
  const { ask, north } = upgrader;
  const category = await addCategory(upgrader, 'Gateways');
  const made = await ask('POST', 'build/', {
    json: { category, version: '2.0', os: 'HGW 2.0', changelog: 'Faster' },
  });
  t.is(made.status, 201);
  const id = idOf(made);
  const [created, modified] = [fieldOf(made.body, 'created'), fieldOf(made.body, 'modified')];
  t.regex(String(created), TIME);
  const expected = {
    id,
    category_relation: { name: 'Gateways', organization: north.id },
    created,
    modified,
    version: '2.0',
    os: 'HGW 2.0',
    changelog: 'Faster',
    category,
  };
  t.is(made.text, JSON.stringify(expected));
  t.is((await ask('GET', `build/${id}/`)).text, made.text);
  t.deepEqual((await ask('GET', 'build/')).body, {
    count: 1,
    next: null,
    previous: null,
    results: [expected],
  });
  const patched = await ask('PATCH', `build/${id}/`, { json: { os: '' } });
  t.is(patched.status, 200);
  t.like(patched.body, { os: '', version: '2.0' });
  const put = await ask('PUT', `build/${id}/`, { form: { category, version: '2.1' } });
  t.is(put.status, 200);
  t.like(put.body, { os: '', version: '2.1', changelog: 'Faster' });
  t.like((await ask('PATCH', `build/${id}/`, { json: { os: null } })).body, { os: null });
  t.is((await ask('DELETE', `build/${id}/`)).status, 204);
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    const gone = await ask(method, `build/${id}/`);
    t.is(gone.status, 404, method);
    t.is(gone.text, '{"detail":"No Build matches the given query."}');
  }
});

test('what is wrong with a build is told by field; then what is unique together, then what is unique in its organization', async (t) => {
  const upgrader = await startUpgrader(t);
  const { ask, tokens, south } = upgrader;
  const token = tokens.installation.admin;
  const category = await addCategory(upgrader, 'Gateways');
  const other = await addCategory(upgrader, 'Routers');
  const foreign = await addCategory(upgrader, 'Foreign', { organization: south.id, token });
  const shared = await addCategory(upgrader, 'Shared', { organization: null, token });
  await addBuild(upgrader, category, '1.0', { os: 'HGW 1.0' });
  for (const [json, problems] of [
    [{}, { version: ['This field is required.'], category: ['This field is required.'] }],
    [
      { category: null, version: null, changelog: null, os: 5 },
      {
        version: ['This field may not be null.'],
        changelog: ['This field may not be null.'],
        category: ['This field may not be null.'],
      },
    ],
    [
      { category: '', version: ' ', os: 'x'.repeat(65) },
      {
        version: ['This field may not be blank.'],
        os: ['Ensure this field has no more than 64 characters.'],
        category: ['This field may not be null.'],
      },
    ],
    [
      { category: 'bad', version: 'x'.repeat(33), os: {} },
      {
        version: ['Ensure this field has no more than 32 characters.'],
        os: ['Not a valid string.'],
        category: ['“bad” is not a valid UUID.'],
      },
    ],
    [
      { category: NO_SUCH_ID, version: '1' },
      { category: [`Invalid pk "${NO_SUCH_ID}" - object does not exist.`] },
    ],
    [{ category: foreign, version: '1' }, { category: [`Invalid pk "${foreign}" - object does not exist.`] }],
    [{ category: shared, version: '1' }, { category: [`Invalid pk "${shared}" - object does not exist.`] }],
    [
      { category, version: '1.0', os: 'HGW 1.0' },
      { non_field_errors: ['The fields category, version must make a unique set.'] },
    ],
    [
      { category: other, version: '1.0', os: 'HGW 1.0' },
      { os: ['A build with this OS identifier ("HGW 1.0") and organization ("north") already exists'] },
    ],
  ] as const) {
    const answer = await ask('POST', 'build/', { json });
    t.is(answer.status, 400, JSON.stringify(json));
    t.is(answer.text, JSON.stringify(problems));
  }
  const second = await addBuild(upgrader, category, '1.1');
  t.is(
    (await ask('PATCH', `build/${second}/`, { json: { version: '1.0' } })).text,
    '{"non_field_errors":["The fields category, version must make a unique set."]}',
  );
  t.is(
    (await ask('PATCH', `build/${second}/`, { json: { os: 'HGW 1.0' } })).text,
    '{"os":["A build with this OS identifier (\\"HGW 1.0\\") and organization (\\"north\\") already exists"]}',
  );
  for (const os of ['', '', null, null] as const) {
    const version = `free ${Math.random()}`.slice(0, 32);
    t.is((await ask('POST', 'build/', { json: { category, version, os } })).status, 201);
  }
  await addBuild(upgrader, shared, '1', { os: 'HGW 1.0', token });
  const twice = await ask('POST', 'build/', {
    json: { category: shared, version: '2', os: 'HGW 1.0' },
    token,
  });
  t.is(
    twice.text,
    '{"os":["A build with this OS identifier (\\"HGW 1.0\\") and organization (\\"None\\") already exists"]}',
  );
});

test('builds are found by category, version and os, newest first; a filter that is wrong is told', async (t) => {
  const upgrader = await startUpgrader(t);
  const { ask, tokens, south, url } = upgrader;
  const token = tokens.installation.admin;
  const [one, other] = [await addCategory(upgrader, 'One'), await addCategory(upgrader, 'Other')];
  const foreign = await addCategory(upgrader, 'Foreign', { organization: south.id, token });
  await addBuild(upgrader, one, '1.0', { os: 'A' });
  await addBuild(upgrader, one, '2.0', { os: 'B' });
  await addBuild(upgrader, other, '1.0', { os: 'a' });
  await addBuild(upgrader, foreign, '9', { token });
  const found = async (query: string) =>
    resultsOf(await ask('GET', `build/${query}`)).map(({ version, os }) => `${version} ${os}`);
  t.deepEqual(await found(''), ['1.0 a', '2.0 B', '1.0 A']);
  t.deepEqual(await found('?ordering=created'), ['1.0 A', '2.0 B', '1.0 a']);
  t.deepEqual(await found('?ordering=-version,created'), ['2.0 B', '1.0 A', '1.0 a']);
  t.deepEqual(await found(`?category=${one}`), ['2.0 B', '1.0 A']);
  t.deepEqual(await found(`?category=${one.toUpperCase()}&version=1.0`), ['1.0 A']);
  t.deepEqual(await found('?os=a'), ['1.0 a']);
  t.deepEqual(await found('?os=&version=&category='), ['1.0 a', '2.0 B', '1.0 A']);
  t.deepEqual(await found('?os=%20%20&version=%202.0%20'), ['2.0 B'], 'spaces say nothing');
  t.deepEqual(await found('?version=2.0&version=1.0&other=1'), ['1.0 a', '1.0 A']);
  t.deepEqual(await found('?version=3.0'), []);
  t.deepEqual(await found('?organization=north&os=B'), ['2.0 B']);
  for (const organization of ['south', 'nobody', upgrader.north.id])
    t.deepEqual(await found(`?organization=${organization}`), []);
  const bad = await ask('GET', 'build/?category=bad');
  t.is(bad.status, 400);
  t.is(bad.text, '{"category":["“bad” is not a valid UUID."]}');
  for (const id of [NO_SUCH_ID, foreign]) {
    const unknown = await ask('GET', `build/?category=${id}`);
    t.is(unknown.status, 400);
    t.is(
      unknown.text,
      '{"category":["Select a valid choice. That choice is not one of the available choices."]}',
    );
  }
  t.like((await ask('GET', `build/?version=1.0&page_size=1&category=${one}&b=a%20b`)).body, {
    count: 1,
    next: null,
  });
  t.like((await ask('GET', 'build/?page_size=2&b=a%20b&a=~*')).body, {
    next: `${url}${PREFIX}build/?a=~%2A&b=a+b&page=2&page_size=2`,
    previous: null,
  });
});

test('what is another organization’s answers as what there is not, and what is shared is read by all and written by the installation', async (t) => {
  const upgrader = await startUpgrader(t);
  const { ask, tokens, south } = upgrader;
  const token = tokens.installation.admin;
  const foreign = await addBuild(
    upgrader,
    await addCategory(upgrader, 'Foreign', { organization: south.id, token }),
    '1',
    { token },
  );
  const shared = await addBuild(
    upgrader,
    await addCategory(upgrader, 'Shared', { organization: null, token }),
    '1',
    { token },
  );
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    const [one, other] = [await ask(method, `build/${foreign}/`), await ask(method, `build/${NO_SUCH_ID}/`)];
    t.is(one.status, 404);
    t.is(one.text, other.text);
  }
  t.like((await ask('GET', `build/${shared}/`)).body, {
    category_relation: { name: 'Shared', organization: null },
  });
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    const refused = await ask(method, `build/${shared}/`, { json: {} });
    t.is(refused.status, 403, method);
    t.is(refused.text, '{"detail":"You do not have permission to perform this action."}');
  }
  t.is((await ask('DELETE', `build/${shared}/`, { token })).status, 204);
});

test('a category goes with its builds and their images', async (t) => {
  const upgrader = await startUpgrader(t);
  const { ask, images, north } = upgrader;
  const category = await addCategory(upgrader, 'Gateways');
  const build = await addBuild(upgrader, category, '1');
  await addImageOf(upgrader, build);
  t.is((await images.list({ limit: 10, organization: north.id })).items.length, 1);
  t.is((await ask('DELETE', `category/${category}/`)).status, 204);
  t.is((await ask('GET', `build/${build}/`)).status, 404);
  t.is((await images.list({ limit: 10, organization: north.id })).items.length, 0);
});

async function addImageOf({ ask }: Awaited<ReturnType<typeof startUpgrader>>, build: string): Promise<void> {
  const form = new FormData();
  form.set('file', new Blob(['firmware']), 'x.bin');
  form.set('type', 'x86-64-generic-squashfs-combined.img.gz');
  await ask('POST', `build/${build}/image/`, { body: form });
}
