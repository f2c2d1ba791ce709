import type { Clock, Logger, OrganizationId } from '../common/index.js';
import { type Actor, EventLog } from '../events/index.js';
import { requiringOrganization } from '../organizations/index.js';
import {
  type Change,
  type Collection,
  type CollectionDefinition,
  type CommitOutcome,
  PAGE_ITEMS_MAX,
  type Store,
  type Stored,
  StoreError,
} from '../store/index.js';
import { type BuildPlace, BuildPlaces, type Builds, openBuilds } from './builds/index.js';
import { cleanContents, cleanIncoming, newContentFile, type StoredContent } from './content-files.js';
import { CONTENT_PREFIX, type ContentStore, type ImageContent, type Received } from './content-store.js';
import { GoingImages } from './going-images.js';
import {
  type Admission,
  type AdmissionParts,
  IMAGE_NAME_PATTERN,
  type Image,
  ImageError,
  type ImageLibrary,
  type ImageSignature,
  type ListedImages,
  type Signing,
  type Upload,
  type UploadOutcome,
} from './image.js';
import { type ImageDocument, imageOf } from './image-document.js';
import { comingOrGoing, moved } from './image-events.js';
import { imageIdIn, isImageId, ownerOf } from './image-id.js';
import { listedFrom, listedInBuild, placeBefore } from './image-lists.js';
import { isAtPlace, moveImage, placeOfImage, placesSaidBy } from './image-moves.js';
import { numberImages } from './image-numbering.js';
import { ImageRoom } from './image-room.js';
import { ImageSigning } from './image-signing.js';
import { isNoSpace, noSpace } from './incoming.js';
import { type ImageDescription, parseDescription, sameDescription } from './metadata.js';
import type { ImageKeys } from './signatures/index.js';
import { type Described, describedBy } from './told-by-file.js';
import { StoredUnlistedImages } from './unlisted-images.js';

/** A sender that gives nothing for so long has gone away. */
export const UPLOAD_IDLE_MS_MAX = 60_000;
/** Names of the same content that an upload's outcome lists. */
const SAME_CONTENT_NAMES_MAX = 100;
/** Each refused commit means that another upload or removal of the same name or content went through. */
const COMMIT_ATTEMPTS_MAX = 100;

export const IMAGES: CollectionDefinition = {
  name: 'images',
  indexes: { sha256: ['sha256'], unlisted: ['unlistedAtMs'] },
};
export const IMAGE_CONTENTS: CollectionDefinition = { name: 'image-contents', indexes: {} };

export interface ImageLibraryOptions {
  readonly contents: ContentStore;
  readonly store: Store;
  readonly limits: {
    readonly imageBytesMax: number;
    /** How long an upload may give nothing; {@link UPLOAD_IDLE_MS_MAX} unless told. */
    readonly uploadIdleMsMax?: number;
    /** What the images of one organization may take together; without it as much as there is room. */
    readonly organizationImageBytesMax?: number;
  };
  /** Refuses what an uploader says against the file, which is else a warning that the image keeps. */
  readonly strictImages?: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Opens the library of firmware images.
 *
 * Several processes may have it open at once. What makes that safe: content is in its place and durable
 * before a commit names it, it is named by exactly one content document, and it is removed only after the commit that
 * removed that document. A later upload of the same bytes makes a new document with a new file.
 */
export function openImageLibrary(options: ImageLibraryOptions): ImageLibrary {
  const { imageBytesMax } = options.limits;
  if (!(Number.isSafeInteger(imageBytesMax) && imageBytesMax > 0)) {
    throw new RangeError(`imageBytesMax must be a whole number above 0, found ${imageBytesMax}`);
  }
  return new StoredImageLibrary(options);
}

class StoredImageLibrary implements ImageLibrary {
  readonly builds: Builds;
  readonly #options: ImageLibraryOptions;
  readonly #images: Collection<ImageDocument>;
  readonly #contents: Collection<StoredContent>;
  readonly #events: EventLog;
  readonly #places: BuildPlaces;
  readonly #room: ImageRoom;
  readonly #signing: ImageSigning;
  readonly going: GoingImages;
  readonly unlisted: StoredUnlistedImages;

