export { type Acs, type AcsOptions, type AcsParts, createAcs, DEFAULT_ACS_OPTIONS } from './acs.js';
export type {
  Asked,
  ConnectionRequestOutcome,
  ConnectionRequests,
} from './connection-request/connection-requests.js';
export {
  CpeCredentials,
  CREDENTIALS_A_BATCH_MAX,
  type ShownCredential,
} from './credentials/cpe-credentials.js';
export {
  CPE_AUTH,
  CPE_PROOFS,
  type CpeLogin,
  CredentialError,
} from './credentials/credential.js';
export {
  type Belonging,
  type CpeDescription,
  CpeDescriptionError,
  describedCpe,
} from './described/described-cpe.js';
export { approveConnectionRequestUrl, type UrlApproval } from './device/approve-url.js';
export { type CpeIdentity, isAnyCpeId, isCpeId } from './device/cpeid.js';
export type {
  DescribedCpe,
  Device,
  DeviceFilter,
  Devices,
  Moment,
  Placement,
  Removal,
} from './device/device.js';
export { DEVICES, PARAMETERS } from './device/device.js';
export { type DeviceIds, deviceIdsBy } from './device/device-ids.js';
export { FleetAddresses } from './device/fleet-addresses.js';
export { meantBySerialNumber, namesakesIn } from './device/namesakes.js';
export { PURGES } from './device/once-over-all.js';
export { openKnownCpes } from './device/open.js';
export { serialLabelOf } from './device/serial-label.js';
export { type ApprovalCounts, type Approvals, UnknownCpeError } from './enrolment/approvals.js';
export { type EnrolPolicy, NAMED_CPES } from './enrolment/enrolment.js';
export { openApprovals } from './enrolment/open.js';
export type { CpeAuthentication } from './http/cpe-auth.js';
export { NONCES } from './http/nonce-claims.js';
export { type OpenedOrganizations, openOrganizations } from './membership/open.js';
export { type PlacementCounts, Placements } from './membership/placements.js';
export { type Survey, surveyMemberships } from './membership/survey.js';
export type { LocateFile } from './session/file-location.js';
export { SESSIONS } from './session/shared/session-document.js';
export type { UnfitDecision } from './upgrade/beginning.js';
export type { OwnedUpgrades } from './upgrade/owned-upgrades.js';
export { upgradesIn } from './upgrade/scan-upgrades.js';
export {
  isTarget,
  newestFirst,
  UPGRADES,
  type Upgrade,
  type UpgradeFilter,
  UpgradeRunningError,
  type UpgradeState,
  type Upgrades,
} from './upgrade/upgrade.js';
export type { CpeCaller } from './wake/caller.js';
export { WAKE_PROGRESS } from './wake/wake-progress.js';
