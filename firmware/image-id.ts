import { IMAGE_NAME_PATTERN } from './image.js';

const ORGANIZATION = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const OWNED_ID = new RegExp(`^/(${ORGANIZATION})/(.*)$`, 's');
const PATH = new RegExp(`^(?:(${ORGANIZATION})/)?([^/]+)$`);

/** Whose an image is, and what it is called. */
export interface ImageOwner {
  readonly name: string;
  /** The id of an organization; absent: shared, the installation's. */
  readonly organization?: string;
}

/**
 * The id under which the image of an organization is stored: of different organizations the same name is different images. Shared ones are
 * stored under their names. No name has a slash, and none begins with a character that sorts below one: so all images of one organization
 * lie together, and all shared ones do, whatever the others are called.
 */
export function imageIdIn(organization: string | undefined, name: string): string {
  return organization === undefined ? name : `/${organization}/${name}`;
}

/** Whose image has this id, and its name. */
export function ownerOf(id: string): ImageOwner {
  const [, organization, name = ''] = OWNED_ID.exec(id) ?? [];
  return organization === undefined ? { name: id } : { name, organization };
}

/** Whether an image can have this id. */
export function isImageId(id: string): boolean {
  return IMAGE_NAME_PATTERN.test(ownerOf(id).name);
}

/** What stands in the URL of an image behind the file server's own paths: its name, the organization's id before it where it is one's. */
export function imagePathOf(id: string): string {
  return id.startsWith('/') ? id.slice(1) : id;
}

/** The id of the image that such a part of a URL, percent-encoded as it came, names; null where it can name none. */
export function imageIdAt(path: string): string | null {
  const [, organization, segment = ''] = PATH.exec(path) ?? [];
  const name = percentDecode(segment);
  return name === null || !IMAGE_NAME_PATTERN.test(name) ? null : imageIdIn(organization, name);
}

/** Null where the text is not UTF-8 written as %XX. */
export function percentDecode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
