import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import { type Clock, silentLogger, systemClock } from '../../common/index.js';
import {
  type ContentStore,
  type Image,
  type ImageLibrary,
  openDiskContents,
  openImageLibrary,
  type Upload,
} from '../../firmware/index.js';
import type { Store } from '../../store/index.js';
import { BY } from '../support/actor.js';
import { haveOrganizations } from '../support/organizations-there.js';
import { openTestStore } from '../support/store.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request on a connection of its own, the path sent exactly as it is written. */
export function ask(
  port: number,
  path: string,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** Starts a server on a free port of the loopback address. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('not a TCP server'));
      else resolve(address.port);
    });
  });
}

export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
/** Ids of two organizations. */
export const NORTH = '1a111111-1111-4111-8111-111111111111';
export const SOUTH = '22222222-2222-4222-8222-222222222222';
export const MEBIBYTE = 1024 * 1024;

export interface TestLibrary {
  readonly library: ImageLibrary;
  readonly store: Store;
  readonly contents: ContentStore;
  /** Another library over the same, as another process has it. */
  another(): ImageLibrary;
  /** Names of what lies there, without their prefixes. */
  files(): Promise<{ incoming: string[]; content: string[] }>;
  /** Has what was retired removed, where that waits for readers. */
  settle(): Promise<void>;
  /** What other hands do to the content of an image. */
  lose(image: Image): Promise<void>;
  cutShort(image: Image): Promise<void>;
}

export interface TestLibraryOptions {
  readonly imageBytesMax?: number;
  readonly uploadIdleMsMax?: number;
  readonly strictImages?: boolean;
  readonly clock?: Clock;
}

/** How a test opens a library on one kind of content store. */
export type LibraryOpener<Opened extends TestLibrary = TestLibrary> = (
  t: ExecutionContext,
  options?: TestLibraryOptions,
) => Promise<Opened>;

export interface DiskLibrary extends TestLibrary {
  readonly directory: string;
}

/** An image library on disk, over a real store, in directories of its own, which go with the test. */
export async function openTestLibrary(
  t: ExecutionContext,
  options: TestLibraryOptions & { readonly directory?: string } = {},
): Promise<DiskLibrary> {
  const { store, directory: storeDirectory } = await openTestStore();
  await haveOrganizations(store, NORTH, SOUTH);
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'ferry-images-')));
  t.teardown(async () => {
    await store.close();
    await rm(storeDirectory, { recursive: true, force: true });
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  });
  const contents = await openDiskContents(directory);
  const pathOf = (image: Image) => join(directory, 'content', image.contentFile);
  return {
    ...opened(store, contents, options),
    directory,
    async files() {
      const [incoming, content] = await Promise.all(
        ['incoming', 'content'].map((name) => readdir(join(directory, name))),
      );
      return { incoming: incoming ?? [], content: content ?? [] };
    },
    settle: async () => {},
    lose: (image) => rm(pathOf(image)),
    cutShort: (image) => truncate(pathOf(image), 5),
  };
}

/** A library over stores that are open. */
export function opened(store: Store, contents: ContentStore, options: TestLibraryOptions) {
  const { imageBytesMax = 64 * MEBIBYTE, uploadIdleMsMax = 60_000, clock = systemClock } = options;
  const { strictImages = false } = options;
  const limits = { imageBytesMax, uploadIdleMsMax };
  const another = () =>
    openImageLibrary({ contents, store, limits, strictImages, clock, logger: silentLogger });
  return { library: another(), another, store, contents };
}

/** All of an image's content. */
export async function contentOf(library: ImageLibrary, image: Image): Promise<Buffer> {
  const content = await library.open(image);
  if (content === null) throw new Error(`The content of ${image.id} is not there`);
  return buffer(content.read({ start: 0, end: image.sizeBytes - 1 }));
}

/** An upload of `content` (or of a whole stream) with nothing said about it but its name. */
export function uploadOf(
  name: string,
  content: Buffer | Readable,
  more: Partial<Omit<Upload, 'metadata' | 'content'>> & { metadata?: Partial<Upload['metadata']> } = {},
): Upload {
  const stream = Buffer.isBuffer(content) ? Readable.from(pieces(content)) : content;
  return { by: BY, uploadedBy: 'tester', ...more, metadata: { name, ...more.metadata }, content: stream };
}

export function randomContent(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

function* pieces(content: Buffer): Generator<Buffer> {
  const pieceBytes = 64 * 1024;
  for (let start = 0; start < content.length; start += pieceBytes) {
    yield content.subarray(start, start + pieceBytes);
  }
}
