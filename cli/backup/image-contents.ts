import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Image, ImageLibrary } from '../../firmware/index.js';

/** The content of an image in the library. */
export function readContent(library: ImageLibrary, image: Image): Readable {
  return createReadStream(library.contentPath(image));
}
