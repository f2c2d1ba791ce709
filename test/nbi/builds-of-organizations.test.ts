import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { BY } from '../support/actor.js';
import { type Reply, ruleBody } from './support.js';
import { startWithTwo, type TwoOrganizations } from './two-organizations.js';

type Shown = Readonly<Record<string, unknown>>;

const CATEGORIES = '/v1/dyn/CategoryStorage';
const BUILDS = '/v1/dyn/BuildStorage';

const detailsOf = ({ body }: Reply) => (body as { readonly details: unknown }).details;
const listOf = (reply: Reply) => detailsOf(reply) as readonly Shown[];
const codeOf = (reply: Reply) => (detailsOf(reply) as readonly Shown[])[0]?.['code'];

const send = (nbi: TwoOrganizations, as: string, method: string, path: string, json?: unknown) =>
  nbi.call(path, { method, as, ...(json !== undefined && { json }) });

function upload(nbi: TwoOrganizations, as: string, name: string, query = '', body: string = name) {
  const headers = { 'Content-Type': 'application/octet-stream' };
  return nbi.call(`/v1/images/${name}${query}`, { method: 'PUT', body, headers, as });
}

async function addBuild(t: ExecutionContext, nbi: TwoOrganizations, as: string): Promise<Shown> {
  t.is((await send(nbi, as, 'POST', `${CATEGORIES}/.*`, { name: 'Gateways' })).status, 200);
  const reply = await send(nbi, as, 'POST', `${BUILDS}/.*`, {
    category: 'Gateways',
    version: '1',
    os: 'HGW 1',
  });
  t.is(reply.status, 200);
  const [build = {}] = listOf(reply);
  return build;
}

/** North, south and the installation have a category of the same name, with a build of the same version and os. */
async function startWithBuilds(t: ExecutionContext) {
  const nbi = await startWithTwo(t);
  const { installation, north, south } = nbi.as;
  const [shared, norths, souths] = [
    await addBuild(t, nbi, installation.operator),
    await addBuild(t, nbi, north.operator),
    await addBuild(t, nbi, south.operator),
  ];
  return { ...nbi, builds: { shared, north: norths, south: souths } };
}

test('an organization sees its own categories and builds and the shared ones, in pages of one too; the installation everybody’s', async (t) => {
  const nbi = await startWithBuilds(t);
  const { as, builds } = nbi;
  const idsSeen = async (user: string, path: string) => {
    const seen: unknown[] = [];
    let next: string | undefined = path;
    while (next !== undefined) {
      const reply: Reply = await nbi.call(next, { as: user });
      seen.push(...listOf(reply).map((each) => [each['id'], each['shared'] ?? each['organization']]));
      next = /<(.*)>; rel="next"/.exec(reply.headers.get('Link') ?? '')?.[1];
    }
    return seen;
  };
  const { shared, north, south } = builds;
  for (const query of ['', '?limit=1', `?id=${north['id']}&id=${shared['id']}&id=${south['id']}&limit=1`])
    t.deepEqual(await idsSeen(as.north.viewer, `${BUILDS}/.*${query}`), [
      [shared['id'], true],
      [north['id'], undefined],
    ]);
  const all = await idsSeen(as.installation.viewer, `${BUILDS}/.*?limit=1`);
  t.deepEqual(all[0], [shared['id'], undefined]);
  t.deepEqual(
    all
      .slice(1)
      .map((each) => JSON.stringify(each))
      .sort(),
    [JSON.stringify([north['id'], 'north']), JSON.stringify([south['id'], 'south'])].sort(),
  );
  t.deepEqual(await idsSeen(as.installation.viewer, `${BUILDS}/.*?organization=south`), [
    [shared['id'], true],
    [south['id'], 'south'],
  ]);
  t.is((await idsSeen(as.north.viewer, `${CATEGORIES}/.*?limit=1`)).length, 2);
  t.is((await idsSeen(as.installation.viewer, `${CATEGORIES}/.*?sort=-created&limit=2`)).length, 3);
  const ofCategory = `${BUILDS}/.*?category=${north['category']}&limit=1`;
  t.deepEqual(await idsSeen(as.north.viewer, ofCategory), [[north['id'], undefined]]);
  t.is((await nbi.call(ofCategory, { as: as.south.viewer })).status, 404);
});

