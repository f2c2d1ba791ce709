import type { Devices, Moment } from '../acs/index.js';
import type { Turn } from '../common/index.js';
import type { Organization } from '../organizations/index.js';
import type { Rules, StoredRule } from '../rules/index.js';
import { matchDevices } from './match-devices.js';

/**
 * How many of the CPEs that are known the condition of a rule is true of, as that is read now, and was not as long as it was read by equality
 * alone.
 * @param options  `organization`: whose rule it is; null: the installation's; `isOver`: asked after each CPE, true ends the count there
 * @returns whether all CPEs were looked at
 */
export async function hitAnew(
  rules: Pick<Rules, 'match'>,
  devices: Devices,
  { condition }: StoredRule,
  options: Pick<Moment, 'nowMs'> & {
    readonly organization: Organization | null;
    readonly isOver: () => boolean;
    readonly turn?: Turn;
  },
): Promise<{ readonly more: number; readonly isAll: boolean }> {
  const asking = options.organization === null ? {} : { organization: options.organization.id };
  const match = await rules.match({ condition, beyondEquality: true, ...asking });
  const { matching, next } = await matchDevices(devices, { ...options, match, listedMax: 0 });
  return { more: matching, isAll: next === null };
}
