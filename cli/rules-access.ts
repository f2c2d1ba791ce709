import { CpeDescriptionError, type Devices, namesakesIn, openKnownCpes } from '../acs/index.js';
import { silentLogger, systemClock } from '../common/index.js';
import { createDownloadLocator } from '../firmware/index.js';
import { OrganizationDirectory, type OrganizationsNow } from '../organizations/index.js';
import {
  InvalidRuleError,
  openRules,
  type RuleEngine,
  type RuleProblem,
  UnknownRuleError,
} from '../rules/index.js';
import { type Arguments, CommandError, INSTALLATION_OPTIONS, withInstallation } from './command.js';
import { cpeIdentityOf } from './cpe-identity.js';
import { fileAuth, publicUrls, resolvingBy, signingBy } from './file-urls.js';
import type { Installation } from './installation.js';
import { type Io, printable } from './io.js';
import type { Config } from './options.js';

/** What commands that look at rules are told of the configuration. */
export const RULES_CONFIG = [
  ...INSTALLATION_OPTIONS,
  'publicFileUrl',
  'boardParameter',
  'requireSignature',
] as const satisfies readonly (keyof Config)[];

const PROBLEMS_SHOWN_MAX = 10;

/** What commands that look at rules work on. */
export interface OpenedRules {
  readonly rules: RuleEngine;
  readonly devices: Devices;
  readonly installation: Installation;
  readonly config: Config;
}

/**
 * Opens the rules and the CPEs of an installation for one command, beside a running server or without one.
 * @throws CommandError where there is none, and for what `run` asked of rules that do not exist or cannot be
 */
export async function withRules(
  args: Arguments,
  io: Io,
  run: (opened: OpenedRules) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, 'refuse', async (installation, config) => {
    const { store, secrets, images } = installation;
    const locator = createDownloadLocator({
      secrets,
      publicUrl: publicUrls(config, 'http://localhost'),
      auth: fileAuth(config),
      library: images,
    });
    const rules = await openRules({
      store,
      clock: systemClock,
      logger: silentLogger,
      secrets,
      resolveFile: resolvingBy(locator),
      boardParameter: config.boardParameter,
      namesakesOf: namesakesIn(store),
      ...signingBy(locator, images, config),
      keepingFiles: (files) => images.going.keeping(files),
    });
    const cpeIdentity = (await cpeIdentityOf(store)) ?? 'oui';
    const devices = openKnownCpes({ store, clock: systemClock, logger: silentLogger, cpeIdentity });
    try {
      await run({ rules, devices, installation, config });
    } catch (error) {
      throw inWords(error);
    } finally {
      await devices.close();
      await rules.close();
    }
  });
}

/** Opens the rules of an installation for a command that decides nothing. */
export async function withRulesAlone(
  args: Arguments,
  io: Io,
  run: (rules: RuleEngine, organizations: () => Promise<OrganizationsNow>) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, 'refuse', async ({ store, secrets, images }) => {
    const rules = await openRules({
      store,
      clock: systemClock,
      logger: silentLogger,
      secrets,
      resolveFile: async () => null,
      keepingFiles: (files) => images.going.keeping(files),
    });
    try {
      await run(rules, () => new OrganizationDirectory({ store }).latest());
    } finally {
      await rules.close();
    }
  });
}

function inWords(error: unknown): unknown {
  if (error instanceof UnknownRuleError) return new CommandError(printable(`${error.message}.`));
  if (error instanceof InvalidRuleError) return refused('The rule cannot be used', error.problems);
  if (error instanceof CpeDescriptionError) return refused('The CPE cannot be used', error.problems);
  return error;
}

function refused(what: string, problems: readonly RuleProblem[]): CommandError {
  const shown = problems
    .slice(0, PROBLEMS_SHOWN_MAX)
    .map(({ field, expected }) => `  ${field === '' ? '' : `${field}: `}${expected}`);
  const more = problems.length > shown.length ? [`  and ${problems.length - shown.length} more`] : [];
  return new CommandError(printable([`${what}:`, ...shown, ...more].join('\n')));
}