test('another organization’s category and build are answered as none, whatever is asked of them; shared ones are not changed', async (t) => {
  const nbi = await startWithBuilds(t);
  const { as, builds } = nbi;
  const told = ({ status, body }: Reply) => ({ status, body });
  const { category, id } = builds.south;
  for (const [method, path, json] of [
    ['GET', (of: unknown) => `${BUILDS}/${of}`],
    ['PUT', (of: unknown) => `${BUILDS}/${of}`, { os: 'X' }],
    ['DELETE', (of: unknown) => `${BUILDS}/${of}`],
    ['DELETE', (of: unknown) => `${BUILDS}/${of}?cascade=true`],
    ['DELETE', (of: unknown) => `${BUILDS}/.*?id=${of}&dryRun=true`],
  ] as const) {
    const none = told(await send(nbi, as.north.operator, method, path(randomUUID()), json));
    t.deepEqual(told(await send(nbi, as.north.operator, method, path(id), json)), none, method);
    const ofShared = await send(nbi, as.north.operator, method, path(builds.shared['id']), json);
    if (method !== 'GET') t.deepEqual(told(ofShared), none, `${method} of a shared one`);
  }
  const into = (named: unknown) =>
    send(nbi, as.north.operator, 'POST', `${BUILDS}/.*`, { category: named, version: '2' });
  t.deepEqual(told(await into(category)), told(await into(randomUUID())));
  t.is((await into(builds.shared['category'])).status, 400);
  for (const of of [id, builds.shared['id']])
    t.deepEqual(
      told(await upload(nbi, as.north.operator, 'a.bin', `?build=${of}&type=A`)),
      told(await upload(nbi, as.north.operator, 'a.bin', `?build=${randomUUID()}&type=A`)),
    );
  t.deepEqual(detailsOf(await nbi.call(`/v1/images?build=${id}`, { as: as.north.viewer })), []);
  const { body } = await nbi.call(`${BUILDS}/.*`, { as: as.installation.viewer });
  t.is((body as { details: readonly Shown[] }).details.length, 3);
  const everything = await send(nbi, as.north.operator, 'DELETE', `${BUILDS}/.*?all=true`);
  t.is(everything.status, 200);
  t.is(listOf(await nbi.call(`${BUILDS}/.*`, { as: as.installation.viewer })).length, 2);
});

test('a user of the installation changes and deletes those of an organization only where he names it', async (t) => {
  const nbi = await startWithBuilds(t);
  const { operator } = nbi.as.installation;
  const { id, category } = nbi.builds.north;
  await upload(nbi, nbi.as.north.operator, 'a.bin', `?build=${id}&type=A`);
  for (const [method, path, json] of [
    ['PUT', `${BUILDS}/${id}`, { changelog: 'x' }],
    ['PUT', `${CATEGORIES}/${category}`, { description: 'x' }],
    ['DELETE', `${BUILDS}/${id}?cascade=true`],
    ['DELETE', `${BUILDS}/.*?id=${id}&dryRun=true`],
    ['DELETE', `${CATEGORIES}/${category}?cascade=true`],
    ['POST', `${BUILDS}/.*`, { category, version: '2' }],
  ] as const)
    t.is((await send(nbi, operator, method, path, json)).status, 404, `${method} ${path}`);
  const all = { description: 'everybody’s', changelog: 'everybody’s' };
  for (const [path, field] of [
    [BUILDS, 'changelog'],
    [CATEGORIES, 'description'],
  ] as const) {
    t.is((await send(nbi, operator, 'PUT', `${path}/.*?all=true`, { [field]: all[field] })).status, 200);
    const shown = listOf(await nbi.call(`${path}/.*`, { as: operator }));
    t.deepEqual(shown.map((each) => [each['organization'] ?? 'shared', each[field]]).sort(), [
      ['north', ''],
      ['shared', all[field]],
      ['south', ''],
    ]);
  }
  t.is((await send(nbi, operator, 'DELETE', `${CATEGORIES}/.*?all=true&cascade=true`)).status, 200);
  t.is(listOf(await nbi.call(`${BUILDS}/.*`, { as: operator })).length, 2);
  t.is((await nbi.call('/v1/images/a.bin', { as: nbi.as.north.operator })).status, 200);
  const named = `${BUILDS}/${id}?cascade=true&organization=north`;
  t.is((await send(nbi, operator, 'DELETE', named)).status, 200);
  t.is((await nbi.call('/v1/images/a.bin', { as: nbi.as.north.operator })).status, 404);
});

