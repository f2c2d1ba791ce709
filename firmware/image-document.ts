import type { Image } from './image.js';
import { ownerOf } from './image-id.js';

/** An image as it is stored: its id says the rest. */
export type ImageDocument = Omit<Image, 'name' | 'organization'>;

/** The image that a document is. */
export function imageOf(document: ImageDocument): Image {
  return { ...document, ...ownerOf(document.id) };
}
