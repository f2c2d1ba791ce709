import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type Clock,
  exists,
  HOUR_MS,
  type Logger,
  loadSecrets,
  MasterKeyError,
  MINUTE_MS,
  type MonotonicClock,
  type Secrets,
} from '../common/index.js';
import {
  type ContentStore,
  type ImageLibrary,
  openDiskContents,
  openImageLibrary,
  openUploads,
  SharedContents,
  type Uploads,
} from '../firmware/index.js';
import { openUsers, UserSessions, type Users } from '../nbi/index.js';
import {
  openLmdbStore,
  openMongoStore,
  type SharedStore,
  type Store,
  type UseParts,
} from '../store/index.js';
import { checkClock } from './clock-watch.js';
import { DiskWatch } from './disk-watch.js';
import {
  admitFirstStart,
  FIRST_START_ID,
  INSTALLATION,
  InstallationError,
  KEY_CHECK_ID,
} from './first-start.js';
import type { Config } from './options.js';
import { giveToOwner } from './owner.js';

/** What every command works on, whether or not a server runs beside it: several processes may have it open at once. */
export interface Installation {
  readonly store: Store;
  /** The same store where machines share it; null where it is embedded. */
  readonly shared: SharedStore | null;
  readonly secrets: Secrets;
  readonly images: ImageLibrary;
  readonly uploads: Uploads;
  readonly users: Users;
  readonly sessions: UserSessions;
  /** Whether what it writes reaches the disk; null where that is the database's. */
  readonly disk: DiskWatch | null;
  close(): Promise<void>;
}

export interface Ambient {
  readonly clock: Clock;
  /** For what elapses; this process's own unless told. */
  readonly monotonic?: MonotonicClock;
  readonly logger: Logger;
  /** How long a request to the database may take; where nobody waits for its answer it may be longer than in a server. */
  readonly databaseTimeoutMs?: number;
}

/** Where the master key is. */
export function secretPath({ secretFile, dataDir }: Config): string {
  return secretFile || join(dataDir, 'secret.key');
}

const MIB = 1024 * 1024;

/**
 * Opens (or makes) the installation of a configuration.
 * @param whereMissing  what to do with a database that no Ferry has been in; a missing data directory is always made
 * @throws InstallationError where the master key is not the installation's, the clock is too far off, or the store is empty
 *   beside what an earlier one left
 * @throws StoreError
 */
