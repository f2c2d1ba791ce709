import { createHash, randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { DEVICES, type Device, UPGRADES, type Upgrade } from '../../acs/index.js';
import { type Secrets, systemClock } from '../../common/index.js';
import { IMAGES, type ImageDocument, imageOf } from '../../firmware/index.js';
import { openFreeze } from '../../rules/index.js';
import { type Collection, type Document, PAGE_ITEMS_MAX, type Store } from '../../store/index.js';
import { ALL_COLLECTIONS, KEPT_COLLECTIONS } from '../collections.js';
import type { Installation } from '../installation.js';
import { BACKUP_FORMAT, type BackupEnd, BackupError, type BackupHeader, macOf } from './format.js';
import { readContent } from './image-contents.js';
import { keyCheckOf } from './key.js';
import { refuseHalfRestored } from './restoring.js';
import { settledDevices } from './settled-devices.js';
import { walk } from './walk.js';

const CHUNK_BYTES = 64 * 1024;
const FILE_MODE = 0o600;

export interface BackupOptions {
  readonly ferryVersion: string;
  readonly images: boolean;
  /** The master key, where it is to be in the backup. */
  readonly key: string | null;
  /** Refuse unless upgrades are frozen throughout and none is under way. */
  readonly mustBeAtRest: boolean;
  /** Told of every document and image. */
  readonly onDocument: () => void;
}

/**
 * Writes everything an installation knows to a file, which is there only once it is whole. Needs no more memory than some
 * pages of documents, and the ids of the upgrades under way.
 * @throws BackupError
 */
export async function writeBackup(
  path: string,
  installation: Pick<Installation, 'store' | 'secrets' | 'images'>,
  options: BackupOptions,
): Promise<BackupEnd> {
  await refuseHalfRestored(installation.store);
  await refuseUnknown(installation.store);
  const lines = new Lines(installation.secrets);
  const partial = `${path}.${randomBytes(4).toString('hex')}.partial`;
  const file = await open(partial, 'wx', FILE_MODE).catch((error: unknown) => {
    throw cannotBeMade(path, error);
  });
  try {
    const content = Readable.from(chunksOf(backupLines(installation, options, lines)), { objectMode: false });
    // The fastest level: a backup is mostly keys that repeat, of which the slow ones gain little.
    const zip = createGzip({ level: constants.Z_BEST_SPEED });
    await pipeline(content, zip, file.createWriteStream({ flush: true }));
    await rename(partial, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(partial, { force: true });
    throw isDiskFull(error)
      ? new BackupError(
          `There is no room for the backup in ${dirname(path)}: make some, or write it elsewhere.`,
        )
      : error;
  }
  if (lines.end === null) throw new Error('The backup has no end');
  return lines.end;
}

function cannotBeMade(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  const reason =
    error.code === 'ENOENT' || error.code === 'ENOTDIR'
      ? `there is no directory ${dirname(path)}`
      : error.message;
  return new BackupError(`The backup cannot be written to ${path}: ${reason}.`);
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** What this version does not know of cannot be left out in silence. */
async function refuseUnknown(store: Store): Promise<void> {
  const known = new Set(ALL_COLLECTIONS.map(({ name }) => name));
  const { collections } = await store.inspect();
  const unknown = collections.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (unknown.length === 0) return;
  throw new BackupError(
    `The store holds collections that this version of Ferry does not know (${unknown.join(', ')}): ` +
      'use the version that wrote them or a newer one.',
  );
}

/** Makes lines, and remembers what its last one has to say of the others. */
class Lines {
  readonly #hash = createHash('sha256');
  readonly #documents: Record<string, number> = {};
  #images = 0;
  end: BackupEnd | null = null;

  constructor(private readonly secrets: Pick<Secrets, 'mac'>) {}

  header(header: BackupHeader): string {
    return this.#line(header);
  }

  document(collection: string, document: Document): string {
    this.#documents[collection] = (this.#documents[collection] ?? 0) + 1;
    return this.#line({ in: collection, doc: document });
  }

  image(image: ImageDocument, content: boolean): string {
    this.#images++;
    return this.#line({ image, content });
  }

  bytes(bytes: Buffer): string {
    return this.#line({ bytes: bytes.toString('base64') });
  }

  last(atRest: boolean): string {
    const end = {
      documents: this.#documents,
      images: this.#images,
      atRest,
      sha256: this.#hash.digest('hex'),
    };
    this.end = { ...end, mac: macOf(this.secrets, end) };
    return `${JSON.stringify({ end: this.end })}\n`;
  }

  #line(value: unknown): string {
    const line = `${JSON.stringify(value)}\n`;
    this.#hash.update(line);
    return line;
  }
}

async function* backupLines(
  { store, secrets, images }: Pick<Installation, 'store' | 'secrets' | 'images'>,
  options: BackupOptions,
  lines: Lines,
): AsyncGenerator<string, void> {
  const rest = await openRest(store);
  if (options.mustBeAtRest && !rest.began) throw notAtRest();
  yield lines.header({
    ferryBackup: BACKUP_FORMAT,
    createdAt: new Date().toISOString(),
    ferryVersion: options.ferryVersion,
    keyCheck: keyCheckOf(secrets),
    images: options.images,
    ...(options.key !== null && { key: options.key }),
  });
  if (options.images) yield* imageLines(store, images, options, lines);
  for await (const { collection, document } of documentsOf(store)) {
    options.onDocument();
    yield lines.document(collection, document);
  }
  // Where an upgrade may be missing nobody knows what a CPE has been sent.
  const atRest = rest.began && (await rest.lasted()) && store.damage.documents === 0;
  if (options.mustBeAtRest && !atRest) throw notAtRest();
  yield lines.last(atRest);
}

function notAtRest(): BackupError {
  return new BackupError(
    'Upgrades are not at rest: stop them with ferry freeze, wait until none is under way, and try again.',
  );
}

/** Whether nothing moves that a device, its upgrade and its rule's campaign are counted by. */
async function openRest(store: Store) {
  const freeze = openFreeze(store, systemClock);
  const { state, revision } = await freeze.read();
  const underWay = await store
    .collection<Upgrade>(UPGRADES)
    .find({ index: 'status', equals: [false], limit: 1 });
  return {
    began: state.frozen && underWay.items.length === 0,
    lasted: async () => (await freeze.read()).revision === revision,
  };
}

async function* imageLines(
  store: Store,
  library: Installation['images'],
  options: BackupOptions,
  lines: Lines,
): AsyncGenerator<string, void> {
  const images = store.collection<ImageDocument>(IMAGES);
  let sha256: string | null = null;
  // In the order of their contents, so that each of these comes once, with the first image that has it.
  for await (const { document } of walk(images, { index: 'sha256' })) {
    options.onDocument();
    const isFirst = document.sha256 !== sha256;
    sha256 = document.sha256;
    yield lines.image(document, isFirst);
    if (!isFirst) continue;
    for await (const chunk of readContent(library, imageOf(document))) yield lines.bytes(chunk as Buffer);
    yield lines.bytes(Buffer.alloc(0));
  }
}

interface Kept {
  readonly collection: string;
  readonly document: Document;
}

/**
 * Every document, such that a device and its upgrades agree though a server may be at work. Upgrades under way come with the
 * device whose mark names them; those that have ended by then come after.
 */
async function* documentsOf(store: Store): AsyncGenerator<Kept, void> {
  const underWay = new Set<string>();
  for (const definition of KEPT_COLLECTIONS) {
    const { name } = definition;
    if (name === DEVICES.name) {
      yield* deviceDocuments(store, underWay);
      continue;
    }
    for await (const { document } of walk(store.collection<Document>(definition))) {
      if (name === UPGRADES.name && (document as Upgrade).status === false) underWay.add(document.id);
      else yield { collection: name, document };
    }
  }
}

async function* deviceDocuments(store: Store, underWay: Set<string>): AsyncGenerator<Kept, void> {
  const devices: Collection<Device> = store.collection(DEVICES);
  const upgrades: Collection<Upgrade> = store.collection(UPGRADES);
  for await (const { device, upgrades: own } of settledDevices(devices, upgrades)) {
    for (const document of own) {
      underWay.delete(document.id);
      yield { collection: UPGRADES.name, document };
    }
    yield { collection: DEVICES.name, document: device };
  }
  const left = [...underWay];
  for (let from = 0; from < left.length; from += PAGE_ITEMS_MAX) {
    for (const stored of await upgrades.getMany(left.slice(from, from + PAGE_ITEMS_MAX))) {
      // One that is still under way though no device says so is one that nothing could ever be learnt of.
      if (stored?.document.status) yield { collection: UPGRADES.name, document: stored.document };
    }
  }
}

/** Lines put together: a write for each would cost more than what is in it. */
async function* chunksOf(lines: AsyncIterable<string>): AsyncGenerator<string, void> {
  let chunk = '';
  for await (const line of lines) {
    chunk += line;
    if (chunk.length < CHUNK_BYTES) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}
