import type { Request } from 'express';
import type { Principal, Role } from '../users/index.js';

/** What a route asks of who calls it. */
export interface Demand {
  readonly role: Role;
  /** Where the request comes from, for counting attempts. */
  readonly address: string;
  /** While the store does not answer, what was right a while ago will do. */
  readonly mayBeStale: boolean;
}

/** How the users of an API tell who they are. */
export interface Authentication {
  /** As the OpenAPI document names and describes it. */
  readonly scheme: { readonly name: string; readonly description: object };
  /**
   * Who sends this request.
   * @throws ApiError 401 that tells how to log in (`WWW-Authenticate`), 403 without the role, 429 after too many attempts
   */
  authenticate(request: Request, demand: Demand): Promise<Principal>;
}
