import type { CpeIdentity } from '../acs/index.js';
import { SECOND_MS, type Secrets } from '../common/index.js';
import type { Document, InspectedCollection, Store } from '../store/index.js';
import { RESTORE_ID } from './backup/restoring.js';
import { ALL_COLLECTIONS } from './collections.js';
import { storedCpeIdentity } from './cpe-identity.js';
import { INSTALLATION } from './first-start.js';

const CLOCK_OFFSET_MS_MAX = 30 * SECOND_MS;

export interface StoreReport {
  readonly engine: string;
  readonly serverVersion: string | null;
  readonly schemaVersion: number;
  /** By what CPEs are told apart; null where no server has begun it. */
  readonly cpeIdentity: CpeIdentity | null;
  /** How far the database's clock is ahead of this machine's; null where there is no database server. */
  readonly clockAheadMs: number | null;
  readonly collections: readonly CollectionReport[];
  /** What an operator should know of; empty where all is well. */
  readonly problems: readonly string[];
}

export interface CollectionReport {
  readonly name: string;
  /** Null where an index is not ready: to count would make it, or wait until somebody has. */
  readonly documents: number | null;
  readonly indexes: InspectedCollection['indexes'];
}

/** Looks at a store as an operator would: what is in it, and whether a server can work on it. */
export async function checkStore(store: Store, secrets: Secrets): Promise<StoreReport> {
  const { engine, serverVersion, schemaVersion, clocks, collections } = await store.inspect();
  const problems: string[] = [];
  const clockAheadMs = clocks === null ? null : Math.round(clocks.serverMs - clocks.ownMs);
  if (clockAheadMs !== null && Math.abs(clockAheadMs) > CLOCK_OFFSET_MS_MAX) {
    problems.push(
      `The database's clock and this machine's differ by ${Math.round(clockAheadMs / SECOND_MS)} s: set both by NTP`,
    );
  }
  const reports: CollectionReport[] = [];
  for (const { name, indexes } of collections) {
    problems.push(...indexProblems(name, indexes));
    const definition = ALL_COLLECTIONS.find((known) => known.name === name);
    if (definition === undefined) {
      problems.push(`${name}: no collection of this version of Ferry, so a newer one wrote it`);
      continue;
    }
    const isReady = indexes.every(({ state }) => state === 'ready');
    const documents = isReady ? await store.collection(definition).count() : null;
    reports.push({ name, indexes, documents });
  }
  problems.push(...(await installationProblems(store, secrets)));
  const cpeIdentity = await storedCpeIdentity(store);
  return { engine, serverVersion, schemaVersion, cpeIdentity, clockAheadMs, collections: reports, problems };
}

function indexProblems(name: string, indexes: InspectedCollection['indexes']): string[] {
  return indexes
    .filter(({ state }) => state !== 'ready')
    .map(({ fields, state }) => {
      const index = `${name}: the index of ${fields.join(', ')}`;
      return state === 'missing'
        ? `${index} is missing in the database; a server that starts makes it again`
        : `${index} is still being made`;
    });
}

async function installationProblems(store: Store, secrets: Secrets): Promise<string[]> {
  const problems: string[] = [];
  for await (const { document } of store.collection<Document & { sealed?: unknown }>(INSTALLATION).scan({})) {
    if (document.id === RESTORE_ID)
      problems.push('A restore was cut off: run ferry restore with the same file again');
    if (typeof document.sealed === 'string' && !opens(secrets, document.sealed)) {
      problems.push(
        `The secret ${document.id} was sealed with another master key: copy the right secret.key here`,
      );
    }
  }
  return problems;
}

function opens(secrets: Secrets, sealed: string): boolean {
  try {
    secrets.open(sealed);
    return true;
  } catch {
    return false;
  }
}
