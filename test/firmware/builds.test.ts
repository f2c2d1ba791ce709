import test from 'ava';
import { productOf, SHARED, TAKEN_NAMES, type TakenName, targetVersionOf } from '../../firmware/index.js';
import { BY } from '../support/actor.js';
import { defineBuildTests } from './builds-conformance.js';
import { NORTH, openTestLibrary, randomContent, SOUTH, uploadOf } from './support.js';

defineBuildTests('on disk', openTestLibrary);

test('the target version is the os, else what all files say, else the version', (t) => {
  const image = (softwareVersion: string | null, type = 'A') => ({ type, name: type, softwareVersion });
  const cases: readonly (readonly [string | null, readonly (string | null)[], string])[] = [
    ['OS 2', ['2.0.0-r1'], 'OS 2'],
    [null, ['2.0.0-r1'], '2.0.0-r1'],
    [null, ['2.0.0-r1', '2.0.0-r1'], '2.0.0-r1'],
    [null, ['2.0.0-r1', '2.0.0-r2'], '2.0'],
    [null, ['2.0.0-r1', null], '2.0'],
    [null, [null], '2.0'],
    [null, [], '2.0'],
  ];
  for (const [os, read, expected] of cases) {
    const images = read.map((each, at) => image(each, `T${at}`));
    t.is(targetVersionOf({ os, version: '2.0', images }), expected);
  }
});

test('a family and a model have a number each, the same whoever names them, wherever', async (t) => {
  const { library, another } = await openTestLibrary(t);
  const { categories } = library.builds;
  const said = { productFamily: 'Example', productModel: 'Example' };
  const first = await categories.add({ name: 'One', ...said }, BY, NORTH);
  const [second, asked] = await Promise.all([
    another().builds.categories.add({ name: 'One', ...said }, BY, SOUTH),
    another().builds.numbers.numberOf('family', 'Example'),
  ]);
  t.is(first.productFamilyNumber, second.productFamilyNumber);
  t.is(first.productFamilyNumber, asked);
  t.not(first.productFamilyNumber, first.productModelNumber);
  // Wherever it is asked for: clients keep numbers longer than an installation its disk.
  const elsewhere = await openTestLibrary(t);
  t.is(elsewhere.library.builds.numbers.numberOf('family', 'Example'), asked);
});

test('what others name moves the number of no name, and nothing is written for one', async (t) => {
  const { library, store } = await openTestLibrary(t);
  const { numbers, categories } = library.builds;
  const number = numbers.numberOf('model', 'HGW');
  const kept = store.collection<{ id: string; of: string }>({ name: 'image-numbers', indexes: {} });
  // As an earlier version gave them.
  await kept.put({ id: `model/${number}`, of: 'another' });
  const category = await categories.add({ name: 'One', productModel: 'HGW' }, BY, NORTH);
  t.is(category.productModelNumber, number);
  t.is(await kept.count(), 1);
});

test('what is not said of a build’s product holds as said of its category', (t) => {
  const said = { productFamily: 'F', productFamilyNumber: 1, productModel: 'M', productModelNumber: 2 };
  const nothing = {
    productFamily: null,
    productFamilyNumber: null,
    productModel: null,
    productModelNumber: null,
  };
  t.deepEqual(productOf(nothing, said), said);
  t.deepEqual(productOf({ ...nothing, productModel: 'N', productModelNumber: 3 }, said), {
    ...said,
    productModel: 'N',
    productModelNumber: 3,
  });
});

test('a CPE’s build is told by its os: the organization’s own before the shared one, and no other’s', async (t) => {
  const { library } = await openTestLibrary(t);
  const { builds } = library;
  const add = async (organization: string | null) => {
    const { id } = await builds.categories.add({ name: 'Gateways' }, BY, organization);
    return (await builds.add({ category: id, version: '1', os: 'HGW 1' }, BY, organization)).id;
  };
  t.is(await builds.ofOs('HGW 1', NORTH), null);
  const north = await add(NORTH);
  t.is((await builds.ofOs('HGW 1', NORTH))?.id, north);
  t.is(await builds.ofOs('HGW 1', SOUTH), null);
  const shared = await add(null);
  t.is((await builds.ofOs('HGW 1', NORTH))?.id, north);
  t.is((await builds.ofOs('HGW 1', SOUTH))?.id, shared);
});