  constructor(options: ImageLibraryOptions) {
    this.#options = options;
    this.#images = options.store.collection<ImageDocument>(IMAGES);
    this.#contents = options.store.collection<StoredContent>(IMAGE_CONTENTS);
    this.#events = new EventLog(options);
    this.builds = openBuilds(options);
    this.#places = new BuildPlaces(options.store, placesSaidBy(this.#images));
    this.#room = new ImageRoom(options.store, this.#images, options.limits.organizationImageBytesMax ?? null);
    this.going = new GoingImages(options);
    this.unlisted = new StoredUnlistedImages(options, this.#images, this);
    this.#signing = new ImageSigning(options, this.#images);
  }

  get keys(): ImageKeys {
    return this.#signing.keys;
  }

  async upload(upload: Upload): Promise<UploadOutcome> {
    // A stream that fails before it is read would otherwise end the process; reading it reports the failure.
    upload.content.on('error', () => {});
    await this.check(upload);
    const { uploadIdleMsMax = UPLOAD_IDLE_MS_MAX, imageBytesMax } = this.#options.limits;
    const received = await this.#options.contents.receive(upload.content, {
      bytesMax: imageBytesMax,
      idleMsMax: uploadIdleMsMax,
      by: upload.uploadedBy,
      ...(upload.sizeBytes === undefined ? {} : { sizeBytes: upload.sizeBytes }),
    });
    return this.admit(received, upload);
  }

  async check(upload: Omit<Upload, 'content'>): Promise<void> {
    await this.#refuseTaken(parseDescription(upload), upload);
    if (upload.signature !== undefined)
      await this.#signing.refuseUnknownKey(upload.signature, upload.organization);
  }

  async get(name: string, organization?: string): Promise<Image | null> {
    if (!IMAGE_NAME_PATTERN.test(name)) return null;
    if (organization === undefined) return this.byId(name);
    const [own, shared] = await this.#images.getMany([imageIdIn(organization, name), name]);
    const meant = own ?? shared ?? null;
    return meant === null ? null : imageOf(meant.document);
  }

  async byId(id: string): Promise<Image | null> {
    const stored = isImageId(id) ? await this.#images.get(id) : null;
    return stored === null ? null : imageOf(stored.document);
  }

