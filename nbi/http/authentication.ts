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

/** One way to log in, as the OpenAPI document names and describes it. */
export interface AuthenticationScheme {
  readonly name: string;
  readonly description: object;
}

/** How the users of an API tell who they are. */
export interface Authentication {
  /** Any of them will do. */
  readonly schemes: readonly AuthenticationScheme[];
  /**
   * Who sends this request.
   * @throws ApiError 401 that tells how to log in (`WWW-Authenticate`), 403 without the role, 429 after too many attempts
   */
  authenticate(request: Request, demand: Demand): Promise<Principal>;
}

/** An authentication that can tell whether it is what a request uses, whether or not rightly. */
export interface AuthenticationMethod extends Authentication {
  isUsedBy(request: Request): boolean;
}

/**
 * Takes requests by whichever method they use, the first where they use several; one that uses none is told how to log in by the last.
 */
export function anyOf(methods: readonly AuthenticationMethod[], otherwise: Authentication): Authentication {
  return {
    schemes: [...methods, otherwise].flatMap(({ schemes }) => schemes),
    authenticate(request, demand) {
      const method = methods.find((each) => each.isUsedBy(request)) ?? otherwise;
      return method.authenticate(request, demand);
    },
  };
}
