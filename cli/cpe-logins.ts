import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import type { CpeLogin } from '../acs/index.js';
import type { CpeId } from '../common/index.js';
import { CommandError } from './command.js';

/** Of one line or record: two texts of 256 characters, a cpeid, and their quotes and escapes. */
const LINE_CHARACTERS_MAX = 8_192;
const FIELDS = ['cpeid', 'username', 'password'] as const;

/** A line of the file, counted from 1. */
export interface LoginLine {
  readonly line: number;
  readonly login: CpeLogin;
}

/**
 * Reads credentials of CPEs: NDJSON where the text begins with `{`, else CSV with a head that names `cpeid` and `password`, and
 * `username` unless that is the cpeid.
 * Whether they can be taken is not looked at.
 * @throws CommandError that names the line, and what is wrong with it
 */
export async function* readLogins(text: Readable): AsyncIterable<LoginLine> {
  text.setEncoding('utf8');
  const begin = await firstCharacter(text);
  if (begin === null) return;
  yield* begin === '{' ? readNdjson(text) : readCsv(text);
}

/** Gives back what it has looked at. */
async function firstCharacter(text: Readable): Promise<string | null> {
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

async function* readNdjson(text: Readable): AsyncIterable<LoginLine> {
  let rest = '';
  let line = 0;
  for await (const chunk of text as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const each of lines) {
      line++;
      if (each.trim() !== '') yield loginOf(fieldsOf(each, line), line);
    }
    if (rest.length > LINE_CHARACTERS_MAX) throw badLine(line + 1, 'is too long');
  }
  if (rest.trim() !== '') yield loginOf(fieldsOf(rest, line + 1), line + 1);
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
  return { ...value };
}

async function* readCsv(text: Readable): AsyncIterable<LoginLine> {
  let head: readonly string[] = [];
  const parser = text.pipe(
    parse({
      columns(names: string[]) {
        head = names.map((name) => name.trim().toLowerCase());
        return head.map(String);
      },
      info: true,
      skip_empty_lines: true,
      max_record_size: LINE_CHARACTERS_MAX,
    }),
  );
  text.once('error', (error) => parser.destroy(error));
  try {
    for await (const { record, info } of parser) yield loginOf(record, info.lines);
  } catch (error) {
    if (!(error instanceof Error) || !('lines' in error)) throw error;
    // Its own words quote what it read.
    throw badLine(
      Number(error.lines),
      `has not the ${head.length} fields of the head, or its quotes do not match`,
    );
  }
}

function loginOf(fields: Readonly<Record<string, unknown>>, line: number): LoginLine {
  for (const name of Object.keys(fields))
    if (!FIELDS.some((field) => field === name))
      throw badLine(line, `has a field that is none: ${FIELDS.join(', ')}`);
  const { cpeid = '', username = cpeid, password = '' } = fields;
  if (typeof cpeid !== 'string' || typeof username !== 'string' || typeof password !== 'string')
    throw badLine(line, 'must hold texts only');
  return { line, login: { cpeid: cpeid as CpeId, username: username === '' ? cpeid : username, password } };
}

/** What is wrong with a line, for the user. */
export function badLine(line: number, what: string): CommandError {
  return new CommandError(`line ${line}: ${what}`);
}
