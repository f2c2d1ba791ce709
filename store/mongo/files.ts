import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Binary, type Collection, type Db, GridFSBucket, type GridFSFile, ObjectId } from 'mongodb';
import { MINUTE_MS, SECOND_MS } from '../../common/index.js';
import { StoreError } from '../collection.js';
import type { AppendedFile, StoredFile, StoredFileEntry, StoredFiles } from '../files.js';
import { storeErrorOf, within } from './errors.js';
import type { Vigil } from './vigil.js';

const BUCKET = 'ferry.files';
/** Of the collection that says what is being written: GridFS itself knows a file only when all of it has come. */
const INCOMING = `${BUCKET}.incoming`;
/** A reader has at most two in memory: thousands of slow CPEs download at a time. */
const CHUNK_BYTES = 255 * 1024;
const TOUCH_MS = MINUTE_MS;
/** A reader tries for so long to get at its next chunk: a fail-over must not break off a thousand downloads. */
const READ_MS_MAX = 30 * SECOND_MS;
const READ_PAUSE_MS = 250;

interface Incoming {
  /** Also the `_id` of its file and the `files_id` of its chunks. */
  readonly _id: ObjectId;
  readonly name: string;
  readonly touchedAt: Date;
  /** Set by who removes it, before the chunks go: it can no longer be published. */
  readonly removed?: true;
  /** It comes in parts: that nothing is heard of its writer says nothing. */
  readonly parts?: true;
}

interface Chunk {
  readonly files_id: ObjectId;
  readonly n: number;
  readonly data: { readonly buffer: Uint8Array };
}

export interface MongoFilesOptions {
  readonly database: Db;
  /** How long one request may take. */
  readonly timeoutMs: number;
  readonly vigil: Vigil;
}

/** {@link StoredFiles} in GridFS, so that any tool for MongoDB can look at them. */
export class MongoFiles implements StoredFiles {
  readonly #bucket: GridFSBucket;
  readonly #files: Collection<GridFSFile>;
  readonly #chunks: Collection<Chunk>;
  readonly #incoming: Collection<Incoming>;
  readonly #timeoutMs: number;
  readonly #vigil: Vigil;
  #indexed: Promise<void> | null = null;

