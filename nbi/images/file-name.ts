import { randomInt } from 'node:crypto';
import { type ImageLibrary, ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX } from '../../firmware/index.js';

const RANDOM_CHARACTERS = 7;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** What is left of a name of which nothing can stand. */
const NAMELESS = 'image.bin';
const EXTENSION_CHARACTERS_MAX = 16;
const NAME_ATTEMPTS_MAX = 5;

/**
 * What the library calls a file: a space becomes `_`, what cannot stand in a name goes, and so does what stands in front of its last slash.
 * Shorter than the reference has it, as an image's URL must fit into a Download; its extension stays.
 */
export function storedName(fileName: string): string {
  const [last = ''] = fileName.trim().split(/[/\\]/).slice(-1);
  const kept = last.replaceAll(' ', '_').replaceAll(/[^A-Za-z0-9_.~-]/g, '');
  const name = /^[.-]*$/.test(kept) ? NAMELESS : kept.replace(/^[.-]/, '_');
  return shortened(name, 0);
}

/** The same with some random characters before the extension, where something is called so already. */
export function otherName(name: string): string {
  const random = Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET.charAt(randomInt(ALPHABET.length)));
  const { stem, extension } = partsOf(shortened(name, RANDOM_CHARACTERS + 1));
  return `${stem}_${random.join('')}${extension}`;
}

/** What the library calls it: no other name of the organization's, nor a shared one that it would hide. @throws StoreError */
export async function freeName(
  images: Pick<ImageLibrary, 'get'>,
  name: string,
  organization: string | undefined,
): Promise<string> {
  let free = name;
  for (let attempt = 0; attempt < NAME_ATTEMPTS_MAX; attempt++) {
    if ((await images.get(free, organization)) === null) return free;
    free = otherName(name);
  }
  return free;
}

function shortened(name: string, room: number): string {
  const { stem, extension } = partsOf(name);
  return stem.slice(0, ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX - room - extension.length) + extension;
}

function partsOf(name: string): { readonly stem: string; readonly extension: string } {
  const dot = name.lastIndexOf('.');
  const isExtension = dot > 0 && name.length - dot <= EXTENSION_CHARACTERS_MAX;
  return isExtension
    ? { stem: name.slice(0, dot), extension: name.slice(dot) }
    : { stem: name, extension: '' };
}
