import { parse } from 'csv-parse';
import { type CpeIdentity, isAnyCpeId, isCpeId } from '../acs/index.js';
import type { CpeId } from '../common/index.js';
import { badLine } from './cpe-logins.js';

const LINE_CHARACTERS_MAX = 8_192;
/** Longer than any id of a CPE. */
const NAME_CHARACTERS_MAX = 512;
const COLUMN = 'cpeid';

/**
 * Reads ids of CPEs: one a line, or CSV whose head names a column `cpeid`.
 * @param by  what tells CPEs apart; null: nobody has said so yet
 * @throws CommandError that names the line, and what is wrong with it
 */
export async function* readCpeIds(text: NodeJS.ReadableStream, by: CpeIdentity | null): AsyncIterable<CpeId> {
  for await (const { name, line } of linesOf(text)) {
    if (!isIdOf(name, by))
      throw badLine(
        line,
        by === 'serial'
          ? `${COLUMN} must be a serial number, as DeviceStorage shows it`
          : `${COLUMN} must be OUI-ProductClass-SerialNumber, as DeviceStorage shows it`,
      );
    yield name;
  }
}

/** The same where a serial number may stand for an id: whether there is such a CPE is not looked at. */
export async function* readCpeNames(text: NodeJS.ReadableStream): AsyncIterable<string> {
  for await (const { name, line } of linesOf(text)) {
    if (name === '' || name.length > NAME_CHARACTERS_MAX)
      throw badLine(line, `${COLUMN} must be the id of a CPE, or a serial number`);
    yield name;
  }
}

/** Whether a CPE of an installation can have this id. @param by  as for {@link readCpeIds} */
export function isIdOf(name: string, by: CpeIdentity | null): name is CpeId {
  return by === null ? isAnyCpeId(name) : isCpeId(name, by);
}

async function* linesOf(text: NodeJS.ReadableStream): AsyncGenerator<NamedLine> {
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
      yield { name: record[column] ?? '', line: info.lines };
    }
  } catch (error) {
    if (!(error instanceof Error) || !('lines' in error)) throw error;
    // Its own words quote what it read.
    throw badLine(Number(error.lines), 'is too long, or its quotes do not match');
  }
}

interface NamedLine {
  readonly name: string;
  /** Counted from 1. */
  readonly line: number;
}

interface Line {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}
