import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Background, noteStreamed } from '../common/index.js';
import { INCOMING_PREFIX, type Received, type ReceiveOptions } from './content-store.js';
import { type Inspected, Inspection } from './formats/index.js';
import { ImageError } from './image.js';

const INCOMING_NAME_BYTES = 16;
/** So many of the largest images may be under way at once, of all processes, with what killed ones have left behind. */
export const INCOMING_IMAGES_MAX = 8;
/** What the file system says when there is no room, the quota is used up, or it cannot hold a file so large. */
const NO_SPACE_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A name that no content ever had. */
export function newIncomingName(): string {
  return `${INCOMING_PREFIX}${randomBytes(INCOMING_NAME_BYTES).toString('hex')}`;
}

/** @throws ImageError `empty`, `too-large`, `no-space`, before anything is read */
export function checkAnnouncedSize(
  { sizeBytes, bytesMax }: Pick<ReceiveOptions, 'sizeBytes' | 'bytesMax'>,
  freeBytes: number,
): void {
  if (sizeBytes === undefined) return;
  if (sizeBytes === 0) throw empty();
  if (sizeBytes > bytesMax) throw tooLarge(bytesMax);
  if (sizeBytes > freeBytes) throw noSpace();
}

const NOTHING_SAID: Inspected = { findings: [], facts: {}, broken: [], unread: [] };

/** Sessions go before uploads, of which there may be many at a time. */
const reading = new Background();

/** What a sender gives, checked, hashed and looked into on its way to whoever takes it. */
export class Intake {
  readonly #hash = createHash('sha256');
  /** Null once it has failed. */
  #inspection: Pick<Inspection, 'update' | 'end'> | null;
  #notInspected: unknown;
  #sizeBytes = 0;

  constructor(
    private readonly content: Readable,
    private readonly options: ReceiveOptions,
    inspection: Pick<Inspection, 'update' | 'end'> = new Inspection(),
  ) {
    this.#inspection = inspection;
  }

  /**
   * The content's bytes. Reads no further than it must to know that it cannot be kept.
   * @throws ImageError `too-large`, `incomplete`, `empty`
   */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    const { bytesMax, sizeBytes, idleMsMax, by, onBytes } = this.options;
    for await (const chunk of chunksOf(this.content, idleMsMax)) {
      this.#sizeBytes += chunk.length;
      if (this.#sizeBytes > bytesMax) throw tooLarge(bytesMax);
      if (sizeBytes !== undefined && this.#sizeBytes > sizeBytes) throw wrongSize(sizeBytes, 'more came');
      await onBytes?.(this.#sizeBytes);
      await reading.turn(by, async () => {
        this.#hash.update(chunk);
        this.#inspecting((inspection) =>
          inspection.update(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)),
        );
      });
      yield chunk;
    }
    if (this.#sizeBytes === 0) throw empty();
    if (sizeBytes !== undefined && this.#sizeBytes < sizeBytes) {
      throw wrongSize(sizeBytes, `only ${this.#sizeBytes} came`);
    }
  }

  /** To be called once, when all of it was taken. */
  received(name: string): Received {
    const inspected = this.#inspecting((inspection) => inspection.end()) ?? NOTHING_SAID;
    return {
      name,
      sha256: this.#hash.digest('hex'),
      sizeBytes: this.#sizeBytes,
      inspected,
      ...(this.#inspection === null && { notInspected: this.#notInspected }),
    };
  }

  /** What fails in looking into content is a fault of ours, and no reason to refuse it. */
  #inspecting<Result>(look: (inspection: Pick<Inspection, 'update' | 'end'>) => Result): Result | undefined {
    if (this.#inspection === null) return undefined;
    try {
      return look(this.#inspection);
    } catch (error) {
      this.#inspection = null;
      this.#notInspected = error;
      return undefined;
    }
  }
}

/** The stream's chunks; whatever goes wrong with the stream itself, also that nothing comes, is `incomplete`. */
export async function* chunksOf(content: Readable, idleMsMax: number): AsyncGenerator<Uint8Array, void> {
  // The time the disk takes is not the sender's.
  let isWaiting = true;
  const idle = setTimeout(() => {
    if (isWaiting) content.destroy(new Error(`nothing came for ${idleMsMax} ms`));
  }, idleMsMax);
  try {
    // Not destroyed on an early return: that would close the socket on which the refusal is still to be sent.
    for await (const chunk of content.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('the content must be a stream of bytes');
      isWaiting = false;
      noteStreamed(chunk.length);
      yield chunk;
      isWaiting = true;
      idle.refresh();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageError('incomplete', null, `the upload ended before all of it had come: ${reason}`);
  } finally {
    clearTimeout(idle);
  }
}

/** True for an error of the file system that means there is no room. */
export function isNoSpace(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    NO_SPACE_CODES.has(error.code)
  );
}

export function noSpace(): ImageError {
  return new ImageError(
    'no-space',
    null,
    'there is no room for this image: remove images or enlarge the disk',
  );
}

export function tooMuchIncoming(bytesMax: number): ImageError {
  return new ImageError(
    'no-space',
    null,
    `uploads under way may take ${bytesMax} bytes together: try again when others have ended`,
  );
}

export function tooMuchOfYours(bytesMax: number): ImageError {
  return new ImageError(
    'no-space',
    null,
    `uploads of one user under way may take ${bytesMax} bytes together: try again when others of yours have ended`,
  );
}

function tooLarge(bytesMax: number): ImageError {
  return new ImageError('too-large', null, `an image may have at most ${bytesMax} bytes (imageBytesMax)`);
}

function wrongSize(announcedBytes: number, found: string): ImageError {
  return new ImageError('incomplete', 'sizeBytes', `${announcedBytes} bytes were announced, ${found}`);
}

/** What had come in parts is not there any more. */
export function partsLost(): ImageError {
  return new ImageError('incomplete', null, 'what had come of it is lost: begin another upload');
}

function empty(): ImageError {
  return new ImageError('empty', null, 'an image must have at least one byte');
}
