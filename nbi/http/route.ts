import type { Request, Response } from 'express';
import type { Actor } from '../../events/index.js';
import type { Principal, Role } from '../users/index.js';
import type { Answers } from './answers.js';
import type { BodyKind } from './bodies/body-kind.js';
import type { Parameter } from './parameter.js';
import type { QueryKind } from './query.js';
import type { Concern, Scope } from './scope.js';

/** The names in the `{…}` of a path. */
export type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;

/** One request, and what was understood of it by the route's declaration. */
export interface Exchange<Name extends string = string, Query = unknown, Body = unknown> {
  readonly request: Request;
  readonly response: Response;
  /** Who asks; null on an open route. */
  readonly user: Principal | null;
  /** The same for what is kept of what happens: with where it came from; null on an open route. */
  readonly by: Actor | null;
  /** Whose things it is about; null where the route is about none that belong to organizations. */
  readonly scope: Scope | null;
  /** What stands for each `{…}` of the path, decoded. */
  readonly parameters: Readonly<Record<Name, string>>;
  readonly query: Query;
  /**
   * Reads the body, once. Left to the handler, which may refuse a request before any of it has come.
   * @throws ApiError
   */
  body(): Promise<Body>;
  /** Aborted once the answer is out or its client gone: nobody waits for more of it. */
  readonly over: AbortSignal;
}

/** What a route takes and gives: it is checked by this, listed by it in the OpenAPI document, and tested by it. */
export interface Declaration<Path extends string = string, Query = unknown, Body = unknown> {
  /** In capitals; HEAD is answered wherever GET is. */
  readonly method: string;
  /** As OpenAPI writes it. Each `{…}` is one segment; `{pattern}`, at the end, is the rest of the path with its slashes, or nothing. */
  readonly path: Path;
  /** Of the path, as far as there is more to say of them than their names. */
  readonly parameters?: readonly Parameter[];
  /** Who may; null: everyone, without credentials. */
  readonly role: Role | null;
  /** What it is about: so whether users of an organization may call it, and what it looks at for them. */
  readonly concerns: Concern;
  /**
   * Whether `organization` in the query says whose things alone it is about, where it is about things of organizations; false: the handler
   * reads that parameter itself, and the scope is all that the user sees. Default: true.
   */
  readonly namesOrganization?: boolean;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Without it the query is not looked at. */
  readonly query?: QueryKind<Query>;
  readonly headers?: readonly Parameter[];
  /** Without it no body is read. */
  readonly body?: BodyKind<Body>;
  readonly answers: Answers;
  /**
   * A monitor calls it every few seconds: it is logged as a detail, and answered also while nobody else is, and to users whom the
   * store can no longer confirm. Default: false.
   */
  readonly quiet?: boolean;
  /**
   * It changes something though it is asked for by a method that only reads (a log-in by GET): pages of other sites are refused it as they are
   * whatever changes something. Default: false.
   */
  readonly changes?: boolean;
  /**
   * Has room of its own, apart from that of all other calls: for what must be answered also where these have none left. Default: as
   * `quiet`.
   */
  readonly reserved?: boolean;
}

/** One call of an API: what it takes and gives, and what answers it. */
export interface Route<Path extends string = string, Query = unknown, Body = unknown>
  extends Declaration<Path, Query, Body> {
  handle(exchange: Exchange<NamesIn<Path>, Query, Body>): Promise<void>;
}

/**
 * A route whose handler is given what its own declaration says.
 * @example route({ method: 'GET', path: '/build/{id}/image/{image}/', …, handle: async ({ parameters: { id, image } }) => … })
 */
export function route<const Path extends string, Query = undefined, Body = undefined>(
  definition: Route<Path, Query, Body>,
): Route {
  return definition;
}
