import type { ReadStream } from 'node:fs';
import type { CpeLogin } from '../acs/index.js';
import type { CpeId } from '../common/index.js';
import { CommandError } from './command.js';

/** Of one line: two texts of 256 characters, a cpeid, and their quotes and escapes. */
const LINE_CHARACTERS_MAX = 8_192;
const FIELDS = ['cpeid', 'username', 'password'] as const;

type Fields = Readonly<Record<string, unknown>>;
/** What a line says; null: it is the head, or blank. */
type LineReader = (text: string, line: number) => Fields | null;

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
  let read: LineReader | null = null;
  let logins: CpeLogin[] = [];
  let lines: number[] = [];
  let line = 0;
  for await (const some of linesOf(text)) {
    for (const each of some) {
      line++;
      if (each.trim() === '') continue;
      if (each.length > LINE_CHARACTERS_MAX) throw badLine(line, 'is too long');
      read ??= each.trimStart().startsWith('{') ? readJson : csvReader();
      const fields = read(each, line);
      if (fields === null) continue;
      logins.push(loginOf(fields, line));
      lines.push(line);
      if (logins.length < batchMax) continue;
      yield { logins, lines, bytesRead: text.bytesRead };
      logins = [];
      lines = [];
    }
  }
  if (logins.length > 0) yield { logins, lines, bytesRead: text.bytesRead };
}

/** Lines without their ends, in pieces as they come from the disk: a turn of events for each line would be most of the work. */
async function* linesOf(text: ReadStream): AsyncIterable<readonly string[]> {
  text.setEncoding('utf8');
  let rest: string | null = null;
  let end: string | null = null;
  let line = 0;
  for await (const chunk of text as AsyncIterable<string>) {
    const all: string = rest === null ? chunk.replace(/^\uFEFF/, '') : rest + chunk;
    end ??= endOfLines(all);
    const lines = end === null ? [all] : all.split(end);
    rest = lines.pop() ?? '';
    line += lines.length;
    if (rest.length > LINE_CHARACTERS_MAX) throw badLine(line + 1, 'is too long');
    yield lines;
  }
  yield [rest ?? ''];
}

/** How this text ends its lines, as far as it shows. A carriage return alone is what spreadsheets of old Macintoshes write. */
function endOfLines(text: string): string | null {
  const [found = ''] = /\r?\n|\r(?!$)/.exec(text) ?? [];
  if (found === '') return null;
  return found === '\r' ? found : '\n';
}

function readJson(text: string, line: number): Fields {
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

function csvReader(): LineReader {
  let head: readonly string[] | null = null;
  return (text, line) => {
    const values = valuesOf(text.endsWith('\r') ? text.slice(0, -1) : text);
    if (head === null) {
      head = (values ?? []).map((name) => name.trim().toLowerCase());
      for (const name of head) checkField(name, line);
      return null;
    }
    if (values?.length !== head.length)
      throw badLine(line, `has not the ${head.length} fields of the head, or its quotes do not match`);
    const fields: Record<string, string> = {};
    for (const [at, name] of head.entries()) fields[name] = values[at] ?? '';
    return fields;
  };
}

/** A comma and the value behind it: in quotes, which are doubled inside, or without. */
const VALUE = /,(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(?=,|$)/y;

/** The values of a line of CSV (RFC 4180 2). @returns null where its quotes do not match */
function valuesOf(text: string): readonly string[] | null {
  if (!text.includes('"')) return text.split(',');
  const led = `,${text}`;
  const values: string[] = [];
  for (let at = 0; at < led.length; at = VALUE.lastIndex) {
    VALUE.lastIndex = at;
    const value = VALUE.exec(led);
    if (value === null) return null;
    values.push(value[1]?.replaceAll('""', '"') ?? value[2] ?? '');
  }
  return values;
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
