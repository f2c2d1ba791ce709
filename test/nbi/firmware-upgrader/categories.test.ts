import test from 'ava';
import { fieldOf, idOf, NO_SUCH_ID, PREFIX, resultsOf, startUpgrader, TIME, UUID } from './support.js';

test('a category is made, told, changed and deleted, each in the fields of the reference and their order', async (t) => {
  const { ask, north } = await startUpgrader(t);
  const made = await ask('POST', 'category/', { json: { name: ' Gateways ', organization: north.id } });
  t.is(made.status, 201);
  const id = idOf(made);
  t.regex(id, UUID);
  const [created, modified] = [fieldOf(made.body, 'created'), fieldOf(made.body, 'modified')];
  t.regex(String(created), TIME);
  const expected = { id, created, modified, name: 'Gateways', description: '', organization: north.id };
  t.is(made.text, JSON.stringify(expected));
  t.is(made.headers.get('Location'), null);
  t.is(made.headers.get('Allow'), 'GET, POST, HEAD, OPTIONS');

  const told = await ask('GET', `category/${id}/`);
  t.is(told.status, 200);
  t.is(told.text, made.text);
  t.is(told.headers.get('Allow'), 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS');
  t.deepEqual((await ask('GET', 'category/')).body, {
    count: 1,
    next: null,
    previous: null,
    results: [expected],
  });

  const patched = await ask('PATCH', `category/${id}/`, {
    json: { description: 'At home', id: NO_SUCH_ID, other: 1 },
  });
  t.is(patched.status, 200);
  t.like(patched.body, { id, name: 'Gateways', description: 'At home' });
  const put = await ask('PUT', `category/${id}/`, { json: { name: 'Routers', organization: north.id } });
  t.is(put.status, 200);
  t.like(put.body, { id, name: 'Routers', description: 'At home' });

  const deleted = await ask('DELETE', `category/${id}/`);
  t.is(deleted.status, 204);
  t.is(deleted.text, '');
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    const gone = await ask(method, `category/${id}/`);
    t.is(gone.status, 404, method);
    t.is(gone.text, '{"detail":"No Category matches the given query."}');
  }
});

test('what is wrong with a category is told by field, all at once', async (t) => {
  const { ask, north, south, tokens } = await startUpgrader(t);
  const organization = north.id;
  for (const [json, problems] of [
    [{ organization }, { name: ['This field is required.'] }],
    [{ organization, name: null }, { name: ['This field may not be null.'] }],
    [{ organization, name: '   ' }, { name: ['This field may not be blank.'] }],
    [{ organization, name: 'x'.repeat(65) }, { name: ['Ensure this field has no more than 64 characters.'] }],
    [{ organization, name: ['x'] }, { name: ['Not a valid string.'] }],
    [{ organization, name: true }, { name: ['Not a valid string.'] }],
    [{ organization, name: 'x', description: null }, { description: ['This field may not be null.'] }],
    [{ name: 'x', organization: 'bad' }, { organization: ['“bad” is not a valid UUID.'] }],
    [{ name: 'x', organization: null }, { organization: ['This field may not be null.'] }],
    [{ name: 'x', organization: '' }, { organization: ['This field may not be null.'] }],
    [
      { name: 'x', organization: true },
      { organization: ['Incorrect type. Expected pk value, received bool.'] },
    ],
    [
      { name: 'x', organization: NO_SUCH_ID },
      { organization: [`Invalid pk "${NO_SUCH_ID}" - object does not exist.`] },
    ],
    [
      { name: 'x', organization: south.id },
      { organization: [`Invalid pk "${south.id}" - object does not exist.`] },
    ],
    [{ name: 'x' }, { organization: ['Only superusers can create or edit shared categories'] }],
    [
      { organization: 'bad', description: 1.5 },
      { name: ['This field is required.'], organization: ['“bad” is not a valid UUID.'] },
    ],
    [[], { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] }],
    [null, { non_field_errors: ['No data provided'] }],
    ['x', { non_field_errors: ['Invalid data. Expected a dictionary, but got str.'] }],
  ] as const) {
    const answer = await ask('POST', 'category/', { json });
    t.is(answer.status, 400, JSON.stringify(json));
    t.is(answer.text, JSON.stringify(problems));
  }
  const numbered = await ask('POST', 'category/', { json: { name: 7, organization } });
  t.like(numbered.body, { name: '7' });
  const again = await ask('POST', 'category/', { form: { name: '7', organization } });
  t.is(again.status, 400);
  t.is(again.text, '{"non_field_errors":["The fields name, organization must make a unique set."]}');
  const path = `category/${idOf(numbered)}/`;
  const put = await ask('PUT', path, { json: { name: '8' } });
  t.is(put.text, '{"organization":["Only superusers can create or edit shared categories"]}');
  const moved = await ask('PATCH', path, {
    json: { organization: south.id },
    token: tokens.installation.admin,
  });
  t.is(moved.status, 400);
  t.truthy(fieldOf(moved.body, 'organization'));
});