  async list(page: ListedImages): Promise<{ items: readonly Image[]; next: string | null }> {
    const { after, limit, organization } = page;
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= PAGE_ITEMS_MAX)) {
      throw new ImageError('invalid-metadata', 'limit', `limit must be 1 to ${PAGE_ITEMS_MAX}`);
    }
    const isPlace = organization === undefined ? isImageId : (name: string) => IMAGE_NAME_PATTERN.test(name);
    if (after !== undefined && !isPlace(after)) {
      throw new ImageError('invalid-metadata', 'after', 'after must be the name of an image');
    }
    const { build, type } = page;
    const listed =
      build === undefined
        ? listedFrom(this.#images, page)
        : listedInBuild(this.#images, page, await this.builds.get(build, organization ?? null));
    const items: Image[] = [];
    let last: Image | undefined;
    let looked = 0;
    for await (const image of listed) {
      // Of one type there may be none for long.
      if (last !== undefined && (items.length === limit || looked === PAGE_ITEMS_MAX))
        return { items, next: organization === undefined ? last.id : last.name };
      last = image;
      looked++;
      if (type === undefined || image.type === type) items.push(image);
    }
    return { items, next: null };
  }

  async remove(
    name: string,
    by: Actor | null,
    organization?: string,
    mayGo?: (image: Image) => Promise<readonly Change[] | null>,
  ): Promise<boolean> {
    if (!IMAGE_NAME_PATTERN.test(name)) return false;
    const id = imageIdIn(organization, name);
    for (let attempt = 0; attempt < COMMIT_ATTEMPTS_MAX; attempt++) {
      const image = await this.#images.get(id);
      if (image === null) return false;
      const going = mayGo === undefined ? [] : await mayGo(imageOf(image.document));
      if (going === null) return false;
      const content = await this.#contents.get(image.document.sha256);
      if (content === null) throw new Error(`The content document of image ${id} is missing`);
      const isLast = content.document.names === 1;
      const { committed } = await this.#options.store.commit([
        ...going,
        this.#images.deleting(id, image.revision),
        isLast
          ? this.#contents.deleting(content.document.id, content.revision)
          : this.#contents.replacing(withNames(content.document, -1), content.revision),
        ...(await this.#places.moving(imageOf(image.document), {
          from: placeOfImage(image.document),
          to: null,
        })),
        ...(await this.#alongWith('removed', imageOf(image.document), by)),
      ]);
      if (!committed) continue;
      this.#options.logger.info('image.removed', { image: id, sha256: content.document.id });
      if (isLast) await this.#discard(placeOf(image.document.contentFile), 'retire');
      return true;
    }
    throw contended(id);
  }

  move(name: string, to: BuildPlace | null, by: Actor, organization?: string): Promise<Image | null> {
    const parts = { store: this.#options.store, images: this.#images, places: this.#places };
    const id = IMAGE_NAME_PATTERN.test(name) ? imageIdIn(organization, name) : null;
    return moveImage(parts, id, to, (before, after) => this.#events.noting(moved(before, after, by)));
  }

  leaveOut(build: string, name: string, organization?: string): Promise<void> {
    return this.#places.leaveOut(build, { name, organization });
  }

  async withNumber(number: number): Promise<Image | null> {
    const id = await this.builds.numbers.imageWith(number);
    const image = id === null ? null : await this.byId(id);
    return image?.number === number ? image : null;
  }

  async withContent(sha256: string, organization?: string): Promise<Image | null> {
    for (const name of await this.#namesOf(sha256, organization)) {
      const image = await this.byId(imageIdIn(organization, name));
      if (image !== null && image.sha256 === sha256 && image.number !== undefined) return image;
    }
    return null;
  }

  open(image: Image): Promise<ImageContent | null> {
    return this.#options.contents.open(placeOf(image.contentFile), image.sizeBytes);
  }

  async cleanUp(spared: ReadonlySet<string> = new Set()): Promise<void> {
    const nowMs = this.#options.clock();
    await this.#numberImages();
    const incoming = await cleanIncoming(this.#options.contents, nowMs);
    const contents = await cleanContents(this.#options.contents, this.#contents, nowMs, spared);
    if (incoming + contents > 0) this.#options.logger.info('images.cleaned-up', { incoming, contents });
  }

  /** A disk without room for numbers keeps no server from starting, nor what is left over from going. */
  async #numberImages(): Promise<void> {
    try {
      await numberImages(this.#options.store, this.#images, this.builds.numbers);
    } catch (error) {
      this.#options.logger.warn('images.not-numbered', { error });
    }
  }

  /** Refuses before reading what cannot become anything but `name-taken`, or cannot stand where it is to. */
  async #refuseTaken(description: ImageDescription, upload: Omit<Upload, 'content'>): Promise<void> {
    const { organization, place, by } = upload;
    const existing = await this.#images.get(imageIdIn(organization, description.name));
    if (existing === null) {
      const move = { from: null, to: place ?? null };
      await this.#places.moving({ ...description, organization }, move, by === null);
      return;
    }
    const { sha256, sizeBytes } = existing.document;
    const isSame =
      sameDescription(existing.document, description) &&
      isAtPlace(existing.document, place) &&
      (upload.sha256 === undefined || upload.sha256.toLowerCase() === sha256) &&
      (upload.sizeBytes === undefined || upload.sizeBytes === sizeBytes);
    if (!isSame) throw nameTaken(description.name);
  }

  /** Puts the content in its place, unless a content document shows that it is there already. */
  async admit(
    received: Received,
    admission: Admission,
    { along, contentFile: ownFile, otherName }: AdmissionParts = {},
  ): Promise<UploadOutcome> {
    const { organization, uploadedBy, by, place, sha256: sha256Expected } = admission;
    const { sha256, sizeBytes } = received;
    const own: OwnContent = { file: ownFile ?? newContentFile(sha256), sha256, sizeBytes, at: received.name };
    try {
      let description = parseDescription(admission);
      let id = imageIdIn(organization, description.name);
      checkSha256(sha256, sha256Expected);
      const signature =
        admission.signature === undefined
          ? null
          : await this.#signing.verified(admission.signature, organization, received);
      for (let attempt = 0; attempt < COMMIT_ATTEMPTS_MAX; attempt++) {
        const existing = await this.#images.get(id);
        if (existing !== null && otherName !== undefined) {
          description = { ...description, name: otherName(description.name) };
          id = imageIdIn(organization, description.name);
          continue;
        }
        if (existing !== null) {
          if (!isAtPlace(existing.document, place)) throw nameTaken(description.name);
          const isListed = admission.unlisted !== true;
          const same = await this.#unchanged(existing, { description, own, signature, by, isListed });
          if (same === null) continue;
          return same;
        }
        const { name: _, ...described } = this.#described(description, received, admission);
        const content = await this.#contents.get(sha256);
        if (content === null) await this.#place(own);
        const contentFile = content?.document.file ?? own.file;
        const uploadedAtMs = this.#options.clock();
        const { number, changes } = await this.builds.numbers.forImage(id, admission.number);
        const isWaiting = admission.unlisted === true;
        const waits = isWaiting ? { unlistedAtMs: uploadedAtMs } : {};
        const waiting = isWaiting ? await this.unlisted.adding(id, organization) : [];
        const said = { ...described, number, ...place, ...waits, ...(signature !== null && { signature }) };
        const document = { id, sha256, contentFile, sizeBytes, ...said, uploadedAtMs, uploadedBy };
        const move = { from: null, to: place ?? null };
        const placed = { name: description.name, softwareVersion: described.softwareVersion, organization };
        const placing = await this.#places.moving(placed, move, by === null);
        // What is brought back goes to whom it belonged, whatever has become of it.
        const owners = by === null ? [] : await this.#ownerRequired(organization);
        const also = [
          ...((await along?.(description.name)) ?? []),
          ...owners,
          ...changes,
          ...placing,
          ...waiting,
        ];
        if (!(await this.#commitUpload(document, content, { own, by, also }))) continue;
        if (content === null) own.at = null;
        else await this.#restore(content.document.file, own);
        this.#options.logger.info('image.uploaded', { image: id, sha256, sizeBytes, uploadedBy });
        const image = imageOf(document);
        return { image, outcome: 'created', sameContentAs: await this.#otherNames(image) };
      }
      throw contended(id);
    } catch (error) {
      throw isNoSpace(error) || isStoreFull(error) ? noSpace() : error;
    } finally {
      // What lies in a place that its sender has named may be another's by now, who goes on with it; without a name cleanUp removes it.
      const isAnothers = ownFile !== undefined && own.at === placeOf(ownFile);
      if (own.at !== null && !isAnothers) await this.#discard(own.at, 'remove');
    }
  }

  /** What is kept of an image that is not there yet. @throws ImageError `invalid`, `contradiction` */
  #described(
    description: ImageDescription,
    { inspected, notInspected, sha256 }: Received,
    { by, asItWas }: Admission,
  ): Described {
    if (by === null || asItWas !== undefined) return { ...description, ...asItWas };
    if (notInspected !== undefined) {
      this.#options.logger.error('image.not-inspected', {
        image: description.name,
        sha256,
        error: notInspected,
      });
    }
    return describedBy(description, inspected, this.#options.strictImages === true);
  }

  /** @returns false where another upload or removal of the same name or content came first */
  async #commitUpload(
    document: ImageDocument,
    content: Stored<StoredContent> | null,
    {
      own,
      by,
      also,
    }: { readonly own: OwnContent; readonly by: Actor | null; readonly also: readonly Change[] },
  ): Promise<boolean> {
    const alongWith = await this.#alongWith('added', imageOf(document), by);
    const outcome = await this.#committed(own, [
      this.#images.inserting(document),
      content === null
        ? this.#contents.inserting({ id: document.sha256, file: document.contentFile, names: 1 })
        : this.#contents.replacing(withNames(content.document, 1), content.revision),
      ...also,
      ...alongWith,
    ]);
    if (!outcome.committed) this.#room.requireRoom(outcome.refused);
    return outcome.committed;
  }

  async #committed(own: OwnContent, changes: readonly Change[]): Promise<CommitOutcome> {
    try {
      return await this.#options.store.commit(changes);
    } catch (error) {
      // Whether it was done all the same only the store knows: the file stays, and cleanUp finds out.
      if (!isStoreFull(error)) own.at = null;
      throw error;
    }
  }

  /** An image is only made for an organization that is there: one that is to be removed has none by then. @throws OrganizationError */
  async #ownerRequired(organization: string | undefined): Promise<readonly Change[]> {
    if (organization === undefined) return [];
    const { store } = this.#options;
    return [(await requiringOrganization(store, organization as OrganizationId)).isThere];
  }

  /** What else changes in the commit by which an image comes or goes. Where one of these is refused, all is planned again. */
  async #alongWith(action: 'added' | 'removed', image: Image, by: Actor | null): Promise<readonly Change[]> {
    const { organization, sizeBytes } = image;
    const bytes = action === 'added' ? sizeBytes : -sizeBytes;
    // What is brought back was there before, and what is there is never too much.
    const room = await this.#room.taking(organization, bytes, { isBound: by !== null });
    return by === null ? room : [...room, this.#events.noting(comingOrGoing(action, image, by))];
  }

  /** @returns null where the image was changed or removed meanwhile */
  async #unchanged(
    stored: Stored<ImageDocument>,
    { description, own, signature, by, isListed }: UploadedAgain,
  ): Promise<UploadOutcome | null> {
    const existing = imageOf(stored.document);
    if (existing.sha256 !== own.sha256 || !sameDescription(existing, description)) {
      throw nameTaken(existing.name);
    }
    if (isListed && existing.unlistedAtMs !== undefined) {
      await this.unlisted.list(existing.name, by, existing.organization);
      return null;
    }
    let image = existing;
    if (signature !== null && !(await this.#signing.signing(existing)).isSigned) {
      const signed = await this.#signing.replace(stored, signature, by);
      if (signed === null) return null;
      image = signed;
    }
    await this.#restore(existing.contentFile, own);
    return { image, outcome: 'unchanged', sameContentAs: await this.#otherNames(image) };
  }

  sign(name: string, signature: Buffer, by: Actor, organization?: string): Promise<Image | null> {
    return this.#signing.sign(name, signature, by, organization);
  }

  unsign(name: string, by: Actor, organization?: string): Promise<Image | null> {
    return this.#signing.unsign(name, by, organization);
  }

  signing(image: Image): Promise<Signing> {
    return this.#signing.signing(image);
  }

  verify(image: Image): Promise<void> {
    return this.#signing.verify(image);
  }

  async #otherNames(image: Image): Promise<readonly string[]> {
    const { sha256, name, organization } = image;
    const names = await this.#namesOf(sha256, organization);
    if (organization !== undefined) {
      const shared = await this.#namesOf(sha256, undefined);
      const hiding = await this.#images.getMany(shared.map((each) => imageIdIn(organization, each)));
      names.push(...shared.filter((_, index) => hiding[index] === null));
    }
    return names
      .filter((each) => each !== name)
      .sort()
      .slice(0, SAME_CONTENT_NAMES_MAX);
  }

  /** The first names of an owner's images that have a content: read from where these begin, so that nobody else's take their places. */
  async #namesOf(sha256: string, organization: string | undefined): Promise<string[]> {
    const query = { index: 'sha256', equals: [sha256] } as const;
    const before = { id: placeBefore(organization), sha256 } as ImageDocument;
    const cursor = this.#images.cursorAt(query, before);
    const names: string[] = [];
    for await (const { document } of this.#images.scan({
      ...query,
      ...(cursor !== null && { after: cursor }),
    })) {
      const owner = ownerOf(document.id);
      if (owner.organization !== organization || names.length > SAME_CONTENT_NAMES_MAX) break;
      names.push(owner.name);
    }
    return names;
  }

  /** Moves what was received into its place, once; it is durable there afterwards. */
  async #place(own: OwnContent): Promise<void> {
    const place = placeOf(own.file);
    if (own.at === null || own.at === place) return;
    await this.#options.contents.move(own.at, place);
    own.at = place;
  }

  /** Where content was lost or cut short by other hands, uploading it again repairs every image that has it. */
  async #restore(file: string, own: OwnContent): Promise<void> {
    const place = placeOf(file);
    const { contents, logger } = this.#options;
    if (own.at === null || (await contents.open(place, own.sizeBytes)) !== null) return;
    await contents.move(own.at, place);
    own.at = null;
    logger.warn('image.content-restored', { sha256: own.sha256 });
  }

  /** Gives up content that no content document names (any more). */
  async #discard(name: string, how: 'remove' | 'retire'): Promise<void> {
    try {
      await this.#options.contents[how](name);
    } catch (error) {
      // The caller's work is done; cleanUp tries again.
      this.#options.logger.warn('image.content-not-removed', { file: name, error });
    }
  }
}

