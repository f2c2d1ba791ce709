import test from 'ava';
import { silentLogger } from '../../common/index.js';
import { giveUpUnlisted, ImageError, type ImageUses, SHARED, UNLISTED_MAX } from '../../firmware/index.js';
import { BY } from '../support/actor.js';
import { NORTH, openTestLibrary, SOUTH, uploadOf } from './support.js';

const LATER_MS = Date.UTC(2100, 0, 1);
const UNUSED: ImageUses = {
  async *rules() {},
  async *running() {},
  async *startedSince() {},
};

type Waiting = Parameters<typeof uploadOf>[2];
const waiting = (name: string, more: Waiting = { organization: NORTH }) =>
  uploadOf(name, Buffer.from(`content of ${name}`), { unlisted: true, ...more });

test('what nobody has listed goes, of that owner alone; what a rule or an upgrade names is listed, and what stands in a build', async (t) => {
  const { library } = await openTestLibrary(t);
  const { categories } = library.builds;
  const category = await categories.add({ name: 'HGW' }, BY, null);
  const build = await library.builds.add({ category: category.id, version: '1', os: null }, BY, SHARED);
  for (const name of ['left.bin', 'ruled.bin', 'sent.bin']) await library.upload(waiting(name));
  await library.upload(waiting('left.bin', { organization: SOUTH }));
  await library.upload(waiting('left.bin', {}));
  await library.upload(waiting('built.bin', {}));
  await library.move('built.bin', { build: build.id, type: 'HGW' }, BY);
  const uses: ImageUses = {
    ...UNUSED,
    async *rules() {
      yield { file: 'ruled.bin', organization: NORTH, rule: 'R' };
    },
    async *running() {
      yield { file: 'sent.bin', organization: NORTH, rule: 'S' };
    },
  };
  const parts = { images: library, uses, logger: silentLogger };
  await giveUpUnlisted(parts, { organization: NORTH, beforeMs: LATER_MS });
  const standing = async (name: string, organization?: string) => {
    const image = await library.get(name, organization);
    if (image?.organization !== organization || image === null) return 'gone';
    return image.unlistedAtMs === undefined ? 'listed' : 'waits';
  };
  t.deepEqual(await Promise.all(['left.bin', 'ruled.bin', 'sent.bin'].map((name) => standing(name, NORTH))), [
    'gone',
    'listed',
    'listed',
  ]);
  t.deepEqual([await standing('left.bin', SOUTH), await standing('left.bin')], ['waits', 'waits']);
  await giveUpUnlisted(parts, { beforeMs: 0 });
  t.is(await standing('left.bin'), 'waits');
  await giveUpUnlisted(parts, { beforeMs: LATER_MS });
  t.deepEqual([await standing('left.bin'), await standing('built.bin')], ['gone', 'listed']);
});

test('what is named while it is looked who names it stays', async (t) => {
  const { library, store } = await openTestLibrary(t);
  await library.upload(waiting('named.bin'));
  await library.upload(waiting('left.bin'));
  const uses: ImageUses = {
    ...UNUSED,
    async *running() {
      // Of a rule that is written now no looking for rules tells any more.
      t.true((await store.commit(await library.going.keeping(['named.bin']))).committed);
      yield* UNUSED.running();
    },
  };
  await giveUpUnlisted(
    { images: library, uses, logger: silentLogger },
    { organization: NORTH, beforeMs: LATER_MS },
  );
  t.deepEqual(
    (await library.unlisted.of(NORTH)).map(({ name }) => name),
    ['named.bin'],
  );
});

test('one that cannot be removed keeps no other from going', async (t) => {
  const { library, store } = await openTestLibrary(t);
  const { image } = await library.upload(waiting('damaged.bin'));
  await library.upload(waiting('left.bin'));
  await store.collection({ name: 'image-contents', indexes: {} }).delete(image.sha256);
  const told: unknown[] = [];
  const logger = { ...silentLogger, error: (event: string, about?: object) => told.push([event, about]) };
  await giveUpUnlisted(
    { images: library, uses: UNUSED, logger },
    { organization: NORTH, beforeMs: LATER_MS },
  );
  t.deepEqual(
    (await library.unlisted.of(NORTH)).map(({ name }) => name),
    ['damaged.bin'],
  );
  t.like(told, { length: 1, 0: ['image.not-given-up', { image: image.id }] });
});

test('of those that come at once no more wait than may, of one owner, on whatever node', async (t) => {
  const { library, another } = await openTestLibrary(t);
  const nodes = [library, another()];
  const outcomes = await Promise.all(
    Array.from({ length: UNLISTED_MAX + 3 }, (_, at) =>
      (nodes[at % 2] ?? library).upload(waiting(`f${at}.bin`)).then(
        () => 'waits',
        (error: unknown) => (error instanceof ImageError ? error.code : error),
      ),
    ),
  );
  t.is(outcomes.filter((each) => each === 'waits').length, UNLISTED_MAX);
  t.is(outcomes.filter((each) => each === 'too-many-unlisted').length, 3);
  t.is((await library.unlisted.of(NORTH)).length, UNLISTED_MAX);
  await t.notThrowsAsync(library.upload(waiting('theirs.bin', { organization: SOUTH })));
  const [first] = await library.unlisted.of(NORTH);
  t.is(await library.unlisted.list(first?.name ?? '', BY, NORTH), 'listed');
  await t.notThrowsAsync(library.upload(waiting('next.bin')));
});

test('what waits is found where nobody has kept who waits, as after a restore', async (t) => {
  const { library, store } = await openTestLibrary(t);
  for (let at = 0; at < UNLISTED_MAX; at++) await library.upload(waiting(`f${at}.bin`));
  await store.collection({ name: 'images-unlisted', indexes: {} }).delete(NORTH);
  t.is((await library.unlisted.of(NORTH)).length, UNLISTED_MAX);
  await t.throwsAsync(library.upload(waiting('more.bin')), { code: 'too-many-unlisted' });
});

test('who uploads elsewhere what waits here has it listed', async (t) => {
  const { library } = await openTestLibrary(t);
  const { image: first } = await library.upload(waiting('a.bin'));
  const again = await library.upload({ ...waiting('a.bin') });
  t.is(again.image.unlistedAtMs, first.unlistedAtMs);
  const { image, outcome } = await library.upload(
    uploadOf('a.bin', Buffer.from('content of a.bin'), { organization: NORTH }),
  );
  t.deepEqual([image.id, image.unlistedAtMs, outcome], [first.id, undefined, 'unchanged']);
});
