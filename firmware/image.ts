import type { Readable } from 'node:stream';
import type { Actor } from '../events/index.js';
import type { Change } from '../store/index.js';
import type { BuildPlace, Builds } from './builds/index.js';
import type { ImageContent, Received } from './content-store.js';
import type { FormatName } from './formats/index.js';
import type { GoingImages } from './going-images.js';
import type { ImageKeys } from './signatures/index.js';

export { ImageError, type ImageErrorCode } from './image-error.js';

export const FIRMWARE_FILE_TYPE = '1 Firmware Upgrade Image';
/** Images, and the names they are fetched by: unreserved URL characters only, so a name reads the same everywhere. */
export const IMAGE_NAME_PATTERN = /^[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,127}$/;

/** Of an organization's image: its URL has the organization's id in front, and must fit into a Download all the same. */
export const ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX = 90;

/** What is taken from the file where the uploader has not said it. */
export type ReadField = 'softwareVersion' | 'hardwareVersion' | 'boards';

/** What looking into an image's file has brought. Absent also of images that were stored before anybody looked. */
export interface ToldByFile {
  /** Which of the image's fields its file says, and nobody has typed; absent: none. */
  readonly fromFile?: readonly ReadField[];
  /** The formats that the file is of, the one that says most first; absent: none that is known. */
  readonly formats?: readonly FormatName[];
  /** Where what was typed contradicts the file, and what else to look at, each a sentence; absent: nothing. */
  readonly warnings?: readonly string[];
}

/** One image of the library. Content is kept once per SHA-256, however many names it has. */
export interface Image extends ToldByFile {
  /** Unique in the installation, where names are unique among the shared ones and within an organization: see `imageIdIn`. */
  readonly id: string;
  readonly name: string;
  /** The id of the organization that it belongs to; absent: it is shared, the installation's. */
  readonly organization?: string;
  readonly sha256: string;
  /**
   * The file that holds the content, on disk or in GridFS: the hash and a random suffix. Every life of a content has its own file, so that a
   * removal still under way never hits what a later upload put back.
   */
  readonly contentFile: string;
  readonly sizeBytes: number;
  readonly fileType: string;
  /** The SoftwareVersion a CPE reports once it runs this image. */
  readonly softwareVersion?: string;
  /** Which CPEs it fits; absent: any. */
  readonly productClass?: string;
  /** The same; but where it is from the file it is the vendor's number for the hardware, which is no HardwareVersion that a CPE reports. */
  readonly hardwareVersion?: string;
  /** The boards that it is for, at most 256; a CPE that is known to be another is not sent it. Absent: not known. */
  readonly boards?: readonly string[];
  /** For clients that know images by numbers: its own in the installation, for good; absent: it was added by an older Ferry, and has none yet. */
  readonly number?: number;
  /** The id of the build that it is in, which belongs to whom it belongs to; absent: none. */
  readonly build?: string;
  /** What it is in its build: see {@link BuildPlace}. */
  readonly type?: string;
  readonly uploadedAtMs: number;
  readonly uploadedBy: string;
  /** As `uploadedAtMs`, where it waits to be listed ({@link ImageLibrary.unlisted}); absent: it is listed. */
  readonly unlistedAtMs?: number;
  /** By whom it is signed, as it was verified; absent: by nobody. Whether the key still holds is for {@link ImageLibrary.signing} to say. */
  readonly signature?: ImageSignature;
}

/** A signature that was verified when it came. */
export interface ImageSignature {
  readonly algorithm: 'ed25519' | 'minisign-legacy' | 'minisign';
  /** The key's number in 16 hexadecimal digits, and its name then. */
  readonly keyId: string;
  readonly keyName: string;
  /** What whoever signed it said along with it, signed as well. */
  readonly trustedComment?: string;
  readonly verifiedAtMs: number;
  /** The key itself, in base64, by which it is known whether it still holds. */
  readonly publicKey: string;
  /** The signature as it came, in base64, so that it can be verified again. */
  readonly file: string;
}

/** Whether an image is signed by a key that holds now. */
export type Signing =
  | {
      readonly isSigned: true;
      /** For a commit that rests on it: refused where the image or the keys of whoever has that key were changed meanwhile. */
      readonly unchanged: readonly Change[];
    }
  | { readonly isSigned: false /** Why not, in words. */; readonly detail: string };

