import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';

const ROOT = 0;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * Has everything in a data directory that root has made belong to the directory's owner. A server that runs as that owner could not read what
 * `sudo ferry image add` has left otherwise. Of anybody but root, where the directory is root's own, and on other systems than Linux it does nothing.
 * Never while this process has a store open there: LMDB's locks would go with the files that are opened here.
 * @param directory  may be missing
 */
export async function giveToOwner(directory: string): Promise<void> {
  if (process.getuid?.() !== ROOT || process.platform !== 'linux') return;
  const top = await openOrNull(directory, O_RDONLY | O_DIRECTORY);
  if (top === null) return;
  try {
    const { uid, gid } = await top.stat();
    if (uid !== ROOT) await giveAll(top, uid, gid);
  } finally {
    await top.close();
  }
}

/**
 * The owner may exchange what is in his directory at any moment, for a link to what is root's and none of his: so each step goes by what is
 * open, and follows no link.
 */
async function giveAll(directory: FileHandle, uid: number, gid: number): Promise<void> {
  const base = `/proc/self/fd/${directory.fd}`;
  for await (const { name } of await opendir(base)) {
    const path = join(base, name);
    const seen = await lstat(path).catch(() => null);
    if (seen === null || !(seen.isDirectory() || isGiven(seen))) continue;
    const handle = await openOrNull(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (handle === null) continue;
    try {
      const found = await handle.stat();
      if (isGiven(found)) await handle.chown(uid, gid);
      if (found.isDirectory()) await giveAll(handle, uid, gid);
    } finally {
      await handle.close();
    }
  }
}

/** A file of two names may be one that lies elsewhere too. */
function isGiven(found: Stats): boolean {
  return found.uid === ROOT && (found.isDirectory() || (found.isFile() && found.nlink === 1));
}

/** Null where it is not there any more, or is a link. */
function openOrNull(path: string, flags: number): Promise<FileHandle | null> {
  return open(path, flags).catch(() => null);
}
