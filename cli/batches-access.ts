import type { Devices } from '../acs/index.js';
import { monotonicClock, silentLogger, systemClock } from '../common/index.js';
import { OrganizationError, type OrganizationsNow } from '../organizations/index.js';
import { BatchError, type Batches, type Operations } from '../rollout/index.js';
import { openInstallationBatches } from './batches.js';
import { type Arguments, CommandError, saying } from './command.js';
import { type Io, printable } from './io.js';
import { withRules } from './rules-access.js';

/** What commands of batches work on. */
export interface OpenedBatches {
  readonly batches: Batches;
  readonly operations: Operations;
  readonly devices: Pick<Devices, 'count'>;
  readonly organizations: OrganizationsNow;
}

/**
 * Opens the batches of an installation for one command, beside a running server or without one: servers act on what it makes.
 * @throws CommandError where there is no installation, and for what `run` asked that cannot be
 */
export async function withBatches(
  args: Arguments,
  io: Io,
  run: (opened: OpenedBatches) => Promise<void>,
): Promise<void> {
  await withRules(args, io, async ({ rules, devices, installation, config }) => {
    const { batches, operations } = openInstallationBatches({
      config,
      installation,
      rules,
      devices,
      clock: systemClock,
      monotonic: monotonicClock,
      logger: silentLogger,
      // There are no sessions in this process to give way to.
      turn: (work) => work(),
      calling: null,
      underWay: null,
    });
    const organizations = await devices.organizations();
    try {
      await saying(OrganizationError, () => run({ batches, operations, devices, organizations }));
    } catch (error) {
      throw error instanceof BatchError ? new CommandError(printable(wordsOf(error))) : error;
    } finally {
      await batches.close();
    }
  });
}

/** The fields of a batch, as the options of the command are called that differ from them. */
const FLAGS: Readonly<Record<string, string>> = {
  notBefore: '--not-before',
  notAfter: '--not-after',
  wakePerSecond: '--wake-per-second',
  limits: '--concurrent, --total and --stop-after-failures',
  'limits.concurrent': '--concurrent',
  'limits.total': '--total',
  'limits.stopAfterFailures': '--stop-after-failures',
};

function wordsOf({ code, field, expected }: BatchError): string {
  if (code === 'not-found') return 'There is no such CPE in this batch.';
  // That is about the batch as it stands, not about what was typed.
  return field === null || code === 'state'
    ? `This needs ${expected}.`
    : `${FLAGS[field] ?? `--${field}`} must be ${expected}.`;
}
