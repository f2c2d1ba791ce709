/** The three numbers of a version, under the names that clients know; the first is spelt so. */
export interface VersionNumbers {
  readonly 'marjor-ver': number;
  readonly 'minor-ver': number;
  readonly 'build-number': number;
}

/** What fits the 32 bits that clients have for each. */
const DIGITS = /\d{1,9}/g;

/** The first three numbers in the text of a version, as 1, 2 and 30 in `V1.2-rc30`; 0 for what is not there. */
export function versionNumbers(version: string | undefined): VersionNumbers {
  const [marjor = 0, minor = 0, build = 0] = (version?.match(DIGITS) ?? []).map(Number);
  return { 'marjor-ver': marjor, 'minor-ver': minor, 'build-number': build };
}
