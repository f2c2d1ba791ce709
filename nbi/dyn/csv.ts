import { stringify } from 'csv-stringify/sync';

/** Comma-separated values (RFC 4180), with a head. */
export const CSV = 'text/csv';
export const CSV_CONTENT_TYPE = `${CSV}; charset=utf-8; header=present`;

/** How entries stand in a table. */
export interface CsvTable {
  readonly head: readonly string[];
  /** What stands below the head; undefined: nothing. */
  row(view: Readonly<Record<string, unknown>>): readonly (string | undefined)[];
}

/**
 * A row with its end. A cell that a spreadsheet would take for a formula, as it begins with `=`, `+`, `-`, `@`, a tab or a carriage return,
 * has an apostrophe before it.
 */
export function csvRow(cells: readonly (string | undefined)[]): string {
  return stringify([[...cells]], {
    record_delimiter: 'windows',
    escape_formulas: true,
    // The library puts quotes round whole ends of records only.
    quoted_match: /[\r\n]/,
  });
}
