import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN, type PasswordHash, UserError } from './user.js';

const deriveKey = promisify<
  string,
  Buffer,
  number,
  { N: number; r: number; p: number; maxmem: number },
  Buffer
>(scrypt);

const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** About 40 ms and 32 MB a password. */
const COST = { cost: 2 ** 15, blockSize: 8, parallelization: 1 } as const;
const MEMORY_BYTES_MAX = 128 * 1024 * 1024;

/** @throws UserError where the password is too short or too long, or holds what nobody types and some drop or cut at */
export function checkPassword(password: string): void {
  if (/\p{Cc}/u.test(password)) {
    throw new UserError(
      'invalid',
      'password',
      'A password must have no control characters, such as NUL, tabs and ends of lines',
    );
  }
  if ([...password].length < PASSWORD_CHARACTERS_MIN || Buffer.byteLength(password) > PASSWORD_BYTES_MAX) {
    throw new UserError(
      'invalid',
      'password',
      `A password must have at least ${PASSWORD_CHARACTERS_MIN} characters and at most ${PASSWORD_BYTES_MAX} bytes`,
    );
  }
}

/** @throws UserError as {@link checkPassword} */
export async function hashPassword(password: string): Promise<PasswordHash> {
  checkPassword(password);
  const salt = randomBytes(SALT_BYTES);
  const hash = { algorithm: 'scrypt', ...COST, salt: salt.toString('base64'), key: '' } as const;
  return { ...hash, key: (await keyOf(password, hash)).toString('base64') };
}

export async function passwordMatches(password: string, hash: PasswordHash): Promise<boolean> {
  const stored = Buffer.from(hash.key, 'base64');
  return stored.length === KEY_BYTES && timingSafeEqual(await keyOf(password, hash), stored);
}

/** What an unknown user's password is compared with: as much work as a real one's, and never true. */
export function impossibleHash(): PasswordHash {
  return {
    algorithm: 'scrypt',
    ...COST,
    salt: randomBytes(SALT_BYTES).toString('base64'),
    key: randomBytes(KEY_BYTES).toString('base64'),
  };
}

/** RFC 7617 2.1 has clients send UTF-8 in normal form C; those that do not mean the same password. */
function keyOf(password: string, { salt, cost, blockSize, parallelization }: PasswordHash): Promise<Buffer> {
  return deriveKey(password.normalize('NFC'), Buffer.from(salt, 'base64'), KEY_BYTES, {
    N: cost,
    r: blockSize,
    p: parallelization,
    maxmem: MEMORY_BYTES_MAX,
  });
}
