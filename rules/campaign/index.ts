/** What limits count: the upgrades of one rule, file and target, and whether there is room for one more. */
export { isRunningField, runningFields } from './by-address.js';
export {
  CAMPAIGN_SHARES,
  CAMPAIGNS,
  type CampaignShare,
  type CampaignTables,
  countedEnd,
  countKeyOf,
  hasRun,
  openCampaigns,
  shareId,
} from './campaign.js';
export { findSlot, type OneAddress, roomOf, type Slot, stoppedBy } from './slot.js';
