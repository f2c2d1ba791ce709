import test from 'ava';
import { USER_SESSIONS } from '../../nbi/sessions/index.js';
import { TOKENS } from '../../nbi/users/token.js';
import { USERS } from '../../nbi/users/user.js';
import {
  detailsOf,
  type Entry,
  entriesOf,
  filled,
  logIn,
  PASSWORD,
  type Things,
} from './filled-organizations.js';
import type { Reply } from './support.js';
import type { TwoOrganizations } from './two-organizations.js';

/** Of what differs from request to request anyway. */
function seen({ status, headers, body }: Reply, named: string): string {
  const kept = [...headers].filter(([name]) => !['date', 'x-request-id', 'content-length'].includes(name));
  return JSON.stringify([status, kept, body]).replaceAll(named, 'NAMED');
}

/** Users, tokens and sessions that are not north's. */
async function others({ store, north }: TwoOrganizations): Promise<string> {
  const found: unknown[] = [];
  for (const definition of [USERS, TOKENS, USER_SESSIONS]) {
    const collection = store.collection<{ readonly id: string; readonly organization?: string }>(definition);
    for await (const { document, revision } of collection.scan({}))
      if (document.organization !== north.id) found.push([document, revision]);
  }
  return JSON.stringify(found);
}

test('admins of an organization are shown its users, tokens and sessions and no others; those of the installation all, with whose they are', async (t) => {
  const { call: ask, dyn, as, tokens, sessionIds } = await filled(t);
  const lists: readonly (readonly [string, Things | null])[] = [
    ['/v1/dyn/UserStorage/.*', null],
    ['/v1/dyn/AuthStorage/.*', null],
    ['/v1/dyn/TokenStorage/.*', tokens],
    ['/v1/sessions', sessionIds],
  ];
  for (const [path, things] of lists) {
    const listed = async (credentials: string, query = '') =>
      entriesOf(await ask(`${path}${query}`, { as: credentials }));
    const own = await listed(as.north.admin);
    t.deepEqual(
      own.map(({ id }) => id),
      things === null ? ['admin@north', 'operator@north', 'viewer@north'] : [things.north],
      path,
    );
    t.true(own.every((each) => !('organization' in each)));
    const shown = await listed(as.installation.admin, '?organization=north');
    t.deepEqual(
      shown,
      own.map((each) => ({ ...each, organization: 'north' })),
    );
    const all = await listed(as.installation.admin);
    const owners = new Set(all.map(({ organization }) => String(organization)));
    t.deepEqual([...owners].sort(), ['north', 'south', 'undefined'], path);
    // By pages as whole.
    const paged: unknown[] = [];
    let after = '';
    for (;;) {
      const page = await ask(`${path}?limit=1${after}`, { as: as.north.admin });
      paged.push(...entriesOf(page));
      const next = page.headers.get('X-Next-After');
      if (next === null) break;
      after = `&after=${next}`;
    }
    t.deepEqual(paged, own);
  }
  t.is((await dyn('TokenStorage/.*?user=viewer@south', as.north.admin)).status, 404);
  t.is(entriesOf(await dyn('TokenStorage/.*?user=viewer@north', as.north.admin)).length, 1);
});