export interface ImageMetadata {
  readonly name: string;
  readonly fileType?: string;
  readonly softwareVersion?: string;
  readonly productClass?: string;
  readonly hardwareVersion?: string;
  /** 1 to 256. */
  readonly boards?: readonly string[];
}

export interface Upload {
  readonly metadata: ImageMetadata;
  /** Whose image it becomes; absent: shared. */
  readonly organization?: string;
  /** Bytes. Where the upload is refused it is left as it is (not destroyed), so that HTTP can still answer on its socket. */
  readonly content: Readable;
  /** Who adds it, for the log of events; null: nobody does, it is brought back as it was. */
  readonly by: Actor | null;
  /** Whom the library names as who has uploaded it. */
  readonly uploadedBy: string;
  /**
   * What its file said of an image that is brought from elsewhere, where it was looked into: it stays as it was, and is neither filled up
   * nor refused for what its file says now. So it is too where nobody adds it.
   */
  readonly asItWas?: ToldByFile;
  /** Content-Length, where it is known: refused early when too large or larger than the free space. */
  readonly sizeBytes?: number;
  /** What the sender says the content hashes to; anything else is refused. */
  readonly sha256?: string;
  /** Where in a build it is to stand; absent: in none, or where it is there already as it stands. */
  readonly place?: BuildPlace;
  /** What it had elsewhere, or before: it has it again unless something else has. */
  readonly number?: number;
  /**
   * It waits to be listed: see {@link ImageLibrary.unlisted}. Not where the library holds the image already; one that waits there is listed by
   * whoever uploads it without this.
   */
  readonly unlisted?: true;
  /** A detached signature: the file as minisign, usign or signify writes it, or the 64 bytes of Ed25519; one that does not verify is refused. */
  readonly signature?: Buffer;
}

/** What is said of content that has been received already. */
export type Admission = Omit<Upload, 'content' | 'sizeBytes'>;

/** What else an admission does. */
export interface AdmissionParts {
  /**
   * What changes in the very commit by which the image of a name comes to be; asked again for each attempt. Not where the library holds the image
   * already.
   * @throws whatever keeps the image from coming
   */
  readonly along?: (name: string) => Promise<readonly Change[]>;
  /** Another name than one that is taken; without it what is called so already refuses it. */
  readonly otherName?: (name: string) => string;
  /** A `newContentFile` that the content is kept in where it has none yet; for whoever must find it after a crash. */
  readonly contentFile?: string;
}

export interface UploadOutcome {
  readonly image: Image;
  /** `created`; `unchanged` where the same name held the same content and metadata already. */
  readonly outcome: 'created' | 'unchanged';
  /** Other names that hold the same content, as far as whoever the image belongs to sees them; the first 100. */
  readonly sameContentAs: readonly string[];
}

/** Whose images a list has. */
export interface ListedImages {
  /** The `next` of the page before. */
  readonly after?: string;
  /** 1 to 1,000. */
  readonly limit: number;
  /**
   * An organization sees its own images and the shared ones but for those whose name an own image has: by name. Absent: everybody's, the
   * shared ones first, then organization after organization, each by name.
   */
  readonly organization?: string;
  /** Only what is in this build. */
  readonly build?: string;
  /** Only what is of this type in a build. A page may have fewer than asked for, and another follow. */
  readonly type?: string;
}

/** Images of one organization, or shared ones, that wait to be listed at a time. */
export const UNLISTED_MAX = 16;

/**
 * Images of the library that wait for somebody to have them listed: they came through an API where another call does that. To all others they
 * are images as any.
 */
export interface UnlistedImages {
  /** All of one owner, at most {@link UNLISTED_MAX}. @param organization  absent: the shared ones. @throws StoreError */
  of(organization?: string): Promise<readonly Image[]>;
  /**
   * Has an image listed.
   * @param by  null: it comes about
   * @param organization  whose image it is; absent: a shared one
   * @returns null where there is none of that name; `was-listed` where nothing was to be done
   * @throws StoreError
   */
  list(name: string, by: Actor | null, organization?: string): Promise<'listed' | 'was-listed' | null>;
  /**
   * Removes one that nobody has had listed; who does so meanwhile has it.
   * @param organization  as of {@link list}; undefined: a shared one
   * @param mayGo  as of {@link ImageLibrary.remove}
   * @returns whether it is gone
   */
  giveUp(
    name: string,
    organization: string | undefined,
    mayGo: (image: Image) => Promise<readonly Change[] | null>,
  ): Promise<boolean>;
}

