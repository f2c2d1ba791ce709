import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Secrets } from '../../common/index.js';
import { DOCUMENT_BYTES_MAX, type Document } from '../../store/index.js';

/**
 * A backup is a gzip file of lines of JSON, so that `gunzip -c` shows it to anyone:
 *
 *   {"ferryBackup":1,…}                      BackupHeader, always first
 *   {"in":"devices","doc":{…}}               a document; where one comes twice, the later one holds
 *   {"image":{…},"content":true}             an image; where `content` is true its bytes follow
 *   {"bytes":"…base64…"}  …  {"bytes":""}
 *   {"end":{…,"sha256":"…","mac":"…"}}       BackupEnd, always last: the hash is over every line before it
 */
export const BACKUP_FORMAT = 1;

/** No document is longer, and nothing else comes near. */
const LINE_BYTES_MAX = DOCUMENT_BYTES_MAX + 64 * 1024;
const LINE_FEED = 10;

export interface BackupHeader {
  readonly ferryBackup: typeof BACKUP_FORMAT;
  readonly createdAt: string;
  readonly ferryVersion: string;
  /** Tells one master key from another, and nothing of either. */
  readonly keyCheck: string;
  /** The master key itself, where it was asked for. */
  readonly key?: string;
  /** Whether images are in it. */
  readonly images: boolean;
}

export interface BackupEnd {
  /** Lines by collection. */
  readonly documents: Readonly<Record<string, number>>;
  readonly images: number;
  /** Upgrades were frozen throughout and none was under way. */
  readonly atRest: boolean;
  readonly sha256: string;
  /** {@link macOf} all of this, by the master key of the installation; older backups have none. */
  readonly mac?: string;
}

const MAC_BYTES = 32;

/** What only whoever has the master key can make for a backup, and so for every line of it. */
export function macOf(
  secrets: Pick<Secrets, 'mac'>,
  { sha256, documents, images, atRest }: Omit<BackupEnd, 'mac'>,
): string {
  const counts = Object.entries(documents).sort(([a], [b]) => (a < b ? -1 : 1));
  return secrets.mac('backup content', JSON.stringify([sha256, counts, images, atRest])).toString('hex');
}

/** @throws BackupError where it was not made with this master key, or is not as it was made */
export function checkMac(path: string, secrets: Pick<Secrets, 'mac'>, end: BackupEnd): void {
  if (end.mac === undefined) {
    throw new BackupError(
      `${path} does not show that it was made with the master key: an older Ferry wrote it, or somebody has changed it. ` +
        'Where you know that nobody else could write it, restore it with --no-verify-key.',
    );
  }
  const found = Buffer.from(end.mac, 'hex');
  if (found.length === MAC_BYTES && timingSafeEqual(found, Buffer.from(macOf(secrets, end), 'hex'))) return;
  throw new BackupError(
    `${path} is not as it was written: somebody who does not have the master key has changed it. Take another backup.`,
  );
}

export type BackupLine =
  | { readonly kind: 'header'; readonly header: BackupHeader }
  | {
      readonly kind: 'document';
      readonly collection: string;
      readonly document: Document;
      /** Of the line. */
      readonly sizeBytes: number;
    }
  | { readonly kind: 'image'; readonly image: Document; readonly hasContent: boolean }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'end'; readonly end: BackupEnd };

/** A file that is no backup, not a whole one, or not one for this version or installation. Its message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/**
 * Reads a backup, line after line. The last line is only given where everything before it is what was written.
 * @param onBytes  told how many bytes of the file were read
 * @throws BackupError
 */
export async function* readBackup(
  path: string,
  onBytes: (sizeBytes: number) => void = () => {},
): AsyncGenerator<BackupLine, void> {
  const hash = createHash('sha256');
  let previous: BackupLine['kind'] | null = null;
  for await (const line of linesOf(path, onBytes)) {
    if (previous === 'end') throw damaged(path, 'something follows its end');
    const parsed = parseLine(path, line);
    if ((previous === null) !== (parsed.kind === 'header')) {
      throw previous === null ? notOurs(path) : damaged(path, 'a second header');
    }
    if (parsed.kind === 'end') {
      const found = hash.digest('hex');
      if (found !== parsed.end.sha256)
        throw damaged(path, 'its content does not have the checksum at its end');
    } else {
      hash.update(line).update('\n');
    }
    previous = parsed.kind;
    yield parsed;
  }
  if (previous === null) throw notOurs(path);
  if (previous !== 'end') throw cutShort(path);
}

