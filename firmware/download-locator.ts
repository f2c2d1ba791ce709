import { FILE_URL_CHARACTERS_MAX, fileUrlOf, type Secrets } from '../common/index.js';
import { FILES_PATH, TOKEN_PATH } from './file-path.js';
import { FILE_TOKEN_CHARACTERS, issueFileToken } from './file-token.js';
import {
  type DownloadLocation,
  FIRMWARE_FILE_TYPE,
  type Image,
  ImageError,
  type ImageLibrary,
} from './image.js';
import { type ImageOwner, imageIdAt, imageIdIn, imagePathOf, ownerOf, percentDecode } from './image-id.js';
import { type PublicUrl, type PublicUrls, parsePublicUrl } from './public-url.js';

/** Username and Password of Download are string(256), as the URL is (TR-069 A.3.2.8). */
export const DOWNLOAD_FIELD_CHARACTERS_MAX = FILE_URL_CHARACTERS_MAX;
const IMAGE_NAME_CHARACTERS_MAX = 128;
/** Room for such a URL with user and password in front, every character of those written as %XX. */
const FILE_CHARACTERS_MAX = 2_048;
const ABSOLUTE_URL_PATTERN = /^(?:https?|s?ftp|tftp):\/\//i;

/** So that base, token and the longest name fit into a Download. */
export const PUBLIC_URL_CHARACTERS_MAX =
  DOWNLOAD_FIELD_CHARACTERS_MAX -
  `${TOKEN_PATH}${'t'.repeat(FILE_TOKEN_CHARACTERS)}/`.length -
  IMAGE_NAME_CHARACTERS_MAX;

/** How CPEs prove to our file server that they may fetch an image. */
export type FileAuth =
  | { readonly kind: 'token' }
  | { readonly kind: 'credentials'; readonly username: string; readonly password: string };

export interface DownloadLocatorOptions {
  readonly secrets: Pick<Secrets, 'mac'>;
  readonly publicUrl: PublicUrl;
  readonly auth: FileAuth;
  readonly library: Pick<ImageLibrary, 'get' | 'byId'>;
}

/** What a rule's `file` stands for. */
export type ResolvedFile = { readonly image: Image } | { readonly url: string };

