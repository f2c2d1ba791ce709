import { join } from 'node:path';
import test from 'ava';
import type { OrganizationId } from '../../common/index.js';
import { type EventDocument, EventLog } from '../../events/index.js';
import { type CollectionDefinition, openLmdbStore, type Store } from '../../store/index.js';
import { openTestStore, storeOf } from '../support/store.js';
import { BY, organizationsOn, refusalOf } from './setup.js';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NORTH = { name: 'North', slug: 'north' };

test('there is a default of the name default, made once when somebody asks first', async (t) => {
  const store = await storeOf(t);
  const [one, other] = [organizationsOn(store), organizationsOn(store)];
  const [[first], [same]] = await Promise.all([one.list(), other.list()]);
  t.like(first, { name: 'default', slug: 'default', isDefault: true, active: true, rules: [] });
  t.regex(first?.id ?? '', UUID_V4);
  t.deepEqual(same, first);
  t.is((await one.list()).length, 1);
});

test('of two processes that want a slug at once one has it, and the other is told that it is taken', async (t) => {
  const { store, directory } = await openTestStore();
  const beside = await openLmdbStore({ directory: join(directory) });
  t.teardown(async () => {
    await beside.close();
    await store.close();
  });
  const nodes = [organizationsOn(store), organizationsOn(beside)];
  for (let round = 0; round < 10; round++) {
    const slug = `race-${round}`;
    const outcomes = await Promise.allSettled(nodes.map((node) => node.add({ name: slug, slug }, BY)));
    t.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const [lost] = outcomes.filter((outcome) => outcome.status === 'rejected');
    t.like(lost?.reason, { code: 'slug-taken' });
    t.is((await nodes[0]?.list())?.filter((each) => each.slug === slug).length, 1);
  }
  // A slug that is given up is free again, and one that is taken on by another name is not.
  const [one, other] = nodes;
  const north = await one?.add(NORTH, BY);
  await one?.change(north?.id as OrganizationId, { slug: 'nord' }, BY);
  await t.notThrowsAsync(other?.add(NORTH, BY) ?? Promise.reject());
  t.is(await refusalOf(t, one?.add({ name: 'x', slug: 'nord' }, BY) ?? Promise.resolve()), 'slug-taken slug');
});

test('what cannot be is refused by its field, with what should stand there', async (t) => {
  const organizations = organizationsOn(await storeOf(t));
  const refused = (said: Record<string, unknown>) =>
    refusalOf(t, organizations.add({ ...NORTH, ...said }, BY));
  t.is(await refused({ name: '' }), 'invalid name');
  t.is(await refused({ name: 'x'.repeat(101) }), 'invalid name');
  t.is(await refused({ name: 'a\nb', slug: 'A b' }), 'invalid name slug');
  t.is(await refused({ slug: 'x'.repeat(41) }), 'invalid slug');
  t.is(await refused({ active: 1, order: -1 }), 'invalid active order');
  t.is(await refused({ isDefault: true }), 'invalid isDefault');
  t.is(await refused({ id: 'x' }), 'invalid id');
  const wrong: readonly unknown[] = [
    { subnet: '192.0.2.0/33' },
    { subnet: '192.0.2.0/24/1' },
    { username: '*' },
    { username: 'a*b' },
    { condition: 'bad' },
    { subnet: '192.0.2.1', username: 'x' },
    {},
    null,
    { toString: 'x' },
  ];
  t.is(
    await refused({ rules: wrong }),
    'invalid rules.0.subnet rules.1.subnet rules.2.username rules.3.username rules.4.condition rules.5 rules.6 rules.7 rules.8',
  );
  t.is(await refused({ rules: Array.from({ length: 101 }, () => ({ username: 'x' })) }), 'invalid rules');
  t.is(await refusalOf(t, organizations.add({ slug: 'north' }, BY)), 'invalid name');
  t.is((await organizations.list()).length, 1);
});

test('all organizations together have at most a thousand rules', async (t) => {
  const organizations = organizationsOn(await storeOf(t));
  const rules = Array.from({ length: 100 }, (_, index) => ({ username: `u${index}` }));
  for (let index = 0; index < 10; index++)
    await organizations.add({ name: 'x', slug: `x${index}`, rules }, BY);
  const one = await organizations.find('x0');
  t.is(await refusalOf(t, organizations.add({ ...NORTH, rules: [{ username: 'x' }] }, BY)), 'too-many rules');
  await organizations.change(one.id, { rules: rules.slice(1) }, BY);
  const north = await organizations.add({ ...NORTH, rules: [{ username: 'x' }] }, BY);
  t.is(await refusalOf(t, organizations.change(one.id, { rules }, BY)), 'too-many rules');
  await organizations.remove(north.id, BY);
  await t.notThrowsAsync(organizations.change(one.id, { rules }, BY));
});

