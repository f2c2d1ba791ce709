import { CPE_AUTH, type CpeIdentity, DEVICES } from '../acs/index.js';
import type { Document, Store } from '../store/index.js';
import { INSTALLATION, InstallationError } from './first-start.js';

const ID = 'cpe-identity';

interface IdentityDocument extends Document {
  readonly by: CpeIdentity;
}

/** By what an installation says that it tells its CPEs apart; null where no server of this version has begun it yet. */
export async function storedCpeIdentity(store: Store): Promise<CpeIdentity | null> {
  return (await store.collection<IdentityDocument>(INSTALLATION).get(ID))?.document.by ?? null;
}

/** The same where an earlier version has begun it. */
export async function cpeIdentityOf(store: Store): Promise<CpeIdentity | null> {
  const stored = await storedCpeIdentity(store);
  if (stored !== null) return stored;
  // An earlier version did not say so.
  for (const kept of [DEVICES, CPE_AUTH])
    if ((await store.collection(kept).find({ limit: 1 })).items.length > 0) return 'oui';
  return null;
}

/**
 * Says for good by what an installation tells its CPEs apart: everything that is kept of them goes by that.
 * @throws InstallationError where it is something else already
 */
export async function settleCpeIdentity(store: Store, wanted: CpeIdentity): Promise<void> {
  // As it is at every start but the first.
  if ((await storedCpeIdentity(store)) === wanted) return;
  const known = await cpeIdentityOf(store);
  if (known === null || known === wanted) {
    const made = await store.collection<IdentityDocument>(INSTALLATION).insert({ id: ID, by: wanted });
    if (made !== null) return;
  }
  const settled = (await cpeIdentityOf(store)) ?? wanted;
  if (settled === wanted) return;
  throw new InstallationError(
    `The CPEs of this installation are told apart by ${WORDS[settled]}, which cannot be changed any more: start it with --cpeid ${settled}`,
  );
}

const WORDS: Readonly<Record<CpeIdentity, string>> = {
  oui: 'OUI, product class and serial number',
  serial: 'their serial numbers alone',
};
