import type { CommandModule } from 'yargs';
import { BATCH_STATES, type Batch, type BatchState, type OperationCounts } from '../../../rollout/index.js';
import { withBatches } from '../../batches-access.js';
import { type Arguments, limitOf } from '../../command.js';
import { columnsOf, type Io, tableText, timeText } from '../../io.js';
import { organizationNamed, organizationOption } from '../../organization-option.js';
import { batchNamed, progressOf, withBatchId } from './named.js';
import { batchJson, batchText, endedOf, whatText } from './report.js';

const LISTED = 20;
const LISTED_MAX = 1_000;

/** `list` and `show`. */
export function lookCommands(io: Io): readonly CommandModule[] {
  return [listCommand(io), showCommand(io)];
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list',
    describe: 'List the batches, the newest first',
    builder: (argv) =>
      argv
        .option('state', { choices: BATCH_STATES, describe: 'Only those in this state' })
        .option('build', {
          type: 'string',
          requiresArg: true,
          describe: 'Only those of this build, by its id',
        })
        .option('organization', organizationOption('Only those of this organization, by its slug or id'))
        .option('limit', { type: 'number', default: LISTED, requiresArg: true, describe: 'Most listed' })
        .option('json', { type: 'boolean', describe: 'Print them as JSON' })
        .example('$0 batch list --state failed', 'Which have CPEs that could not be upgraded?'),
    handler: (args: Arguments) => list(args, io),
  };
}

interface Shown extends OperationCounts {
  readonly batch: Batch;
  readonly state: BatchState;
}

function list(args: Arguments, io: Io): Promise<void> {
  const limit = limitOf(args, LISTED_MAX);
  return withBatches(args, io, async ({ batches, operations, organizations }) => {
    const organization = organizationNamed(args, organizations);
    const filter = {
      ...(args['build'] !== undefined && { build: String(args['build']) }),
      ...(organization !== null && { organization: organization.id }),
    };
    const shown: Shown[] = [];
    let isCut = false;
    for await (const batch of batches.scan(filter)) {
      const counts = await operations.counts(batch.id);
      const state = batches.stateOf(batch, counts);
      if (args['state'] !== undefined && state !== args['state']) continue;
      isCut = shown.length === limit;
      if (isCut) break;
      shown.push({ batch, state, ...counts });
    }
    if (args['json']) {
      const all = shown.map(({ batch, ...counts }) => batchJson(batch, counts));
      io.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
      return;
    }
    if (shown.length === 0) {
      io.stdout.write('No such batches: ferry batch create makes one.\n');
      return;
    }
    const rows = shown.map((each) => [
      each.batch.id,
      each.batch.name,
      whatText(each.batch),
      each.state,
      `${endedOf(each)}/${each.total}`,
      timeText(each.batch.createdAtMs),
    ]);
    const table = tableText(['Id', 'Name', 'Sends', 'State', 'Ended', 'Made'], rows, columnsOf(io.stdout));
    io.stdout.write(
      `${table}\n${isCut ? `There are more: --limit, at most ${LISTED_MAX}, shows them.\n` : ''}`,
    );
  });
}

function showCommand(io: Io): CommandModule {
  return {
    command: 'show <id>',
    describe: 'Show a batch, how far it has come, and why CPEs of it were not upgraded',
    builder: (argv) => withBatchId(argv).option('json', { type: 'boolean', describe: 'Print it as JSON' }),
    handler: (args: Arguments) =>
      withBatches(args, io, async ({ batches, organizations }) => {
        const batch = await batchNamed(args, batches);
        const progress = await progressOf(batch.id, batches);
        if (args['json']) io.stdout.write(`${JSON.stringify(batchJson(batch, progress), null, 2)}\n`);
        else io.stdout.write(batchText(batch, progress, organizations, io));
      }),
  };
}