export async function openInstallation(
  config: Config,
  ambient: Ambient,
  whereMissing: 'make' | 'refuse' = 'make',
): Promise<Installation> {
  const { clock, monotonic, logger } = ambient;
  const secretFile = secretPath(config);
  const { store, shared, contents, disk } =
    config.store === ''
      ? await openEmbedded(config, ambient)
      : await openShared(config, ambient, whereMissing);
  try {
    await admitFirstStart(store, config);
    const secrets = await masterKey(store, secretFile);
    const images = imageLibrary({ store, contents }, config, ambient);
    const uploads = openUploads({
      library: images,
      contents,
      store,
      limits: imageLimits(config),
      sources: config.imageSources,
      clock,
      logger,
      ...(monotonic && { monotonic }),
    });
    const users = openUsers({
      store,
      secrets,
      clock,
      logger,
      ...(monotonic && { monotonic }),
      failedLoginsMax: config.nbiFailedLoginsMax,
    });
    const life = {
      idleMs: config.nbiSessionIdleMinutes * MINUTE_MS,
      totalMs: config.nbiSessionHours * HOUR_MS,
    };
    const sessions = new UserSessions({ store, users, clock, logger, life, ...(monotonic && { monotonic }) });
    const close = () => closeAsOwner(store, config);
    return { store, shared, secrets, images, uploads, users, sessions, disk, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** What it takes to hold the store of an installation. */
export function usePartsOf(
  { store, shared }: Pick<Installation, 'store' | 'shared'>,
  { clock, logger }: Pick<Ambient, 'clock' | 'logger'>,
): UseParts {
  return { store, clock, logger, isOneMachine: shared === null };
}

/** The images of an installation alone: they need no master key. */
export async function openImages(
  config: Config,
  ambient: Ambient,
  whereMissing: 'make' | 'refuse',
): Promise<{ readonly images: ImageLibrary; readonly store: Store; close(): Promise<void> }> {
  const open =
    config.store === ''
      ? await openEmbedded(config, ambient)
      : await openShared(config, ambient, whereMissing);
  try {
    await admitFirstStart(open.store, config);
    const { store } = open;
    return { images: imageLibrary(open, config, ambient), store, close: () => closeAsOwner(store, config) };
  } catch (error) {
    await open.store.close();
    throw error;
  }
}

/** What root has made in the directory of another is that one's from here on. */
async function closeAsOwner(store: Store, { dataDir }: Pick<Config, 'dataDir'>): Promise<void> {
  await store.close();
  await giveToOwner(dataDir);
}

function imageLibrary(
  { store, contents }: Pick<OpenStore, 'store' | 'contents'>,
  config: Config,
  { clock, logger }: Ambient,
): ImageLibrary {
  const { strictImages } = config;
  return openImageLibrary({ contents, store, limits: imageLimits(config), strictImages, clock, logger });
}

function imageLimits({ imageMibMax, organizationImageMibMax: mibMax }: Config) {
  return {
    imageBytesMax: imageMibMax * MIB,
    ...(mibMax > 0 && { organizationImageBytesMax: mibMax * MIB }),
  };
}

interface OpenStore {
  readonly store: Store;
  readonly shared: SharedStore | null;
  readonly contents: ContentStore;
  readonly disk: DiskWatch | null;
}

async function openEmbedded(
  { dataDir, diskFreeMibMin }: Config,
  { logger, monotonic }: Ambient,
): Promise<OpenStore> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const disk = new DiskWatch({
    directory: dataDir,
    freeBytesMin: diskFreeMibMin * MIB,
    logger,
    ...(monotonic !== undefined && { monotonic }),
  });
  const store = await openLmdbStore({
    directory: join(dataDir, 'store'),
    logger,
    onWritten: (failure) => disk.wrote('store', failure),
  });
  try {
    const contents = await openDiskContents(join(dataDir, 'images'), (failure) =>
      disk.wrote('images', failure),
    );
    return { store, shared: null, contents, disk };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openShared(
  config: Config,
  { clock, logger, databaseTimeoutMs: timeoutMs }: Ambient,
  whereMissing: 'make' | 'refuse',
): Promise<OpenStore> {
  const mustExist = whereMissing === 'refuse';
  const shared = await openMongoStore({
    url: config.store,
    groupCommitMs: config.groupCommitMs,
    logger,
    mustExist,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  try {
    const check = await checkClock(shared, clock);
    if (!check.isGood) throw new InstallationError(check.reason);
    return { store: shared, shared, contents: new SharedContents(shared.files), disk: null };
  } catch (error) {
    await shared.close();
    throw error;
  }
}

const COPY_KEY =
  'copy the file of a node that works (by default <data-dir>/secret.key), and name it with --secret-file';

/** The master key of an installation; a new one where there has been none. @throws InstallationError */
async function masterKey(store: Store, secretFile: string): Promise<Secrets> {
  const settings = store.collection<SealedSetting>(INSTALLATION);
  const isSealed = (await settings.get(KEY_CHECK_ID)) !== null;
  // Asked in this order, as another process may be making both. A new key would open nothing, and be in the way of the right one.
  if (isSealed && !(await exists(secretFile))) {
    throw new InstallationError(
      `There is no master key in ${resolve(secretFile)}, but this installation's secrets are sealed with one: ${COPY_KEY}`,
    );
  }
  try {
    const secrets = await loadSecrets(secretFile);
    await checkMasterKey(store, secrets, secretFile);
    return secrets;
  } catch (error) {
    throw error instanceof MasterKeyError ? new InstallationError(error.message) : error;
  }
}

/** Something sealed is kept, for every later process to open: with another key it would fail at the first CPE instead. */
async function checkMasterKey(store: Store, secrets: Secrets, secretFile: string): Promise<void> {
  const settings = store.collection<SealedSetting>(INSTALLATION);
  const stored = await settings.get(KEY_CHECK_ID);
  if (stored === null) {
    const seal = settings.inserting({ id: KEY_CHECK_ID, sealed: secrets.seal(KEY_CHECK_ID) });
    const mark = await settings.get(FIRST_START_ID);
    const end = mark === null ? [] : [settings.deleting(FIRST_START_ID, mark.revision)];
    const made = await store.commit([seal, ...end]);
    if (!made.committed) await checkMasterKey(store, secrets, secretFile);
    return;
  }
  try {
    secrets.open(stored.document.sealed);
  } catch {
    throw new InstallationError(
      `The master key in ${resolve(secretFile)} is not the one that this installation's secrets are sealed with: ${COPY_KEY}`,
    );
  }
}

interface SealedSetting {
  readonly id: string;
  readonly sealed: string;
}

/** As which CPEs log in where nobody has said it. */
export const CPE_USER_NAME = 'cpe';
const CPE_PASSWORD_BYTES = 12;

/**
 * The credentials that CPEs present where none are configured: made once per installation, the same for every process.
 * @returns `isNew` for the one call that made them
 */
export async function generatedCpeCredentials(
  installation: Pick<Installation, 'store' | 'secrets'>,
): Promise<{ readonly username: string; readonly password: string; readonly isNew: boolean }> {
  const { store, secrets } = installation;
  const settings = store.collection<SealedSetting>(INSTALLATION);
  const password = randomBytes(CPE_PASSWORD_BYTES).toString('base64url');
  const made = await settings.insert({ id: 'cpe-password', sealed: secrets.seal(password) });
  if (made !== null) return { username: CPE_USER_NAME, password, isNew: true };
  const stored = await settings.get('cpe-password');
  if (stored === null) throw new Error('The generated CPE password vanished from the store');
  return { username: CPE_USER_NAME, password: secrets.open(stored.document.sealed), isNew: false };
}
