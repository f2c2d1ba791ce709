import Table from 'cli-table3';
import type { Environment } from './config-sources.js';

/** Where a command reads and writes; a test passes its own. */
export interface Io {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  /** The variables of the environment; only those called FERRY_… are read. */
  readonly environment: Environment;
}

const TERMINAL_COLUMNS_DEFAULT = 100;

export function columnsOf(stream: NodeJS.WriteStream): number {
  // A terminal that was never told its size says 0.
  return stream.columns || TERMINAL_COLUMNS_DEFAULT;
}

/**
 * A table that fits the terminal: columns are as wide as their longest cell, and where that is too much the widest are wrapped.
 * @param rows  cells by column, all of one length
 */
export function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columnsMax: number,
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => longestLine(row[column] ?? ''))),
  );
  const framesAndPadding = 3 * head.length + 1;
  for (let over = sum(widths) + framesAndPadding - columnsMax; over > 0; ) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= CELL_COLUMNS_MIN) break;
    const less = Math.min(over, width - Math.max(CELL_COLUMNS_MIN, secondWidest(widths)) || 1);
    widths[widest] = width - less;
    over -= less;
  }
  const table = new Table({
    head: [...head],
    colWidths: widths.map((width) => width + 2),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows)
    table.push(row.map((cell, column) => wrapped(cell, widths[column] ?? CELL_COLUMNS_MIN)));
  return table.toString();
}

const CELL_COLUMNS_MIN = 8;

/** Broken between words; a word that is too long for a line is broken where the line ends, so that nothing is lost. */
function wrapped(text: string, columnsMax: number): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    let current = '';
    for (const word of line.split(' ')) {
      if (current !== '' && current.length + 1 + word.length > columnsMax) {
        lines.push(current);
        current = '';
      }
      current = current === '' ? word : `${current} ${word}`;
      while (current.length > columnsMax) {
        lines.push(current.slice(0, columnsMax));
        current = current.slice(columnsMax);
      }
    }
    lines.push(current);
  }
  return lines.join('\n');
}

function longestLine(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

function secondWidest(widths: readonly number[]): number {
  return [...widths].sort((a, b) => b - a)[1] ?? 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** A duration the way people say it: `850 ms`, `12.3 s`, `4 min 5 s`. */
export function durationText(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(1)} s`;
  return `${Math.floor(durationMs / 60_000)} min ${Math.round((durationMs % 60_000) / 1_000)} s`;
}

export function sizeText(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'] as const;
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