async function* linesOf(path: string, onBytes: (sizeBytes: number) => void): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path);
  file.on('data', (chunk) => onBytes(chunk.length));
  // Errors of either come out of the iteration below.
  const unzipped = createGunzip();
  pipeline(file, unzipped, () => {});
  let left: Buffer[] = [];
  let leftBytes = 0;
  try {
    for await (const chunk of unzipped) {
      let from = 0;
      const bytes = chunk as Buffer;
      for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, from)) {
        yield Buffer.concat([...left, bytes.subarray(from, at)]);
        left = [];
        leftBytes = 0;
        from = at + 1;
      }
      left.push(bytes.subarray(from));
      leftBytes += bytes.length - from;
      if (leftBytes > LINE_BYTES_MAX) throw damaged(path, `a line of more than ${LINE_BYTES_MAX} bytes`);
    }
  } catch (error) {
    throw inWords(path, error);
  }
  if (leftBytes > 0) throw cutShort(path);
  // What is no gzip zlib passes over in silence.
  if (unzipped.bytesWritten < file.bytesRead) throw damaged(path, 'something follows its end');
}

function inWords(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  switch (error.code) {
    case 'Z_BUF_ERROR':
      return cutShort(path);
    case 'Z_DATA_ERROR':
      return error.message.includes('header check') ? notOurs(path) : damaged(path, error.message);
    default:
      return error;
  }
}

function parseLine(path: string, line: Buffer): BackupLine {
  let value: unknown;
  try {
    value = JSON.parse(line.toString());
  } catch {
    throw damaged(path, 'a line that is not JSON');
  }
  if (!isObject(value)) throw damaged(path, 'a line that is not an object');
  if ('ferryBackup' in value) return { kind: 'header', header: checkHeader(path, value) };
  if (typeof value['bytes'] === 'string')
    return { kind: 'bytes', bytes: Buffer.from(value['bytes'], 'base64') };
  if (typeof value['in'] === 'string' && isDocument(value['doc'])) {
    return { kind: 'document', collection: value['in'], document: value['doc'], sizeBytes: line.length };
  }
  if (isDocument(value['image'])) {
    return { kind: 'image', image: value['image'], hasContent: value['content'] === true };
  }
  if (isEnd(value['end'])) return { kind: 'end', end: value['end'] };
  throw damaged(path, `a line that says nothing this version knows: ${line.toString('utf8', 0, 60)}`);
}

function checkHeader(path: string, header: Readonly<Record<string, unknown>>): BackupHeader {
  const { ferryBackup, createdAt, ferryVersion, keyCheck, key, images } = header;
  if (typeof ferryBackup === 'number' && ferryBackup > BACKUP_FORMAT) {
    throw new BackupError(
      `${path} is a backup of format ${ferryBackup}, written by Ferry ${String(ferryVersion)}; this version knows formats up to ` +
        `${BACKUP_FORMAT}: restore it with that version or a newer one.`,
    );
  }
  if (
    ferryBackup !== BACKUP_FORMAT ||
    typeof createdAt !== 'string' ||
    typeof ferryVersion !== 'string' ||
    typeof keyCheck !== 'string' ||
    typeof images !== 'boolean' ||
    !(key === undefined || (typeof key === 'string' && /^[0-9a-f]{64}$/.test(key)))
  ) {
    throw damaged(path, 'its header is not one');
  }
  return { ferryBackup, createdAt, ferryVersion, keyCheck, images, ...(key !== undefined && { key }) };
}

function isEnd(value: unknown): value is BackupEnd {
  return (
    isObject(value) &&
    isObject(value['documents']) &&
    Object.values(value['documents']).every(Number.isSafeInteger) &&
    Number.isSafeInteger(value['images']) &&
    typeof value['atRest'] === 'boolean' &&
    typeof value['sha256'] === 'string' &&
    (value['mac'] === undefined || typeof value['mac'] === 'string')
  );
}

function isDocument(value: unknown): value is Document {
  return isObject(value) && typeof value['id'] === 'string';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notOurs(path: string): BackupError {
  return new BackupError(`${path} is not a backup of Ferry's.`);
}

function cutShort(path: string): BackupError {
  return new BackupError(`${path} is cut short: copy it again, or take another backup.`);
}

function damaged(path: string, how: string): BackupError {
  return new BackupError(`${path} is damaged (${how}): copy it again, or take another backup.`);
}
