/** What can be said of two builds that were measured in turn. */

/** From the lowest to the highest value that the median of endless rounds may be expected to have. */
export interface Spread {
  readonly low: number;
  readonly high: number;
}

/**
 * `slower` and `faster` say that the difference is large enough to matter and does not come from the machine; `open` that there were too
 * few rounds to say.
 */
export type Verdict = 'slower' | 'same' | 'faster' | 'open';

export interface Finding {
  /** Median over the rounds of today's figure divided by that of the other build in the same round. */
  readonly ratio: number;
  readonly spread: Spread;
  readonly verdict: Verdict;
}

/** @returns the middle one, or the mean of the two in the middle; 0 where there are none */
export function median(numbers: readonly number[]): number {
  const sorted = ascending(numbers);
  const [low = 0, high = 0] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}

/** How often at most the true median may lie outside a spread. */
const OUTSIDE_SHARE_MAX = 0.05;

/**
 * The sign test's interval for a median, at 95 %: a round is above or below the true median by the toss of a coin, whatever the
 * machine does to it, so nothing is taken for granted of how the noise is distributed. Of nine rounds it leaves out the lowest and the
 * highest. Of five or fewer it leaves out none, and is too narrow.
 */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = ascending(numbers);
  const left = Math.max(0, leftOutAtEachEnd(sorted.length));
  return { low: sorted[left] ?? 0, high: sorted[sorted.length - 1 - left] ?? 0 };
}

/** Half to the power of more is no number any more. */
export const ROUNDS_MAX = 1_000;

/** @returns -1 where even the lowest and the highest are too close together */
function leftOutAtEachEnd(count: number): number {
  // Probability of exactly `at` heads of `count` coins, added up from none.
  let exactly = 0.5 ** count;
  let atMost = exactly;
  let left = -1;
  while (2 * atMost <= OUTSIDE_SHARE_MAX) {
    left += 1;
    exactly *= (count - left) / (left + 1);
    atMost += exactly;
  }
  return left;
}

/**
 * Judges one row of a comparison. The ratios are taken round by round, since what slows the machine down for a while slows down both
 * builds of a round: the ratio of two medians, each from a round of its own, would not be rid of that.
 * @param ratios  of each round: today ÷ the other build, where more is better
 * @param minRatio  below which a build is slower, if 1 is also outside the spread
 */
export function findingOf(ratios: readonly number[], minRatio: number): Finding {
  const ratio = median(ratios);
  const spread = spreadOf(ratios);
  const isOpen = leftOutAtEachEnd(ratios.length) < 0;
  return { ratio, spread, verdict: isOpen ? 'open' : verdictOf(ratio, spread, minRatio) };
}

function verdictOf(ratio: number, { low, high }: Spread, minRatio: number): Verdict {
  if (ratio < minRatio && high < 1) return 'slower';
  if (ratio > 1 / minRatio && low > 1) return 'faster';
  return 'same';
}

function ascending(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}
