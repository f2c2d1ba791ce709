import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecrets, exists, readSecrets, type Secrets } from '../../common/index.js';
import { BackupError, type BackupHeader } from './format.js';

const CHECK_CHARACTERS = 22;
const DIRECTORY_MODE = 0o700;
const KEY_MODE = 0o600;

/** The same for the same master key and no other; nothing of the key can be learnt from it. */
export function keyCheckOf(secrets: Secrets): string {
  return secrets.mac('backup', 'which key').toString('base64url').slice(0, CHECK_CHARACTERS);
}

/** @throws BackupError where a backup was made with another master key */
export function checkKey(header: BackupHeader, secrets: Secrets): void {
  if (header.keyCheck === keyCheckOf(secrets)) return;
  throw new BackupError(
    'The backup was made with another master key, without which its secrets cannot be opened: put the secret.key that ' +
      'belongs to it in place, or name it with --secret-file.',
  );
}

/**
 * The master key to verify a backup with: the installation's, where it has one, else the one that came in the backup.
 * @param path  where the installation has its key
 * @param onOwnKey  told where the backup brought it, which shows that it is whole, and not who wrote it
 * @throws BackupError in the function returned, where there is none or it is another
 */
export async function keyOfBackup(
  path: string,
  onOwnKey: () => void,
): Promise<(header: BackupHeader) => Secrets> {
  const inPlace = await readSecrets(path);
  return (header) => {
    if (inPlace === null && header.key === undefined) throw noKey(path);
    const secrets = inPlace ?? createSecrets(Buffer.from(header.key ?? '', 'hex'));
    checkKey(header, secrets);
    if (inPlace === null) onOwnKey();
    return secrets;
  };
}

function noKey(path: string): BackupError {
  return new BackupError(
    `There is no master key in ${path}, and none in the backup: copy the secret.key of the installation that was ` +
      'backed up there, or name it with --secret-file.',
  );
}

/**
 * Sees to it that there is a master key before anything would make a new one, which could not open what is restored.
 * @param key  that of the backup, where it has one
 * @throws BackupError
 */
export async function installKey(path: string, key: string | null): Promise<void> {
  if (await exists(path)) return;
  if (key === null) throw noKey(path);
  await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
  await writeFile(path, `${key}\n`, { mode: KEY_MODE, flag: 'wx', flush: true });
}
