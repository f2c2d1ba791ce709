import type { OrganizationId } from '../common/index.js';

/** A kind of thing that belongs to organizations: one that has any is not removed. */
export interface Belonging {
  readonly code:
    | 'has-cpes'
    | 'has-users'
    | 'has-rules'
    | 'has-batches'
    | 'has-images'
    | 'has-builds'
    | 'has-image-keys';
  /** In the plural: `CPEs`. */
  readonly what: string;
  /** What rids the organization of them: `move its CPEs to another`. */
  readonly remedy: string;
  isAnyOf(id: OrganizationId): Promise<boolean>;
}

/** What organizations ask of users, who stand in a room above. */
export interface OrganizationUsers extends Belonging {
  /** Whether somebody has a name that ends in `@slug` and is not of this organization. */
  haveEnding(slug: string, exceptOf: OrganizationId): Promise<boolean>;
}
