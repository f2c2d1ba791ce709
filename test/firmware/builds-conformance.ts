import { Readable } from 'node:stream';
import test from 'ava';
import fc from 'fast-check';
import {
  type Build,
  BuildError,
  IMAGES,
  type Image,
  type ImageDocument,
  type ImageLibrary,
  removeBuildWithImages,
  targetVersionOf,
} from '../../firmware/index.js';
import { BY } from '../support/actor.js';
import { content, withMetadata } from './formats/images.js';
import { type LibraryOpener, NORTH, randomContent, SOUTH, uploadOf } from './support.js';

const HGW = { build: '00000000-0000-4000-8000-0000000000b1', type: 'HGW' };
const STB = { ...HGW, type: 'STB' };

async function withBuild(library: ImageLibrary, organization: string | null = null): Promise<void> {
  await library.builds.categories.add({ name: 'Gateways' }, BY, organization);
  await library.builds.add({ id: HGW.build, category: 'Gateways', version: '2.0.0' }, BY, organization);
}

const placesIn = async (library: ImageLibrary) =>
  (await library.builds.get(HGW.build, null))?.images.map(({ type, name }) => `${type} ${name}`);

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof BuildError) return error.code;
    throw error;
  }
};

/** What numbers and places of images keep wherever contents lie, with two libraries at once. */
export function defineBuildTests(where: string, open: LibraryOpener): void {
  test(`each image has a number of its own for good: of two libraries at once, of images removed and added again, ${where}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.nat({ max: 1 }),
            does: fc.constantFrom('add', 'add', 'remove'),
            name: fc.constantFrom('a', 'b'),
            organization: fc.constantFrom(undefined, NORTH),
          }),
          { minLength: 4, maxLength: 12 },
        ),
        async (acts) => {
          const { library, another } = await open(t);
          const libraries = [library, another()] as const;
          const given = new Map<number, string>();
          await Promise.all(
            [0, 1].map(async (at) => {
              for (const act of acts.filter((each) => each.at === at)) {
                const { does, name, organization } = act;
                const own = libraries[at as 0 | 1];
                if (does === 'remove') {
                  await own.remove(name, BY, organization);
                  continue;
                }
                const of = organization === undefined ? {} : { organization };
                const { image, outcome } = await own.upload(uploadOf(name, Buffer.from('same'), of));
                if (outcome === 'unchanged') continue;
                t.false(given.has(image.number ?? 0), 'a number is given once');
                given.set(image.number ?? 0, image.id);
              }
            }),
          );
          for (const image of (await library.list({ limit: 10 })).items) {
            t.is(given.get(image.number ?? 0), image.id);
            t.is((await libraries[1].withNumber(image.number ?? 0))?.id, image.id);
          }
          for (const [number, id] of given) {
            const found = await library.withNumber(number);
            t.true(found === null || (found.id === id && found.number === number));
          }
        },
      ),
      { numRuns: 6 },
    );
  });

  test(`images of an older Ferry get their numbers at the start, of two nodes at once each one, ${where}`, async (t) => {
    const { library, another, store } = await open(t);
    for (const name of ['a', 'b', 'c']) await library.upload(uploadOf(name, randomContent(10)));
    const images = store.collection<ImageDocument>(IMAGES);
    for await (const { document } of images.scan({})) {
      const { number: _, ...older } = document;
      await images.put(older);
    }
    t.is((await library.get('a'))?.number, undefined);
    await Promise.all([library.cleanUp(), another().cleanUp()]);
    const numbers = (await library.list({ limit: 10 })).items.map(({ number }) => number);
    t.is(new Set(numbers.filter((number) => number !== undefined)).size, 3);
    await library.cleanUp();
    t.deepEqual(
      (await library.list({ limit: 10 })).items.map(({ number }) => number),
      numbers,
    );
  });

  test(`an image brought back has the number that it had, unless something else has it, ${where}`, async (t) => {
    const { library } = await open(t);
    const first = await library.upload(uploadOf('a', randomContent(10), { number: 123_456_789 }));
    t.is(first.image.number, 123_456_789);
    const second = await library.upload(uploadOf('b', randomContent(10), { number: 123_456_789 }));
    t.not(second.image.number, 123_456_789);
    const third = await library.upload(uploadOf('c', randomContent(10), { number: 7 }));
    t.regex(String(third.image.number), /^\d{9}$/);
  });

  test(`a build has one image of a type: of two that are uploaded or moved there at once, by two libraries, one, ${where}`, async (t) => {
    const { library, another, files } = await open(t);
    await withBuild(library);
    const other = another();
    const uploads = [library, other].map((each, at) =>
      codeOf(each.upload(uploadOf(`image-${at}`, randomContent(10), { place: HGW }))),
    );
    t.deepEqual((await Promise.all(uploads)).sort(), ['done', 'type-taken']);
    t.is((await files()).content.length, 1);
    for (const name of ['x', 'y']) await library.upload(uploadOf(name, randomContent(10)));
    const moves = [library.move('x', STB, BY), other.move('y', STB, BY)].map(codeOf);
    t.deepEqual((await Promise.all(moves)).sort(), ['done', 'type-taken']);
    const places = (await placesIn(library)) ?? [];
    t.is(places.length, 2);
    for (const { name, build, type } of (await library.list({ limit: 10 })).items)
      t.is(places.includes(`${type} ${name}`), build === HGW.build, name);
  });

  test(`an image that goes leaves its place, and one that moves stands in the new place alone, ${where}`, async (t) => {
    const { library } = await open(t);
    await withBuild(library);
    await library.upload(uploadOf('a', randomContent(10), { place: HGW }));
    const moved = (await library.move('a', STB, BY)) as Image;
    t.like(moved, { build: HGW.build, type: 'STB' });
    t.deepEqual(await placesIn(library), ['STB a']);
    t.is((await library.move('a', null, BY))?.build, undefined);
    t.deepEqual(await placesIn(library), []);
    t.is(await library.move('none', HGW, BY), null);
    await library.move('a', HGW, BY);
    t.is(await codeOf(library.builds.remove(HGW.build, BY, null)), 'has-images');
    await library.remove('a', BY);
    t.is(await codeOf(library.builds.remove(HGW.build, BY, null)), 'done');
    t.is((await library.builds.categories.find('Gateways', null))?.builds, 0);
  });

  test(`with a build go those images alone that are in it by then, ${where}`, async (t) => {
    const { library } = await open(t);
    await withBuild(library);
    for (const place of [HGW, STB]) await library.upload(uploadOf(place.type, randomContent(10), { place }));
    const before = (await library.builds.get(HGW.build, null)) as Build;
    await library.move('HGW', null, BY);
    await library.leaveOut(HGW.build, 'STB');
    t.deepEqual(await placesIn(library), ['STB STB'], 'what is in it is not left out of it');
    await removeBuildWithImages(library, before, { by: BY, within: null });
    t.truthy(await library.get('HGW'));
    t.is(await library.get('STB'), null);
    t.is(await library.builds.get(HGW.build, null), null);
  });

  test(`where image and build say otherwise, as after a backup beside a running server, the image’s word holds, ${where}`, async (t) => {
    const { library, store } = await open(t);
    await withBuild(library);
    const images = store.collection<ImageDocument>(IMAGES);
    const says = async (name: string, place: Partial<typeof HGW>) => {
      const {
        build: _,
        type: __,
        ...document
      } = ((await images.get(name)) as { document: ImageDocument }).document;
      await images.put({ ...document, ...place });
    };
    for (const name of ['a', 'b', 'c']) await library.upload(uploadOf(name, randomContent(10)));
    await says('a', HGW);
    t.like((await library.move('a', HGW, BY)) as Image, HGW);
    t.deepEqual(await placesIn(library), ['HGW a']);
    t.is(await codeOf(library.move('b', HGW, BY)), 'type-taken');
    await images.delete('a');
    t.is(await codeOf(library.move('b', HGW, BY)), 'done');
    t.deepEqual(await placesIn(library), ['HGW b'], 'one that is not there gives way');
    await says('b', {});
    t.is(await codeOf(library.upload(uploadOf('d', randomContent(10), { place: HGW }))), 'done');
    t.deepEqual(await placesIn(library), ['HGW d'], 'and so does one that says that it is elsewhere');
    await says('d', STB);
    t.is(await codeOf(library.move('d', STB, BY)), 'done');
    t.deepEqual(await placesIn(library), ['STB d']);
    await says('d', {});
    const build = (await library.builds.get(HGW.build, null)) as Build;
    await removeBuildWithImages(library, build, { by: BY, within: null });
    t.truthy(await library.get('d'));
  });

  test(`an image stands only in a build of whom it belongs to, ${where}`, async (t) => {
    const { library } = await open(t);
    await withBuild(library, NORTH);
    for (const organization of [undefined, SOUTH]) {
      const of = organization === undefined ? {} : { organization };
      t.is(
        await codeOf(library.upload(uploadOf('a', randomContent(10), { place: HGW, ...of }))),
        'not-found',
      );
    }
    const placed = await library.upload(
      uploadOf('a', randomContent(10), { place: HGW, organization: NORTH }),
    );
    t.is(placed.image.build, HGW.build);
    t.deepEqual(await placesIn(library), ['HGW a']);
  });

  test(`a place that cannot be had is refused before a byte of the image is read, ${where}`, async (t) => {
    const { library } = await open(t);
    const unread = () =>
      new Readable({
        read() {
          t.fail('it was read');
          this.push(null);
        },
      });
    t.is(await codeOf(library.upload(uploadOf('a', unread(), { place: HGW }))), 'not-found');
    await withBuild(library);
    await library.upload(uploadOf('a', randomContent(10), { place: HGW }));
    t.is(await codeOf(library.upload(uploadOf('b', unread(), { place: HGW }))), 'type-taken');
    t.is(await codeOf(library.upload(uploadOf('b', unread(), { place: { ...HGW, type: '' } }))), 'invalid');
  });

  test(`what is read from the files of a build is its target version, where nobody has typed one, ${where}`, async (t) => {
    const { library } = await open(t);
    await withBuild(library);
    const openwrt = withMetadata(content(10_000));
    const { image } = await library.upload(uploadOf('a', openwrt, { place: HGW }));
    const build = await library.builds.get(HGW.build, null);
    t.is(image.softwareVersion, '23.05.3');
    t.is(build === null ? null : targetVersionOf(build), '23.05.3');
  });

  test(`of a category that is removed and a build that is added to it at once there is one, ${where}`, async (t) => {
    const { library, another } = await open(t);
    const other = another();
    for (let round = 0; round < 5; round++) {
      const { id } = await library.builds.categories.add({ name: 'Gateways' }, BY, null);
      const [removed, added] = await Promise.all([
        codeOf(library.builds.categories.remove(id, BY, null)),
        codeOf(other.builds.add({ category: id, version: '1' }, BY, null)),
      ]);
      t.true(
        (removed === 'done' && added === 'not-found') || (removed === 'has-builds' && added === 'done'),
        `${removed} ${added}`,
      );
      for await (const build of library.builds.scan({ within: null }))
        await library.builds.remove(build.id, BY, null);
      if (removed !== 'done') await library.builds.categories.remove(id, BY, null);
    }
  });
}
