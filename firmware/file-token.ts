import { timingSafeEqual } from 'node:crypto';
import { SECOND_MS, type Secrets } from '../common/index.js';
import { TOKEN_PATH } from './file-path.js';

/** Seconds since the epoch, big-endian: enough for 34,000 years. */
const EXPIRY_BYTES = 5;
/** Of the 32 bytes of HMAC-SHA-256: 128 bits. */
const MAC_BYTES = 16;
/** 21 bytes fill 28 characters exactly, so no token can be written in two ways. */
export const FILE_TOKEN_CHARACTERS = ((EXPIRY_BYTES + MAC_BYTES) * 4) / 3;
const TOKEN_PATTERN = new RegExp(`^[A-Za-z0-9_-]{${FILE_TOKEN_CHARACTERS}}$`);

/**
 * Makes the token that lets its bearer fetch one image until `expiresAtMs`. It is stateless: every node with the same
 * master key honours it, also after a restart.
 * @throws RangeError when `expiresAtMs` is no time of this era
 */
export function issueFileToken(secrets: Pick<Secrets, 'mac'>, id: string, expiresAtMs: number): string {
  const expiry = Buffer.alloc(EXPIRY_BYTES);
  expiry.writeUIntBE(Math.ceil(expiresAtMs / SECOND_MS), 0, EXPIRY_BYTES);
  return Buffer.concat([expiry, macOf(secrets, id, expiry)]).toString('base64url');
}

/** What a token is worth for the image of this id now; only a genuine one can be `expired`. */
export function checkFileToken(
  secrets: Pick<Secrets, 'mac'>,
  token: string,
  id: string,
  nowMs: number,
): 'valid' | 'expired' | 'forged' {
  if (!TOKEN_PATTERN.test(token)) return 'forged';
  const bytes = Buffer.from(token, 'base64url');
  const expiry = bytes.subarray(0, EXPIRY_BYTES);
  if (!timingSafeEqual(bytes.subarray(EXPIRY_BYTES), macOf(secrets, id, expiry))) return 'forged';
  return nowMs < expiry.readUIntBE(0, EXPIRY_BYTES) * SECOND_MS ? 'valid' : 'expired';
}

function macOf(secrets: Pick<Secrets, 'mac'>, id: string, expiry: Buffer): Buffer {
  return secrets.mac('file-token', Buffer.concat([expiry, Buffer.from(id)])).subarray(0, MAC_BYTES);
}

const TOKEN_IN_URL = new RegExp(`${TOKEN_PATH}[A-Za-z0-9_-]{8,${FILE_TOKEN_CHARACTERS}}`, 'g');

/** A text that may quote URLs of files, without the tokens in them, whole or cut off at its end. */
export function fileTokensMasked(text: string, mask: string): string {
  return text.replace(TOKEN_IN_URL, `${TOKEN_PATH}${mask}`);
}
