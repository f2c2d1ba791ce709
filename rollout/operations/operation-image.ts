import type { Image, ImageLibrary } from '../../firmware/index.js';
import type { OperationImage } from './operation.js';

/** How a rule names its image. */
interface Named {
  readonly file: string;
  readonly organization?: string | undefined;
}

/** An image as operations name it; null where an older Ferry has added it, and it has no number yet. */
export function operationImageOf({ number, name, organization }: Image): OperationImage | null {
  if (number === undefined) return null;
  return { number, name, ...(organization !== undefined && { organization }) };
}

/** What the `file` of a batch's rule means to whose rule it is; null where there is no such image. */
export async function imageMeant(
  images: Pick<ImageLibrary, 'get'>,
  { file, organization }: Named,
): Promise<OperationImage | null> {
  const image = await images.get(file, organization);
  return image === null ? null : operationImageOf(image);
}

/** Why the name of an image does not mean it any more to whose rule it is; null: it does. */
export async function whyNotMeant(
  images: Pick<ImageLibrary, 'get'>,
  { number }: Pick<OperationImage, 'number'>,
  named: Named,
): Promise<'image-missing' | 'image-name-taken' | null> {
  const image = await images.get(named.file, named.organization);
  if (image === null) return 'image-missing';
  return image.number === number ? null : 'image-name-taken';
}
