import { CpeCredentials, CredentialError } from '../acs/index.js';
import { systemClock } from '../common/index.js';
import type { Store } from '../store/index.js';
import { type Arguments, saying, withInstallation } from './command.js';
import { storedCpeIdentity } from './cpe-identity.js';
import type { Io } from './io.js';

/**
 * Opens the credentials of single CPEs for one command, and closes them behind it.
 * @throws CommandError for what they do not take
 */
export async function withCredentials(
  args: Arguments,
  io: Io,
  whereMissing: 'make' | 'refuse',
  run: (credentials: CpeCredentials, store: Store) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, whereMissing, async ({ store, secrets }) => {
    const cpeIdentity = (await storedCpeIdentity(store)) ?? 'oui';
    const credentials = new CpeCredentials({ store, secrets, clock: systemClock, cpeIdentity });
    await saying(CredentialError, () => run(credentials, store));
  });
}
