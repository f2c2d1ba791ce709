import type { Readable } from 'node:stream';
import type { Actor } from '../events/index.js';
import type { ImageContent } from './content-store.js';

export const FIRMWARE_FILE_TYPE = '1 Firmware Upgrade Image';
/** Images, and the names they are fetched by: unreserved URL characters only, so a name reads the same everywhere. */
export const IMAGE_NAME_PATTERN = /^[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,127}$/;

/** Of an organization's image: its URL has the organization's id in front, and must fit into a Download all the same. */
export const ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX = 90;

/** One image of the library. Content is kept once per SHA-256, however many names it has. */
export interface Image {
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
  readonly hardwareVersion?: string;
  readonly uploadedAtMs: number;
  readonly uploadedBy: string;
}

export interface ImageMetadata {
  readonly name: string;
  readonly fileType?: string;
  readonly softwareVersion?: string;
  readonly productClass?: string;
  readonly hardwareVersion?: string;
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
  /** Content-Length, where it is known: refused early when too large or larger than the free space. */
  readonly sizeBytes?: number;
  /** What the sender says the content hashes to; anything else is refused. */
  readonly sha256?: string;
}

export interface UploadOutcome {
  readonly image: Image;
  /** `created`; `unchanged` where the same name held the same content and metadata already. */
  readonly outcome: 'created' | 'unchanged';
  /** Other names that hold the same content, as far as whoever the image belongs to sees them; the first 100. */
  readonly sameContentAs: readonly string[];
}

export type ImageErrorCode =
  | 'invalid-metadata'
  | 'name-taken'
  | 'too-large'
  | 'no-space'
  | 'checksum-mismatch'
  | 'incomplete'
  | 'empty'
  | 'not-found'
  /** An absolute URL that no Download can carry. */
  | 'invalid-url';

export class ImageError extends Error {
  override readonly name = 'ImageError';
  constructor(
    readonly code: ImageErrorCode,
    /** The field at fault, where there is one. */
    readonly field: string | null,
    message: string,
  ) {
    super(message);
  }
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
}

/** The library of firmware images: those of each organization, and shared ones. */
export interface ImageLibrary {
  /** Streams to where contents lie, hashes on the way, and shows the image only when all of it is durable. @throws ImageError */
  upload(upload: Upload): Promise<UploadOutcome>;
  /** What a name means to an organization: its own image, else the shared one; without an organization the shared one. */
  get(name: string, organization?: string): Promise<Image | null>;
  byId(id: string): Promise<Image | null>;
  /** @throws ImageError */
  list(page: ListedImages): Promise<{ items: readonly Image[]; next: string | null }>;
  /**
   * Content goes with its last name.
   * @param by  as of an {@link Upload}
   * @param organization  whose image it is; absent: a shared one
   * @returns false where there is none of that name
   */
  remove(name: string, by: Actor | null, organization?: string): Promise<boolean>;
  /** The content, to serve it; null where it was lost or cut short by other hands. @throws StoreError */
  open(image: Image): Promise<ImageContent | null>;
  /** Removes what uploads and removals cut off by a crash left behind; called at start and now and then. */
  cleanUp(): Promise<void>;
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
}
