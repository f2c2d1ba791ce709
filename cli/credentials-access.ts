import { CpeCredentials, type CpeLogin, CredentialError, isAnyCpeId, isCpeId } from '../acs/index.js';
import { systemClock } from '../common/index.js';
import type { Store } from '../store/index.js';
import { type Arguments, saying, withInstallation } from './command.js';
import { cpeIdentityOf, settleCpeIdentity } from './cpe-identity.js';
import type { Io } from './io.js';

/** The credentials of single CPEs, for one command. */
export interface CredentialsAccess {
  readonly credentials: CpeCredentials;
  readonly store: Store;
  /** Why these cannot be taken over; null: they can. */
  problemIn(login: CpeLogin): string | null;
  /**
   * Before any are stored: whom they are for goes by what tells CPEs apart, which is thereby fixed as it is at the first start.
   * @throws InstallationError where that is something else already
   */
  settle(): Promise<void>;
}

/**
 * Opens the credentials of single CPEs for one command, and closes them behind it.
 * @throws CommandError for what they do not take
 */
export async function withCredentials(
  args: Arguments,
  io: Io,
  whereMissing: 'make' | 'refuse',
  run: (access: CredentialsAccess) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, whereMissing, async ({ store, secrets }, { cpeid: wanted }) => {
    const settled = await cpeIdentityOf(store);
    // That it is what the option has unless told says nothing.
    const cpeIdentity = settled === null || wanted === 'serial' ? wanted : settled;
    const credentials = new CpeCredentials({ store, secrets, clock: systemClock, cpeIdentity });
    const access: CredentialsAccess = {
      credentials,
      store,
      problemIn(login) {
        const { cpeid } = login;
        const problem = credentials.problemIn(login);
        // Of an installation that no server has begun nobody knows what tells its CPEs apart, unless it is said here.
        if (settled !== null || isCpeId(cpeid, cpeIdentity) || !isAnyCpeId(cpeid)) return problem;
        return `${problem}; where the server will be started with --cpeid ${cpeIdentity === 'oui' ? 'serial' : 'oui'}, say so here too`;
      },
      settle: () => settleCpeIdentity(store, cpeIdentity),
    };
    await saying(CredentialError, () => run(access));
  });
}
