import type { Image, ImageLibrary, UploadOutcome } from '../../firmware/index.js';

/**
 * What the owner of an uploaded image had with the same content before it; null where there is none.
 * Of several that come at once all but one find one that stays: whoever gives up his own for what is found here loses nothing.
 * @param owner  the id of the organization that it was uploaded for; undefined: the installation
 * @throws StoreError
 */
export async function sameAs(
  images: Pick<ImageLibrary, 'get'>,
  { image: own, outcome, sameContentAs }: UploadOutcome,
  owner: string | undefined,
): Promise<Image | null> {
  if (outcome === 'unchanged') return null;
  for (const name of sameContentAs) {
    const image = await images.get(name, owner);
    const isOwn = image !== null && image.organization === owner && image.number !== undefined;
    // A name can mean another by now.
    if (isOwn && image.sha256 === own.sha256 && cameBefore(image, own)) return image;
  }
  return null;
}

/** Of two that come at once one stays, and each finds the same one. */
function cameBefore(one: Image, other: Image): boolean {
  if (one.uploadedAtMs !== other.uploadedAtMs) return one.uploadedAtMs < other.uploadedAtMs;
  return one.name < other.name;
}
