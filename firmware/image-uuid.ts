import { type Secrets, UUID, uuidText } from '../common/index.js';

const PURPOSE = 'image-uuids';
/** Of the number, covered; what is left of the 16 bytes is its tag. */
const NUMBER_BYTES = 6;
const TAG_BYTES = 10;
const NUMBER_MAX = 2 ** (8 * NUMBER_BYTES) - 1;
const VERSION_8 = 0x80;
const VARIANT_RFC = 0x80;

/** The UUIDs by which clients know images that want such, and back. */
export interface ImageUuids {
  /** Of an image's number in the installation, which is its own for good: the same on all nodes, and after every restore. */
  of(number: number): string;
  /** Of a UUID in lower case, with dashes: the number whose it is, whether or not there is such an image; null for any other. */
  numberOf(uuid: string): number | null;
}

/**
 * UUIDs (version 8, RFC 9562 5.8) that tell nobody anything, and that nobody can make up who has not the master key: behind a tag of the
 * number, which is a MAC of it, stands the number itself, covered by a MAC of that tag. So it is found without looking for it.
 */
export function imageUuidsBy(secrets: Pick<Secrets, 'mac'>): ImageUuids {
  const covered = (number: Buffer, tag: Buffer): Buffer => {
    const cover = secrets.mac(PURPOSE, `cover ${tag.toString('hex')}`);
    return Buffer.from(number.map((byte, at) => byte ^ (cover[at] ?? 0)));
  };
  const of = (number: number): string => {
    if (!Number.isInteger(number) || number < 0 || number > NUMBER_MAX)
      throw new Error(`No image has the number ${number}`);
    const bytes = Buffer.alloc(NUMBER_BYTES);
    bytes.writeUIntBE(number, 0, NUMBER_BYTES);
    const tag = Buffer.from(secrets.mac(PURPOSE, `tag ${number}`).subarray(0, TAG_BYTES));
    tag[0] = ((tag[0] ?? 0) & 0x0f) | VERSION_8;
    tag[2] = ((tag[2] ?? 0) & 0x3f) | VARIANT_RFC;
    return uuidText(Buffer.concat([covered(bytes, tag), tag]));
  };
  return {
    of,
    numberOf(uuid) {
      if (!UUID.test(uuid)) return null;
      const all = Buffer.from(uuid.replaceAll('-', ''), 'hex');
      const number = covered(all.subarray(0, NUMBER_BYTES), all.subarray(NUMBER_BYTES));
      const found = number.readUIntBE(0, NUMBER_BYTES);
      return of(found) === uuid ? found : null;
    },
  };
}