export interface LocateOptions {
  /** Whose rule names the file; see {@link DownloadLocator.resolve}. */
  readonly organization?: string | undefined;
  readonly expiresAtMs: number;
  readonly cpeIp?: string | undefined;
  readonly fileType?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Turns a rule's `file` into what a CPE needs to fetch it. */
export interface DownloadLocator {
  /**
   * What `file` stands for: an image of the library (by its name, or by its URL on our own file server) or a URL
   * elsewhere, without userinfo. Null where it is neither, or the image does not exist.
   * @param organization  whose rule says so: it means its own image, else a shared one; absent: the installation, whose rules mean shared
   *   ones. Another's does not exist.
   */
  resolve(file: string, organization?: string): Promise<ResolvedFile | null>;
  /**
   * Where the CPE fetches it.
   * @param options  `expiresAtMs`: how long a token URL works; `cpeIp`: chooses among public URLs; `fileType`: goes before that of the
   *   image; `username` and `password`: for a server elsewhere, never for our own
   * @returns null where no such image exists
   * @throws ImageError `invalid-url` for an absolute URL that no Download can carry
   */
  locate(file: string, options: LocateOptions): Promise<DownloadLocation | null>;
}

/** @throws Error where `publicUrl` or the credentials are not usable, naming the remedy */
export function createDownloadLocator(options: DownloadLocatorOptions): DownloadLocator {
  const { secrets, auth, library } = options;
  const publicUrls = parsePublicUrl(options.publicUrl, PUBLIC_URL_CHARACTERS_MAX);
  checkFileAuth(auth);
  return {
    async resolve(file, organization) {
      const reference = parseFile(file, publicUrls);
      if (reference.kind === 'foreign') return { url: reference.url };
      if (reference.kind === 'unusable') return null;
      const image = await meant(library, reference, organization);
      return image === null ? null : { image };
    },
    async locate(file, { organization, expiresAtMs, cpeIp, fileType, username, password }) {
      const reference = parseFile(file, publicUrls);
      if (reference.kind === 'unusable') throw new ImageError('invalid-url', 'file', reference.reason);
      if (reference.kind === 'foreign') {
        return {
          fileType: fileType ?? FIRMWARE_FILE_TYPE,
          url: reference.url,
          username: username ?? reference.username,
          password: username === undefined ? reference.password : (password ?? ''),
          sizeBytes: 0,
          targetFileName: '',
        };
      }
      const image = await meant(library, reference, organization);
      if (image === null) return null;
      const base = publicUrls.forCpe(cpeIp);
      const common = {
        fileType: fileType ?? image.fileType,
        sizeBytes: image.sizeBytes,
        targetFileName: image.name,
        sha256: image.sha256,
      };
      if (auth.kind === 'credentials') {
        const url = `${base}${FILES_PATH}${imagePathOf(image.id)}`;
        return { url, username: auth.username, password: auth.password, ...common };
      }
      const token = issueFileToken(secrets, image, expiresAtMs);
      const url = `${base}${TOKEN_PATH}${token}/${imagePathOf(image.id)}`;
      return { url, username: '', password: '', ...common };
    },
  };
}

/** @throws Error where the credentials fit neither Basic (RFC 7617: no colon in the user name) nor a Download */
export function checkFileAuth(auth: FileAuth): void {
  if (auth.kind === 'token') return;
  for (const field of ['username', 'password'] as const) {
    const { length } = auth[field];
    if (length < 1 || length > DOWNLOAD_FIELD_CHARACTERS_MAX || /\p{Cc}/u.test(auth[field])) {
      throw new Error(`file ${field}: must be 1 to ${DOWNLOAD_FIELD_CHARACTERS_MAX} printable characters`);
    }
  }
  if (auth.username.includes(':')) throw new Error('file username: must hold no colon (RFC 7617)');
}

const TOO_LONG = `file: a CPE takes a URL, user and password of at most ${DOWNLOAD_FIELD_CHARACTERS_MAX} characters each`;

type FileReference =
  | ({ readonly kind: 'image' } & ImageOwner)
  | { readonly kind: 'foreign'; readonly url: string; readonly username: string; readonly password: string }
  | { readonly kind: 'unusable'; readonly reason: string };

/** Who names an organization in a URL means that one's image, and may mean no other's. */
async function meant(
  library: DownloadLocatorOptions['library'],
  reference: ImageOwner,
  organization: string | undefined,
): Promise<Image | null> {
  if (reference.organization === undefined) return library.get(reference.name, organization);
  if (reference.organization !== organization) return null;
  return library.byId(imageIdIn(organization, reference.name));
}

function parseFile(file: string, publicUrls: PublicUrls): FileReference {
  if (!ABSOLUTE_URL_PATTERN.test(file)) return { kind: 'image', name: file };
  if (file.length > FILE_CHARACTERS_MAX) return { kind: 'unusable', reason: TOO_LONG };
  const { userinfo, rest } = apart(file);
  const sendable = fileUrlOf(rest);
  if (sendable.kind === 'unusable') return { kind: 'unusable', reason: `file: ${sendable.reason}` };
  const { url } = sendable;
  const own = URL.canParse(url) ? ownImage(new URL(url), publicUrls) : null;
  return own === null ? parseForeign(url, userinfo) : { kind: 'image', ...own };
}

/** A rule that was stored when that was allowed may have user and password in its URL. */
function apart(file: string): { readonly userinfo: string; readonly rest: string } {
  const [, scheme = '', userinfo = '', rest = ''] = /^([^/]+:\/\/)([^/?#]*)@(.*)$/s.exec(file) ?? [];
  return scheme === '' ? { userinfo, rest: file } : { userinfo, rest: `${scheme}${rest}` };
}

/** `<publicUrl>/files/NAME` or `…/ORGANIZATION/NAME`, whatever the spelling of scheme, host and port; null for any other URL. */
function ownImage(url: URL, { bases }: PublicUrls): ImageOwner | null {
  const place = `${url.origin}${url.pathname}`;
  const base = bases.find((candidate) => place.startsWith(`${candidate}${FILES_PATH}`));
  if (base === undefined) return null;
  return ownerOf(imageIdAt(place.slice(base.length + FILES_PATH.length)) ?? '');
}

function parseForeign(url: string, userinfo: string): FileReference {
  const colon = userinfo.indexOf(':');
  const username = percentDecode(colon === -1 ? userinfo : userinfo.slice(0, colon));
  const password = percentDecode(colon === -1 ? '' : userinfo.slice(colon + 1));
  if (username === null || password === null) {
    return { kind: 'unusable', reason: 'file: user and password of the URL must be UTF-8, written as %XX' };
  }
  if ([username, password].some((field) => field.length > DOWNLOAD_FIELD_CHARACTERS_MAX)) {
    return { kind: 'unusable', reason: TOO_LONG };
  }
  return { kind: 'foreign', url, username, password };
}
