import { SECOND_MS } from '../../common/index.js';
import type { Actor, Happening } from '../../events/index.js';
import type { Upgrade } from './upgrade.js';

/** What the log of events says of a result that somebody deletes: what FirmwareResultStorage showed of it. */
export function removedResult(upgrade: Upgrade, by: Actor): Happening {
  const { id, status, updatedAtMs, cpeid, ruleDescription, campaignid, result } = upgrade;
  const ts = Math.floor(updatedAtMs / SECOND_MS);
  const before = { status, ts, cpeid, rule_description: ruleDescription, campaignid, result };
  return { action: 'removed', subject: 'result', subjectId: id, by, before };
}
