import { createHash } from 'node:crypto';
import { hashPassword } from './password.js';
import type { DigestLogin, PasswordHash } from './user.js';

/** What clients show in place of a password: its MD5 in hexadecimal. */
export const PASSWORD_DIGEST_PATTERN = /^[0-9A-Fa-f]{32}$/;

/** What is kept for a password beside its hash, by which its digest is known. */
export async function digestLogin(password: string, { salt }: PasswordHash): Promise<DigestLogin> {
  const digest = createHash('md5').update(password.normalize('NFC')).digest('hex');
  return { of: salt, hash: await hashPassword(digest) };
}
