import { randomBytes } from 'node:crypto';
import test from 'ava';
import { DEVICES } from '../../acs/device/device.js';
import { createSecrets, type OrganizationId, silentLogger } from '../../common/index.js';
import { byCommand } from '../../events/index.js';
import { openUsers, UserError } from '../../nbi/index.js';
import { USERS } from '../../nbi/users/user.js';
import { OrganizationError } from '../../organizations/index.js';
import { ruleIdIn } from '../../rules/index.js';
import type { Store } from '../../store/index.js';
import { organizationsOn } from '../organizations/setup.js';
import { storeOf } from '../support/store.js';
import { entriesOf, filled, PASSWORD } from './filled-organizations.js';
import { ruleBody } from './support.js';

const BY = byCommand('test');

test('an organization is not deleted while users, CPEs, rules or images belong to it, and is as active as it was', async (t) => {
  const { call, dyn, as, north, organizations, putDeviceOf, rules, store } = await filled(t);
  const remove = () => dyn(`OrganizationStorage/${north.id}`, as.installation.admin, { method: 'DELETE' });
  const refused = async (code: string) => {
    const answer = await remove();
    t.is(answer.status, 409);
    t.like(entriesOf(answer), [{ code, field: 'organization' }]);
    t.true((await organizations.find('north')).active);
  };
  const device = await putDeviceOf(north, { serialNumber: '1' });
  await rules.put([ruleBody('R')], { by: BY, onlyNew: true, organization: north.id });
  await refused('has-cpes');
  await store.collection(DEVICES).delete(device.id);
  await refused('has-rules');
  await rules.remove([ruleIdIn(north.id, 'R')], BY);
  const image = { method: 'PUT', body: 'x', headers: { 'Content-Type': 'application/octet-stream' } };
  t.is((await call('/v1/images/a.bin', { ...image, as: as.north.operator })).status, 201);
  await refused('has-images');
  t.is((await call('/v1/images/a.bin', { method: 'DELETE', as: as.north.operator })).status, 200);
  await refused('has-users');
  t.is((await dyn('UserStorage/.*@north', as.installation.admin, { method: 'DELETE' })).status, 200);
  t.is((await remove()).status, 200);
  t.is((await dyn(`OrganizationStorage/${north.id}`, as.installation.admin)).status, 404);
});

/** The users of a store, of which something is done between what is read for their first commit and that commit. */
function usersOn(store: Store, before: () => Promise<unknown> = async () => {}) {
  let isDone = false;
  const interleaved = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name === 'commit')
        return async (changes: Parameters<Store['commit']>[0]) => {
          if (!isDone) {
            isDone = true;
            await before();
          }
          return target.commit(changes);
        };
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const secrets = createSecrets(randomBytes(32));
  return openUsers({ store: interleaved, secrets, clock: Date.now, logger: silentLogger });
}

const ann = (organization?: OrganizationId) => ({
  name: 'ann@north',
  role: 'viewer' as const,
  password: PASSWORD,
  ...(organization !== undefined && { organization }),
});
const NORTH = { name: 'North', slug: 'north' };

test('who adds a user to an organization that is deleted meanwhile is refused', async (t) => {
  const store = await storeOf(t);
  const organizations = organizationsOn(store, { users: usersOn(store).ofOrganizations });
  const { id } = await organizations.add(NORTH, BY);
  const users = usersOn(store, () => organizations.remove(id, BY));
  const error = await t.throwsAsync(users.add(ann(id)), { instanceOf: OrganizationError });
  t.is(error.code, 'not-found');
  t.is(await store.collection(USERS).count(), 0);
});

test('who deletes an organization to which a user is added meanwhile is refused, and once it is looked at none is added', async (t) => {
  const store = await storeOf(t);
  const users = usersOn(store);
  const looks: string[] = [];
  const { isAnyOf } = users.ofOrganizations;
  const organizations = organizationsOn(store, {
    users: {
      ...users.ofOrganizations,
      async isAnyOf(id) {
        const found = await isAnyOf(id);
        const name = `ann${looks.length}@north`;
        const add = users.add({ ...ann(id), name });
        // The first look finds none, and then there is one; what comes after the second is too late.
        looks.push(
          await add.then(
            () => 'added',
            (error: unknown) => (error instanceof OrganizationError ? error.code : String(error)),
          ),
        );
        return found;
      },
    },
  });
  const { id } = await organizations.add(NORTH, BY);
  const error = await t.throwsAsync(organizations.remove(id, BY), { instanceOf: OrganizationError });
  t.is(error.code, 'has-users');
  t.deepEqual(looks, ['added', 'not-active']);
  t.true((await organizations.find('north')).active);
  await users.remove('ann0@north');
  // Those who are refused are in nobody's way.
  looks.length = 1;
  await organizationsOn(store, { users: users.ofOrganizations }).remove(id, BY);
  t.is(await store.collection(USERS).count(), 0);
});

test('who takes a name whose ending becomes the slug of an organization meanwhile is refused', async (t) => {
  const store = await storeOf(t);
  const organizations = organizationsOn(store, { users: usersOn(store).ofOrganizations });
  const users = usersOn(store, () => organizations.add(NORTH, BY));
  const error = await t.throwsAsync(users.add(ann()), { instanceOf: UserError });
  t.is(error.field, 'name');
  t.is(await store.collection(USERS).count(), 0);
});

test('who takes a slug in which a name comes to end meanwhile is refused, also by another name before', async (t) => {
  const store = await storeOf(t);
  const users = usersOn(store);
  const { haveEnding } = users.ofOrganizations;
  let looks = 0;
  const organizations = organizationsOn(store, {
    users: {
      ...users.ofOrganizations,
      async haveEnding(slug, exceptOf) {
        const found = await haveEnding(slug, exceptOf);
        if (slug === 'north' && looks++ === 0) await users.add(ann());
        return found;
      },
    },
  });
  const add = () => organizations.add(NORTH, BY);
  t.is((await t.throwsAsync(add(), { instanceOf: OrganizationError })).code, 'slug-in-names');
  t.is(looks, 2);
  const { id } = await organizations.add({ name: 'South', slug: 'south' }, BY);
  await users.remove('ann@north');
  looks = 0;
  const rename = organizations.change(id, { slug: 'north' }, BY);
  t.is((await t.throwsAsync(rename, { instanceOf: OrganizationError })).code, 'slug-in-names');
  await users.remove('ann@north');
  t.is((await organizations.change(id, { slug: 'north' }, BY)).slug, 'north');
  await t.notThrowsAsync(users.add(ann(id)));
});
