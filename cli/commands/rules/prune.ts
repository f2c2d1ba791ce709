import type { CommandModule } from 'yargs';
import type { RuleId } from '../../../common/index.js';
import {
  RULES_PER_COMMIT_MAX,
  RuleConflictError,
  type RuleEngine,
  type StoredRule,
} from '../../../rules/index.js';
import { type Arguments, INSTALLATION_OPTIONS, operator, withConfig } from '../../command.js';
import { confirmDeletion } from '../../confirm.js';
import { columnsOf, type Io, tableText, timeText } from '../../io.js';
import { withRulesAlone } from '../../rules-access.js';
import { amount } from './report.js';

/** Longer lists are cut: whoever has this many looks at --json. */
const LISTED_MAX = 200;

export function pruneCommand(io: Io): CommandModule {
  return {
    command: 'prune',
    describe: 'Delete the rules that are in no rule file any more',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS)
        .option('yes', { type: 'boolean', describe: 'Delete them without asking' })
        .option('dry-run', { type: 'boolean', describe: 'Only list them' })
        .option('json', { type: 'boolean', describe: 'Print them as JSON' })
        .conflicts('yes', 'dry-run')
        .example('$0 rules prune --dry-run', 'See which they are')
        .example('$0 rules prune --yes', 'Delete them'),
    handler: (args: Arguments) => withRulesAlone(args, io, (rules) => prune(args, io, rules)),
  };
}

async function prune(args: Arguments, io: Io, rules: RuleEngine): Promise<void> {
  const found: StoredRule[] = [];
  for await (const rule of rules.withoutFile()) found.push(rule);
  const mayDelete = found.length > 0 && !args['dryRun'];
  if (!args['json']) io.stdout.write(listText(found, io));
  if (mayDelete && !args['yes']) await confirmDeletion(amount(found.length, 'rule'), io);
  const deleted = mayDelete ? await remove(rules, found) : [];
  if (args['json']) {
    const ids = deleted.map(({ id }) => id);
    io.stdout.write(`${JSON.stringify({ found: found.map(jsonOf), deleted: ids }, null, 2)}\n`);
  } else if (mayDelete) {
    io.stdout.write(`Deleted ${amount(deleted.length, 'rule')}.\n`);
    const back = found.length - deleted.length;
    if (back > 0) io.stdout.write(`${amount(back, 'rule')} came back meanwhile, and stayed.\n`);
  }
}

function listText(rules: readonly StoredRule[], io: Io): string {
  if (rules.length === 0) return 'Every rule from a file is still in it: there is nothing to delete.\n';
  const rows = rules
    .slice(0, LISTED_MAX)
    .map(({ id, sourceFile = '', updatedAtMs }) => [id, sourceFile, timeText(updatedAtMs)]);
  const table = tableText(['Rule', 'Was in', 'Since'], rows, columnsOf(io.stdout));
  const more = rules.length > LISTED_MAX ? `and ${rules.length - LISTED_MAX} more\n` : '';
  return `${table}\n${more}`;
}

function jsonOf({ id, sourceFile, updatedAtMs }: StoredRule) {
  return { id, sourceFile, since: timeText(updatedAtMs) };
}

/** @returns those that were deleted: what is in a file again stays */
async function remove(rules: RuleEngine, found: readonly StoredRule[]): Promise<readonly StoredRule[]> {
  const deleted: StoredRule[] = [];
  for (let start = 0; start < found.length; start += RULES_PER_COMMIT_MAX) {
    const portion = found.slice(start, start + RULES_PER_COMMIT_MAX);
    try {
      await rules.remove(
        portion.map(({ id }) => id),
        operator(),
      );
      deleted.push(...portion);
    } catch (error) {
      if (!(error instanceof RuleConflictError)) throw error;
      for (const rule of portion) if (await removeOne(rules, rule.id)) deleted.push(rule);
    }
  }
  return deleted;
}

async function removeOne(rules: RuleEngine, id: RuleId): Promise<boolean> {
  try {
    return (await rules.remove([id], operator())) > 0;
  } catch (error) {
    if (error instanceof RuleConflictError) return false;
    throw error;
  }
}
