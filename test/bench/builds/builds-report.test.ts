import test from 'ava';
import { ROWS } from '../../../bench/builds/build-rows.js';
import {
  type BuildComparison,
  judged,
  type RowFigures,
  reportJson,
  reportText,
  slowerRows,
} from '../../../bench/builds/builds-report.js';
import { type Measurement, together } from '../../../bench/drive.js';

const MIN_RATIO = 0.97;
const ROUNDS = 9;

function measured(perSecond: number): Measurement {
  return { perSecond, p50Ms: 5, p99Ms: 20, cpuMicroseconds: 1_000_000 / perSecond };
}

/** Every row at the speed given, and today's build so many times that. */
function comparisonOf(perSecond: number, ratio: number): BuildComparison {
  const all = (speed: number) => Array.from({ length: ROUNDS }, () => measured(speed));
  const rows = ROWS.map((row): RowFigures => {
    return { row, before: all(perSecond), today: all(perSecond * ratio) };
  });
  return {
    before: { commit: '0123456789abcdef0123456789abcdef01234567' },
    today: { commit: 'fedcba9876543210fedcba9876543210fedcba98', hasUncommittedChanges: true },
    store: 'embedded',
    rounds: ROUNDS,
    load: { sessions: 1, upgrades: 1, cpes: 1, rules: 1, atATime: 1 },
    organizations: 100,
    rows,
  };
}

function textOf(comparison: BuildComparison): string {
  const rows = comparison.rows.map((figures) => judged(figures, MIN_RATIO));
  return reportText(comparison, rows, MIN_RATIO);
}

test('the table fits 80 columns, however fast and however different the builds', (t) => {
  for (const perSecond of [0.5, 99.95, 1_234.5, 123_456]) {
    for (const ratio of [0.1, 1, 30]) {
      const text = textOf(comparisonOf(perSecond, ratio));
      for (const line of text.split('\n')) t.true(line.length <= 80, line);
      // A cell that was broken into lines has lost its name.
      for (const { name } of ROWS) t.regex(text, new RegExp(`^│ ${name} `, 'm'));
    }
  }
});

test('the report says what was compared, that there are uncommitted changes, and how many rows are slower', (t) => {
  const text = textOf(comparisonOf(1_000, 0.9));
  t.regex(text, /^before 0123456$/m);
  t.regex(text, /^today {2}fedcba9, work tree with uncommitted changes$/m);
  t.regex(text, /^today has 100 organizations beside the default$/m);
  t.regex(text, /^10 rows slower: below 0.97 and outside the spread\.$/m);
  t.regex(textOf(comparisonOf(1_000, 1)), /^No row is slower/m);
});

test('a ratio is that of two builds in one round, also where the machine is another in the next', (t) => {
  const [row] = ROWS;
  if (row === undefined) return t.fail('there are no rows');
  const speeds = [100, 900, 300, 500, 700, 200, 800, 400, 600];
  const figures = { row, before: speeds.map(measured), today: speeds.map((speed) => measured(speed * 0.95)) };
  const { ratio, spread, cpuRatio, verdict } = judged(figures, MIN_RATIO);
  t.is(ratio.toFixed(6), '0.950000');
  t.is((spread.high - spread.low).toFixed(6), '0.000000');
  t.is(cpuRatio.toFixed(6), (1 / 0.95).toFixed(6));
  t.is(verdict, 'slower');
});

test('the JSON has the verdicts, the ratios and the medians of both builds', (t) => {
  const comparison = comparisonOf(1_000, 0.9);
  const rows = comparison.rows.map((figures) => judged(figures, MIN_RATIO));
  t.is(slowerRows(rows).length, ROWS.length);
  const json = JSON.parse(reportJson(comparison, rows, MIN_RATIO));
  t.is(json.minRatio, MIN_RATIO);
  t.deepEqual(json.rows[1].before, measured(1_000));
  t.is(json.rows[1].ratios.length, ROUNDS);
  t.is(json.rows[1].verdict, 'slower');
});

test('of bursts that are taken together the times add up, not the speeds', (t) => {
  t.is(together([measured(100), measured(300)]).perSecond.toFixed(6), '150.000000');
});
