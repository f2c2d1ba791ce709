import type { Authentication } from './authentication.js';
import type { Dialect } from './dialect.js';
import type { PlacesInUse } from './place-gauge.js';
import type { Route } from './route.js';

/**
 * What becomes of a path with a slash at its end where its route has none, or without one where its route has it:
 * - `either`: it is served all the same.
 * - `as written`: it is another path.
 * - `redirected`: as written, but a path that lacks the slash of its route is sent to it (301, whatever the method).
 */
export type Slashes = 'either' | 'as written' | 'redirected';

/** Routes that go by one set of manners: how users log in, how errors are worded, how paths are read. */
export interface Api {
  readonly name: string;
  /** What it is for, in a sentence: said of its tag in the OpenAPI document. */
  readonly description: string;
  /**
   * Paths that begin so are this API's, also where it serves nothing there: its dialect says so. `{…}` stands for one segment.
   * Where prefixes of several APIs fit, the first API takes it.
   */
  readonly prefixes: readonly string[];
  readonly slashes: Slashes;
  readonly authentication: Authentication;
  readonly dialect: Dialect;
  readonly routes: readonly Route[];
  /**
   * What must stand for each `{…}` of its paths, as a whole: where something else does, the path is none of its (404), and nobody is sent to
   * its slash. Default: anything.
   */
  readonly segment?: RegExp;
  /**
   * What answers a method that no route at one of its paths is for; null, the default: it is refused (405) before anybody logs in. The OpenAPI
   * document does not list it.
   */
  readonly unserved?: (path: string, method: string) => Route | null;
  /** What the metrics show of it. */
  readonly placesInUse?: PlacesInUse;
}
