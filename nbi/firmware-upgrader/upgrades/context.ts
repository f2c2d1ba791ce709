import type { EndpointContext, UpgradeParts } from '../parts.js';

/** What the endpoints of upgrades are put together from. */
export interface UpgradeContext extends EndpointContext, UpgradeParts {}
