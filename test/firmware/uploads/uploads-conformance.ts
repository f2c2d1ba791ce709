import { execFile } from 'node:child_process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext, TestFn } from 'ava';
import { HOUR_MS } from '../../../common/index.js';
import { BuildError, type ContentStore, UploadError } from '../../../firmware/index.js';
import type { Store } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { until } from '../../support/ferry.js';
import { contentOf, sha256Of } from '../support.js';
import { KNOWN_BYTES, knownContent, partFrom, saying, uploadsOver } from './support.js';

const CHILD = fileURLToPath(new URL('./part-child.js', import.meta.url));
const run = promisify(execFile);

/** Stores of one kind, of which several processes can have the same open. */
export interface UploadStores {
  readonly store: Store;
  readonly contents: ContentStore;
  /** How a child finds them. */
  readonly child: readonly [where: string, directory: string];
}

async function killedAt(place: string, { child }: UploadStores): Promise<void> {
  const failed = await run(process.execPath, [CHILD, place, ...child]).catch((error: unknown) => error);
  if ((failed as { readonly signal?: string }).signal !== 'SIGKILL') throw failed;
}

async function namesOf(entries: AsyncIterable<{ readonly name: string }>): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of entries) names.push(name);
  return names;
}

/** What holds of uploads in parts wherever contents lie. */
export function uploadsConform(test: TestFn, open: (t: ExecutionContext) => Promise<UploadStores>): void {
  test('parts that end anywhere make the very content, however they fall on what is written at a time', async (t) => {
    const { store, contents } = await open(t);
    const { library, uploads } = uploadsOver(store, contents);
    const content = knownContent(KNOWN_BYTES);
    const { id } = await uploads.begin(saying('parts.bin', content.length));
    const cuts = [1, 2, 255 * 1024, 255 * 1024 + 1, 510 * 1024 - 1, 1_000_000, content.length];
    let from = 0;
    for (const to of cuts) {
      const outcome = await uploads.receive(id, null, ...partFrom(content, from, to));
      from = to;
      if (outcome.kind === 'waiting') t.is(outcome.upload.receivedBytes, to);
      else t.is(outcome.outcome.image.sha256, sha256Of(content));
    }
    const image = await library.get('parts.bin');
    t.true(image !== null && (await contentOf(library, image)).equals(content));
    t.deepEqual(await namesOf(contents.listAppended()), []);
    t.deepEqual(await namesOf(contents.listIncoming()), []);
  });

  test('cleaning up leaves what may be resumed, and removes what was cancelled', async (t) => {
    const { store, contents } = await open(t);
    const { library, uploads } = uploadsOver(store, contents);
    const content = knownContent(1_000_000);
    const kept = await uploads.begin(saying('kept.bin', content.length));
    const dropped = await uploads.begin(saying('dropped.bin', content.length));
    for (const { id } of [kept, dropped]) await uploads.receive(id, null, ...partFrom(content, 0, 600_000));
    await uploads.cancel(dropped.id, null, BY);
    await uploads.cleanUp();
    await library.cleanUp();
    t.deepEqual(await namesOf(contents.listAppended()), [`parts/${kept.id}`]);
    const outcome = await uploads.receive(kept.id, null, ...partFrom(content, 600_000));
    t.is(outcome.kind, 'admitted');
    const error = await t.throwsAsync(uploads.receive(dropped.id, null, ...partFrom(content, 600_000)));
    t.true(error instanceof UploadError && error.code === 'cancelled');
  });

  test('an upload that its build refuses ends with that reason: before it has begun, or once all of it is there', async (t) => {
    const { store, contents } = await open(t);
    const { library, uploads } = uploadsOver(store, contents);
    const { builds } = library;
    const content = knownContent(1_000_000);
    await builds.categories.add({ name: 'Gateways' }, BY, null);
    const placed = async (version: string) => {
      const { id: build } = await builds.add({ category: 'Gateways', version }, BY, null);
      return { ...saying(`${version}.bin`, content.length), place: { build, type: 'HGW' } };
    };
    const refused = { instanceOf: BuildError, code: 'not-found' };
    const unknown = { ...(await placed('0')), place: { build: 'none', type: 'HGW' } };
    await t.throwsAsync(uploads.begin(unknown), refused);
    await t.throwsAsync(uploads.upload({ ...unknown, content: Readable.from([content]) }), refused);
    t.deepEqual(await uploads.list(null, { limit: 1 }), []);

    const parts = await placed('parts');
    const { id } = await uploads.begin(parts);
    await uploads.receive(id, null, ...partFrom(content, 0, 600_000));
    await builds.remove(parts.place.build, BY, null);
    await t.throwsAsync(uploads.receive(id, null, ...partFrom(content, 600_000)), refused);
    t.like(await uploads.get(id, null), { state: 'invalid', reason: { code: 'not-found' } });
    t.deepEqual(await namesOf(contents.listAppended()), []);

    const whole = await placed('whole');
    async function* losingItsBuild(): AsyncGenerator<Buffer> {
      yield content;
      await builds.remove(whole.place.build, BY, null);
    }
    await t.throwsAsync(uploads.upload({ ...whole, content: Readable.from(losingItsBuild()) }), refused);
    t.like((await uploads.list(null, { limit: 1 }))[0], { state: 'invalid', reason: { code: 'not-found' } });
    t.deepEqual(await namesOf(contents.listIncoming()), []);
  });

  test('killed in the midst of a part, it goes on behind what was told to be there', async (t) => {
    const stores = await open(t);
    await killedAt('part', stores);
    const { library, uploads } = uploadsOver(stores.store, stores.contents);
    const content = knownContent(KNOWN_BYTES);
    const [upload] = await uploads.list(null, { limit: 1 });
    const there = upload?.receivedBytes ?? 0;
    t.like(upload, { state: 'uploading' });
    t.true(there > content.length / 2 + 1_234 && there < content.length, String(there));
    await until('its claim has run out', async () => {
      const outcome = await uploads
        .receive(upload?.id ?? '', null, ...partFrom(content, there))
        .catch((error: unknown) => error);
      if (outcome instanceof UploadError && outcome.code === 'busy') return false;
      t.like(outcome, { kind: 'admitted' });
      return true;
    });
    const image = await library.get('killed.bin');
    t.true(image !== null && (await contentOf(library, image)).equals(content));
  });

  test('killed before it is validated, it ends where its bytes are lost', async (t) => {
    const stores = await open(t);
    await killedAt('before seal', stores);
    const { uploads } = uploadsOver(stores.store, stores.contents);
    for (const name of await namesOf(stores.contents.listAppended())) await stores.contents.remove(name);
    await until('it has ended', async () => {
      await uploads.cleanUp();
      return (await uploads.list(null, { limit: 1 }))[0]?.state !== 'validating';
    });
    t.like((await uploads.list(null, { limit: 1 }))[0], { reason: { code: 'incomplete' } });
  });

  for (const place of ['before seal', 'after seal', 'before move', 'after move']) {
    test(`killed while it is validated (${place}), it becomes an image without anybody asking`, async (t) => {
      const stores = await open(t);
      await killedAt(place, stores);
      const { library, uploads } = uploadsOver(stores.store, stores.contents);
      t.is(await library.get('killed.bin'), null);
      t.like((await uploads.list(null, { limit: 1 }))[0], { state: 'validating' });
      // However long nothing ran: what lies in its place is no rest of something that went.
      const hoursLater = uploadsOver(stores.store, stores.contents, () => Date.now() + 5 * HOUR_MS);
      await hoursLater.library.cleanUp(await hoursLater.uploads.contentFiles());
      await until('it is valid', async () => {
        await uploads.cleanUp();
        const [upload] = await uploads.list(null, { limit: 1 });
        return upload?.state === 'valid';
      });
      const image = await library.get('killed.bin');
      t.true(image !== null && (await contentOf(library, image)).equals(knownContent(KNOWN_BYTES)));
      await uploads.cleanUp();
      t.deepEqual(await namesOf(stores.contents.listAppended()), []);
    });
  }
}
