/**
 * What `result` says. 0, 1, -1 and -14 are documented for clients of this API; all others are Ferry's own. docs/api/sc-cloud.md has the
 * table.
 */
export const CODES = {
  done: 0,
  /** It was done already, or is being done. */
  repeated: 1,
  /** Name or password is wrong. -14, no such user, is never said: nobody learns who there is. */
  wrongPassword: -1,
  notLoggedIn: -2,
  notAllowed: -3,
  wrongBody: -4,
  noFirmware: -5,
  noDevice: -6,
  mixedDevices: -7,
  ambiguousDevice: -8,
  /** Nothing was sent: the image is not for this CPE. */
  doesNotFit: -9,
  /** Another upgrade of the CPE waits or runs. */
  busy: -10,
  /** It waits to be approved. */
  notEnrolled: -11,
  /** It told a fault, or runs another version than was awaited. */
  failed: -12,
  notHeardOf: -13,
  /** The file cannot become an image. */
  wrongFile: -15,
  /** Too many files were uploaded that nobody has added. */
  tooManyFiles: -16,
} as const;

export type Code = (typeof CODES)[keyof typeof CODES];
