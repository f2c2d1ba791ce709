import test from 'ava';
import { scopeFor, scopeOf } from '../../../nbi/http/scope.js';
import type { Principal } from '../../../nbi/users/index.js';
import { type Organization, OrganizationsNow } from '../../../organizations/index.js';

const organization = (id: string, more: Partial<Organization> = {}) =>
  ({
    id,
    name: id,
    slug: `${id}-slug`,
    active: true,
    isDefault: false,
    order: 1,
    rules: [],
    createdAtMs: 0,
    ...more,
  }) as Organization;
const NORTH = organization('north');
const SOUTH = organization('south');
const CLOSED = organization('closed', { active: false });
const KNOWN = {
  current: () => new OrganizationsNow(1, [organization('all', { isDefault: true }), NORTH, SOUTH, CLOSED]),
};

const user = (of?: string): Principal => ({
  name: 'ann',
  role: 'admin',
  how: 'password',
  ...(of !== undefined && { organization: of }),
});
const asked = (concern: Parameters<typeof scopeFor>[0], of: string | undefined, query = '') =>
  scopeFor(concern, user(of), new URLSearchParams(query), KNOWN);

test('a user of an organization is about its things, whatever he asks; one of the installation about all, or those he names', async (t) => {
  t.like(await asked('organizations', 'north'), { organization: NORTH, isInstallation: false });
  t.like(await asked('organizations', 'north', 'organization=north-slug'), { organization: NORTH });
  t.like(await asked('organizations', undefined), { organization: null, isInstallation: true });
  t.like(await asked('organizations', undefined, 'organization=south-slug'), {
    organization: SOUTH,
    isInstallation: true,
  });
  t.like(await asked('organizations', undefined, 'organization=closed'), { organization: CLOSED });
});

test('what names an organization is nothing that the route reads', async (t) => {
  const query = new URLSearchParams('a=1&organization=north-slug&b=2');
  await scopeFor('organizations', user(), query, KNOWN);
  t.is(String(query), 'a=1&b=2');
});

test('another’s organization and one that there is not are refused alike', async (t) => {
  const refusalOf = async (named: string) => {
    const error = await t.throwsAsync<Error & { status: number; problems: unknown }>(
      asked('organizations', 'north', `organization=${named}`),
    );
    return JSON.stringify([error?.status, error?.problems]).replaceAll(named, 'NAMED');
  };
  t.regex(await refusalOf('south-slug'), /404/);
  t.is(await refusalOf('south-slug'), await refusalOf('nowhere'));
  t.is(await refusalOf('south'), await refusalOf('nowhere'));
});

test('an organization is named once', async (t) => {
  await t.throwsAsync(asked('organizations', undefined, 'organization=north&organization=south'), {
    message: /organization/,
  });
});

test('users of an organization have no say in what is the installation’s, nor in anything while theirs is not active', async (t) => {
  await t.throwsAsync(asked('installation', 'north'), { message: /a user of the installation/ });
  for (const concern of ['organizations', 'installation', 'everyone'] as const) {
    await t.throwsAsync(asked(concern, 'closed'), { message: /an organization that is active/ });
    await t.throwsAsync(asked(concern, 'gone'), { message: /an organization that is active/ });
  }
  t.is(await asked('everyone', 'north'), null);
  t.is(await asked('installation', undefined), null);
});

test('a route that is about nothing of organizations cannot ask whose things it is about', (t) => {
  t.throws(() => scopeOf({ scope: null }), { message: /declared/ });
});
