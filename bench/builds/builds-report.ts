import { availableParallelism } from 'node:os';
import process from 'node:process';
import { countOf, tableText } from '../../cli/io.js';
import type { Measurement } from '../drive.js';
import { type Finding, findingOf, median } from '../statistics.js';
import type { Load, Row } from './build-rows.js';
import { shortHash } from './work-tree.js';

/** What was measured of one row, round by round. */
export interface RowFigures {
  readonly row: Row;
  readonly before: readonly Measurement[];
  readonly today: readonly Measurement[];
}

/** Two builds that were measured in turn. */
export interface BuildComparison {
  readonly before: { readonly commit: string };
  readonly today: { readonly commit: string; readonly hasUncommittedChanges: boolean };
  readonly store: 'embedded' | 'mongodb';
  readonly rounds: number;
  readonly load: Load;
  /** That today's build had beside the default. */
  readonly organizations: number;
  readonly rows: readonly RowFigures[];
}

/** As `--json` prints it. Of each build the medians. */
export interface JudgedRow extends Finding {
  readonly name: string;
  readonly before: Measurement;
  readonly today: Measurement;
  /** Of each round, as they came. */
  readonly ratios: readonly number[];
  /** Processor time of today's build divided by that of the other, median over the rounds: less is better. */
  readonly cpuRatio: number;
}

/** @param minRatio  see {@link findingOf} */
export function judged({ row, before, today }: RowFigures, minRatio: number): JudgedRow {
  const quotients = (of: (measured: Measurement) => number) =>
    today.flatMap((measured, round) => {
      const other = before[round];
      return other === undefined ? [] : [of(measured) / of(other)];
    });
  const ratios = quotients(({ perSecond }) => perSecond);
  return {
    name: row.name,
    before: medians(before),
    today: medians(today),
    ratios,
    ...findingOf(ratios, minRatio),
    cpuRatio: median(quotients(({ cpuMicroseconds }) => cpuMicroseconds)),
  };
}

function medians(all: readonly Measurement[]): Measurement {
  const of = (figure: keyof Measurement) => median(all.map((measured) => measured[figure]));
  return {
    perSecond: of('perSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuMicroseconds: of('cpuMicroseconds'),
  };
}

/** Of a terminal as it comes. */
const COLUMNS = 80;

/** The table, with what stands in it above and what came of it below. */
export function reportText(
  comparison: BuildComparison,
  rows: readonly JudgedRow[],
  minRatio: number,
): string {
  const { before, today, store, rounds, organizations } = comparison;
  const changed = today.hasUncommittedChanges ? ', work tree with uncommitted changes' : '';
  const unitOf = new Map(comparison.rows.map(({ row }) => [row.name, row.unit]));
  const figure = (name: string, { perSecond }: Measurement) => {
    const unit = unitOf.get(name) ?? '/s';
    return unit === 'ms' ? `${shortNumber(1_000 / perSecond)} ms` : `${shortNumber(perSecond)}/s`;
  };
  const table = tableText(
    ['Row', 'before', 'today', 'ratio', 'spread', 'CPU', 'verdict'],
    rows.map(({ name, before, today, ratio, spread, cpuRatio, verdict }) => [
      name,
      figure(name, before),
      figure(name, today),
      shortNumber(ratio),
      `${shortNumber(spread.low)}–${shortNumber(spread.high)}`,
      Number.isFinite(cpuRatio) ? shortNumber(cpuRatio) : '',
      verdict,
    ]),
    COLUMNS,
  );
  return [
    `before ${shortHash(before.commit)}`,
    `today  ${shortHash(today.commit)}${changed}`,
    ...(organizations === 0
      ? []
      : [`today has ${countOf(organizations, 'organization')} beside the default`]),
    `${store === 'embedded' ? 'embedded store' : 'on MongoDB'}, ${countOf(rounds, 'round')}, node ${process.versions.node}, ${countOf(availableParallelism(), 'core')}`,
    table,
    'ratio    today ÷ before in the same round, median of the rounds; more is better',
    'spread   where the median of endless rounds lies, at 95 %',
    "CPU      the server's processor time for each, today ÷ before; less is better",
    outcome(rows, minRatio),
  ].join('\n');
}

function outcome(rows: readonly JudgedRow[], minRatio: number): string {
  if (rows.some(({ verdict }) => verdict === 'open')) return 'Too few rounds for a verdict: 6 are enough.';
  const slower = slowerRows(rows).length;
  const bound = `below ${minRatio} and outside the spread`;
  return slower === 0 ? `No row is slower (${bound}).` : `${countOf(slower, 'row')} slower: ${bound}.`;
}

export function slowerRows(rows: readonly JudgedRow[]): readonly JudgedRow[] {
  return rows.filter(({ verdict }) => verdict === 'slower');
}

export function reportJson(
  comparison: BuildComparison,
  rows: readonly JudgedRow[],
  minRatio: number,
): string {
  return JSON.stringify({ ...comparison, node: process.versions.node, minRatio, rows }, null, 2);
}

/** In three digits, or as many as stand before the point. */
function shortNumber(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
