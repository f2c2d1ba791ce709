import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists, type Secrets } from '../../common/index.js';
import { BackupError } from './format.js';

const CHECK_CHARACTERS = 22;
const DIRECTORY_MODE = 0o700;
const KEY_MODE = 0o600;

/** The same for the same master key and no other; nothing of the key can be learnt from it. */
export function keyCheckOf(secrets: Secrets): string {
  return secrets.mac('backup', 'which key').toString('base64url').slice(0, CHECK_CHARACTERS);
}

/**
 * Sees to it that there is a master key before anything would make a new one, which could not open what is restored.
 * @param key  that of the backup, where it has one
 * @throws BackupError
 */
export async function installKey(path: string, key: string | null): Promise<void> {
  if (await exists(path)) return;
  if (key === null) {
    throw new BackupError(
      `There is no master key in ${path}, and none in the backup: copy the secret.key of the installation that was ` +
        'backed up there, or name it with --secret-file.',
    );
  }
  await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
  await writeFile(path, `${key}\n`, { mode: KEY_MODE, flag: 'wx', flush: true });
}
