import type { Acs } from '../../acs/index.js';
import { Background, Rounds, SECOND_MS } from '../../common/index.js';
import type { RuleEngine } from '../../rules/index.js';
import { DUTY_AGE_MS_MAX, Duty } from '../../store/index.js';
import { type InstallationBatches, openInstallationBatches } from '../batches.js';
import type { Building } from './building.js';

/** What is due of batches is looked at so often, by one process for all; another takes over within the lease. */
const ROUND_EVERY_MS = 10 * SECOND_MS;
const WAKE_EVERY_MS = SECOND_MS;
const LEASE_MS = 30 * SECOND_MS;
/** For each millisecond that CPEs of batches are looked for, sessions have so many. */
const OTHERS_WEIGHT = 9;

/** Opens the batches of a server, and does from now on what is due of them. */
export function serveBatches(
  { config, ambient, installation, monotonic, duties, closers }: Building,
  acs: Acs,
  rules: RuleEngine,
): InstallationBatches {
  const { clock, logger } = ambient;
  const { store } = installation;
  const background = new Background({ othersWeight: OTHERS_WEIGHT });
  const opened = openInstallationBatches({
    config,
    installation,
    rules,
    devices: acs.devices,
    clock,
    monotonic,
    logger,
    turn: (work) => background.turn('batches', work),
    calling: acs.caller,
    underWay: {
      withdraw: (id) => acs.upgrades.withdraw(id),
      call(cpeid) {
        if (acs.caller.free > 0 && !acs.caller.isCalling(cpeid)) acs.caller.call(cpeid, () => {});
      },
    },
  });
  const { batches } = opened;
  const duty = new Duty({ store, clock, monotonic, id: 'batches', leaseMs: LEASE_MS });
  const done = duties.expect({ id: 'batches', ageMsMax: DUTY_AGE_MS_MAX });
  const ours = async (run: () => Promise<void>): Promise<void> => {
    try {
      if (!(await duty.isOurs())) return;
      await run();
    } catch (error) {
      logger.error('batches.round-failed', { error });
    }
  };
  const round = () =>
    ours(async () => {
      await batches.round();
      await opened.systemUpdates.forgetGone();
      done();
    });
  const rounds = new Rounds({ everyMs: ROUND_EVERY_MS, run: round });
  const waking = new Rounds({ everyMs: WAKE_EVERY_MS, run: () => ours(() => batches.wake()) });
  // What a process that died has left is taken up at once.
  const first = round();
  closers.push(async () => {
    await opened.systemUpdates.close();
    await batches.close();
    await Promise.all([first, rounds.stop(), waking.stop()]);
    // Where the store fails the lease runs out by itself.
    await duty.release().catch((error: unknown) => logger.warn('batches.lease-not-released', { error }));
  });
  return opened;
}
