import { SECOND_MS } from '../../common/index.js';
import type { Actor, Happening } from '../../events/index.js';
import type { OrganizationsNow } from '../../organizations/index.js';
import { organizationOf, writtenId } from '../../rules/index.js';
import type { Upgrade } from './upgrade.js';

/** What the log of events says of a result that somebody deletes: what FirmwareResultStorage showed of it. */
export function removedResult(upgrade: Upgrade, organizations: OrganizationsNow, by: Actor): Happening {
  const { id, status, updatedAtMs, cpeid, ruleDescription, result } = upgrade;
  const ts = Math.floor(updatedAtMs / SECOND_MS);
  const campaignid = writtenId(upgrade.campaignid);
  const before = { status, ts, cpeid, rule_description: ruleDescription, campaignid, result };
  const organization = organizations.idOf(upgrade.organization);
  return { action: 'removed', subject: 'result', subjectId: id, organization, by, before };
}

/** The rule of an upgrade as the log has it: its author's word for it, and whose it is where that is an organization. */
export function toldCampaign({ campaignid }: Pick<Upgrade, 'campaignid'>, organizations: OrganizationsNow) {
  const owner = organizationOf(campaignid);
  if (owner === undefined) return { campaignid };
  return { campaignid: writtenId(campaignid), organization: organizations.labelOf(owner) };
}
