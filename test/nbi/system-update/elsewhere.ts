import type { ResultId, RuleId } from '../../../common/index.js';
import type { Box, TestSystemUpdate } from './support.js';

/** Has a CPE be sent something by a rule that is its author's. */
export async function putUpgradeOf(
  { putUpgrade, putInFlight }: TestSystemUpdate,
  { cpeid }: Box,
  campaignid: RuleId,
): Promise<void> {
  const upgrade = await putUpgrade({ campaignid, cpeid, state: 'accepted', status: false });
  await putInFlight(cpeid, upgrade.id as ResultId);
}
