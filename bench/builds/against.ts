import process from 'node:process';
import { ORGANIZATIONS_MAX } from '../../organizations/index.js';
import { ROUNDS_MAX } from '../statistics.js';
import { type Load, ROWS, type Row } from './build-rows.js';
import { judged, reportJson, reportText, slowerRows } from './builds-report.js';
import { compareBuilds } from './compare-builds.js';
import { interruptible } from './interruption.js';

/** The command line's words for `--against`, as they were given. */
export interface AgainstOptions {
  readonly against: string;
  readonly rounds?: number | undefined;
  readonly sessions?: number | undefined;
  readonly upgrades?: number | undefined;
  readonly cpes: number;
  readonly rules?: number | undefined;
  readonly atATime: number;
  readonly store: string;
  readonly organizations: number;
  /** Names with commas between. */
  readonly rows?: string | undefined;
  readonly minRatio: number;
  readonly json: boolean;
}

const SLOWER_EXIT_CODE = 1;

/**
 * Compares this work tree with a commit and prints what came of it. A signal ends it in good order.
 * @returns the exit code; where it is 2 or more standard error says why
 */
export function againstCommit(options: AgainstOptions): Promise<number> {
  return interruptible((signal) => compared(options, signal), 'The temporary work tree is gone.');
}

async function compared(options: AgainstOptions, signal: AbortSignal): Promise<number> {
  const { against, rounds = 9, minRatio, store, organizations, cpes, atATime } = options;
  const { sessions = 3_000, upgrades = 600, rules = 10_000 } = options;
  const load = { sessions, upgrades, cpes, rules, atATime };
  checked({ rounds, load, organizations, minRatio });
  const rows = chosenRows(options.rows, store);
  const comparison = await compareBuilds({ against, rounds, rows, load, store, organizations }, signal);
  const judgedRows = comparison.rows.map((figures) => judged(figures, minRatio));
  const report = options.json ? reportJson : reportText;
  process.stdout.write(`${report(comparison, judgedRows, minRatio)}\n`);
  return slowerRows(judgedRows).length === 0 ? 0 : SLOWER_EXIT_CODE;
}

/** @throws Error where an option has a value with which nothing can be measured */
function checked({
  rounds,
  load,
  organizations,
  minRatio,
}: {
  rounds: number;
  load: Load;
  organizations: number;
  minRatio: number;
}): void {
  const { atATime, ...counts } = load;
  for (const [name, count] of Object.entries({ rounds, ...counts, 'at-a-time': atATime })) {
    if (Number.isInteger(count) && count >= 1) continue;
    throw new Error(`--${name} is ${count}, where a whole number from 1 on should be`);
  }
  if (!(Number.isInteger(organizations) && organizations >= 0 && organizations < ORGANIZATIONS_MAX)) {
    throw new Error(
      `--organizations is ${organizations}, where a whole number below ${ORGANIZATIONS_MAX} should be`,
    );
  }
  if (rounds > ROUNDS_MAX) throw new Error(`--rounds is ${rounds}, where at most ${ROUNDS_MAX} should be`);
  if (!(minRatio > 0 && minRatio <= 1)) {
    throw new Error(`--min-ratio is ${minRatio}, where a number above 0 and up to 1 should be`);
  }
}

function chosenRows(names: string | undefined, store: string): readonly Row[] {
  if (names === undefined) return ROWS.filter(({ isOfDatabase }) => store === '' || isOfDatabase);
  const wanted = names.split(',').map((name) => name.trim());
  const unknown = wanted.filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0) {
    const known = ROWS.map(({ name }) => name).join(', ');
    throw new Error(`--rows has ${unknown.map((name) => `"${name}"`).join(', ')}, which is none of ${known}`);
  }
  return ROWS.filter(({ name }) => wanted.includes(name));
}
