import type { Argv } from 'yargs';
import type { Moment } from '../../../acs/index.js';
import { epochMsOf, jsonSyntaxError, systemClock } from '../../../common/index.js';
import { parseRuleFile } from '../../../rules/index.js';
import { type Arguments, CommandError, withConfig } from '../../command.js';
import { openFile } from '../../files.js';
import { printable } from '../../io.js';
import { ORGANIZATION_OPTION } from '../../organization-option.js';
import { RULES_CONFIG } from '../../rules-access.js';

/** What `explain` and `match` are asked in the same words. */

const FILE_BYTES_MAX = 16 * 1024 * 1024;

export function withRuleAndMoment(argv: Argv): Argv {
  return withConfig(argv, RULES_CONFIG)
    .positional('rule', { type: 'string', describe: 'The id of a rule' })
    .option('file', {
      type: 'string',
      requiresArg: true,
      describe: 'Take the rule from this JSON file, as if it were stored',
    })
    .option('organization', ORGANIZATION_OPTION)
    .option('requested', {
      type: 'boolean',
      describe: 'As if SendCNR had asked for the session: rules that are not automatic count too',
    })
    .option('now', {
      type: 'string',
      requiresArg: true,
      describe: 'At another time than the present, as in 2026-12-01T02:30:00Z',
    })
    .option('json', { type: 'boolean', describe: 'Answer as JSON' });
}

/** @throws CommandError */
export function momentOf(args: Arguments): Moment {
  const { now, requested } = args;
  const nowMs = now === undefined ? systemClock() : epochMsOf(String(now));
  if (nowMs === null) {
    throw new CommandError(`--now ${String(now)}: must be a time as in 2026-12-01T02:30:00Z`, 2);
  }
  return { nowMs, ...(requested === undefined ? {} : { requested: requested === true }) };
}

/**
 * The rule of `--file`, which is read as any rule file is: its only one, or the one with the id that was named.
 * @throws CommandError
 */
export async function draftOf(args: Arguments): Promise<unknown> {
  if (args['file'] === undefined) return undefined;
  const path = String(args['file']);
  const file = parseRuleFile(path, await readBytes(path));
  if (!file.parsed) {
    const lines = file.problems.map(
      ({ line, column, expected }) => `  ${line}:${column} expected ${expected}`,
    );
    throw new CommandError(printable([`${path} is no rule file:`, ...lines].join('\n')));
  }
  const [first] = file.entries;
  if (first?.item === null) return first.body;
  const id = args['rule'];
  const bodies = file.entries.map(({ body }) => body);
  const [body, ...others] = id === undefined ? bodies : bodies.filter((each) => idIn(each) === id);
  if (body !== undefined && others.length === 0) return body;
  const wanted = id === undefined ? 'one rule; name the one that is meant' : `one rule ${String(id)}`;
  throw new CommandError(`${path} must hold ${wanted}.`);
}

/** What a body says its id is; whether it may be one is for the rules to say. */
export function idIn(body: unknown): string | undefined {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** @throws CommandError */
export async function readJson(path: string): Promise<unknown> {
  const bytes = await readBytes(path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CommandError(`${path} is not in UTF-8.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(`${path} is not JSON (${jsonSyntaxError(text)}).`);
  }
}

/** @throws CommandError where it cannot be read, or is too large */
export async function readBytes(path: string): Promise<Buffer> {
  const { file, sizeBytes } = await openFile(path);
  try {
    if (sizeBytes > FILE_BYTES_MAX) throw new CommandError(`${path} has more than ${FILE_BYTES_MAX} bytes.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
