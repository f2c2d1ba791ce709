import { createCipheriv, createHash, type Hash } from 'node:crypto';

/** First word of the header line: what kind of file this is, and which version of its layout. */
const IMAGE_MAGIC = 'FERRY-SIM-IMAGE/1';
/** Longest header line, with its line feed. */
export const IMAGE_HEADER_BYTES_MAX = 1_024;
/** Largest image that {@link makeImage} builds: it is held in memory as one buffer. */
export const IMAGE_BYTES_MAX = 1_024 * 1_024 * 1_024;

/** What an image says of itself. */
export interface SimulatedImage {
  readonly softwareVersion: string;
  /** Which product it is built for; absent: any. */
  readonly productClass?: string;
  readonly sizeBytes: number;
  /** Lower-case hex, over the header's other fields and the payload. */
  readonly sha256: string;
}

/** The bytes are no image, or not the image that their header describes. */
export class ImageFormatError extends Error {
  override readonly name = 'ImageFormatError';
}

/** The header up to its checksum, which covers this text as well, so that no byte of the file is unprotected. */
function headerStart(softwareVersion: string, productClass: string | undefined): string {
  const product = productClass === undefined ? '' : ` product-class=${encodeURIComponent(productClass)}`;
  return `${IMAGE_MAGIC} version=${encodeURIComponent(softwareVersion)}${product}`;
}

/**
 * Builds a firmware image for simulated CPEs: a text line with magic, version and SHA-256, then a payload that looks
 * random. The same arguments always give the same bytes.
 * @param options.sizeBytes  of the whole file
 * @throws RangeError where the size cannot hold the header or passes {@link IMAGE_BYTES_MAX}
 */
export function makeImage(options: {
  readonly softwareVersion: string;
  readonly productClass?: string;
  readonly sizeBytes: number;
}): Buffer {
  const start = headerStart(options.softwareVersion, options.productClass);
  const headerBytes = Buffer.byteLength(`${start} sha256=\n`) + 64;
  if (options.softwareVersion === '') throw new RangeError('softwareVersion: must not be empty');
  if (headerBytes > IMAGE_HEADER_BYTES_MAX)
    throw new RangeError('softwareVersion and productClass: too long for the header');
  if (
    !Number.isSafeInteger(options.sizeBytes) ||
    options.sizeBytes < headerBytes ||
    options.sizeBytes > IMAGE_BYTES_MAX
  ) {
    throw new RangeError(`sizeBytes: must be an integer from ${headerBytes} to ${IMAGE_BYTES_MAX}`);
  }
  const image = Buffer.alloc(options.sizeBytes);
  const key = createHash('sha256').update(start).digest().subarray(0, 16);
  createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
    .update(Buffer.alloc(options.sizeBytes - headerBytes))
    .copy(image, headerBytes);
  const sha256 = createHash('sha256').update(start).update(image.subarray(headerBytes)).digest('hex');
  image.write(`${start} sha256=${sha256}\n`, 0, 'latin1');
  return image;
}

const HEADER_PATTERN =
  /^(?<start>FERRY-SIM-IMAGE\/1 version=(?<version>[^ ]+)(?: product-class=(?<product>[^ ]*))?) sha256=(?<sha256>[0-9a-f]{64})$/;

interface Header {
  readonly start: string;
  readonly softwareVersion: string;
  readonly productClass?: string;
  readonly sha256: string;
}

function parseHeader(line: string): Header {
  const groups = HEADER_PATTERN.exec(line)?.groups;
  const { start, version, product, sha256 } = groups ?? {};
  if (start === undefined || version === undefined || sha256 === undefined) {
    throw new ImageFormatError('the first line is not the header of an image');
  }
  try {
    const softwareVersion = decodeURIComponent(version);
    return product === undefined
      ? { start, softwareVersion, sha256 }
      : { start, softwareVersion, productClass: decodeURIComponent(product), sha256 };
  } catch {
    throw new ImageFormatError('the header of the image is not well-formed');
  }
}

/**
 * Checks an image as it streams past, without keeping it.
 * @example for await (const chunk of body) reader.push(chunk); const image = reader.end();
 */
export class ImageReader {
  readonly #hash: Hash = createHash('sha256');
  #headerBytes: Buffer | null = Buffer.alloc(0);
  #header: Header | null = null;
  #sizeBytes = 0;

  /** Bytes taken so far: where a broken transfer has to go on. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** @throws ImageFormatError as soon as the header is known to be wrong */
  push(chunk: Uint8Array): void {
    this.#sizeBytes += chunk.length;
    if (this.#headerBytes === null) {
      this.#hash.update(chunk);
      return;
    }
    const head = Buffer.concat([this.#headerBytes, chunk.subarray(0, IMAGE_HEADER_BYTES_MAX)]);
    const lineEnd = head.indexOf('\n');
    if (lineEnd < 0 || lineEnd >= IMAGE_HEADER_BYTES_MAX) {
      if (head.length >= IMAGE_HEADER_BYTES_MAX) throw new ImageFormatError('the image has no header line');
      this.#headerBytes = head;
      return;
    }
    this.#header = parseHeader(head.toString('latin1', 0, lineEnd));
    this.#hash.update(this.#header.start);
    this.#hash.update(chunk.subarray(lineEnd + 1 - this.#headerBytes.length));
    this.#headerBytes = null;
  }

  /** @throws ImageFormatError where the image ends within its header or its checksum does not fit */
  end(): SimulatedImage {
    const header = this.#header;
    if (header === null) throw new ImageFormatError('the image ends within its header');
    if (this.#hash.digest('hex') !== header.sha256)
      throw new ImageFormatError('the checksum of the image does not fit');
    const { softwareVersion, productClass, sha256 } = header;
    const common = { softwareVersion, sizeBytes: this.#sizeBytes, sha256 };
    return productClass === undefined ? common : { ...common, productClass };
  }
}

/**
 * Reads and checks a whole image.
 * @throws ImageFormatError
 */
export function readImage(image: Uint8Array): SimulatedImage {
  const reader = new ImageReader();
  reader.push(image);
  return reader.end();
}
