import { timingSafeEqual } from 'node:crypto';
import { SECOND_MS, type Secrets } from '../common/index.js';
import { TOKEN_PATH } from './file-path.js';

/** Seconds since the epoch, big-endian: until 2106. */
const EXPIRY_BYTES = 4;
/** Of a MAC without the content: what somebody has made up is refused by these 40 bits before anything is looked up. */
const NAME_MAC_BYTES = 5;
/** Of the 32 bytes of HMAC-SHA-256: 96 bits, which can only be tried one request at a time. */
const MAC_BYTES = 12;
const TOKEN_BYTES = EXPIRY_BYTES + NAME_MAC_BYTES + MAC_BYTES;
/** 21 bytes fill 28 characters exactly, so no token can be written in two ways. */
export const FILE_TOKEN_CHARACTERS = (TOKEN_BYTES * 4) / 3;
const TOKEN_PATTERN = new RegExp(`^[A-Za-z0-9_-]{${FILE_TOKEN_CHARACTERS}}$`);

/** Versions before this one made tokens for a name, whatever its content: 5 bytes of expiry, 16 of the MAC. */
const OLD_EXPIRY_BYTES = 5;

const EXPIRY_SECONDS_MAX = 2 ** (8 * EXPIRY_BYTES) - 1;

/** What a token is worth; only a genuine one can be `expired`. */
export type FileTokenWorth =
  | {
      readonly kind: 'valid';
      /** Whether it is for this content, and no part of it is made up. */
      readonly isFor: (sha256: string) => boolean;
    }
  | { readonly kind: 'expired' | 'forged' };

/**
 * Makes the token that lets its bearer fetch one image until `expiresAtMs`, as long as it is of this content: what was decided
 * on is what a CPE gets, or nothing. It is stateless: every node with the same master key honours it, also after a restart.
 * @param image  `sha256` in hexadecimal
 * @param expiresAtMs  later than 2106 is 2106
 * @throws RangeError when `expiresAtMs` is before 1970
 */
export function issueFileToken(
  secrets: Pick<Secrets, 'mac'>,
  { id, sha256 }: { readonly id: string; readonly sha256: string },
  expiresAtMs: number,
): string {
  const expiry = Buffer.alloc(EXPIRY_BYTES);
  expiry.writeUIntBE(Math.min(Math.ceil(expiresAtMs / SECOND_MS), EXPIRY_SECONDS_MAX), 0, EXPIRY_BYTES);
  const macs = [nameMacOf(secrets, expiry, id), contentMacOf(secrets, expiry, id, sha256)];
  return Buffer.concat([expiry, ...macs]).toString('base64url');
}

/** What a token is worth for the image of this id now. */
export function checkFileToken(
  secrets: Pick<Secrets, 'mac'>,
  token: string,
  id: string,
  nowMs: number,
): FileTokenWorth {
  if (!TOKEN_PATTERN.test(token)) return { kind: 'forged' };
  const bytes = Buffer.from(token, 'base64url');
  const genuine = ofContent(secrets, bytes, id) ?? ofName(secrets, bytes, id);
  if (genuine === null) return { kind: 'forged' };
  const { expirySeconds, isFor } = genuine;
  return nowMs < expirySeconds * SECOND_MS ? { kind: 'valid', isFor } : { kind: 'expired' };
}

interface Genuine {
  readonly expirySeconds: number;
  readonly isFor: (sha256: string) => boolean;
}

function ofContent(secrets: Pick<Secrets, 'mac'>, bytes: Buffer, id: string): Genuine | null {
  const expiry = bytes.subarray(0, EXPIRY_BYTES);
  const nameMac = bytes.subarray(EXPIRY_BYTES, EXPIRY_BYTES + NAME_MAC_BYTES);
  const mac = bytes.subarray(EXPIRY_BYTES + NAME_MAC_BYTES);
  if (!timingSafeEqual(nameMac, nameMacOf(secrets, expiry, id))) return null;
  return {
    expirySeconds: expiry.readUIntBE(0, EXPIRY_BYTES),
    isFor: (sha256) => timingSafeEqual(mac, contentMacOf(secrets, expiry, id, sha256)),
  };
}

/** A Download that was sent by a version before this one is fetched with what it was sent. */
function ofName(secrets: Pick<Secrets, 'mac'>, bytes: Buffer, id: string): Genuine | null {
  const expiry = bytes.subarray(0, OLD_EXPIRY_BYTES);
  const mac = secrets.mac('file-token', Buffer.concat([expiry, Buffer.from(id)]));
  const said = bytes.subarray(OLD_EXPIRY_BYTES);
  if (!timingSafeEqual(said, mac.subarray(0, said.length))) return null;
  return { expirySeconds: expiry.readUIntBE(0, OLD_EXPIRY_BYTES), isFor: () => true };
}

function nameMacOf(secrets: Pick<Secrets, 'mac'>, expiry: Buffer, id: string): Buffer {
  const name = Buffer.concat([expiry, Buffer.from(id)]);
  return secrets.mac('file-name-token', name).subarray(0, NAME_MAC_BYTES);
}

/** A hash has a length of its own, so that no id reads as another with a content. */
function contentMacOf(secrets: Pick<Secrets, 'mac'>, expiry: Buffer, id: string, sha256: string): Buffer {
  const content = Buffer.concat([expiry, Buffer.from(sha256, 'hex'), Buffer.from(id)]);
  return secrets.mac('file-content-token', content).subarray(0, MAC_BYTES);
}

const TOKEN_IN_URL = new RegExp(`${TOKEN_PATH}[A-Za-z0-9_-]{8,${FILE_TOKEN_CHARACTERS}}`, 'g');

/** A text that may quote URLs of files, without the tokens in them, whole or cut off at its end. */
export function fileTokensMasked(text: string, mask: string): string {
  return text.replace(TOKEN_IN_URL, `${TOKEN_PATH}${mask}`);
}
