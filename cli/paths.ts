import type { Stats } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { MasterKeyError, readMasterKey } from '../common/index.js';
import { InstallationError } from './first-start.js';
import { secretPath } from './installation.js';
import type { Config } from './options.js';

/** A file that holds secrets and that others than its owner and group may read. */
export interface OpenSecret {
  readonly path: string;
  /** As chmod takes it. */
  readonly mode: string;
  /** What is in it. */
  readonly holds: string;
}

const OF_OTHERS = 0o007;
const OF_GROUP_AND_OTHERS = 0o077;

/**
 * What the paths of a configuration name, looked at before anything is opened or made.
 * @returns files of secrets that are where Ferry did not put them, and that others may read: there, modes can be somebody else's affair
 * @throws InstallationError that names each option at fault and the remedy
 */
export async function checkPaths(config: Config): Promise<readonly OpenSecret[]> {
  const key = secretPath(config);
  const found = await statOf(key);
  const wrong = [
    ...(config.store === '' ? [await directoryProblem(config.dataDir)] : []),
    config.rulesDir === ''
      ? null
      : isNoDirectory('rules-dir', config.rulesDir, await statOf(config.rulesDir)),
    await keyProblem(config, key, found),
  ].filter((problem) => problem !== null);
  if (wrong.length > 0) throw new InstallationError(wrong.join('\n'));
  const tls = tlsKeyFile(config.store);
  const open = [
    openSecret(key, found, 'the master key'),
    tls === null ? null : openSecret(tls, await statOf(tls), 'the key for the database'),
  ];
  return open.filter((each) => each !== null);
}

/** As {@link checkPaths}, of the master key alone. @throws InstallationError */
export async function checkMasterKey(config: Config): Promise<void> {
  const key = secretPath(config);
  const problem = await keyProblem(config, key, await statOf(key));
  if (problem !== null) throw new InstallationError(problem);
}

/** Whether others may read a file that holds secrets. @param holds  what is in it */
export function openSecret(path: string, found: Stats | null, holds: string): OpenSecret | null {
  if (found === null || !hasModes || (found.mode & OF_OTHERS) === 0) return null;
  return { path: resolve(path), mode: modeText(found), holds };
}

/** Of Windows every file says that all may read and write it. */
const hasModes = process.platform !== 'win32';

function modeText({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}

/** The file, or what a link leads to; null where there is none, or it is not ours to look at: whoever reads it will say so. */
export async function statOf(path: string): Promise<Stats | null> {
  return stat(path).catch(() => null);
}

async function directoryProblem(path: string): Promise<string | null> {
  const found = await statOf(path);
  if (found !== null && !found.isDirectory()) return isNoDirectory('data-dir', path, found);
  // What is not there yet is made, with whatever leads to it.
  let nearest = resolve(path);
  while ((await statOf(nearest)) === null && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    await access(nearest, constants.W_OK | constants.X_OK);
    return null;
  } catch {
    return `--data-dir ${path}: this user may not write to ${nearest}; make it theirs (chown), or name another directory`;
  }
}

function isNoDirectory(option: string, path: string, found: Stats | null): string | null {
  return found === null || found.isDirectory()
    ? null
    : `--${option} ${path}: there is something else than a directory; name a directory`;
}

async function keyProblem({ secretFile }: Config, path: string, found: Stats | null): Promise<string | null> {
  if (found === null) return null;
  if (!found.isFile())
    return `--secret-file ${path}: there is something else than a file; name the file of the master key`;
  // Where Ferry made it others never could: somebody has copied or changed it. A file that is named may lie where modes are not ours to set.
  if (secretFile === '' && hasModes && (found.mode & OF_GROUP_AND_OTHERS) !== 0) {
    return (
      `The master key ${resolve(path)} may be read by others (mode ${modeText(found)}): chmod 600 ${path}; ` +
      'where a file system has no modes, name the file with --secret-file'
    );
  }
  try {
    await readMasterKey(path);
    return null;
  } catch (error) {
    if (error instanceof MasterKeyError) return error.message;
    return `--secret-file ${path}: cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** The file of the key that a database is shown, as its address names it. */
function tlsKeyFile(store: string): string | null {
  const [, path] = /[?&]tlsCertificateKeyFile=([^&]+)/i.exec(store) ?? [];
  try {
    return path === undefined ? null : decodeURIComponent(path);
  } catch {
    return null;
  }
}
