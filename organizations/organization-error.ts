import type { Belonging } from './uses.js';

/** Something wrong with what is said of an organization: which field, what should stand there, and what did. */
export interface OrganizationProblem {
  /** `slug`, `rules.3.condition`; empty where it is no field. */
  readonly field: string;
  readonly code?: string;
  readonly expected: string;
  readonly found?: string;
}

export type OrganizationErrorCode =
  /** What is said of it cannot be. */
  | 'invalid'
  | 'not-found'
  | 'slug-taken'
  | 'id-taken'
  /** There would be more than there may be, of organizations or of their rules. */
  | 'too-many'
  /** It is the installation's default, which stays. */
  | 'is-default'
  /** There is something that belongs to it. */
  | Belonging['code']
  /** Names of users that are not of it end so. */
  | 'slug-in-names'
  /** It is deactivated. */
  | 'not-active';

/** An organization that cannot be had, or changed so. Its message is for whoever asked. */
export class OrganizationError extends Error {
  override readonly name = 'OrganizationError';

  constructor(
    readonly code: OrganizationErrorCode,
    readonly problems: readonly OrganizationProblem[],
  ) {
    super(
      problems.map(({ field, expected }) => (field === '' ? expected : `${field}: ${expected}`)).join('; '),
    );
  }
}
