import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { BY } from '../support/actor.js';
import type { Reply, RequestOptions } from './support.js';
import { ruleBody } from './support.js';
import { startWithTwo, type TwoOrganizations } from './two-organizations.js';

const CONTENT = randomBytes(1_000);
const LIST = '/v1/images';

function put(nbi: TwoOrganizations, as: string, name: string, body: Uint8Array = CONTENT): Promise<Reply> {
  const headers = { 'Content-Type': 'application/octet-stream' };
  return nbi.call(`${LIST}/${name}`, { method: 'PUT', body, headers, as });
}

const get = (nbi: TwoOrganizations, as: string, path: string, options: RequestOptions = {}) =>
  nbi.call(`${LIST}${path}`, { ...options, as });

const remove = (nbi: TwoOrganizations, as: string, path: string) => get(nbi, as, path, { method: 'DELETE' });

const detailsOf = ({ body }: Reply) => (body as { readonly details: unknown }).details;

async function namesSeen(nbi: TwoOrganizations, as: string, query = ''): Promise<readonly string[]> {
  const seen: string[] = [];
  let next: string | undefined = `${LIST}?limit=1${query}`;
  while (next !== undefined) {
    const reply: Reply = await nbi.call(next, { as });
    for (const { name, shared, organization } of detailsOf(reply) as Record<string, unknown>[])
      seen.push(
        [
          name,
          ...(shared === true ? ['shared'] : []),
          ...(organization === undefined ? [] : [organization]),
        ].join(' '),
      );
    next = /<(.*)>; rel="next"/.exec(reply.headers.get('Link') ?? '')?.[1];
  }
  return seen;
}

/** All of an answer that its client sees, but for when it was and what it is called. */
function told({ status, headers, body }: Reply): unknown {
  const others = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id');
  return { status, headers: others, body: Buffer.isBuffer(body) ? body.toString('hex') : body };
}

/** North and south have `a.bin` and something more each, the installation `a.bin` and `s.bin`. */
async function startWithImages(t: ExecutionContext) {
  const nbi = await startWithTwo(t);
  const { north, south, installation } = nbi.as;
  const contents = { north: randomBytes(10), south: randomBytes(11), shared: randomBytes(12) };
  const uploads: readonly (readonly [as: string, name: string, content: Buffer])[] = [
    [installation.operator, 'a.bin', contents.shared],
    [installation.operator, 's.bin', CONTENT],
    [north.operator, 'a.bin', contents.north],
    [north.operator, 'n.bin', CONTENT],
    [south.operator, 'a.bin', contents.south],
    [south.operator, 'm.bin', CONTENT],
  ];
  for (const [as, name, content] of uploads)
    t.is((await put(nbi, as, name, content)).status, 201, `${as} ${name}`);
  return { ...nbi, contents };
}

test('users of an organization see its images and the shared ones, in pages of one too; those of the installation everybody’s', async (t) => {
  const nbi = await startWithImages(t);
  const { as } = nbi;
  t.deepEqual(await namesSeen(nbi, as.north.viewer), ['a.bin', 'n.bin', 's.bin shared']);
  t.deepEqual(await namesSeen(nbi, as.south.viewer), ['a.bin', 'm.bin', 's.bin shared']);
  const all = await namesSeen(nbi, as.installation.viewer);
  t.deepEqual(all.slice(0, 2), ['a.bin', 's.bin']);
  t.deepEqual([...all].sort(), [
    'a.bin',
    'a.bin north',
    'a.bin south',
    'm.bin south',
    'n.bin north',
    's.bin',
  ]);
  t.deepEqual(await namesSeen(nbi, as.installation.viewer, '&organization=north'), [
    'a.bin north',
    'n.bin north',
    's.bin shared',
  ]);
  for (const after of [`/${nbi.north.id}/a.bin`, `/${nbi.south.id}/a.bin`])
    t.is((await get(nbi, as.north.viewer, `?after=${encodeURIComponent(after)}`)).status, 400);
});

