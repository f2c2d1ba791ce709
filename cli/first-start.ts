import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { exists } from '../common/index.js';
import { IMAGES } from '../firmware/index.js';
import { USERS } from '../nbi/index.js';
import type { CollectionDefinition, Document, Store } from '../store/index.js';
import type { Config } from './options.js';

/** What is stored of the installation itself: its seal, generated credentials, marks. */
export const INSTALLATION: CollectionDefinition = { name: 'installation', indexes: {} };
/** Something that was sealed with the master key: there once the first start has come so far. */
export const KEY_CHECK_ID = 'master-key';
/** There from before the key is made until it is sealed, so that a first start which was killed goes on. */
export const FIRST_START_ID = 'first-start';

/** The installation cannot be worked on as this process is set up; says what to set right. */
export class InstallationError extends Error {
  override readonly name = 'InstallationError';
}

/**
 * Marks the first start of a store in which nothing is yet, before anything is made beside it. Where something is there already
 * that only an earlier start can have made, the store was lost: to begin anew would give it a new administrator, new
 * credentials for CPEs, and none of the counts that keep rules from running again.
 * @throws InstallationError
 */
export async function admitFirstStart(store: Store, config: Config): Promise<void> {
  const marks = store.collection<Document>(INSTALLATION);
  if (await holdsAny(store, INSTALLATION)) return;
  const beside = config.acceptEmptyStore ? [] : await madeEarlier(config);
  // Another process may have made them in between: it has left its mark by then.
  if (beside.length > 0 && !(await hasBegun(store))) {
    throw new InstallationError(
      `There is nothing in the store, but beside it there is ${beside.join(' and ')}, which an earlier store left behind: ` +
        'restore a backup (ferry restore), or put the store back; ferry serve --accept-empty-store begins anew, without users, rules, CPEs and counts.',
    );
  }
  // Who comes second finds it there.
  await marks.insert({ id: FIRST_START_ID });
}

async function hasBegun(store: Store): Promise<boolean> {
  for (const definition of [INSTALLATION, USERS, IMAGES]) {
    if (await holdsAny(store, definition)) return true;
  }
  return false;
}

async function holdsAny(store: Store, definition: CollectionDefinition): Promise<boolean> {
  return (await store.collection(definition).find({ limit: 1 })).items.length > 0;
}

/** In words. A key that is named by an option may have been made in advance, for all nodes, and says nothing. */
async function madeEarlier({ store, dataDir, secretFile }: Config): Promise<string[]> {
  const found: string[] = [];
  const key = resolve(dataDir, 'secret.key');
  const isOwn = secretFile === '' || resolve(secretFile) === key;
  if (isOwn && (await exists(key))) found.push(`a master key in ${key}`);
  const contents = join(dataDir, 'images', 'content');
  const names = store === '' ? await readdir(contents).catch(() => []) : [];
  if (names.length > 0) found.push(`firmware images in ${resolve(contents)}`);
  return found;
}