test('what belongs to others is as unknown as what there is not, in every call of an admin of an organization', async (t) => {
  const nbi = await filled(t);
  const { dyn, as, tokens, sessionIds, south } = nbi;
  const before = await others(nbi);
  const foreign = async (subject: string) => {
    for await (const { id } of nbi.events.scan({ subject: subject as 'user', organization: south.id }))
      return id;
    throw new Error(`There is no event of a ${subject}`);
  };
  const audited = await foreign('token');
  const change = { PUT: { role: 'viewer', active: false, password: 'another password' } };
  const calls: readonly (readonly [string, readonly string[], string, (id: string) => Promise<Reply>])[] = [
    ...(['UserStorage', 'AuthStorage'] as const).flatMap((name) => [
      ...(['GET', 'DELETE', 'PUT'] as const).map(
        (method) =>
          [
            `${method} ${name}`,
            ['admin@south', 'viewer@south', 'admin.all', 'api'],
            'nobody@south',
            (id: string) =>
              dyn(`${name}/${id}`, as.north.admin, {
                method,
                ...(method === 'PUT' && { json: change.PUT }),
              }),
          ] as const,
      ),
      [
        `POST ${name}`,
        ['admin@south', 'admin.all', 'api'],
        'nobody',
        (id: string) =>
          dyn(`${name}/.*`, as.north.admin, { method: 'POST', json: { name: id, password: PASSWORD } }),
      ] as const,
      [
        `POST ${name} without a password`,
        ['admin@south', 'admin.all', 'api'],
        'nobody',
        (id: string) =>
          dyn(`${name}/.*`, as.north.admin, { method: 'POST', json: { name: id, role: 'viewer' } }),
      ] as const,
    ]),
    ...(['GET', 'DELETE'] as const).map(
      (method) =>
        [
          `${method} TokenStorage`,
          [tokens.south, tokens.installation],
          '00112233445566778899',
          (id: string) => dyn(`TokenStorage/${id}`, as.north.admin, { method }),
        ] as const,
    ),
    [
      'POST TokenStorage',
      ['admin@south', 'admin.all'],
      'nobody',
      (user) => dyn('TokenStorage/.*', as.north.admin, { method: 'POST', json: { name: 'job', user } }),
    ],
    [
      'GET TokenStorage by user',
      ['admin@south', 'viewer.all'],
      'nobody',
      (user) => dyn(`TokenStorage/.*?user=${user}`, as.north.admin),
    ],
    [
      'DELETE sessions',
      [sessionIds.south, sessionIds.installation],
      '0'.repeat(32),
      (id) => nbi.call(`/v1/sessions/${id}`, { method: 'DELETE', as: as.north.admin }),
    ],
    [
      'GET sessions of a user',
      ['viewer@south', 'viewer.all'],
      'nobody',
      (user) => nbi.call(`/v1/sessions?user=${user}`, { as: as.north.admin }),
    ],
    [
      'GET AuditStorage',
      [audited],
      `${audited.slice(0, -1)}x`,
      (id) => dyn(`AuditStorage/${id}`, as.north.admin),
    ],
    ...(['GET', 'PUT'] as const).map(
      (method) =>
        [
          `${method} OrganizationStorage`,
          [south.id],
          '0b8f7a52-3a3b-4f6e-9a51-6a4f7d3c2b10',
          (id: string) =>
            dyn(`OrganizationStorage/${id}`, as.north.admin, {
              method,
              ...(method === 'PUT' && { json: { name: 'Mine' } }),
            }),
        ] as const,
    ),
    [
      'an organization that is named',
      ['south', south.id],
      'nowhere',
      (slug) => dyn(`UserStorage/.*?organization=${slug}`, as.north.admin),
    ],
  ];
  for (const [what, ids, unknown, ask] of calls) {
    const expected = seen(await ask(unknown), unknown);
    // A list of sessions is empty where there are none.
    t.is(/^\[2/.test(expected), what === 'GET sessions of a user', `${what}: ${expected}`);
    for (const id of ids) t.is(seen(await ask(id), id), expected, `${what} ${id}`);
  }
  // Nor does a whole storage mean more than one's own.
  for (const [name, method, json] of [
    ['TokenStorage', 'DELETE', undefined],
    ['UserStorage', 'PUT', { active: true }],
  ] as const)
    t.is((await dyn(`${name}/.*?all=true`, as.north.admin, { method, json })).status, 200);
  t.is(await others(nbi), before);
});

test('an admin of an organization adds, changes and removes its users, makes and revokes their tokens, and ends their sessions', async (t) => {
  const { call: ask, url, dyn, as, tokens, sessionIds, north } = await filled(t);
  const post = (json: Entry, credentials = as.north.admin) =>
    dyn('UserStorage/.*', credentials, { method: 'POST', json });
  t.is((await post({ name: 'ann@north', password: PASSWORD, role: 'admin' })).status, 200);
  // What she makes is within, too.
  t.is((await post({ name: 'bob@north', password: PASSWORD }, `ann@north:${PASSWORD}`)).status, 200);
  t.is((await post({ name: 'bob@north', role: 'viewer' })).status, 200);
  t.like(entriesOf(await dyn('UserStorage/bob@north', as.installation.admin)), [
    { role: 'viewer', organization: 'north' },
  ]);
  const made = detailsOf(
    await dyn('TokenStorage/.*', as.north.admin, { method: 'POST', json: { name: 'x', user: 'ann@north' } }),
  );
  const byToken = { Authorization: `Bearer ${made['token']}` };
  const listed = await ask('/v1/dyn/UserStorage/.*', { as: null, headers: byToken });
  t.deepEqual(
    entriesOf(listed).map(({ id }) => id),
    ['admin@north', 'ann@north', 'bob@north', 'operator@north', 'viewer@north'],
  );
  // A token of a user of the organization is limited to it.
  t.is((await ask('/v1/dyn/UserStorage/.*?organization=south', { as: null, headers: byToken })).status, 404);
  t.is((await ask('/metrics', { as: null, headers: byToken })).status, 403);
  const changed = await ask('/v1/method/ChangePassword', {
    method: 'POST',
    as: `bob@north:${PASSWORD}`,
    json: { oldPassword: PASSWORD, newPassword: 'another password' },
  });
  t.is(changed.status, 200);
  const bob = await logIn(url, 'bob@north:another password');
  t.deepEqual(bob.organization, { id: north.id, slug: 'north', name: 'north' });
  const own = await ask('/v1/session', { as: null, headers: bob.headers });
  t.deepEqual(detailsOf(own)['organization'], bob.organization);
  t.is((await ask(`/v1/sessions/${bob.session}`, { method: 'DELETE', as: as.north.admin })).status, 200);
  t.is((await ask('/v1/session', { as: null, headers: bob.headers })).status, 401);
  t.is((await ask(`/v1/sessions/${sessionIds.north}`, { method: 'DELETE', as: as.north.admin })).status, 200);
  t.is((await dyn(`TokenStorage/${tokens.north}`, as.north.admin, { method: 'DELETE' })).status, 200);
  t.is((await dyn('UserStorage/(ann|bob)@north', as.north.admin, { method: 'DELETE' })).status, 200);
  t.is((await ask('/v1/images', { as: null, headers: byToken })).status, 401);
  // Nobody of the installation has an organization to be told of.
  t.is((await logIn(url, as.installation.viewer)).organization, undefined);
});

test('a name that ends in @ and the slug of an organization is for its users, and its admins make no others', async (t) => {
  const { dyn, as, organizations, north, south } = await filled(t);
  const post = async (credentials: string, json: Entry, query = '') => {
    const answer = await dyn(`UserStorage/.*${query}`, credentials, {
      method: 'POST',
      json: { password: PASSWORD, ...json },
    });
    const [problem] = answer.status === 200 ? [] : entriesOf(answer);
    return [answer.status, problem?.['expected'] ?? ''] as const;
  };
  const must = [400, 'must end in @north, as in ann@north'] as const;
  for (const name of ['ann', 'ann@south', 'ann@nowhere', 'ann@North', 'ann@north.', 'north', 'admin.all'])
    t.deepEqual(await post(as.north.admin, { name }), must, name);
  t.deepEqual(await post(as.installation.admin, { name: 'ann' }, '?organization=north'), must);
  t.deepEqual(await post(as.north.admin, { name: 'ann@north', organization: 'north' }), [
    400,
    'only name, role, active, password and scCloud',
  ]);
  t.is((await post(as.north.admin, { name: '@north' }))[0], 200);
  t.is((await post(as.north.admin, { name: 'ann@south@north' }))[0], 200);
  t.is((await post(as.installation.admin, { name: 'ann@north' }, '?organization=north'))[0], 200);

  // The installation gives users of an organization any free name that is not another's.
  const all = (json: Entry) => post(as.installation.admin, json);
  t.is((await all({ name: 'carl', organization: 'north' }))[0], 200);
  t.is((await all({ name: 'dora@elsewhere', organization: north.id }))[0], 200);
  t.is((await all({ name: 'emil@north', organization: 'north' }))[0], 200);
  t.regex(String((await all({ name: 'x@north' }))[1]), /Names that end in @north are for users of/);
  t.regex(String((await all({ name: 'x@north', organization: 'south' }))[1]), /Names that end in @north/);
  t.deepEqual(await all({ name: 'x', organization: 'nowhere' }), [
    400,
    'the slug or id of an organization that there is',
  ]);
  // Whose a user is stays.
  t.is((await all({ name: 'carl', role: 'viewer' }))[0], 200);
  t.is((await all({ name: 'carl', organization: 'north', role: 'admin' }))[0], 200);
  t.regex(String((await all({ name: 'carl', organization: 'south' }))[1]), /whose user carl is stays/);
  const put = { method: 'PUT', json: { organization: 'south' } };
  t.is((await dyn('UserStorage/carl', as.installation.admin, put)).status, 400);
  // Her own users an admin changes, whatever they are called.
  t.is((await post(as.north.admin, { name: 'carl', role: 'viewer' }))[0], 200);

  // Nor does an organization come to have the ending of others' names.
  const organization = (json: Entry, method = 'POST', pattern = '.*') =>
    dyn(`OrganizationStorage/${pattern}`, as.installation.admin, { method, json });
  const taken = await organization({ name: 'x', slug: 'elsewhere' });
  t.is(taken.status, 409);
  t.like(entriesOf(taken), [{ code: 'slug-in-names', field: 'slug' }]);
  t.is((await organization({ slug: 'elsewhere' }, 'PUT', south.id)).status, 409);
  t.is((await organization({ slug: 'elsewhere' }, 'PUT', north.id)).status, 200);
  // What was its slug is still what its users' names end in.
  t.is((await organization({ slug: 'north' }, 'PUT', south.id)).status, 409);
  t.is((await post(as.north.admin, { name: 'fay@north' }))[0], 400);
  t.is((await post(as.north.admin, { name: 'fay@elsewhere' }))[0], 200);
  t.is((await organizations.find('elsewhere')).id, north.id);
});

test('the last admin of an organization stays against its own users, and that of the installation against everybody', async (t) => {
  const { dyn, as, call: ask } = await filled(t);
  await dyn('UserStorage/.*', as.installation.admin, {
    method: 'POST',
    json: { name: 'carl', organization: 'north', role: 'admin', password: PASSWORD, active: false },
  });
  const attempts = (name: string) =>
    [
      [`${name}`, 'DELETE', undefined],
      ['.*?all=true', 'DELETE', undefined],
      [`${name}`, 'PUT', { role: 'viewer' }],
      [`${name}`, 'PUT', { active: false }],
      ['.*?all=true', 'PUT', { active: false }],
      ['.*', 'POST', { name, active: false }],
    ] as const;
  for (const [pattern, method, json] of attempts('admin@north')) {
    const answer = await dyn(`UserStorage/${pattern}`, as.north.admin, { method, json });
    t.is(answer.status, 409, `${method} ${pattern}`);
    t.like(entriesOf(answer), [{ code: 'last-admin' }]);
  }
  for (const [pattern, method, json] of attempts('admin.all')) {
    const answer = await dyn(`UserStorage/${pattern}`, as.installation.admin, { method, json });
    t.is(answer.status, 409, `${method} ${pattern}`);
  }
  t.is(entriesOf(await dyn('UserStorage/.*', as.north.admin)).length, 4);
  // The installation may.
  t.is((await dyn('UserStorage/admin@north', as.installation.admin, { method: 'DELETE' })).status, 200);
  t.is((await ask('/v1/images', { as: as.north.admin })).status, 401);
  t.is(entriesOf(await dyn('UserStorage/.*?role=admin', as.installation.admin)).length, 3);
});

test('of two admins of an organization who remove each other at once one stays', async (t) => {
  const { users, as, dyn, north } = await filled(t);
  for (let round = 0; round < 3; round++) {
    for (const name of ['ann@north', 'bob@north'])
      await users.put({ name, role: 'admin', active: true, password: PASSWORD, organization: north.id });
    await users.change(['admin@north'], { role: 'viewer' });
    const statuses = await Promise.all(
      [
        ['ann', 'bob'],
        ['bob', 'ann'],
      ].map(async ([by, whom]) => {
        const options = round % 2 === 0 ? { method: 'DELETE' } : { method: 'PUT', json: { active: false } };
        return (await dyn(`UserStorage/${whom}@north`, `${by}@north:${PASSWORD}`, options)).status;
      }),
    );
    // Who came second was refused as the last, or let in no more.
    t.is(statuses.filter((status) => status === 200).length, 1, String(statuses));
    const left = entriesOf(
      await dyn('UserStorage/.*?role=admin&active=true&organization=north', as.installation.admin),
    );
    t.is(left.length, 1);
  }
});