test('images come into a build at the upload or later, are listed by build and type, and a place is had by one', async (t) => {
  const nbi = await startWithBuilds(t);
  const { as, builds } = nbi;
  const { operator, viewer } = as.north;
  const { id } = builds.north;
  t.is((await upload(nbi, operator, 'a.bin', `?build=${id}&type=A&softwareVersion=1.0-r1`)).status, 201);
  const taken = await upload(nbi, operator, 'b.bin', `?build=${id}&type=A`);
  t.is(taken.status, 409);
  t.is(codeOf(taken), 'type-taken');
  t.is((await upload(nbi, operator, 'b.bin')).status, 201);
  t.is((await send(nbi, operator, 'PATCH', '/v1/images/b.bin', { build: id, type: 'B' })).status, 200);
  // The same again is the same; said otherwise it is another's word.
  t.is((await upload(nbi, operator, 'b.bin')).status, 200);
  t.is((await upload(nbi, operator, 'b.bin', `?build=${id}&type=C`)).status, 409);
  const names = async (query: string) =>
    listOf(await nbi.call(`/v1/images${query}`, { as: viewer })).map(({ name }) => name);
  t.deepEqual(await names(`?build=${id}`), ['a.bin', 'b.bin']);
  t.deepEqual(await names(`?build=${id}&after=a.bin`), ['b.bin']);
  t.deepEqual(await names(`?build=${id}&type=B`), ['b.bin']);
  t.deepEqual(await names('?type=A'), ['a.bin']);
  const [build = {}] = listOf(await nbi.call(`${BUILDS}/${id}`, { as: viewer }));
  t.deepEqual(build['images'], [
    { type: 'A', name: 'a.bin' },
    { type: 'B', name: 'b.bin' },
  ]);
  t.is(build['targetVersion'], 'HGW 1');
  const { number } = detailsOf(await nbi.call('/v1/images/a.bin', { as: viewer })) as {
    readonly number: number;
  };
  t.is((await nbi.images.withNumber(number))?.name, 'a.bin');
  await send(nbi, operator, 'PATCH', '/v1/images/b.bin', { build: null });
  t.deepEqual(await names(`?build=${id}`), ['a.bin']);
  // A shared image is the installation's to move.
  await upload(nbi, as.installation.operator, 's.bin');
  const moved = await send(nbi, operator, 'PATCH', '/v1/images/s.bin', { build: id, type: 'S' });
  t.is(moved.status, 403);
  t.is(codeOf(moved), 'shared');
});

test('a category goes with its builds and their images only where that is said, and no image that an enabled rule names', async (t) => {
  const nbi = await startWithBuilds(t);
  const { operator } = nbi.as.north;
  const { id, category } = nbi.builds.north;
  await upload(nbi, operator, 'a.bin', `?build=${id}&type=A`);
  await upload(nbi, operator, 'b.bin', `?build=${id}&type=B`);
  t.is(codeOf(await send(nbi, operator, 'DELETE', `${CATEGORIES}/${category}`)), 'has-builds');
  t.is(codeOf(await send(nbi, operator, 'DELETE', `${BUILDS}/${id}`)), 'has-images');
  const organization = nbi.north.id;
  await nbi.rules.put([ruleBody('R', { file: 'b.bin', enabled: true })], {
    by: BY,
    onlyNew: true,
    organization,
  });
  for (const path of [`${CATEGORIES}/${category}`, `${BUILDS}/${id}`]) {
    const refused = await send(nbi, operator, 'DELETE', `${path}?cascade=true`);
    t.is(refused.status, 409);
    t.like(listOf(refused)[0], { code: 'in-use', ids: ['R'] });
  }
  t.is((await nbi.call('/v1/images/a.bin', { as: operator })).status, 200);
  await send(nbi, operator, 'PUT', '/v1/dyn/FirmwareStorage/R', { enabled: false });
  t.is((await send(nbi, operator, 'DELETE', `${CATEGORIES}/${category}?cascade=true`)).status, 200);
  for (const name of ['a.bin', 'b.bin'])
    t.is((await nbi.call(`/v1/images/${name}`, { as: operator })).status, 404);
  t.deepEqual(
    listOf(await nbi.call(`${BUILDS}/.*`, { as: operator })).map((each) => each['shared']),
    [true],
  );
});

test('a category goes with all its builds and images after one look at the rules', async (t) => {
  const nbi = await startWithBuilds(t);
  const { operator } = nbi.as.north;
  const { id, category } = nbi.builds.north;
  const [second = {}] = listOf(await send(nbi, operator, 'POST', `${BUILDS}/.*`, { category, version: '2' }));
  await upload(nbi, operator, 'a.bin', `?build=${id}&type=A`);
  await upload(nbi, operator, 'b.bin', `?build=${second['id']}&type=A`);
  const scan = nbi.rules.scan.bind(nbi.rules);
  let looks = 0;
  nbi.rules.scan = (...asked) => {
    looks++;
    return scan(...asked);
  };
  t.is((await send(nbi, operator, 'DELETE', `${CATEGORIES}/${category}?cascade=true`)).status, 200);
  t.is(looks, 1);
  for (const name of ['a.bin', 'b.bin'])
    t.is((await nbi.call(`/v1/images/${name}`, { as: operator })).status, 404);
});

test('an organization with a category is not deleted', async (t) => {
  const nbi = await startWithBuilds(t);
  const { as, north } = nbi;
  await t.throwsAsync(nbi.remove(north), { code: 'has-builds' });
  const all = `${CATEGORIES}/.*?organization=north&all=true&cascade=true`;
  t.is((await send(nbi, as.installation.operator, 'DELETE', all)).status, 200);
  await t.notThrowsAsync(nbi.remove(north));
  // What is the installation's, and the other's, stays.
  t.is(listOf(await nbi.call(`${BUILDS}/.*`, { as: as.installation.viewer })).length, 2);
});
