import test from 'ava';
import { EventLog } from '../../events/index.js';
import { type Image, ImageError, type ImageLibrary } from '../../firmware/index.js';
import { BY } from '../support/actor.js';
import { contentOf, type LibraryOpener, NORTH, randomContent, SOUTH, uploadOf } from './support.js';

/** Every page of a list, one after the other. */
export async function pagesOf(
  library: ImageLibrary,
  organization: string | undefined,
  limit: number,
): Promise<readonly Image[]> {
  const seen: Image[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<ImageLibrary['list']>> = await library.list({
      limit,
      ...(organization !== undefined && { organization }),
      ...(after !== null && { after }),
    });
    seen.push(...page.items);
    after = page.next;
  } while (after !== null);
  return seen;
}

/** What any library keeps to of images of organizations, wherever its contents lie. @param where  what the titles begin with */
export function defineOrganizationTests(where: string, open: LibraryOpener): void {
  test(`${where}: of different organizations the same name is different images, and a content is kept once whoever has it`, async (t) => {
    const { library, files, settle } = await open(t);
    const [first, second] = [randomContent(2_000), randomContent(3_000)];
    const own = await library.upload(uploadOf('a.bin', first, { organization: NORTH }));
    t.like(own, { outcome: 'created', image: { name: 'a.bin', organization: NORTH } });
    await library.upload(uploadOf('a.bin', first, { organization: SOUTH }));
    await library.upload(uploadOf('a.bin', second));
    t.is((await files()).content.length, 2);
    t.deepEqual(await library.get('a.bin', NORTH), own.image);
    t.deepEqual(await library.byId(own.image.id), own.image);
    t.is((await library.get('a.bin', SOUTH))?.organization, SOUTH);
    t.is((await library.get('a.bin'))?.organization, undefined);
    t.true(await library.remove('a.bin', BY, NORTH));
    t.false(await library.remove('a.bin', BY, NORTH));
    // Without an own one the shared one is meant.
    t.like(await library.get('a.bin', NORTH), { id: 'a.bin', sizeBytes: 3_000 });
    const left = await library.get('a.bin', SOUTH);
    t.true(first.equals(await contentOf(library, left as Image)));
    t.true(await library.remove('a.bin', BY, SOUTH));
    t.true(await library.remove('a.bin', BY));
    await settle();
    t.deepEqual((await files()).content, []);
  });

  test(`${where}: an organization lists its own and the shared images by name in pages of any size, an own one in place of a shared one`, async (t) => {
    const { library } = await open(t);
    const add = (organization: string | undefined, ...names: string[]) =>
      Promise.all(
        names.map((name) =>
          library.upload(uploadOf(name, Buffer.from('x'), { ...(organization && { organization }) })),
        ),
      );
    // Names on both sides of ids of organizations, and of what ends their ranges.
    await add(undefined, '0', '1', '1111', 'A', '_', 'b', 'f', 'z', '~');
    await add(NORTH, '0', '2', 'b.1', 'b', 'zz', '~');
    await add(SOUTH, '00', '1', 'bb', 'z', '~~');
    const listed = (organization: string | undefined, limit: number) =>
      pagesOf(library, organization, limit).then((images) =>
        images.map((image) => `${image.organization?.charAt(0) ?? ''}:${image.name}`),
      );
    const north = ['1:0', ':1', ':1111', '1:2', ':A', ':_', '1:b', '1:b.1', ':f', ':z', '1:zz', '1:~'];
    const south = [':0', '2:00', '2:1', ':1111', ':A', ':_', ':b', '2:bb', ':f', '2:z', ':~', '2:~~'];
    const shared = [':0', ':1', ':1111', ':A', ':_', ':b', ':f', ':z', ':~'];
    const owned = ['1:0', '1:2', '1:b', '1:b.1', '1:zz', '1:~', '2:00', '2:1', '2:bb', '2:z', '2:~~'];
    for (const limit of [1, 2, 5, 11, 12, 1_000]) {
      t.deepEqual(await listed(NORTH, limit), north, `${limit}`);
      t.deepEqual(await listed(SOUTH, limit), south, `${limit}`);
      t.deepEqual(await listed(undefined, limit), [...shared, ...owned], `${limit}`);
    }
    t.is((await library.list({ limit: 12, organization: NORTH })).next, null);
    const isRefused = { instanceOf: ImageError, message: 'after must be the name of an image' };
    await t.throwsAsync(library.list({ limit: 1, organization: NORTH, after: `/${SOUTH}/1` }), isRefused);
    await t.throwsAsync(library.list({ limit: 1, after: `/${SOUTH}/-` }), isRefused);
  });

  test(`${where}: an upload is told of the same content under its own and shared names, however many others have it`, async (t) => {
    const { library } = await open(t);
    const content = randomContent(10);
    const add = (name: string, organization?: string) =>
      library.upload(uploadOf(name, content, { ...(organization !== undefined && { organization }) }));
    for (let index = 0; index < 102; index++) await add(`s${index}`, SOUTH);
    await add('b');
    await add('c');
    await library.upload(uploadOf('c', randomContent(10), { organization: NORTH }));
    t.deepEqual((await add('d', NORTH)).sameContentAs, ['b']);
    t.deepEqual((await add('a', NORTH)).sameContentAs, ['b', 'd']);
    t.deepEqual((await add('b', NORTH)).sameContentAs, ['a', 'd']);
    t.deepEqual((await add('e')).sameContentAs, ['b', 'c']);
  });

  test(`${where}: a name of an organization's image is at most 90 characters, and events of it are the organization's`, async (t) => {
    const { library, store } = await open(t);
    const longest = 'n'.repeat(90);
    await library.upload(uploadOf(longest, Buffer.from('x'), { organization: NORTH }));
    const tooLong = uploadOf(`${longest}n`, Buffer.from('x'), { organization: NORTH });
    t.like(await t.throwsAsync(library.upload(tooLong), { instanceOf: ImageError }), {
      code: 'invalid-metadata',
      field: 'name',
    });
    await library.upload(uploadOf('shared', Buffer.from('x')));
    await library.remove(longest, BY, NORTH);
    const events: unknown[] = [];
    for await (const { action, subjectId, organization, before, after } of new EventLog({
      store,
      clock: Date.now,
    }).scan({ subject: 'image', order: 'ascending' })) {
      events.push([action, subjectId, organization, { ...before, ...after }['id']]);
    }
    t.deepEqual(events, [
      ['added', longest, NORTH, longest],
      ['added', 'shared', undefined, 'shared'],
      ['removed', longest, NORTH, longest],
    ]);
  });
}
