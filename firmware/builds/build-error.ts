export type BuildErrorCode =
  /** What is said of it cannot be. */
  | 'invalid'
  | 'not-found'
  | 'id-taken'
  | 'name-taken'
  /** The category has a build of that version. */
  | 'version-taken'
  /** A build of the same owner has that `os`: by it a CPE's build is told. */
  | 'os-taken'
  /** The build has another image of that type. */
  | 'type-taken'
  | 'has-builds'
  | 'has-images'
  | 'too-many';

/** A category or build that cannot be had, or changed so. Its message is for whoever asked. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
  constructor(
    readonly code: BuildErrorCode,
    /** The field at fault; empty where it is none. */
    readonly field: string,
    /** What should be there instead, with the remedy. */
    readonly expected: string,
  ) {
    super(field === '' ? expected : `${field}: ${expected}`);
  }
}

/** The same for one that there is not and for another's. */
export function noBuild(): BuildError {
  return new BuildError(
    'not-found',
    'build',
    'the id of a build that there is, and that belongs to whom the request is about',
  );
}
