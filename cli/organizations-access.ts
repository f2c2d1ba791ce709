import { type OpenedOrganizations, openOrganizations } from '../acs/index.js';
import { silentLogger, systemClock } from '../common/index.js';
import { OrganizationError } from '../organizations/index.js';
import { batchesOfOrganizations } from '../rollout/index.js';
import { openRules, type StandingConditions } from '../rules/index.js';
import { type Arguments, CommandError, withInstallation } from './command.js';
import type { Installation } from './installation.js';
import { type Io, printable } from './io.js';
import type { Config } from './options.js';

/** What commands of organizations work on. */
export interface Opened extends OpenedOrganizations {
  readonly conditions: StandingConditions;
  readonly installation: Installation;
  readonly config: Config;
}

const PROBLEMS_SHOWN_MAX = 10;

/**
 * Opens the organizations of an installation and their CPEs for one command, beside a running server or without one.
 * @throws CommandError where there is none, and for what `run` asked that cannot be
 */
export async function withOrganizations(
  args: Arguments,
  io: Io,
  run: (opened: Opened) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, 'refuse', async (installation, config) => {
    const { store, secrets, users } = installation;
    const parts = { store, clock: systemClock, logger: silentLogger };
    const rules = await openRules({ ...parts, secrets, resolveFile: async () => null });
    const opened = openOrganizations({
      ...parts,
      rules,
      users: users.ofOrganizations,
      belongings: [batchesOfOrganizations(store)],
    });
    try {
      await run({ ...opened, conditions: rules.standing, installation, config });
    } catch (error) {
      throw error instanceof OrganizationError ? inWords(error) : error;
    } finally {
      await opened.close();
      await rules.close();
    }
  });
}

function inWords({ problems }: OrganizationError): CommandError {
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX).map(({ field, expected, found }) => {
    const what = `${field === '' ? '' : `${field}: `}expected ${expected}`;
    return found === undefined ? what : `${what}, found ${found}`;
  });
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : [];
  return new CommandError(printable([...shown, ...more].join('\n')));
}
