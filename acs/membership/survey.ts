import { setImmediate } from 'node:timers/promises';
import type { Clock, CpeId } from '../../common/index.js';
import { type Organization, OrganizationsNow } from '../../organizations/index.js';
import type { StandingConditions } from '../../rules/index.js';
import { contextOf } from '../device/context.js';
import type { Device, Devices } from '../device/device.js';
import { treeOf } from '../device/parameter-store.js';
import { MembershipRules } from './membership-rules.js';

/** So many CPEs are looked at in one go. */
const CPES_AT_ONCE = 50;

/** Where the CPEs that are known would belong. */
export interface Survey {
  readonly lookedAt: number;
  /** By the slug of the organization: how many would belong to it, and how many of these do not now. */
  readonly organizations: Readonly<Record<string, { readonly cpes: number; readonly moving: number }>>;
}

export interface SurveyParts {
  readonly devices: Devices;
  readonly conditions: StandingConditions;
  readonly clock: Clock;
  /** What a CPE logs in as, as far as anybody knows. */
  readonly usernameOf: (device: Device) => string | null | Promise<string | null>;
  readonly onLooked?: (lookedAt: number) => void;
}

/**
 * Counts where the known CPEs would belong, from where and as what they came last, if these were the organizations; changes nothing.
 * @param organizations  all of them, as they would be
 */
export async function surveyMemberships(
  { devices, conditions, clock, usernameOf, onLooked }: SurveyParts,
  organizations: readonly Organization[],
): Promise<Survey> {
  const now = await devices.organizations();
  const would = new OrganizationsNow(now.generation + 1, organizations);
  const rules = await MembershipRules.of(would, { conditions, onFailure: () => {} });
  const counts = new Map(would.all.map(({ slug }) => [slug, { cpes: 0, moving: 0 }]));
  let lookedAt = 0;
  for await (const device of devices.scan({})) {
    const is = now.of(device.organization);
    const { organization: _, ...context } = contextOf(device, {
      events: device.lastEvents,
      ip: device.ip,
      nowMs: clock(),
      organizations: now,
    });
    const found =
      device.organization?.by === 'hand'
        ? would.of(device.organization)
        : ((await rules.first({
            ip: device.ip,
            username: device.organization?.username ?? (await usernameOf(device)),
            context,
            readParameters: async () => treeOf(await devices.parameters(device.id as CpeId)),
          })) ?? would.byDefault);
    const count = found === null ? undefined : counts.get(found.slug);
    if (count !== undefined) {
      count.cpes += 1;
      if (found?.id !== is?.id) count.moving += 1;
    }
    lookedAt += 1;
    onLooked?.(lookedAt);
    if (lookedAt % CPES_AT_ONCE === 0) await setImmediate();
  }
  return { lookedAt, organizations: Object.fromEntries(counts) };
}
