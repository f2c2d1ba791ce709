import { ApiError } from './api-error.js';

/** No route is at the path. */
export class UnknownPathError extends ApiError {
  constructor() {
    super(404, [{ field: 'path', expected: 'one of those that /v1/openapi.json lists' }]);
  }
}

/** There is a route at the path, but for other methods. */
export class UnservedMethodError extends ApiError {
  /** @param allow  the methods that there are, separated by commas */
  constructor(allow: string) {
    super(405, [{ field: 'method', expected: `one of ${allow}` }], { Allow: allow });
  }
}

/** What stands for a parameter of the path is no encoded UTF-8. */
export class UndecodablePathError extends ApiError {
  constructor() {
    super(400, [{ field: 'path', expected: 'a path in which every % starts an encoded UTF-8 character' }]);
  }
}
