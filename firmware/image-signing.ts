import { type Clock, createTurns, type Logger } from '../common/index.js';
import { type Actor, EventLog } from '../events/index.js';
import type { Collection, Store, Stored } from '../store/index.js';
import { CONTENT_PREFIX, type ContentStore } from './content-store.js';
import { IMAGE_NAME_PATTERN, type Image, type ImageSignature, type Signing } from './image.js';
import { type ImageDocument, imageOf } from './image-document.js';
import { signedOrUnsigned } from './image-events.js';
import { imageIdIn, ownerOf } from './image-id.js';
import {
  badSignature,
  candidatesOf,
  ImageKeys,
  keyOf,
  parseSignature,
  type SignedContent,
} from './signatures/index.js';

/** Each refused commit means that the image was changed otherwise. */
const COMMIT_ATTEMPTS_MAX = 100;

/** Where the content lies that a signature is held against. */
export interface SignedPlace {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Signatures of images: which are taken, and which still hold. */
export class ImageSigning {
  readonly keys: ImageKeys;
  readonly #images: Collection<ImageDocument>;
  readonly #events: EventLog;
  /** What is signed as a whole is held as a whole while it is verified: one at a time. */
  readonly #verifying = createTurns();

  constructor(
    private readonly parts: {
      readonly store: Store;
      readonly contents: ContentStore;
      readonly clock: Clock;
      readonly logger: Logger;
    },
    images: Collection<ImageDocument>,
  ) {
    this.#images = images;
    this.#events = new EventLog(parts);
    this.keys = new ImageKeys(parts);
  }

  /** See {@link ImageLibrary.sign}. */
  async sign(name: string, signature: Buffer, by: Actor, organization?: string): Promise<Image | null> {
    return this.#changed(name, organization, by, async ({ document: { contentFile, sizeBytes } }) =>
      this.verified(signature, organization, { name: `${CONTENT_PREFIX}${contentFile}`, sizeBytes }),
    );
  }

  /** See {@link ImageLibrary.unsign}. */
  async unsign(name: string, by: Actor, organization?: string): Promise<Image | null> {
    return this.#changed(name, organization, by, async () => null);
  }

  /** See {@link ImageLibrary.signing}. */
  async signing({ id }: Pick<Image, 'id'>): Promise<Signing> {
    const stored = await this.#images.get(id);
    if (stored === null) return { isSigned: false, detail: 'the image is gone' };
    const { signature } = stored.document;
    if (signature === undefined) return { isSigned: false, detail: 'the image has no signature' };
    const { keys, unchanged } = await this.keys.holdingFor(ownerOf(id).organization);
    const key = keys.find(({ publicKey }) => publicKey === signature.publicKey);
    if (key === undefined) {
      const detail = `the image is signed by ${signature.keyName} (${signature.keyId}), a key that does not hold any more`;
      return { isSigned: false, detail };
    }
    return { isSigned: true, unchanged: [this.#images.requiring(id, stored.revision), unchanged(key)] };
  }

  /** See {@link ImageLibrary.verify}. */
  async verify({ signature, organization, contentFile, sizeBytes }: Image): Promise<void> {
    if (signature === undefined) throw badSignature('there is none');
    const place = { name: `${CONTENT_PREFIX}${contentFile}`, sizeBytes };
    await this.verified(Buffer.from(signature.file, 'base64'), organization, place);
  }

  /** Refuses before the content is read what can be of none of the keys. @throws ImageError `bad-signature` */
  async refuseUnknownKey(signature: Buffer, organization: string | undefined): Promise<void> {
    const { keys } = await this.keys.holdingFor(organization);
    candidatesOf(parseSignature(signature), keys);
  }

  /**
   * Holds the file of a signature against a content.
   * @param organization  whose keys hold, beside the installation's
   * @throws ImageError `bad-signature`
   */
  async verified(
    file: Buffer,
    organization: string | undefined,
    place: SignedPlace,
  ): Promise<ImageSignature> {
    const content = await this.#contentAt(place);
    const signature = parseSignature(file);
    const { keys } = await this.keys.holdingFor(organization);
    const verifying = () => keyOf(signature, keys, content);
    const key = await (signature.algorithm === 'minisign' ? verifying() : this.#verifying(verifying));
    return {
      algorithm: signature.algorithm,
      keyId: key.keyId,
      keyName: key.name,
      ...(signature.trusted !== undefined && { trustedComment: signature.trusted.comment }),
      verifiedAtMs: this.parts.clock(),
      publicKey: key.publicKey,
      file: file.toString('base64'),
    };
  }

  /**
   * Gives an image as it is stored another signature, or takes it.
   * @returns null where the image was changed or removed meanwhile
   */
  async replace(
    { document, revision }: Stored<ImageDocument>,
    signature: ImageSignature | null,
    by: Actor | null,
  ): Promise<Image | null> {
    const { signature: _, ...unsigned } = document;
    const next: ImageDocument = signature === null ? unsigned : { ...unsigned, signature };
    const image = imageOf(next);
    const { committed } = await this.parts.store.commit([
      this.#images.replacing(next, revision),
      this.#events.noting(signedOrUnsigned(imageOf(document), image, by)),
    ]);
    if (!committed) return null;
    this.parts.logger.info(signature === null ? 'image.unsigned' : 'image.signed', {
      image: document.id,
      ...(signature && { key: signature.keyName }),
    });
    return image;
  }

  /** @returns null where there is none of that name */
  async #changed(
    name: string,
    organization: string | undefined,
    by: Actor,
    signatureOf: (stored: Stored<ImageDocument>) => Promise<ImageSignature | null>,
  ): Promise<Image | null> {
    if (!IMAGE_NAME_PATTERN.test(name)) return null;
    const id = imageIdIn(organization, name);
    for (let attempt = 0; attempt < COMMIT_ATTEMPTS_MAX; attempt++) {
      const stored = await this.#images.get(id);
      if (stored === null) return null;
      const signature = await signatureOf(stored);
      if (signature === null && stored.document.signature === undefined) return imageOf(stored.document);
      const changed = await this.replace(stored, signature, by);
      if (changed !== null) return changed;
    }
    throw new Error(`Image ${id}: gave up after ${COMMIT_ATTEMPTS_MAX} commits that others overtook`);
  }

  async #contentAt({ name, sizeBytes }: SignedPlace): Promise<SignedContent> {
    const content = await this.parts.contents.open(name, sizeBytes);
    if (content === null) throw badSignature('the content of the image is lost; upload it again');
    return { sizeBytes, read: () => content.read({ start: 0, end: sizeBytes - 1 }) };
  }
}
