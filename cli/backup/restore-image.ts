import { Readable } from 'node:stream';
import {
  IMAGES,
  type ImageDocument,
  ImageError,
  type ImageLibrary,
  imageOf,
  toldByFile,
} from '../../firmware/index.js';
import type { Document, Store } from '../../store/index.js';
import { BackupError, type BackupLine } from './format.js';
import { readContent } from './image-contents.js';

/** The name of the image that brought each content is needed for those that share it. */
const CONTENT_SHARERS_PAGE = 1;

/**
 * Adds an image of a backup to the library, under its own date and uploader.
 * @param lines  where its bytes follow
 */
export async function restoreImage(
  library: ImageLibrary,
  store: Store,
  { image: found, hasContent }: { readonly image: Document; readonly hasContent: boolean },
  lines: AsyncGenerator<BackupLine, void>,
): Promise<void> {
  const image = imageOf(checkImage(found));
  const images = store.collection<ImageDocument>(IMAGES);
  const content = hasContent
    ? Readable.from(bytesOf(lines), { objectMode: false })
    : readContent(library, imageOf(await sharer(image.sha256)));
  const {
    id,
    organization,
    contentFile: _,
    uploadedAtMs,
    uploadedBy,
    sha256,
    sizeBytes,
    number,
    build,
    type,
    signature,
    unlistedAtMs,
    ...metadata
  } = image;
  try {
    const { image: added } = await library.upload({
      metadata,
      ...(organization !== undefined && { organization }),
      content,
      by: null,
      asItWas: toldByFile(image),
      uploadedBy,
      ...(number !== undefined && { number }),
      ...(build !== undefined && type !== undefined && { place: { build, type } }),
      sizeBytes,
      sha256,
    });
    const { name: __, organization: ___, ...document } = added;
    // It was verified when it came; whether its key still holds is looked up whenever it matters.
    await images.put({
      ...document,
      uploadedAtMs,
      ...(signature !== undefined && { signature }),
      ...(unlistedAtMs !== undefined && { unlistedAtMs }),
    });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new BackupError(`The image ${id} of the backup cannot be added: ${error.message}`);
  } finally {
    content.destroy();
  }

  async function sharer(sha256: string): Promise<ImageDocument> {
    const page = await images.find({ index: 'sha256', equals: [sha256], limit: CONTENT_SHARERS_PAGE });
    const first = page.items[0];
    if (first !== undefined) return first.document;
    throw new BackupError(`The backup lacks the content of image ${id}: take another.`);
  }
}

async function* bytesOf(lines: AsyncGenerator<BackupLine, void>): AsyncGenerator<Buffer, void> {
  for (;;) {
    // Not for-await, which would end the lines with the image.
    const { value: line, done } = await lines.next();
    if (done || line.kind !== 'bytes')
      throw new BackupError('The backup lacks a part of an image: take another.');
    if (line.bytes.length === 0) return;
    yield line.bytes;
  }
}

function checkImage(found: Document): ImageDocument {
  const { sha256, sizeBytes, uploadedAtMs, uploadedBy, fileType } = found as Partial<ImageDocument>;
  if (
    typeof sha256 === 'string' &&
    Number.isSafeInteger(sizeBytes) &&
    Number.isFinite(uploadedAtMs) &&
    typeof uploadedBy === 'string' &&
    typeof fileType === 'string'
  ) {
    return found as ImageDocument;
  }
  throw new BackupError(`The backup describes image ${found.id} in a way this version does not know.`);
}
