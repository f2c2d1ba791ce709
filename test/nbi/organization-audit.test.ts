import test from 'ava';
import { type EventDocument, EventLog } from '../../events/index.js';
import { ROLES } from '../../nbi/users/user.js';
import { type Entry, entriesOf, filled, logIn, PASSWORD } from './filled-organizations.js';
import { startWithTwo, type TwoOrganizations } from './two-organizations.js';

test('of an organization its users see it alone, and its admins give it another name and nothing else', async (t) => {
  const { dyn, as, north } = await filled(t);
  for (const role of ROLES) {
    t.like(entriesOf(await dyn('OrganizationStorage/.*', as.north[role])), [{ id: north.id, slug: 'north' }]);
    t.is(entriesOf(await dyn('OrganizationStorage/.*', as.north[role])).length, 1);
  }
  const put = (json: Entry, as_ = as.north.admin) =>
    dyn('OrganizationStorage/.*?all=true', as_, { method: 'PUT', json });
  t.is((await put({ name: 'North Ltd' })).status, 200);
  t.is((await put({ name: 'x' }, as.north.operator)).status, 403);
  const refused = await put({ name: 'x', slug: 'south', active: false, order: 1, rules: [] });
  t.is(refused.status, 403);
  t.deepEqual(
    entriesOf(refused).map(({ field, code }) => `${field} ${code}`),
    ['slug', 'active', 'order', 'rules'].map((field) => `${field} installation-only`),
  );
  // A slug that is taken is refused as one that is free.
  t.deepEqual((await put({ slug: 'south' })).body, (await put({ slug: 'free' })).body);
  t.is((await put({ color: 'blue' })).status, 400);
  const all = entriesOf(await dyn('OrganizationStorage/.*', as.installation.admin));
  t.deepEqual(
    all.map(({ slug, name }) => `${slug} ${name}`),
    ['default default', 'north North Ltd', 'south south'],
  );
});

async function eventsOf(
  { store }: TwoOrganizations,
  organization: string,
): Promise<readonly EventDocument[]> {
  const found: EventDocument[] = [];
  for await (const event of new EventLog({ store, clock: Date.now }).scan({
    organization,
    order: 'ascending',
  }))
    found.push(event);
  return found;
}

test('each entry of users, tokens, sessionIds, log-ins and the organization is shown to the admins of whom it is about, and to nobody else’s', async (t) => {
  const nbi = await filled(t);
  const { dyn, as, north, south, call: ask, url } = nbi;
  const json = { name: 'ann@north', password: PASSWORD, role: 'viewer' };
  await dyn('UserStorage/.*', as.installation.admin, {
    method: 'POST',
    json: { ...json, organization: 'north' },
  });
  await dyn('UserStorage/ann@north', as.north.admin, { method: 'PUT', json: { role: 'operator' } });
  await dyn('TokenStorage/.*', as.north.admin, { method: 'POST', json: { name: 'job', user: 'ann@north' } });
  await ask('/v1/method/ChangePassword', {
    method: 'POST',
    as: `ann@north:${PASSWORD}`,
    json: { oldPassword: PASSWORD, newPassword: 'another password' },
  });
  const { session } = await logIn(url, 'ann@north:another password');
  await ask(`/v1/sessions/${session}`, { method: 'DELETE', as: as.installation.admin });
  await ask('/v1/images', { as: 'ann@north:wrong' });
  await ask('/v1/images', { as: 'nobody@north:wrong' });
  await ask('/v1/dyn/UserStorage/.*', { as: as.north.viewer });
  await ask('/v1/images', { as: 'nobody@south:wrong' });
  await dyn('UserStorage/ann@north', as.north.admin, { method: 'DELETE' });
  await dyn('OrganizationStorage/.*?all=true', as.north.admin, { method: 'PUT', json: { name: 'North' } });
  const told = async () =>
    (await eventsOf(nbi, north.id)).map(
      ({ subject, action, subjectId }) => `${action} ${subject} ${subjectId}`,
    );
  const deadlineMs = performance.now() + 60_000;
  while ((await told()).filter((each) => each.startsWith('refused')).length < 3) {
    if (performance.now() > deadlineMs) throw new Error(`They are not told: ${await told()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const events = await told();
  for (const expected of [
    'added user ann@north',
    'changed user ann@north',
    'removed user ann@north',
    'refused log-in ann@north',
    'refused log-in viewer@north',
    `begun session ${session}`,
    `revoked session ${session}`,
    `changed organization ${north.id}`,
    `added organization ${north.id}`,
    'taken log-in ann@north',
  ])
    t.true(events.includes(expected), `${expected} of ${events}`);
  t.is(events.filter((each) => /^(added|revoked) token/.test(each)).length, 3);
  t.is(events.filter((each) => /^refused log-in #/.test(each)).length, 1);
  t.notRegex(JSON.stringify(events), /south|nobody/);
  t.regex(JSON.stringify(await eventsOf(nbi, south.id)), /"refused".*"unknown-user"/);

  // And that is what AuditStorage shows, in every form.
  const shown = entriesOf(await dyn('AuditStorage/.*', as.north.admin));
  t.is(shown.length, events.length);
  t.true(shown.every(({ organization }) => organization === north.id));
  t.deepEqual(
    shown.map(({ id }) => id),
    (await eventsOf(nbi, north.id)).map(({ id }) => id).reverse(),
  );
  const named = entriesOf(await dyn('AuditStorage/.*?organization=north', as.installation.admin));
  t.deepEqual(named, shown);
  for (const format of ['csv', 'ndjson']) {
    const text = String((await dyn(`AuditStorage/.*?format=${format}`, as.north.admin)).body);
    t.regex(text, /ann@north/);
    t.notRegex(text, new RegExp(`south|viewer\\.all|${south.id}`));
  }
  for (const role of ['viewer', 'operator'] as const)
    t.is((await dyn('AuditStorage/.*', as.north[role])).status, 403);
  t.is((await dyn('AuditStorage/.*?subjectId=viewer@south', as.north.admin)).status, 404);
});

test('nobody is told of fewer log-ins of his organization, or how many, for those of others', async (t) => {
  const nbi = await startWithTwo(t, { monotonic: () => 0 });
  const refuse = (name: string, count: number) => {
    for (let at = 0; at < count; at++)
      nbi.users.logIns.refuse({ reason: 'throttled', name, how: 'password', address: `10.0.0.${at}` });
  };
  refuse('nobody@south', 40);
  refuse('admin.all', 40);
  refuse('nobody@north', 3);
  const deadlineMs = performance.now() + 60_000;
  const ofNorth = () => eventsOf(nbi, nbi.north.id);
  const refusals = async () => (await ofNorth()).filter(({ subject }) => subject === 'log-in');
  while ((await refusals()).length < 3) {
    if (performance.now() > deadlineMs) throw new Error('They are not told');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.true((await refusals()).every(({ after }) => after?.['omitted'] === undefined));
});
