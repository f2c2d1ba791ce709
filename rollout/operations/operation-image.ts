import type { Image, ImageLibrary } from '../../firmware/index.js';
import type { OperationImage } from './operation.js';

/** An image as operations name it; null where an older Ferry has added it, and it has no number yet. */
export function operationImageOf({ number, name, organization }: Image): OperationImage | null {
  if (number === undefined) return null;
  return { number, name, ...(organization !== undefined && { organization }) };
}

/** What the `file` of a batch's rule means to whose rule it is; null where there is no such image. */
export async function imageMeant(
  images: Pick<ImageLibrary, 'get'>,
  { file, organization }: { readonly file: string; readonly organization?: string },
): Promise<OperationImage | null> {
  const image = await images.get(file, organization);
  return image === null ? null : operationImageOf(image);
}
