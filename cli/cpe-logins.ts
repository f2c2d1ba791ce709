import type { ReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import type { CpeLogin } from '../acs/index.js';
import type { CpeId } from '../common/index.js';
import { CommandError } from './command.js';

/** Of one line or record: two texts of 256 characters, a cpeid, and their quotes and escapes. */
const LINE_CHARACTERS_MAX = 8_192;
const FIELDS = ['cpeid', 'username', 'password'] as const;

/** Some of the file's credentials, in their order. */
export interface LoginBatch {
  readonly logins: readonly CpeLogin[];
  /** Of the file, so far. */
  readonly bytesRead: number;
  /** In which line of the file, counted from 1, one of them stands. Of CSV that takes to read the file once more, up to there. */
  lineOf(index: number): Promise<number>;
}

/**
 * Reads credentials of CPEs: NDJSON where the text begins with `{`, else CSV with a head that names `cpeid` and `password`, and
 * `username` unless that is the cpeid.
 * Whether they can be taken is not looked at.
 * @param open  opens the text at its beginning
 * @param batchMax  how many a batch has at most
 * @throws CommandError that names the line, and what is wrong with it
 */
export async function* readLogins(open: () => ReadStream, batchMax: number): AsyncIterable<LoginBatch> {
  const text = open();
  try {
    const begin = await begun(text);
    if (begin === null) return;
    yield* begin === '{' ? readNdjson(text, batchMax) : readCsv(open, text, batchMax);
  } finally {
    text.destroy();
  }
}

/** @returns the first character that is no blank; null where there is none */
function begun(text: ReadStream): Promise<string | null> {
  text.setEncoding('utf8');
  return firstCharacter(text);
}

/** Gives back what it has looked at. */
async function firstCharacter(text: ReadStream): Promise<string | null> {
  for (;;) {
    const chunk: unknown = text.read();
    if (typeof chunk === 'string') {
      const at = chunk.search(/[^\s\uFEFF]/);
      if (at < 0) continue;
      text.unshift(chunk.charCodeAt(0) === 0xfeff ? chunk.slice(1) : chunk);
      return chunk[at] ?? null;
    }
    if (text.readableEnded || text.destroyed) return null;
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void) => () => {
        text.off('readable', ready).off('end', ready).off('error', failed);
        act();
      };
      const ready = settle(resolve);
      const failed = (error: Error) => settle(() => reject(error))();
      text.once('readable', ready).once('end', ready).once('error', failed);
    });
  }
}

async function* readNdjson(text: ReadStream, batchMax: number): AsyncIterable<LoginBatch> {
  let rest = '';
  let line = 0;
  let logins: CpeLogin[] = [];
  let lines: number[] = [];
  const take = (each: string) => {
    if (each.trim() === '') return;
    const login = loginOf(fieldsOf(each, line));
    if (typeof login === 'string') throw badLine(line, login);
    logins.push(login);
    lines.push(line);
  };
  const batch = (): LoginBatch => {
    const of = lines;
    const taken = { logins, bytesRead: text.bytesRead, lineOf: async (index: number) => of[index] ?? 0 };
    logins = [];
    lines = [];
    return taken;
  };
  for await (const chunk of text as AsyncIterable<string>) {
    const ended = (rest + chunk).split('\n');
    rest = ended.pop() ?? '';
    for (const each of ended) {
      line++;
      take(each);
      if (logins.length === batchMax) yield batch();
    }
    if (rest.length > LINE_CHARACTERS_MAX) throw badLine(line + 1, 'is too long');
  }
  line++;
  take(rest);
  if (logins.length > 0) yield batch();
}

function fieldsOf(text: string, line: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badLine(line, 'is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badLine(line, 'is no object');
  return value as Readonly<Record<string, unknown>>;
}

async function* readCsv(
  open: () => ReadStream,
  text: ReadStream,
  batchMax: number,
): AsyncIterable<LoginBatch> {
  let logins: CpeLogin[] = [];
  let before = 0;
  const batch = (): LoginBatch => {
    const first = before;
    const taken = {
      logins,
      bytesRead: text.bytesRead,
      lineOf: (index: number) => lineOfRecord(open, first + index),
    };
    before += logins.length;
    logins = [];
    return taken;
  };
  for await (const record of recordsOf<CsvRecord>(text, false)) {
    const login = loginOf(record);
    if (typeof login === 'string') throw badLine(await lineOfRecord(open, before + logins.length), login);
    logins.push(login);
    if (logins.length === batchMax) yield batch();
  }
  if (logins.length > 0) yield batch();
}

type CsvRecord = Readonly<Record<string, string>>;

/** @param record  counted from 0, without the head */
async function lineOfRecord(open: () => ReadStream, record: number): Promise<number> {
  const text = open();
  try {
    await begun(text);
    let at = 0;
    for await (const { info } of recordsOf<{ readonly info: { readonly lines: number } }>(text, true))
      if (at++ === record) return info.lines;
    return 0;
  } finally {
    text.destroy();
  }
}

/**
 * @param info  whether each record comes with where it stands, which makes half as much work again
 * @throws CommandError
 */
async function* recordsOf<T>(text: ReadStream, info: boolean): AsyncIterable<T> {
  let head: readonly string[] = [];
  const parser = text.pipe(
    parse({
      columns(names: string[]) {
        head = names.map((name) => name.trim().toLowerCase());
        return head.map(String);
      },
      info,
      skip_empty_lines: true,
      max_record_size: LINE_CHARACTERS_MAX,
    }),
  );
  text.once('error', (error) => parser.destroy(error));
  try {
    yield* parser as AsyncIterable<T>;
  } catch (error) {
    if (!(error instanceof Error) || !('lines' in error)) throw error;
    // Its own words quote what it read.
    throw badLine(
      Number(error.lines),
      `has not the ${head.length} fields of the head, or its quotes do not match`,
    );
  }
}

/** @returns what is wrong, where it is none */
function loginOf(fields: Readonly<Record<string, unknown>>): CpeLogin | string {
  for (const name in fields)
    if (name !== 'cpeid' && name !== 'username' && name !== 'password')
      return `has a field that is none: ${FIELDS.join(', ')}`;
  const { cpeid = '', username = cpeid, password = '' } = fields;
  if (typeof cpeid !== 'string' || typeof username !== 'string' || typeof password !== 'string')
    return 'must hold texts only';
  return { cpeid: cpeid as CpeId, username: username === '' ? cpeid : username, password };
}

/** What is wrong with a line, for the user. */
export function badLine(line: number, what: string): CommandError {
  return new CommandError(`line ${line}: ${what}`);
}