/** The library of firmware images: those of each organization, and shared ones. */
export interface ImageLibrary {
  /** What keeps its images together. */
  readonly builds: Builds;
  /**
   * Refuses what an upload says of itself before a byte of it is read, also where its name is taken, or its place in a build.
   * @throws ImageError, BuildError
   */
  check(upload: Omit<Upload, 'content'>): Promise<void>;
  /** Streams to where contents lie, hashes on the way, and shows the image only when all of it is durable. @throws ImageError, BuildError */
  upload(upload: Upload): Promise<UploadOutcome>;
  /**
   * Shows content that has been received as an image. The library has it from then on: it lies in its place afterwards, or nowhere.
   * @throws ImageError, BuildError
   */
  admit(received: Received, admission: Admission, parts?: AdmissionParts): Promise<UploadOutcome>;
  /** What a name means to an organization: its own image, else the shared one; without an organization the shared one. */
  get(name: string, organization?: string): Promise<Image | null>;
  byId(id: string): Promise<Image | null>;
  /** @throws ImageError */
  list(page: ListedImages): Promise<{ items: readonly Image[]; next: string | null }>;
  /**
   * Content goes with its last name.
   * @param by  as of an {@link Upload}
   * @param organization  whose image it is; absent: a shared one
   * @param mayGo  asked of the image before each try, for what else must hold of the commit; null: it stays
   * @returns false where there is none of that name, or it stays
   */
  remove(
    name: string,
    by: Actor | null,
    organization?: string,
    mayGo?: (image: Image) => Promise<readonly Change[] | null>,
  ): Promise<boolean>;
  /**
   * Puts an image into a build, or into another place; null takes it out.
   * @param organization  as of {@link remove}
   * @returns null where there is none of that name
   * @throws BuildError `not-found`, `type-taken`, `too-many`, `invalid`
   */
  move(name: string, to: BuildPlace | null, by: Actor, organization?: string): Promise<Image | null>;
  /**
   * Takes an image out of the list of a build that it is not in by its own word: a backup made while it came or went can have it there.
   * @param organization  as of {@link remove}
   */
  leaveOut(build: string, name: string, organization?: string): Promise<void>;
  /** One of an owner's images that have a content, and a number; null where there is none. @param organization  absent: of the shared ones */
  withContent(sha256: string, organization?: string): Promise<Image | null>;
  /** The image with a number; null where there is none. */
  withNumber(number: number): Promise<Image | null>;
  /**
   * Takes a signature of an image that is there, in place of any that it has.
   * @param organization  whose image it is; absent: a shared one
   * @returns null where there is none of that name
   * @throws ImageError `bad-signature`
   */
  sign(name: string, signature: Buffer, by: Actor, organization?: string): Promise<Image | null>;
  /** Takes the signature from an image. @returns null where there is none of that name */
  unsign(name: string, by: Actor, organization?: string): Promise<Image | null>;
  /** Whether an image is signed by a key that holds now: one of its owner's, or of the installation's. */
  signing(image: Image): Promise<Signing>;
  /** Verifies the signature of an image once more, by the keys that hold now and all of its bytes. @throws ImageError `bad-signature` */
  verify(image: Image): Promise<void>;
  /** Images that wait to be listed, as they came through an API where another call does that. */
  readonly unlisted: UnlistedImages;
  /** The names of images that are about to be removed as unneeded. */
  readonly going: GoingImages;
  /** The keys by which signatures are verified. */
  readonly keys: ImageKeys;
  /** The content, to serve it; null where it was lost or cut short by other hands. @throws StoreError */
  open(image: Image): Promise<ImageContent | null>;
  /**
   * Removes what uploads and removals cut off by a crash left behind; called at start and now and then.
   * @param spared  files of contents that an upload will name once it is taken up again
   */
  cleanUp(spared?: ReadonlySet<string>): Promise<void>;
}

/** How a CPE is told to fetch a file (TR-069 A.3.2.8: URL at most 256 characters, no userinfo in it). */
export interface DownloadLocation {
  readonly fileType: string;
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** 0 where it is not known. */
  readonly sizeBytes: number;
  readonly targetFileName: string;
  /** Of the image's content, in hexadecimal; absent where the file is elsewhere. */
  readonly sha256?: string;
}