/** What an upload says of an image that there is. */
interface UploadedAgain {
  readonly description: ImageDescription;
  readonly own: OwnContent;
  readonly signature: ImageSignature | null;
  readonly by: Actor | null;
  /** It is to wait for nobody. */
  readonly isListed: boolean;
}

/** What an upload brought, while it is looked for a place. */
interface OwnContent {
  /** What the file is called if this content has none yet. */
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** The name of the bytes; null once they belong to a content document. */
  at: string | null;
}

function placeOf(file: string): string {
  return `${CONTENT_PREFIX}${file}`;
}

function withNames(content: StoredContent, added: 1 | -1): StoredContent {
  return { ...content, names: content.names + added };
}

function checkSha256(found: string, expected: string | undefined): void {
  if (expected === undefined || expected.toLowerCase() === found) return;
  throw new ImageError(
    'checksum-mismatch',
    'sha256',
    `the content's SHA-256 is ${found}, not ${expected.toLowerCase()}: send it again, or correct sha256`,
  );
}

function nameTaken(name: string): ImageError {
  return new ImageError(
    'name-taken',
    'name',
    `an image called ${name} with other content or metadata exists: choose another name, or delete that image first`,
  );
}

function contended(name: string): Error {
  return new Error(`Image ${name}: gave up after ${COMMIT_ATTEMPTS_MAX} commits that others overtook`);
}

function isStoreFull(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'no-space';
}