test('a shared category is made and changed by those of the installation alone, and told to all', async (t) => {
  const { ask, tokens, south } = await startUpgrader(t);
  const token = tokens.installation.admin;
  const made = await ask('POST', 'category/', { json: { name: 'For all', organization: null }, token });
  t.is(made.status, 201);
  t.like(made.body, { organization: null });
  const path = `category/${idOf(made)}/`;
  t.is((await ask('GET', path)).text, made.text);
  for (const [method, json] of [
    ['PUT', { name: 'x' }],
    ['PATCH', {}],
    ['DELETE', undefined],
  ] as const) {
    const refused = await ask(method, path, { ...(json !== undefined && { json }) });
    t.is(refused.status, 403, method);
    t.is(refused.text, '{"detail":"You do not have permission to perform this action."}');
  }
  t.is((await ask('PATCH', path, { json: { description: 'New' }, token })).status, 200);
  const own = await ask('POST', 'category/', { json: { name: 'Own', organization: south.id }, token });
  const foreign = await ask('GET', `category/${idOf(own)}/`);
  const unknown = await ask('GET', `category/${NO_SUCH_ID}/`);
  t.is(foreign.status, 404);
  t.is(foreign.text, unknown.text);
  t.deepEqual(
    resultsOf(await ask('GET', 'category/')).map(({ name }) => name),
    ['For all'],
  );
  t.deepEqual(
    resultsOf(await ask('GET', 'category/?organization=south', { token })).map(({ name }) => name),
    ['Own'],
  );
  t.deepEqual(resultsOf(await ask('GET', 'category/?organization=south')), []);
  t.is((await ask('GET', `${path}?organization=north`)).status, 404);
  t.is((await ask('DELETE', path, { token })).status, 204);
});

test('categories are sorted by name from the last, or as is asked, and come in pages', async (t) => {
  const { ask, north, url } = await startUpgrader(t);
  for (const name of ['b', 'a', 'C', 'd'])
    await ask('POST', 'category/', { json: { name, organization: north.id } });
  const namesOf = async (query: string) =>
    resultsOf(await ask('GET', `category/${query}`)).map(({ name }) => name);
  t.deepEqual(await namesOf(''), ['d', 'b', 'a', 'C']);
  t.deepEqual(await namesOf('?ordering=name'), ['C', 'a', 'b', 'd']);
  t.deepEqual(await namesOf('?ordering=-created'), ['d', 'C', 'a', 'b']);
  t.deepEqual(await namesOf('?ordering=name,-name,name'), ['C', 'a', 'b', 'd'], 'the first counts');
  t.deepEqual(await namesOf('?ordering=nothing'), ['d', 'b', 'a', 'C']);
  const page = await ask('GET', 'category/?page_size=2&z=1&page=2&ordering=name');
  t.like(page.body, {
    count: 4,
    next: null,
    previous: `${url}${PREFIX}category/?ordering=name&page_size=2&z=1`,
  });
  t.deepEqual(await namesOf('?page_size=3&page=last'), ['C']);
  for (const wrong of ['0', '-1', 'abc', '1.0', '5', '99999999999999999999']) {
    const answer = await ask('GET', `category/?page=${wrong}`);
    t.is(answer.status, 404, wrong);
    t.is(answer.text, '{"detail":"Invalid page."}');
  }
  for (const size of ['0', '-1', 'x', ''])
    t.like((await ask('GET', `category/?page_size=${size}`)).body, { count: 4, next: null });
});

test('shared categories may have one name together, those of an organization may not', async (t) => {
  const { ask, tokens, north } = await startUpgrader(t);
  const token = tokens.installation.admin;
  const add = (name: string, organization: string | null) =>
    ask('POST', 'category/', { token, json: { name, organization } });
  const first = await add('One', null);
  const second = await add('One', null);
  const other = await add('Other', null);
  t.deepEqual([first.status, second.status, other.status], [201, 201, 201], second.text);
  t.not(idOf(first), idOf(second));
  const renamed = await ask('PATCH', `category/${idOf(other)}/`, { token, json: { name: 'One' } });
  t.is(renamed.status, 200, renamed.text);
  t.is((await ask('DELETE', `category/${idOf(first)}/`, { token })).status, 204);
  t.is((await ask('GET', `category/${idOf(second)}/`, { token })).status, 200);
  t.is((await add('One', north.id)).status, 201);
  t.is((await add('One', north.id)).status, 400);
});
