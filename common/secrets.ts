import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { chmod, link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RandomBytes } from './random-bytes.js';

/** What needs the installation's master key: nothing else ever sees the key itself. */
export interface Secrets {
  /** Encrypts a short secret for storage (AES-256-GCM); two calls never give the same text. */
  seal(plain: string): string;
  /** @throws Error when the text was not sealed with this master key or was altered */
  open(sealed: string): string;
  /** A 32-byte HMAC-SHA-256 over `message`, with a key that belongs to `purpose` alone. */
  mac(purpose: string, message: string | Buffer): Buffer;
}

const MASTER_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param masterKey  32 random bytes */
export function createSecrets(masterKey: Buffer): Secrets {
  if (masterKey.length !== MASTER_KEY_BYTES) {
    throw new Error(`The master key must be ${MASTER_KEY_BYTES} bytes, found ${masterKey.length}`);
  }
  const nonces = new RandomBytes();
  const derived = new Map<string, KeyObject>();
  const keyFor = (purpose: string): KeyObject => {
    let key = derived.get(purpose);
    if (key === undefined) {
      key = createSecretKey(new Uint8Array(hkdfSync('sha256', masterKey, Buffer.alloc(0), purpose, 32)));
      derived.set(purpose, key);
    }
    return key;
  };
  return {
    seal(plain) {
      const nonce = nonces.take(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyFor('seal'), nonce);
      const body = cipher.update(plain, 'utf8');
      // GCM is a stream cipher: nothing is left over for the end, which only makes the tag.
      cipher.final();
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('Not a sealed secret: too short');
      const decipher = createDecipheriv('aes-256-gcm', keyFor('seal'), bytes.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return (
        decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      );
    },
    mac(purpose, message) {
      return createHmac('sha256', keyFor(`mac:${purpose}`))
        .update(message)
        .digest();
    },
  };
}

/** The file of the master key holds something else. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

/**
 * Reads the master key from a file, making it on the first start. Several processes may start at once: the
 * key is written beside its place and linked into it, so one of them wins and all read the same whole file.
 *
 * @throws MasterKeyError when the file exists but does not hold 64 hex digits
 */
export async function loadSecrets(path: string): Promise<Secrets> {
  const existing = await readMasterKey(path);
  if (existing !== null) return createSecrets(existing);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(MASTER_KEY_BYTES).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
    await chmod(path, 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  const key = await readMasterKey(path);
  if (key === null) throw new Error(`The master key ${path} vanished while it was being made`);
  return createSecrets(key);
}

/**
 * The secrets of the master key of a file, without making one.
 * @returns null where there is no file
 * @throws MasterKeyError as {@link loadSecrets}
 */
export async function readSecrets(path: string): Promise<Secrets | null> {
  const key = await readMasterKey(path);
  return key === null ? null : createSecrets(key);
}

/**
 * The master key of a file; null where there is none.
 * @throws MasterKeyError when the file does not hold 64 hex digits
 */
export async function readMasterKey(path: string): Promise<Buffer | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  if (!/^[0-9a-f]{64}\s*$/.test(text)) {
    throw new MasterKeyError(`The master key ${path} is damaged: it must hold 64 hexadecimal digits`);
  }
  return Buffer.from(text.trim(), 'hex');
}