test('their rules are looked at by order, and of the same order by age', async (t) => {
  const time = { nowMs: 1 };
  const organizations = organizationsOn(await storeOf(t), { clock: () => time.nowMs++ });
  await organizations.list();
  for (const slug of ['old', 'young']) await organizations.add({ name: slug, slug }, BY);
  await organizations.add({ name: 'x', slug: 'first', order: 0 }, BY);
  t.deepEqual(
    (await organizations.list()).map(({ slug }) => slug),
    ['first', 'default', 'old', 'young'],
  );
});

test('one that CPEs belong to is not removed, and is as active as it was', async (t) => {
  const cpes = { count: 1 };
  const organizations = organizationsOn(await storeOf(t), { countCpes: async () => cpes.count });
  const north = await organizations.add(NORTH, BY);
  t.is(await refusalOf(t, organizations.remove(north.id, BY)), 'has-cpes organization');
  t.true((await organizations.find('north')).active);
  const [byDefault] = await organizations.list();
  t.is(await refusalOf(t, organizations.remove(byDefault?.id as OrganizationId, BY)), 'is-default isDefault');
  const change = organizations.change(byDefault?.id as OrganizationId, { active: false }, BY);
  t.is(await refusalOf(t, change), 'is-default active');
  cpes.count = 0;
  await organizations.remove(north.id, BY);
  t.is(await refusalOf(t, organizations.find('north')), 'not-found organization');
});

test('while its CPEs are counted a second time nobody comes to belong to it', async (t) => {
  const store = await storeOf(t);
  let counts = 0;
  const attempt: { refused?: string } = {};
  const organizations = organizationsOn(store, {
    async countCpes(id) {
      // Before the second look one has come, by what was read before; after it none can.
      if (++counts === 2) attempt.refused = await refusalOf(t, organizations.requiring(id));
      return counts === 2 ? 1 : 0;
    },
  });
  const north = await organizations.add(NORTH, BY);
  const before = await organizations.requiring(north.id);
  t.is(await refusalOf(t, organizations.remove(north.id, BY)), 'has-cpes organization');
  t.is(attempt.refused, 'not-active organization');
  t.false((await store.commit([before])).committed);
  t.true((await organizations.find('north')).active);
});

test('each change is an event of the same commit, by whoever makes it, with what was there before', async (t) => {
  const store = await storeOf(t);
  const organizations = organizationsOn(store);
  const { id } = await organizations.add(NORTH, BY);
  await organizations.change(id, { name: 'Nord' }, BY);
  await organizations.change(id, { name: 'Nord' }, BY);
  await organizations.remove(id, BY);
  const found: EventDocument[] = [];
  const events = new EventLog({ store, clock: Date.now });
  for await (const each of events.scan({ subject: 'organization', subjectId: id, order: 'ascending' }))
    found.push(each);
  t.deepEqual(
    found.map(({ action, by, before, after }) => [action, by?.name, before?.['name'], after?.['name']]),
    [
      ['added', 'tester', undefined, 'North'],
      ['changed', 'tester', 'North', 'Nord'],
      ['changed', 'tester', undefined, undefined],
      ['removed', 'tester', 'Nord', undefined],
    ],
  );
});

test('where nothing tells of changes a process looks twice a second, and not more often', async (t) => {
  const store = await storeOf(t);
  const time = { nowMs: 0 };
  const here = organizationsOn(sayingNothing(store), { monotonic: () => time.nowMs });
  await here.list();
  const elsewhere = organizationsOn(store);
  await elsewhere.add(NORTH, BY);
  time.nowMs = 499;
  t.is(here.directory.current(), here.directory.known);
  t.true(here.directory.known.isAlone);
  time.nowMs = 500;
  t.is((await here.directory.current()).named('north')?.name, 'North');
});

test('where the store tells of changes a process looks at once, and only then', async (t) => {
  const store = await storeOf(t);
  const here = organizationsOn(store, { monotonic: () => 0 });
  await here.list();
  t.is(here.directory.current(), here.directory.known);
  await organizationsOn(store).add(NORTH, BY);
  t.is((await here.directory.current()).named('north')?.name, 'North');
});

/** The store, as one whose collections never tell where they stand. */
function sayingNothing(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'collection') return value.bind(target);
      return (definition: CollectionDefinition) =>
        new Proxy(target.collection(definition), {
          get(collection, key) {
            if (key === 'watch') return () => ({ position: () => null });
            const own: unknown = Reflect.get(collection, key);
            return typeof own === 'function' ? own.bind(collection) : own;
          },
        });
    },
  });
}
