import {
  CPE_AUTH,
  CPE_PROOFS,
  DEVICES,
  NAMED_CPES,
  NONCES,
  PARAMETERS,
  PURGES,
  SESSIONS,
  UPGRADES,
  WAKE_PROGRESS,
} from '../acs/index.js';
import { EVENTS } from '../events/index.js';
import {
  BUILD_COLLECTIONS,
  IMAGE_CONTENTS,
  IMAGE_KEYS,
  IMAGE_ROOM,
  IMAGES,
  IMAGES_GOING,
  IMAGES_UNLISTED,
  UPLOADS,
} from '../firmware/index.js';
import { TOKENS, USER_SESSIONS, USERS } from '../nbi/index.js';
import { ORGANIZATION_COLLECTIONS } from '../organizations/index.js';
import {
  BATCHES,
  CPE_UPGRADE_STARTS,
  DEVICE_FIRMWARES,
  DEVICE_SLOTS,
  OPERATION_SHARES,
  OPERATIONS,
  SYSTEM_UPDATES,
} from '../rollout/index.js';
import { CAMPAIGN_SHARES, CAMPAIGNS, RULE_COLLECTIONS } from '../rules/index.js';
import { type CollectionDefinition, DUTIES, LEASES } from '../store/index.js';
import { INSTALLATION } from './first-start.js';

/**
 * Collections whose documents a backup holds as they are, in the order in which it reads them beside a running server. Shares
 * come after the devices and campaigns after the shares, so that no campaign seems to have more left of its `limits` than
 * it has; and what is purged after the word of how far that has come.
 */
export const KEPT_COLLECTIONS: readonly CollectionDefinition[] = [
  INSTALLATION,
  USERS,
  TOKENS,
  // Batches before what is made of them: one that a backup has as being made is made, or removed, by whoever restores it.
  BATCHES,
  // Operations before the rules that they run by, and these before upgrades: so what a backup has of an operation is no newer than the rest,
  // and is brought forward to it.
  OPERATIONS,
  ...RULE_COLLECTIONS,
  WAKE_PROGRESS,
  CPE_AUTH,
  CPE_PROOFS,
  NAMED_CPES,
  PURGES,
  PARAMETERS,
  UPGRADES,
  DEVICES,
  // After the devices: whatever organization they were found in is there.
  ...ORGANIZATION_COLLECTIONS,
  IMAGE_KEYS,
  CAMPAIGN_SHARES,
  CAMPAIGNS,
  // After the images, whose places in them and whose numbers they hold.
  ...BUILD_COLLECTIONS,
  // They name an image by its number, and are nothing where there is none.
  DEVICE_FIRMWARES,
  // So do they; what was being fetched has failed where they are restored, as uploads are not kept.
  DEVICE_SLOTS,
  // The same of an image that is ready, and of a batch that was started.
  SYSTEM_UPDATES,
  EVENTS,
];

/** Written by the library of images, which knows where their contents lie. */
export const IMAGE_COLLECTIONS: readonly CollectionDefinition[] = [IMAGES, IMAGE_CONTENTS];

/**
 * Of running processes, of browsers that are logged in, of uploads under way, and what is counted anew where it is missing: worth nothing to those that come later. */
export const PASSING_COLLECTIONS: readonly CollectionDefinition[] = [
  IMAGES_GOING,
  IMAGES_UNLISTED,
  LEASES,
  DUTIES,
  SESSIONS,
  NONCES,
  USER_SESSIONS,
  UPLOADS,
  IMAGE_ROOM,
  OPERATION_SHARES,
  CPE_UPGRADE_STARTS,
];

/** Every collection that a server opens. */
export const ALL_COLLECTIONS: readonly CollectionDefinition[] = [
  ...KEPT_COLLECTIONS,
  ...IMAGE_COLLECTIONS,
  ...PASSING_COLLECTIONS,
];
