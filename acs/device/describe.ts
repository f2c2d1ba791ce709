import { stillHolds } from '../../common/index.js';
import type { OrganizationsNow } from '../../organizations/index.js';
import { contextOf, ruledBy } from './context.js';
import { type DescribedCpe, type Device, type Moment, REQUESTED_MS } from './device.js';
import { type ParameterStore, treeOf } from './parameter-store.js';
import { isUntold, unknownPaths } from './unread.js';

/** What a known CPE would be decided on if it began a session now, from where it last did. */
export function describeDevice(
  device: Device,
  parameterStore: Pick<ParameterStore, 'flat'>,
  { nowMs, requested }: Moment,
  organizations: OrganizationsNow,
): DescribedCpe {
  return {
    input: {
      context: contextOf(device, { events: ['2 PERIODIC'], ip: device.ip, nowMs, organizations }),
      ...ruledBy(device, organizations),
      readParameters: async (subtrees) => treeOf(await parameterStore.flat(device.id, subtrees)),
      unread: (paths) => unknownPaths(device, parameterStore, paths, nowMs),
      isUntold: (paths) => isUntold(device, paths, nowMs),
      counts: device.counts,
      requested: requested ?? stillHolds(device.requestedUntilMs, REQUESTED_MS, nowMs),
    },
    inFlight: device.inFlight ?? null,
  };
}
