import type { Clock } from '../../common/index.js';
import type { Rules, StoredRule } from '../../rules/index.js';
import { contextOf, ruledBy } from '../device/context.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import { unreadPaths } from '../device/unread.js';

/** What a CPE says that was called (TR-069 3.7.1.5). */
const EVENTS = ['6 CONNECTION REQUEST'];

/** `held-up`: it would, but for the emergency brake or the rule's limits, which may change. */
export type Prospect = 'yes' | 'no' | 'held-up';

/** Whether this rule would upgrade the CPE if it came now, as far as is known without asking it. */
export async function prospectOf(
  parts: { readonly rules: Rules; readonly devices: DeviceStore; readonly clock: Clock },
  { id: ruleId, organization }: Pick<StoredRule, 'id' | 'organization'>,
  device: Device,
): Promise<Prospect> {
  if (device.inFlight !== undefined || device.connectionRequestUrl === undefined) return 'no';
  if (parts.devices.isWaiting(device)) return 'no';
  const organizations = await parts.devices.organizations();
  const belongs = ruledBy(device, organizations);
  // Before anything is decided: what holds up the CPEs of another organization is not to hold up its waking.
  if (organization !== undefined && organization !== belongs.organization) return 'no';
  const decision = await parts.rules.decide({
    context: contextOf(device, {
      events: EVENTS,
      ip: device.ip,
      nowMs: parts.clock(),
      organizations,
    }),
    ...belongs,
    readParameters: (subtrees) => parts.devices.parameterStore.tree(device.id, subtrees),
    // What conditions have not read any session reads; its board, only one within the rule's window.
    unread: async (paths, of) =>
      of === 'board' ? unreadPaths(device, parts.devices.parameterStore, paths, parts.clock()) : [],
    counts: device.counts,
    requested: false,
    about: ruleId,
  });
  switch (decision.kind) {
    case 'upgrade':
      return decision.rule.id === ruleId ? 'yes' : 'no';
    case 'frozen':
      // Where the CPE's organization alone has pulled its brake, a rule of the installation goes on with the CPEs of others.
      return organization !== undefined || (await parts.rules.freezeState()).frozen ? 'held-up' : 'no';
    case 'nothing': {
      const own = decision.considered.find((considered) => considered.ruleId === ruleId);
      return own?.verdict === 'limit-reached' ? 'held-up' : 'no';
    }
    case 'read':
      // For this rule alone: of others, which may fit it or not, the decision was not told.
      return 'yes';
    case 'at-target':
    case 'unfit':
      return 'no';
    default:
      return decision satisfies never;
  }
}
