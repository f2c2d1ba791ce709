import { open } from 'node:fs/promises';
import type { Argv } from 'yargs';
import type { Moment } from '../../../acs/index.js';
import { epochMsOf, systemClock } from '../../../common/index.js';
import { type Arguments, CommandError, withConfig } from '../../command.js';
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

/** @throws CommandError */
export function limitOf(args: Arguments, max: number): number {
  const limit = Number(args['limit']);
  if (!Number.isInteger(limit) || limit < 1 || limit > max) {
    throw new CommandError(`--limit: must be a whole number from 1 to ${max}`, 2);
  }
  return limit;
}

/** The rule of `--file`: its only one, or the one with the id that was named. */
export async function draftOf(args: Arguments): Promise<unknown> {
  if (args['file'] === undefined) return undefined;
  const path = String(args['file']);
  const content = await readJson(path);
  if (!Array.isArray(content)) return content;
  const id = args['rule'];
  const bodies: readonly unknown[] = content;
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
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new CommandError(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws CommandError where it cannot be read, or is too large */
export async function readBytes(path: string): Promise<Buffer> {
  const file = await open(path).catch((error: unknown) => {
    throw new CommandError(
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new CommandError(`${path} is not a file.`);
    if (stats.size > FILE_BYTES_MAX) throw new CommandError(`${path} has more than ${FILE_BYTES_MAX} bytes.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
