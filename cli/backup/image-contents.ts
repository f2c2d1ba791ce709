import { Readable } from 'node:stream';
import type { Image, ImageLibrary } from '../../firmware/index.js';
import { BackupError } from './format.js';

/**
 * The content of an image in the library.
 * @throws BackupError where the library has the image, but not its content
 */
export function readContent(library: ImageLibrary, image: Image): Readable {
  return Readable.from(chunksOf(library, image), { objectMode: false });
}

async function* chunksOf(library: ImageLibrary, image: Image): AsyncGenerator<Buffer> {
  const content = await library.open(image);
  if (content === null) throw new BackupError(`The content of the image ${image.id} is missing or damaged`);
  yield* content.read({ start: 0, end: image.sizeBytes - 1 }) as AsyncIterable<Buffer>;
}
