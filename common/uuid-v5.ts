import { hash } from 'node:crypto';
import { uuidText } from './uuid.js';

const VERSION_5 = 0x50;
const VARIANT_RFC = 0x80;
const UUID_BYTES = 16;

/**
 * The UUID of a name in a namespace: the same for whoever asks (RFC 9562 5.5).
 * @param namespace  a UUID
 * @returns in lower case, with dashes
 */
export function uuidV5(namespace: string, name: string): string {
  const space = Buffer.from(namespace.replaceAll('-', ''), 'hex');
  const digest = hash('sha1', Buffer.concat([space, Buffer.from(name)]), 'buffer').subarray(0, UUID_BYTES);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | VERSION_5;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | VARIANT_RFC;
  return uuidText(digest);
}
