import type { Device } from '../../acs/index.js';
import type { Turn } from '../../common/index.js';
import { FIRMWARE_FILE_TYPE, type Image, type UploadRecord } from '../../firmware/index.js';
import { comingView, type ImageView, imageView } from './image-view.js';
import type { SystemUpdateParts } from './parts.js';

/** A list has no pages: of more the newest are told. */
const IMAGES_MAX = 1_000;
/** Of an owner no more are kept that have ended, and each user has few that have not. */
const UPLOADS_LOOKED_AT_MAX = 1_000;

export type KnownParts = Pick<SystemUpdateParts, 'uploads' | 'fitting'>;

/** What has a number here. */
export type KnownImage =
  | { readonly kind: 'image'; readonly image: Image }
  | { readonly kind: 'coming'; readonly upload: UploadRecord };

/** The images that a CPE could be updated to, the newest first, behind those on their way. */
export async function knownImages(
  { uploads, fitting }: KnownParts,
  device: Device,
  turn: Turn,
): Promise<readonly ImageView[]> {
  const organization = await fitting.organizationOf(device);
  const whyNot = await fitting.fitOf(device);
  // First: what becomes an image meanwhile is there twice, and not nowhere.
  const coming: UploadRecord[] = [];
  for (const upload of await turn(() => uploads.list(organization ?? '', { limit: UPLOADS_LOOKED_AT_MAX }))) {
    if (isOffered(upload) && whyNot !== null && (await whyNot(upload.metadata)) === null) coming.push(upload);
  }
  const there: Image[] = [];
  for await (const image of fitting.of(device, turn)) there.push(image);
  const numbers = new Set(there.map(({ number }) => number));
  const views = [
    ...coming.filter(({ number }) => !numbers.has(number)).flatMap((upload) => comingView(upload) ?? []),
    ...there.sort((one, other) => other.uploadedAtMs - one.uploadedAtMs).map(imageView),
  ];
  return views.slice(0, IMAGES_MAX);
}

/** What of these has a number; null where none has, for this CPE. */
export async function knownImage(
  { uploads, fitting }: KnownParts,
  device: Device,
  number: number,
): Promise<KnownImage | null> {
  const organization = await fitting.organizationOf(device);
  // First, as in the list.
  const upload = await uploads.withNumber(number, organization);
  const image = await fitting.withNumber(device, number);
  if (image !== null) return { kind: 'image', image };
  if (upload === null || !isOffered(upload) || comingView(upload) === null) return null;
  if ((upload.organization ?? null) !== organization) return null;
  const whyNot = await fitting.fitOf(device);
  return whyNot !== null && (await whyNot(upload.metadata)) === null ? { kind: 'coming', upload } : null;
}

/** As of an image: firmware that is not to wait for somebody to say what it is for. */
function isOffered({ metadata, unlisted }: UploadRecord): boolean {
  return (metadata.fileType ?? FIRMWARE_FILE_TYPE) === FIRMWARE_FILE_TYPE && unlisted !== true;
}
