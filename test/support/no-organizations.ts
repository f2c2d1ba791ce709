import { OrganizationsNow } from '../../organizations/index.js';

/** What whoever asks is told where nobody has made any. */
export const NO_ORGANIZATIONS = { current: () => new OrganizationsNow(0, []) };
