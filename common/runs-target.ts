/** A version that a CPE is to report. */
export interface TargetVersion {
  readonly version: string;
  /** It was read from the firmware file and nobody has typed it: a CPE may report it with more around it. */
  readonly isRead: boolean;
}

/** What may stand beside a version within a longer text: no letter, no digit, no dot. */
const NOT_BEFORE = '(?<![\\p{L}\\p{N}.])';
const NOT_BEHIND = '(?![\\p{L}\\p{N}.])';
/** Behind a version it says that this is not yet it: 23.05.0-rc1, 2.0~beta, 1.4_SNAPSHOT. */
const PRE_RELEASE = /^[-~+_](?:rc|alpha|beta|pre(?:view|release)?|dev(?:el)?|snapshot)(?!\p{L})/iu;
/** What means something in a regular expression. */
const SPECIAL = /[$()*+./?[\\\]^{|}]/g;

/**
 * Whether a CPE that reports a version runs the target: the one place that says so. What was typed must be reported as it is. What was read
 * from a file counts where it is in what is reported as a whole word, with a leading v or V more or less: 23.05.2 is in
 * `OpenWrt 23.05.2 r23630`, and v1.0.0.24 in `V1.0.0.24_1.0.1`. What comes before a release is not it: 23.05.0 is not in `23.05.0-rc1`.
 */
export function runsTarget(reported: string, { version, isRead }: TargetVersion): boolean {
  if (reported === version) return true;
  if (!isRead || version === '') return false;
  return [...reported.matchAll(wordOf(version))].some(
    ({ index, 0: found }) => !PRE_RELEASE.test(reported.slice(index + found.length)),
  );
}

function wordOf(version: string): RegExp {
  const [, number] = /^[vV]?(\p{N}.*)$/su.exec(version) ?? [];
  const word = (number ?? version).replace(SPECIAL, '\\$&');
  return new RegExp(`${NOT_BEFORE}${number === undefined ? '' : '[vV]?'}${word}${NOT_BEHIND}`, 'gu');
}
