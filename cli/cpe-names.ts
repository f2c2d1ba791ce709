import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { isCpeId } from '../acs/index.js';
import type { CpeId } from '../common/index.js';
import { badLine } from './cpe-logins.js';

const LINE_CHARACTERS_MAX = 8_192;
const COLUMN = 'cpeid';

/**
 * Reads ids of CPEs: one a line, or CSV whose head names a column `cpeid`.
 * @throws CommandError that names the line, and what is wrong with it
 */
export async function* readCpeIds(text: Readable): AsyncIterable<CpeId> {
  let column: number | null = null;
  const parser = text.pipe(
    parse({
      bom: true,
      info: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: LINE_CHARACTERS_MAX,
    }),
  );
  text.once('error', (error) => parser.destroy(error));
  try {
    for await (const { record, info } of parser as AsyncIterable<Line>) {
      if (column === null) {
        const head = record.map((name) => name.toLowerCase()).indexOf(COLUMN);
        column = Math.max(0, head);
        if (head >= 0) continue;
        if (record.length > 1) throw badLine(info.lines, `has several fields, and none is called ${COLUMN}`);
      }
      const cpeid = record[column] ?? '';
      if (!isCpeId(cpeid))
        throw badLine(
          info.lines,
          `${COLUMN} must be OUI-ProductClass-SerialNumber, as DeviceStorage shows it`,
        );
      yield cpeid;
    }
  } catch (error) {
    if (!(error instanceof Error) || !('lines' in error)) throw error;
    // Its own words quote what it read.
    throw badLine(Number(error.lines), 'is too long, or its quotes do not match');
  }
}

interface Line {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}