test('a name is an organization’s own image, else the shared one: described, and as content', async (t) => {
  const nbi = await startWithImages(t);
  const { as, contents } = nbi;
  const contentFor = async (user: string, path: string) => (await get(nbi, user, path)).body;
  t.deepEqual(await contentFor(as.north.viewer, '/a.bin/content'), contents.north);
  t.deepEqual(await contentFor(as.south.viewer, '/a.bin/content'), contents.south);
  t.deepEqual(await contentFor(as.installation.viewer, '/a.bin/content'), contents.shared);
  t.deepEqual(await contentFor(as.installation.viewer, '/a.bin/content?organization=south'), contents.south);
  t.deepEqual(await contentFor(as.north.viewer, '/s.bin/content'), CONTENT);
  const own = detailsOf(await get(nbi, as.north.viewer, '/a.bin')) as Record<string, unknown>;
  t.is(own['uploadedBy'], 'operator@north');
  t.false('organization' in own || 'shared' in own);
  // Who uploads for the installation is nothing that an organization is told.
  const shared = detailsOf(await get(nbi, as.north.viewer, '/s.bin')) as Record<string, unknown>;
  t.true(shared['shared']);
  t.false('uploadedBy' in shared);
  t.like(detailsOf(await get(nbi, as.installation.viewer, '/a.bin?organization=north')), {
    organization: 'north',
    sizeBytes: contents.north.length,
  });
  const plain = detailsOf(await get(nbi, as.installation.viewer, '/s.bin')) as Record<string, unknown>;
  t.is(plain['uploadedBy'], 'operator.all');
  t.false('organization' in plain || 'shared' in plain);
});

test('another organization’s image is answered as none, byte for byte, whatever is asked of it', async (t) => {
  const nbi = await startWithImages(t);
  const { as } = nbi;
  const rules = [ruleBody('R', { file: 'm.bin', enabled: true })];
  await nbi.rules.put(rules, { by: BY, onlyNew: true, organization: nbi.south.id });
  for (const [method, tail] of [
    ['GET', ''],
    ['HEAD', ''],
    ['GET', '/content'],
    ['DELETE', ''],
    ['DELETE', '?force=true'],
  ] as const) {
    const [foreign, unknown] = await Promise.all(
      ['m.bin', 'x.bin'].map((name) => get(nbi, as.north.admin, `/${name}${tail}`, { method })),
    );
    t.is(foreign?.status, 404, method);
    t.deepEqual(told(foreign as Reply), told(unknown as Reply), `${method} ${tail}`);
  }
  const named = await get(nbi, as.north.admin, '/m.bin?organization=south');
  t.is(named.status, 404);
  t.is((await get(nbi, as.south.viewer, '/m.bin')).status, 200);
});

test('an upload is told of nothing that another has: neither the same name nor the same content', async (t) => {
  const nbi = await startWithImages(t);
  const { as } = nbi;
  // South has this name, and its content under another.
  const created = await put(nbi, as.north.operator, 'm.bin');
  t.is(created.status, 201);
  t.like(detailsOf(created), { sameContentAs: ['n.bin', 's.bin'] });
  t.is((await put(nbi, as.north.operator, 'm.bin')).status, 200);
  t.is((await put(nbi, as.north.operator, 'm.bin', randomBytes(5))).status, 409);
  t.like(detailsOf(await put(nbi, as.installation.operator, 'm.bin')), { sameContentAs: ['s.bin'] });
  const named = await put(nbi, as.installation.operator, 'o.bin?organization=south');
  t.like(detailsOf(named), { organization: 'south', sameContentAs: ['m.bin', 's.bin'] });
  t.is((await get(nbi, as.north.viewer, '/o.bin')).status, 404);
  t.is((await put(nbi, as.north.viewer, 'v.bin')).status, 403);
  const tooLong = await put(nbi, as.north.operator, 'n'.repeat(91));
  t.is(tooLong.status, 400);
  t.like(detailsOf(tooLong), [{ field: 'name', code: 'invalid-metadata' }]);
  t.is((await put(nbi, as.installation.operator, 'n'.repeat(128))).status, 201);
});