  constructor({ database, timeoutMs, vigil }: MongoFilesOptions) {
    this.#vigil = vigil;
    this.#bucket = new GridFSBucket(database, { bucketName: BUCKET, chunkSizeBytes: CHUNK_BYTES });
    this.#files = database.collection(`${BUCKET}.files`);
    this.#chunks = database.collection(`${BUCKET}.chunks`);
    this.#incoming = database.collection(INCOMING);
    this.#timeoutMs = timeoutMs;
  }

  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#indexes();
    const id = new ObjectId();
    const marker = { _id: id, name, touchedAt: new Date() };
    await this.#ask('beginning a file', () => this.#incoming.insertOne(marker));
    const touching = setInterval(() => {
      // One that fails makes the file look older than it is; the next puts that right.
      this.#touchIncoming(id).catch(() => {});
    }, TOUCH_MS);
    touching.unref();
    try {
      await this.#copy(id, name, content);
      await this.#touchIncoming(id);
    } catch (error) {
      // Where the database cannot be reached it stays listed as incoming.
      await this.#removeIncoming(marker).catch(() => {});
      throw error;
    } finally {
      clearInterval(touching);
    }
  }

  async #copy(id: ObjectId, name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const upload = this.#bucket.openUploadStreamWithId(id, name, { chunkSizeBytes: CHUNK_BYTES });
    let failure: unknown = null;
    upload.on('error', (error) => {
      failure ??= error;
    });
    const written = (chunk: Uint8Array) =>
      new Promise<void>((resolve, reject) => {
        upload.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
    for await (const chunk of content) {
      await this.#ask('writing a file', () => (failure === null ? written(chunk) : Promise.reject(failure)));
    }
    await this.#ask('writing a file', () => {
      upload.end();
      return finished(upload);
    });
  }

  async move(from: string, to: string): Promise<void> {
    await this.#ask('moving a file', async () => {
      const marker = await this.#incoming.findOneAndUpdate(
        { name: from, removed: { $exists: false } },
        { $currentDate: { touchedAt: true } },
      );
      const id = marker?._id ?? (await this.#newest(from))?._id;
      if (id === undefined) throw removedMeanwhile(from);
      const older = await this.#files.find({ filename: to }).toArray();
      const moved = await this.#files.updateOne(
        { _id: id, filename: from },
        { $set: { filename: to }, $currentDate: { uploadDate: true } },
      );
      if (moved.matchedCount === 0) throw removedMeanwhile(from);
      if (marker !== null) await this.#incoming.deleteOne({ _id: id });
      for (const { _id } of older) await this.#removeFile(_id);
    });
  }

  open(name: string, sizeBytes: number): Promise<StoredFile | null> {
    return this.#ask('opening a file', async () => {
      const file = await this.#newest(name);
      if (file === null || file.length !== sizeBytes) return null;
      const chunks = await this.#chunks.countDocuments({ files_id: file._id });
      if (chunks !== Math.ceil(sizeBytes / file.chunkSize)) return null;
      return {
        read: (range) => Readable.from(this.#read(file, range), { objectMode: false }),
      };
    });
  }

  async remove(name: string): Promise<void> {
    await this.#ask('removing a file', async () => {
      for (const marker of await this.#incoming.find({ name }).toArray()) await this.#removeIncoming(marker);
      for (const { _id } of await this.#files.find({ filename: name }).toArray()) await this.#removeFile(_id);
    });
  }

  async touch(name: string): Promise<void> {
    await this.#ask('touching a file', () =>
      this.#files.updateMany({ filename: name }, { $currentDate: { uploadDate: true } }),
    );
  }

  async *list(prefix: string): AsyncIterable<StoredFileEntry> {
    await this.#indexes();
    const named = { filename: { $gte: prefix, $lt: `${prefix}\u{10ffff}` } };
    for await (const { filename, uploadDate } of this.#files.find(named, { sort: { filename: 1 } })) {
      yield { name: filename, changedMs: uploadDate.getTime() };
    }
  }

  async *listIncoming(): AsyncIterable<StoredFileEntry> {
    await this.#indexes();
    const found = this.#incoming.find({ parts: { $exists: false } }, { hint: '_id_' });
    for await (const { name, touchedAt } of found) yield { name, changedMs: touchedAt.getTime() };
  }

  async append(name: string, offset: number): Promise<AppendedFile | null> {
    await this.#indexes();
    return this.#ask('opening a file', async () => {
      const marker = await this.#incoming.findOneAndUpdate(
        { name, parts: true, removed: { $exists: false } },
        { $currentDate: { touchedAt: true } },
        { upsert: offset === 0, returnDocument: 'after' },
      );
      if (marker === null) return null;
      const { _id: id } = marker;
      const full = Math.floor(offset / CHUNK_BYTES);
      const restBytes = offset % CHUNK_BYTES;
      await this.#chunks.deleteMany({ files_id: id, n: { [restBytes === 0 ? '$gte' : '$gt']: full } });
      const there = await this.#chunks.countDocuments({ files_id: id });
      const last = restBytes === 0 ? null : await this.#chunks.findOne({ files_id: id, n: full });
      const rest = Buffer.from(last?.data.buffer ?? new Uint8Array()).subarray(0, restBytes);
      if (there !== full + (restBytes === 0 ? 0 : 1) || rest.length < restBytes) return null;
      return this.#appended(id, full, rest);
    });
  }

  /** @param rest  what the chunk that is to be written next has already */
  #appended(id: ObjectId, next: number, rest: Buffer): AppendedFile {
    let n = next;
    let pieces: Uint8Array[] = [rest];
    let heldBytes = rest.length;
    const put = (data: Uint8Array) =>
      this.#ask('writing a file', () =>
        this.#chunks.updateOne({ files_id: id, n }, { $set: { data: new Binary(data) } }, { upsert: true }),
      );
    return {
      write: async (chunk) => {
        pieces.push(chunk);
        heldBytes += chunk.length;
        if (heldBytes < CHUNK_BYTES) return;
        let held = Buffer.concat(pieces);
        for (; held.length >= CHUNK_BYTES; n++) {
          await put(held.subarray(0, CHUNK_BYTES));
          held = held.subarray(CHUNK_BYTES);
        }
        pieces = [held];
        heldBytes = held.length;
      },
      flush: async () => {
        if (heldBytes > 0) await put(Buffer.concat(pieces));
      },
    };
  }

  async seal(name: string, sizeBytes: number): Promise<boolean> {
    return this.#ask('sealing a file', async () => {
      const marker = await this.#incoming.findOne({ name, parts: true, removed: { $exists: false } });
      if (marker === null) return false;
      const whole = { length: sizeBytes, chunkSize: CHUNK_BYTES, uploadDate: new Date(), filename: name };
      await this.#files.updateOne({ _id: marker._id }, { $setOnInsert: whole }, { upsert: true });
      return true;
    });
  }

  async *listAppended(): AsyncIterable<StoredFileEntry> {
    await this.#indexes();
    const found = this.#incoming.find({ parts: true }, { hint: '_id_' });
    for await (const { name, touchedAt } of found) yield { name, changedMs: touchedAt.getTime() };
  }

  /** Chunk by chunk, each found by its number: a cursor would hold 16 MB of them, and expire under a slow reader. */
  async *#read(
    file: GridFSFile,
    { start, end }: { readonly start: number; readonly end: number },
  ): AsyncGenerator<Uint8Array, void> {
    const size = file.chunkSize;
    for (let n = Math.floor(start / size); n * size <= end; n++) {
      const bytes = await this.#chunk(file, n);
      yield bytes.subarray(Math.max(0, start - n * size), Math.min(bytes.length, end + 1 - n * size));
    }
  }

  async #chunk(file: GridFSFile, n: number): Promise<Uint8Array> {
    const deadlineMs = performance.now() + READ_MS_MAX;
    for (;;) {
      try {
        const chunk = await this.#ask('reading a file', () =>
          this.#chunks.findOne({ files_id: file._id, n }),
        );
        const bytes = chunk?.data.buffer ?? new Uint8Array();
        // Each chunk but the last is full. To send less than was announced is what must not happen.
        const expected = Math.min(file.chunkSize, file.length - n * file.chunkSize);
        if (bytes.length === expected) return bytes;
        throw new Error(`Chunk ${n} of ${file.filename} has ${bytes.length} bytes instead of ${expected}`);
      } catch (error) {
        const isPassing = error instanceof StoreError && error.code === 'unavailable';
        if (!isPassing || performance.now() > deadlineMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, READ_PAUSE_MS));
      }
    }
  }

  async #newest(name: string): Promise<GridFSFile | null> {
    return this.#files.findOne({ filename: name }, { sort: { uploadDate: -1 } });
  }

  async #touchIncoming(id: ObjectId): Promise<void> {
    await this.#ask('writing a file', () =>
      this.#incoming.updateOne({ _id: id }, { $currentDate: { touchedAt: true } }),
    );
  }

  async #removeIncoming({ _id, name }: Incoming): Promise<void> {
    const marked = await this.#incoming.updateOne({ _id }, { $set: { removed: true } });
    if (marked.matchedCount === 0) return;
    const file = await this.#files.findOne({ _id });
    // Published by a node that died before it could say so.
    if (file === null || file.filename === name) await this.#removeFile(_id);
    await this.#incoming.deleteOne({ _id });
  }

  /** First the file, so that nobody opens it while its chunks go. */
  async #removeFile(id: ObjectId): Promise<void> {
    await this.#files.deleteOne({ _id: id });
    await this.#chunks.deleteMany({ files_id: id });
  }

  /** As GridFS has it, so that other tools find them, and one for the names of what is incoming. */
  #indexes(): Promise<void> {
    this.#indexed ??= this.#ask('indexing files', async () => {
      await this.#files.createIndex({ filename: 1, uploadDate: 1 });
      await this.#chunks.createIndex({ files_id: 1, n: 1 }, { unique: true });
      await this.#incoming.createIndex({ name: 1 });
    }).catch((error: unknown) => {
      this.#indexed = null;
      throw error;
    });
    return this.#indexed;
  }

  async #ask<R>(what: string, act: () => Promise<R>): Promise<R> {
    try {
      this.#vigil.check(what);
      return await within(this.#timeoutMs, what, this.#vigil.attend(act()));
    } catch (error) {
      throw error instanceof Error && !(error instanceof StoreError) ? storeErrorOf(error, what) : error;
    }
  }
}

function removedMeanwhile(name: string): StoreError {
  return new StoreError('unavailable', `The file ${name} was removed meanwhile: write it again`);
}
