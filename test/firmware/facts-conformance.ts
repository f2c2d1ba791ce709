import test from 'ava';
import type { ImageDocument, ImageError, Upload } from '../../firmware/index.js';
import { IMAGES } from '../../firmware/index.js';
import * as files from './formats/images.js';
import { type LibraryOpener, randomContent, type TestLibrary, uploadOf } from './support.js';

const OPENWRT = files.withMetadata(files.content(10_000));
const VERSION = '23.05.3';
const BOARDS = ['tplink,archer-c7-v5'];
const HARDWARE = 'tplink_archer-c7-v5';
const FROM_FILE = {
  softwareVersion: VERSION,
  hardwareVersion: HARDWARE,
  boards: BOARDS,
  fromFile: ['softwareVersion', 'hardwareVersion', 'boards'],
  formats: ['fwtool-metadata'],
};

async function refusal({ library }: TestLibrary, upload: Upload) {
  const error = await library.upload(upload).then(
    () => null,
    (thrown: ImageError) => thrown,
  );
  return { code: error?.code, field: error?.field, message: error?.message ?? '' };
}

/** The image as a version of Ferry has stored it that looked into no file. */
async function asBefore({ store }: TestLibrary, id: string): Promise<void> {
  const images = store.collection<ImageDocument>(IMAGES);
  const document = (await images.get(id))?.document;
  if (document === undefined) throw new Error(`There is no image ${id}`);
  const { fromFile = [], formats: _, warnings: __, ...rest } = document;
  const typed = Object.entries(rest).filter(([field]) => !(fromFile as readonly string[]).includes(field));
  await images.put(Object.fromEntries(typed) as unknown as ImageDocument);
}