test('a build goes to another category of its owner, and takes its names along', async (t) => {
  const { library } = await openTestLibrary(t);
  const { builds } = library;
  const [one, two] = await Promise.all(
    ['One', 'Two'].map((name) => builds.categories.add({ name }, BY, NORTH)),
  );
  const { id } = await builds.add({ category: one?.id, version: '1' }, BY, NORTH);
  await builds.change(id, { category: 'Two', os: 'X' }, BY, NORTH);
  t.is((await builds.ofVersion(two?.id ?? '', '1', NORTH))?.id, id);
  t.is(await builds.ofVersion(one?.id ?? '', '1', NORTH), null);
  t.deepEqual(
    [
      (await builds.categories.find('One', NORTH))?.builds,
      (await builds.categories.find('Two', NORTH))?.builds,
    ],
    [0, 1],
  );
  await builds.change(id, { os: null }, BY, NORTH);
  t.is(await builds.ofOs('X', NORTH), null);
  await t.throwsAsync(builds.change(id, { version: '2' }, BY, SOUTH), { code: 'not-found' });
});

test('what has lost its name, or has it no more, goes all the same, and takes no other’s along', async (t) => {
  const { library, store } = await openTestLibrary(t);
  const { builds } = library;
  const { id: category } = await builds.categories.add({ name: 'Gateways' }, BY, null);
  const [first, second] = [
    await builds.add({ category, version: '1' }, BY, null),
    await builds.add({ category, version: '2' }, BY, null),
  ];
  const names = store.collection<TakenName>(TAKEN_NAMES);
  await names.put({ id: `version/${category}/1`, of: second.id });
  await names.delete('name//Gateways');
  await builds.remove(first.id, BY, null);
  t.is((await builds.ofVersion(category, '1', null))?.id, second.id);
  await builds.remove(second.id, BY, null);
  await builds.categories.remove(category, BY, null);
  t.is(await builds.categories.find(category, null), null);
});

test('texts of outside are bounded, and names that objects have of themselves are names as any', async (t) => {
  const { library } = await openTestLibrary(t);
  const { builds } = library;
  for (const name of ['', ' a', 'a\u0000', 'x'.repeat(65), 7, null, '\ud800'])
    await t.throwsAsync(builds.categories.add({ name }, BY, null), { code: 'invalid' });
  await builds.categories.add({ name: '__proto__' }, BY, null);
  await t.throwsAsync(
    builds.add({ category: '__proto__', version: '1', changelog: 'x'.repeat(65_537) }, BY, null),
    {
      code: 'invalid',
    },
  );
  const { id } = await builds.add(
    { category: '__proto__', version: 'constructor', changelog: 'a\nb' },
    BY,
    null,
  );
  const place = { build: id, type: '__proto__' };
  const { image } = await library.upload(uploadOf('a', randomContent(1), { place }));
  t.is(image.type, '__proto__');
  await t.throwsAsync(library.upload(uploadOf('b', randomContent(1), { place: { ...place, type: '' } })), {
    code: 'invalid',
  });
  t.is((await builds.get(id, null))?.images.length, 1);
});

test('a list of builds goes on where a page ended, by owner and from the oldest', async (t) => {
  let nowMs = 1_000;
  const { library } = await openTestLibrary(t, { clock: () => nowMs });
  const { builds } = library;
  for (const organization of [null, NORTH, SOUTH]) {
    await builds.categories.add({ name: 'C' }, BY, organization);
    for (const version of ['b', 'a', 'c']) {
      nowMs += version === 'c' ? 0 : 1_000;
      await builds.add({ category: 'C', version }, BY, organization);
    }
  }
  const all = [];
  for await (const each of builds.scan({ within: NORTH })) all.push(each);
  t.deepEqual(
    all.map(({ organization, version }) => [organization, version === 'b']),
    [
      [undefined, true],
      [undefined, false],
      [undefined, false],
      [NORTH, true],
      [NORTH, false],
      [NORTH, false],
    ],
  );
  for (const isOwnOnly of [false, true]) {
    const shared = [];
    for await (const each of builds.scan({ within: SHARED, isOwnOnly })) shared.push(each);
    t.deepEqual(shared, all.slice(0, 3));
  }
  for (const [at, { id, organization = '', createdAtMs }] of all.entries()) {
    const rest = [];
    const after = { id, owner: organization, createdAtMs };
    for await (const each of builds.scan({ within: NORTH, after })) rest.push(each.id);
    t.deepEqual(
      rest,
      all.slice(at + 1).map((each) => each.id),
    );
    const listed = [];
    for await (const each of builds.scan({ within: NORTH, after, ids: all.map((one) => one.id) }))
      listed.push(each.id);
    t.deepEqual(listed, rest);
  }
});
