import Table from 'cli-table3';
import { INVISIBLE } from '../common/index.js';
import type { Environment } from './config-sources.js';

/** A terminal, a pipe or a file. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** Where a command reads and writes; a test passes its own. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Input;
  /** The variables of the environment; only those called FERRY_… are read. */
  readonly environment: Environment;
}

const TERMINAL_COLUMNS_DEFAULT = 100;

export function columnsOf(stream: Output): number {
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
  const cells = rows.map((row) => row.map(printable));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => longestLine(row[column] ?? ''))),
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
  const fitting = (cell: string, column: number) => wrapped(cell, widths[column] ?? CELL_COLUMNS_MIN);
  const table = new Table({
    head: head.map(fitting),
    colWidths: widths.map((width) => width + 2),
    style: { head: [], border: [], compact: true },
  });
  for (const row of cells) table.push(row.map(fitting));
  return table.toString();
}

const CELL_COLUMNS_MIN = 8;

/** Characters by which a text from elsewhere could steer the terminal or pose as another: shown as \u{…}. A new line stays. */
export function printable(text: string): string {
  return text.replace(INVISIBLE, (character) =>
    character === '\n' ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Broken between words; a word that is too long for a line is broken where the line ends, so that nothing is lost. */
function wrapped(text: string, columnsMax: number): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    let current = '';
    for (const word of line.split(' ')) {
      if (current !== '' && columnsTaken(current) + 1 + columnsTaken(word) > columnsMax) {
        lines.push(current);
        current = '';
      }
      current = current === '' ? word : `${current} ${word}`;
      if (columnsTaken(current) > columnsMax) {
        const pieces = piecesOf(current, columnsMax);
        current = pieces.pop() ?? '';
        for (const piece of pieces) lines.push(piece);
      }
    }
    lines.push(current);
  }
  return lines.join('\n');
}

function piecesOf(text: string, columnsMax: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const character of text) {
    if (columnsTaken(piece + character) > columnsMax) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...pieces, piece];
}

/** From Hangul on a character may take two columns; that each does errs on the side that fits. */
const WIDE_FROM = 0x1100;

function columnsTaken(text: string): number {
  let columns = 0;
  for (const character of text) columns += (character.codePointAt(0) ?? 0) < WIDE_FROM ? 1 : 2;
  return columns;
}

function longestLine(text: string): number {
  return Math.max(...text.split('\n').map(columnsTaken));
}

function secondWidest(widths: readonly number[]): number {
  return [...widths].sort((a, b) => b - a)[1] ?? 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** A duration the way people say it: `850 ms`, `12.3 s`, `4 min 5 s`. */
export function durationText(durationMs: number): string {
  if (Math.round(durationMs) < 1_000) return `${Math.round(durationMs)} ms`;
  const tenths = Math.round(durationMs / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A size the way people say it: `512 B`, `1.5 MiB`. */
export function sizeText(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'] as const;
  let value = sizeBytes;
  let unit = 0;
  // What would round to 1024.0 is one of the next.
  while (value >= (unit === 0 ? 1_024 : 1_023.95) && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** How many there are of something: `1 image`, `2 images`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
