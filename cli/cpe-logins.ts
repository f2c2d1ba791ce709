import type { ReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import type { CpeLogin } from '../acs/index.js';
import type { CpeId } from '../common/index.js';
import { CommandError } from './command.js';

/** Of one line: two texts of 256 characters, a cpeid, and their quotes and escapes. */
const LINE_CHARACTERS_MAX = 8_192;
const FIELDS = ['cpeid', 'username', 'password'] as const;

type Fields = Readonly<Record<string, unknown>>;
interface Line {
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** What a line says. */
interface Entry {
  readonly line: number;
  readonly fields: Fields;
}

/** Gives what lines say that are neither blank nor the head. */
type LinesReader = (lines: readonly Line[]) => readonly Entry[];

/** Some of the file's credentials, in their order. */
export interface LoginBatch {
  readonly logins: readonly CpeLogin[];
  /** In which line of the file each of them stands, counted from 1. */
  readonly lines: readonly number[];
  /** Of the file, so far. */
  readonly bytesRead: number;
}

/**
 * Reads credentials of CPEs, one a line: NDJSON where the text begins with `{`, else CSV with a head that names `cpeid` and `password`, and
 * `username` unless that is the cpeid. No field of theirs may hold the end of a line, so that of CSV as well a line is a record.
 * Whether they can be taken is not looked at.
 * @param batchMax  how many a batch has at most
 * @throws CommandError that names the line, and what is wrong with it
 */
export async function* readLogins(text: ReadStream, batchMax: number): AsyncIterable<LoginBatch> {
  let read: LinesReader | null = null;
  let logins: CpeLogin[] = [];
  let numbers: number[] = [];
  for await (const lines of linesOf(text)) {
    const begin = lines.find(({ text: each }) => each.trim() !== '')?.text.trimStart();
    if (begin !== undefined) read ??= begin.startsWith('{') ? readJson : csvReader();
    for (const { line, fields } of read?.(lines) ?? []) {
      logins.push(loginOf(fields, line));
      numbers.push(line);
      if (logins.length < batchMax) continue;
      yield { logins, lines: numbers, bytesRead: text.bytesRead };
      logins = [];
      numbers = [];
    }
  }
  if (logins.length > 0) yield { logins, lines: numbers, bytesRead: text.bytesRead };
}

/** Lines without their ends, in pieces as they come from the disk: a turn of events for each line would be most of the work. */
async function* linesOf(text: ReadStream): AsyncIterable<readonly Line[]> {
  text.setEncoding('utf8');
  let rest: string | null = null;
  let end: string | null = null;
  let before = 0;
  const numbered = (texts: readonly string[]): readonly Line[] => {
    const lines = texts.map((each, at) => ({ line: before + at + 1, text: each.replace(/\r$/, '') }));
    before += texts.length;
    for (const each of lines)
      if (each.text.length > LINE_CHARACTERS_MAX) throw badLine(each.line, 'is too long');
    return lines;
  };
  for await (const chunk of text as AsyncIterable<string>) {
    const all: string = rest === null ? chunk.replace(/^\uFEFF/, '') : rest + chunk;
    end ??= endOfLines(all);
    const texts = end === null ? [all] : all.split(end);
    rest = texts.pop() ?? '';
    yield numbered(texts);
    if (rest.length > LINE_CHARACTERS_MAX) throw badLine(before + 1, 'is too long');
  }
  yield numbered([rest ?? '']);
}

/** How this text ends its lines, as far as it shows. A carriage return alone is what spreadsheets of old Macintoshes write. */
function endOfLines(text: string): string | null {
  const [found = ''] = /\r?\n|\r(?!$)/.exec(text) ?? [];
  if (found === '') return null;
  return found === '\r' ? found : '\n';
}

function readJson(lines: readonly Line[]): readonly Entry[] {
  return lines
    .filter(({ text }) => text.trim() !== '')
    .map(({ line, text }) => ({ line, fields: fieldsOf(text, line) }));
}

function fieldsOf(text: string, line: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badLine(line, 'is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badLine(line, 'is no object');
  for (const name of Object.keys(value)) checkField(name, line);
  return value as Fields;
}

function csvReader(): LinesReader {
  let head: readonly string[] | null = null;
  return (lines) => {
    const entries: Entry[] = [];
    for (const [at, values] of recordsOf(lines).entries()) {
      const { line = 0, text = '' } = lines[at] ?? {};
      if (text.trim() === '') continue;
      if (head === null) {
        head = values.map((name) => name.trim().toLowerCase());
        for (const name of head) checkField(name, line);
        continue;
      }
      if (values.length !== head.length || values.some((value) => value.includes('\n')))
        throw badLine(line, `has not the ${head.length} fields of the head, or its quotes do not match`);
      const fields: Record<string, string> = {};
      for (const [index, name] of head.entries()) fields[name] = values[index] ?? '';
      entries.push({ line, fields });
    }
    return entries;
  };
}

/** Of many lines at once: of each alone most of the work would be to begin. Where a value holds the end of a line, what follows is not in its place. */
function recordsOf(lines: readonly Line[]): readonly (readonly string[])[] {
  // Without a quote a value is what lies between two commas (RFC 4180 2); to have the library find that out takes a fifth of an import.
  if (!lines.some(({ text }) => text.includes('"'))) return lines.map(({ text }) => text.split(','));
  try {
    return parse(lines.map(({ text }) => text).join('\n'), { relax_column_count: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // Its own words quote what it read.
    const line = (lines[0]?.line ?? 1) + Number(error['lines']) - 1;
    throw badLine(line, 'has quotes that do not match');
  }
}

function checkField(name: string, line: number): void {
  if (!FIELDS.some((field) => field === name))
    throw badLine(line, `has a field that is none: ${FIELDS.join(', ')}`);
}

function loginOf({ cpeid = '', username = cpeid, password = '' }: Fields, line: number): CpeLogin {
  if (typeof cpeid !== 'string' || typeof username !== 'string' || typeof password !== 'string')
    throw badLine(line, 'must hold texts only');
  return { cpeid: cpeid as CpeId, username: username === '' ? cpeid : username, password };
}

/** What is wrong with a line, for the user. */
export function badLine(line: number, what: string): CommandError {
  return new CommandError(`line ${line}: ${what}`);
}
