/** Longest version compared; device-reported strings are not bounded by us. */
const VERSION_CHARACTERS_MAX = 256;

/**
 * Orders two version strings the natural way: runs of digits compare as numbers (1.10 > 1.9, 1.01 = 1.1), anything else
 * by character; a number sorts before text, and the beginning of a version before the whole (2.0 < 2.0.1).
 * This is not SemVer: vendors' versions rarely are, so `2.0.0-rc1` comes after `2.0.0`.
 *
 * @returns negative, 0 or positive, like a sort's comparator; a total preorder
 */
export function compareVersions(left: string, right: string): number {
  const leftParts = partsOf(left);
  const rightParts = partsOf(right);
  const common = Math.min(leftParts.length, rightParts.length);
  for (let index = 0; index < common; index++) {
    const order = comparePart(leftParts[index] ?? '', rightParts[index] ?? '');
    if (order !== 0) return order;
  }
  return Math.sign(leftParts.length - rightParts.length);
}

function partsOf(version: string): readonly string[] {
  return version.slice(0, VERSION_CHARACTERS_MAX).match(/[0-9]+|[^0-9]+/g) ?? [];
}

function comparePart(left: string, right: string): number {
  const leftNumber = isNumber(left);
  const rightNumber = isNumber(right);
  if (leftNumber !== rightNumber) return leftNumber ? -1 : 1;
  if (!leftNumber) return compareText(left, right);
  const leftDigits = left.replace(/^0+/, '');
  const rightDigits = right.replace(/^0+/, '');
  // Without leading zeros the longer number is the larger: build numbers like 20250131120000123 exceed a double.
  return Math.sign(leftDigits.length - rightDigits.length) || compareText(leftDigits, rightDigits);
}

function isNumber(part: string): boolean {
  return /^[0-9]/.test(part);
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