test('an organization deletes its own images only; what is shared it is told to be so', async (t) => {
  const nbi = await startWithImages(t);
  const { as } = nbi;
  t.is((await remove(nbi, as.north.operator, '/a.bin')).status, 200);
  // What is left of that name is the installation's.
  const refused = await remove(nbi, as.north.operator, '/a.bin?force=true');
  t.is(refused.status, 403);
  t.like(detailsOf(refused), [{ field: 'name', code: 'shared' }]);
  t.is((await remove(nbi, as.installation.operator, '/s.bin?organization=north')).status, 403);
  t.is((await get(nbi, as.south.viewer, '/a.bin')).status, 200);
  t.is((await remove(nbi, as.installation.operator, '/a.bin')).status, 200);
  t.is((await get(nbi, as.north.viewer, '/a.bin')).status, 404);
  t.is((await remove(nbi, as.installation.operator, '/a.bin?organization=south')).status, 200);
  t.is((await get(nbi, as.south.viewer, '/a.bin')).status, 404);
});

test('an image is in use by rules that mean it: an organization’s by its own, a shared one by those of whoever has none of that name', async (t) => {
  const nbi = await startWithImages(t);
  const { as, north, south } = nbi;
  const rule = (id: string, file: string, organization?: string) =>
    nbi.rules.put([ruleBody(id, { file, enabled: true })], {
      by: BY,
      onlyNew: true,
      ...(organization !== undefined && { organization }),
    });
  await rule('SHARED', 'n.bin');
  await rule('S1', 'n.bin', south.id);
  // The rules of others that name n.bin mean none, or another, and are nobody else's concern.
  t.is((await remove(nbi, as.north.operator, '/n.bin')).status, 200);
  await put(nbi, as.north.operator, 'n.bin');
  await rule('N1', 'n.bin', north.id);
  const inUse = await remove(nbi, as.north.operator, '/n.bin');
  t.is(inUse.status, 409);
  const expected = 'an image that no enabled rule names: disable these rules, or add force=true';
  t.deepEqual(detailsOf(inUse), [{ field: 'name', code: 'in-use', expected, ids: ['N1'] }]);
  await put(nbi, as.installation.operator, 'n.bin');
  const shared = await remove(nbi, as.installation.operator, '/n.bin');
  t.is(shared.status, 409);
  const found = detailsOf(shared) as { readonly expected: string; readonly ids: readonly string[] }[];
  t.deepEqual(found.map(({ ids }) => ids.join()).sort(), ['S1', 'SHARED']);
  t.regex(found.find(({ ids }) => ids.includes('S1'))?.expected ?? '', /rule of south names/);
  t.is((await remove(nbi, as.installation.operator, '/n.bin?force=true')).status, 200);
  t.is((await remove(nbi, as.north.operator, '/n.bin?force=true')).status, 200);
});

test('what is done to an organization’s image is an event of the organization, by its name', async (t) => {
  const nbi = await startWithImages(t);
  const { as, north, south } = nbi;
  await remove(nbi, as.north.operator, '/n.bin');
  const events: unknown[] = [];
  for await (const { action, subjectId, organization, by } of nbi.events.scan({
    subject: 'image',
    order: 'ascending',
  }))
    events.push([action, subjectId, organization, by?.name]);
  t.deepEqual(events, [
    ['added', 'a.bin', undefined, 'operator.all'],
    ['added', 's.bin', undefined, 'operator.all'],
    ['added', 'a.bin', north.id, 'operator@north'],
    ['added', 'n.bin', north.id, 'operator@north'],
    ['added', 'a.bin', south.id, 'operator@south'],
    ['added', 'm.bin', south.id, 'operator@south'],
    ['removed', 'n.bin', north.id, 'operator@north'],
  ]);
});