/** What any library makes of what a file says, wherever its contents lie. @param where  what the titles begin with */
export function defineFactsTests(where: string, open: LibraryOpener): void {
  test(`${where}: what the uploader leaves out the file says, and it is kept what that was`, async (t) => {
    const opened = await open(t);
    const { image } = await opened.library.upload(uploadOf('openwrt.bin', OPENWRT));
    t.like(image, FROM_FILE);
    t.is(image.warnings, undefined);
    t.deepEqual(await opened.library.get('openwrt.bin'), image);
    const { image: unknown } = await opened.library.upload(uploadOf('unknown.bin', randomContent(5_000)));
    for (const field of ['softwareVersion', 'boards', 'fromFile', 'formats', 'warnings'] as const)
      t.is(unknown[field], undefined);
  });

  test(`${where}: what the uploader says stays as it was typed`, async (t) => {
    const opened = await open(t);
    const metadata = {
      softwareVersion: `OpenWrt ${VERSION}`,
      hardwareVersion: 'rev B',
      boards: ['tplink_archer-c7-v5', 'tplink_archer-c7-v5'],
    };
    const { image } = await opened.library.upload(uploadOf('a', OPENWRT, { metadata }));
    t.like(image, { ...metadata, boards: ['tplink_archer-c7-v5'], formats: ['fwtool-metadata'] });
    t.is(image.fromFile, undefined);
    t.is(image.warnings, undefined);
  });

  test(`${where}: texts that metadata may not hold are as though the file did not say them`, async (t) => {
    const opened = await open(t);
    const many = Array.from({ length: 64 }, (_, at) => `vendor,model-${at}`);
    const content = files.withMetadata(files.content(1_000), {
      supported_devices: [...many, 'b'.repeat(200)],
      version: { version: '9'.repeat(200) },
    });
    const { image } = await opened.library.upload(uploadOf('a', content));
    t.is(image.softwareVersion, undefined);
    t.deepEqual(image.boards, many);
    t.deepEqual(image.fromFile, ['boards']);
    t.regex(image.warnings?.[0] ?? '', /^1 of the boards that the file names are left out/);
  });

  test(`${where}: of a file that names more boards than an image has the others are left out with a warning, whatever its format`, async (t) => {
    const opened = await open(t);
    const names = Array.from({ length: 300 }, (_, at) => `a,b-${at}`);
    const compatible = files.cString(...names);
    const config = { name: 'c', properties: { compatible } };
    const told = {
      metadata: files.withMetadata(files.content(1_000), { supported_devices: names }),
      fit: files.tree({ name: '', nodes: [{ name: 'configurations', nodes: [config] }] }),
      safeloader: files.safeloader(names.map((name) => `{product_name:${name.replace(',', '-')}}`)),
    };
    for (const [name, content] of Object.entries(told)) {
      const { image } = await opened.library.upload(uploadOf(name, content));
      t.is(image.boards?.length, 256, name);
      t.regex(image.warnings?.[0] ?? '', /^at least 1 of the boards that the file names are left out/, name);
    }
    // What was typed may be among those that are not known.
    const metadata = { boards: ['a,b-299'] };
    const { image } = await opened.library.upload(uploadOf('typed', told.metadata, { metadata }));
    t.is(image.warnings, undefined);
  });

  test(`${where}: uploaded again as yesterday it is unchanged, whichever version has stored it`, async (t) => {
    const opened = await open(t);
    const typed = { softwareVersion: VERSION, productClass: 'HGW' };
    for (const [name, metadata] of [
      ['without', {}],
      ['typed', typed],
      ['other', { softwareVersion: 'Vendor 9' }],
    ] as const) {
      const again = () => opened.library.upload(uploadOf(name, OPENWRT, { metadata }));
      const { image } = await again();
      t.like(await again(), { outcome: 'unchanged', image });
      await asBefore(opened, name);
      const before = await opened.library.get(name);
      t.is(before?.formats, undefined);
      t.like(await again(), { outcome: 'unchanged' });
      t.deepEqual(await opened.library.get(name), before);
    }
  });

  test(`${where}: what the file says may be typed as well, but for hardware that CPEs would be held against`, async (t) => {
    const opened = await open(t);
    await opened.library.upload(uploadOf('a', OPENWRT));
    const same = { softwareVersion: VERSION, boards: BOARDS };
    t.is((await opened.library.upload(uploadOf('a', OPENWRT, { metadata: same }))).outcome, 'unchanged');
    for (const metadata of [{ hardwareVersion: HARDWARE }, { softwareVersion: '1' }, { boards: ['x'] }])
      t.is((await refusal(opened, uploadOf('a', OPENWRT, { metadata }))).code, 'name-taken');
  });

  test(`${where}: what contradicts the file is a warning that names both, and where the file says it`, async (t) => {
    const opened = await open(t);
    const metadata = { softwareVersion: '22.03.1', boards: ['other,board'], hardwareVersion: 'rev C' };
    const { image } = await opened.library.upload(uploadOf('a', OPENWRT, { metadata }));
    t.like(image, metadata);
    const [version = '', boards = '', ...others] = image.warnings ?? [];
    t.regex(
      version,
      /^softwareVersion was given as "22\.03\.1", but the file says "23\.05\.3" \(.*version.*, byte \d+\)$/,
    );
    t.regex(
      boards,
      /^boards were given as "other,board", but the file is for "tplink,archer-c7-v5" \(supported_devices .*, byte \d+\)$/,
    );
    t.deepEqual(others, []);
    t.deepEqual(await opened.library.get('a'), image);
  });

  test(`${where}: each board that was typed is to be one of the file's, and those that are not are named`, async (t) => {
    const opened = await open(t);
    const warningsOf = async (name: string, boards: readonly string[]) =>
      (await opened.library.upload(uploadOf(name, OPENWRT, { metadata: { boards } }))).image.warnings;
    t.is(await warningsOf('a', ['TPLink,Archer-C7-v5', 'tplink_archer-c7-v5']), undefined);
    const [warning = ''] = (await warningsOf('b', ['TPLink,Archer-C7-v5', 'other,board'])) ?? [];
    t.regex(warning, /^boards were given as "other,board", but the file is for "tplink,archer-c7-v5" /);
  });

  test(`${where}: where that is configured a contradiction is refused, and nothing is kept`, async (t) => {
    const opened = await open(t, { strictImages: true });
    const version = await refusal(opened, uploadOf('a', OPENWRT, { metadata: { softwareVersion: '1' } }));
    t.like(version, { code: 'contradiction', field: 'softwareVersion' });
    const boards = await refusal(opened, uploadOf('a', OPENWRT, { metadata: { boards: ['x,y'] } }));
    t.like(boards, { code: 'contradiction', field: 'boards' });
    t.deepEqual(await opened.files(), { incoming: [], content: [] });
    t.is((await opened.library.upload(uploadOf('a', OPENWRT))).outcome, 'created');
  });

  test(`${where}: what is broken is refused with the reason, and nothing is kept`, async (t) => {
    const opened = await open(t);
    const broken = Buffer.from(files.uimage());
    broken.writeUInt8(broken.readUInt8(200) ^ 1, 200);
    const { code, message } = await refusal(opened, uploadOf('a', broken));
    t.is(code, 'invalid');
    t.regex(message, /^the file is broken: .*CRC/);
    t.is(await opened.library.get('a'), null);
    t.deepEqual(await opened.files(), { incoming: [], content: [] });
  });

  test(`${where}: what is not read on is a warning, and what a vendor's own type of file holds is not looked for`, async (t) => {
    const opened = await open(t);
    const members = Array.from({ length: 100 }, (_, at) => `sysupgrade-x/${at}`);
    const tar = files.tar(members.map((name) => ({ name, content: Buffer.from(name) })));
    const { image: long } = await opened.library.upload(uploadOf('long', tar));
    t.deepEqual(long.warnings, ['the tar has more than 64 members: those behind are not read']);
    const broken = Buffer.from(files.uimage());
    broken.writeUInt8(broken.readUInt8(200) ^ 1, 200);
    const metadata = { fileType: 'X 00A1B2 Settings' };
    for (const content of [broken, OPENWRT]) {
      const { image } = await opened.library.upload(uploadOf(`of-${content.length}`, content, { metadata }));
      for (const field of ['softwareVersion', 'boards', 'fromFile', 'formats', 'warnings'] as const)
        t.is(image[field], undefined);
    }
  });

  test(`${where}: what is brought back, or from elsewhere, stays as it was`, async (t) => {
    const opened = await open(t, { strictImages: true });
    const broken = Buffer.from(files.uimage());
    broken.writeUInt8(broken.readUInt8(200) ^ 1, 200);
    const { image: restored } = await opened.library.upload(uploadOf('restored', broken, { by: null }));
    for (const field of ['softwareVersion', 'boards', 'fromFile', 'formats', 'warnings'] as const)
      t.is(restored[field], undefined);
    const asItWas = {
      fromFile: ['boards'],
      formats: ['fwtool-metadata'],
      warnings: ['softwareVersion was given otherwise'],
    } as const;
    const metadata = { softwareVersion: '1', boards: ['x,y'] };
    const brought = () => uploadOf('brought', OPENWRT, { metadata, asItWas });
    const { image } = await opened.library.upload(brought());
    t.like(image, { ...metadata, ...asItWas });
    t.is(image.hardwareVersion, undefined);
    t.is((await opened.library.upload(brought())).outcome, 'unchanged');
  });

  test(`${where}: boards that cannot be are refused before a byte is read`, async (t) => {
    const opened = await open(t);
    for (const boards of [
      [],
      [''],
      [' a'],
      ['b'.repeat(129)],
      Array.from({ length: 257 }, (_, at) => `b${at}`),
    ]) {
      const { code, field } = await refusal(opened, uploadOf('a', OPENWRT, { metadata: { boards } }));
      t.is(code, 'invalid-metadata');
      t.is(field, 'boards');
    }
  });
}
