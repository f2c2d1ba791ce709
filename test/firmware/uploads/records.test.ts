import test, { type ExecutionContext } from 'ava';
import { DAY_MS, silentLogger } from '../../../common/index.js';
import { IMAGE_ROOM } from '../../../firmware/image-room.js';
import {
  ImageError,
  openDiskContents,
  openImageLibrary,
  openUploads,
  UPLOADS,
} from '../../../firmware/index.js';
import { ENDED_UPLOADS_MAX } from '../../../firmware/uploads/records.js';
import { CLAIM_MS, newUploadId, type UploadDocument } from '../../../firmware/uploads/upload.js';
import { BY } from '../../support/actor.js';
import { NORTH, openTestLibrary, randomContent, uploadOf } from '../support.js';
import { partFrom, saying } from './support.js';

/** Uploads whose organizations may have 1,000 bytes of images each. */
async function openBounded(t: ExecutionContext, clock = Date.now) {
  const { store, directory, contents } = await openTestLibrary(t);
  const limits = { imageBytesMax: 10_000, organizationImageBytesMax: 1_000 };
  const parts = { store, contents: await openDiskContents(directory), limits, clock, logger: silentLogger };
  const library = openImageLibrary(parts);
  return { store, contents, library, uploads: openUploads({ ...parts, library }) };
}

const documents = (store: Awaited<ReturnType<typeof openBounded>>['store']) =>
  store.collection<UploadDocument>(UPLOADS);

test('what the images of an organization take is counted where nobody has yet, and holds for whoever adds one', async (t) => {
  const { store, library } = await openBounded(t);
  const room = store.collection<{ readonly id: string; readonly bytes: number }>(IMAGE_ROOM);
  const add = (name: string, bytes: number) =>
    library.upload(uploadOf(name, randomContent(bytes), { organization: NORTH }));
  await add('a', 300);
  await add('b', 300);
  t.is((await room.get(NORTH))?.document.bytes, 600);
  // As a version left it that did not count.
  await room.delete(NORTH);
  t.like(await t.throwsAsync(add('c', 500), { instanceOf: ImageError }), { code: 'no-space' });
  t.is(await library.get('c', NORTH), null);
  t.is((await room.get(NORTH))?.document.bytes, 600);
  await room.delete(NORTH);
  await library.remove('a', BY, NORTH);
  t.is((await room.get(NORTH))?.document.bytes, 300);
  // At once no more of them come than there is room for.
  const outcomes = await Promise.allSettled(['d', 'e', 'f', 'g'].map((name) => add(name, 300)));
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 2);
  t.is((await room.get(NORTH))?.document.bytes, 900);
});

test('one that came in one request ends where its process has; nothing stays reserved', async (t) => {
  const { store, uploads } = await openBounded(t);
  const uploading = documents(store);
  const { id } = await uploads.begin({ ...saying('a', 800), organization: NORTH });
  const stored = await uploading.get(id);
  if (stored === null) return t.fail();
  // As another process has it that has died since.
  await uploading.put({ ...stored.document, kind: 'whole' });
  await uploads.cleanUp();
  t.like(await uploads.get(id, NORTH), { state: 'upload-error', reason: { code: 'abandoned' } });
  await t.notThrowsAsync(uploads.begin({ ...saying('b', 1_000), organization: NORTH }));
});

test('one that another process has is left to it until its claim has run out', async (t) => {
  let nowMs = Date.now();
  const { store, uploads } = await openBounded(t, () => nowMs);
  const uploading = documents(store);
  const { id } = await uploads.begin(saying('a', 10));
  const stored = await uploading.get(id);
  if (stored === null) return t.fail();
  const claim = { holder: 'x', mark: 'of elsewhere', untilMs: nowMs + CLAIM_MS };
  await uploading.put({ ...stored.document, claim });
  const content = randomContent(10);
  t.like(await t.throwsAsync(uploads.receive(id, null, ...partFrom(content, 0))), { code: 'busy' });
  nowMs += CLAIM_MS + 1;
  t.like(await uploads.receive(id, null, ...partFrom(content, 0)), { kind: 'admitted' });
  // A clock that was ahead keeps nobody out.
  const other = await uploads.begin(saying('b', 10));
  const another = await uploading.get(other.id);
  if (another === null) return t.fail();
  await uploading.put({ ...another.document, claim: { ...claim, untilMs: nowMs + DAY_MS } });
  t.like(await uploads.receive(other.id, null, ...partFrom(content, 0)), { kind: 'admitted' });
});

test('of what has ended the last are kept, of each organization', async (t) => {
  const { store, uploads } = await openBounded(t);
  const uploading = documents(store);
  const begun = await uploads.begin({ ...saying('a', 10), organization: NORTH });
  const stored = await uploading.get(begun.id);
  if (stored === null) return t.fail();
  const { openBy: _, ...document } = stored.document;
  const nowMs = Date.now();
  const ended = (organization: string, atMs: number): UploadDocument => ({
    ...document,
    id: newUploadId(atMs),
    owner: organization,
    state: 'cancelled',
    reservedBytes: 0,
    endedAtMs: atMs,
  });
  const many = Array.from({ length: ENDED_UPLOADS_MAX + 5 }, (_each, index) =>
    ended(NORTH, nowMs - 2_000 + index),
  );
  await store.commit([...many, ended('', nowMs)].map((each) => uploading.inserting(each)));
  await uploads.begin({ ...saying('b', 10), organization: NORTH });
  const left = await uploading.count({ index: 'ended', equals: [NORTH] });
  t.is(left, ENDED_UPLOADS_MAX);
  t.is(await uploading.get(many[4]?.id ?? ''), null);
  t.not(await uploading.get(many[5]?.id ?? ''), null);
  t.is(await uploading.count({ index: 'ended', equals: [''] }), 1);
});
