/**
 * Whether an image is the one that was decided on. Where that is not known, as of a file elsewhere and of upgrades of earlier versions, any is.
 * @param image  as it is now, under the name that the rule has for it
 */
export function isDecidedImage(
  { imageSha256 }: { readonly imageSha256?: string },
  { sha256 }: { readonly sha256?: string },
): boolean {
  return imageSha256 === undefined || imageSha256 === sha256;
}
