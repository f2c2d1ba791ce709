import { type NodeRemark, quoted } from './finding.js';

/** What is released before the version itself. */
const BEFORE_RELEASE = /[-_.~]?(?:alpha|beta|rc|pre|preview|dev|snapshot)[-_.]?[0-9]*$/i;
const LEADING_V = /^v[0-9]/i;

/** By its name: a version has an order of its own. */
export function isVersion(field: string): boolean {
  return /version$/i.test(field);
}

/** Where the natural order of versions is not what one would think, told of a version that a condition compares with. */
export function* versionRemarks(version: string): Generator<NodeRemark> {
  if (version !== version.trim()) {
    yield {
      code: 'version-order',
      message: `blanks count in a version, and ${quoted(version)} is none that a CPE has; write ${quoted(version.trim())}`,
    };
    return;
  }
  if (LEADING_V.test(version)) {
    yield {
      code: 'version-order',
      message: `a version with ${quoted(version.slice(0, 1))} before it comes after all without; write ${quoted(version.slice(1))}, unless the CPEs report it so`,
    };
  }
  const [suffix] = /[0-9]/.test(version) ? (BEFORE_RELEASE.exec(version) ?? []) : [];
  const release = suffix === undefined ? '' : version.slice(0, -suffix.length);
  if (/[0-9]$/.test(release)) {
    yield {
      code: 'version-order',
      message: `${quoted(version)} comes after ${quoted(release)} in this order, and not before it; name such versions one by one, as in softwareVersion in [${quoted(version)}]`,
    };
  }
}
