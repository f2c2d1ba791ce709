import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, loadSecrets, type Secrets } from '../common/index.js';
import { type ImageLibrary, openImageLibrary } from '../firmware/index.js';
import { openUsers, type Users } from '../nbi/index.js';
import { type CollectionDefinition, openLmdbStore, openMongoStore, type Store } from '../store/index.js';
import type { Config } from './config.js';

/** What every command works on, whether or not a server runs beside it: several processes may have it open at once. */
export interface Installation {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly images: ImageLibrary;
  readonly users: Users;
  close(): Promise<void>;
}

export interface Ambient {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Where the master key is. */
export function secretPath({ secretFile, dataDir }: Config): string {
  return secretFile || join(dataDir, 'secret.key');
}

/** The store that a configuration names: a database that machines share, or the one in the data directory. */
function openStore(config: Config, logger: Logger): Promise<Store> {
  return config.store === ''
    ? openLmdbStore({ directory: join(config.dataDir, 'store'), logger })
    : openMongoStore({ url: config.store, logger });
}

const MIB = 1024 * 1024;

/** Opens (or makes) the data directory of a configuration. */
export async function openInstallation(config: Config, { clock, logger }: Ambient): Promise<Installation> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const secrets = await loadSecrets(secretPath(config));
  const store = await openStore(config, logger);
  try {
    const images = await openImageLibrary({
      directory: join(config.dataDir, 'images'),
      store,
      limits: { imageBytesMax: config.imageMibMax * MIB },
      clock,
      logger,
    });
    const users = openUsers({ store, secrets, clock, logger });
    return { store, secrets, images, users, close: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface SealedSetting {
  readonly id: string;
  readonly sealed: string;
}

export const INSTALLATION: CollectionDefinition = { name: 'installation', indexes: {} };
const CPE_USER_NAME = 'cpe';
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
