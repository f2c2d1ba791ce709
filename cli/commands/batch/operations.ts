import type { CommandModule } from 'yargs';
import type { CpeId } from '../../../common/index.js';
import { OPERATION_STATES, type Operation, type OperationState } from '../../../rollout/index.js';
import { withBatches } from '../../batches-access.js';
import { type Arguments, limitOf } from '../../command.js';
import { columnsOf, type Io, tableText, timeText } from '../../io.js';
import { batchNamed, withBatchId } from './named.js';

const LISTED = 50;
const LISTED_MAX = 1_000_000;
/** A table has its widths by all of its rows: longer lists are for programs. */
const TABLE_ROWS_MAX = 10_000;

export function operationsCommand(io: Io): CommandModule {
  return {
    command: 'operations <id>',
    describe: 'What became of the CPEs of a batch, one by one',
    builder: (argv) =>
      withBatchId(argv)
        .option('state', { choices: OPERATION_STATES, describe: 'Only those in this state' })
        .option('reason', { type: 'string', requiresArg: true, describe: 'Only those that ended for this' })
        .option('cpe', { type: 'string', requiresArg: true, describe: 'Only this CPE, with its whole log' })
        .option('limit', {
          type: 'number',
          default: LISTED,
          requiresArg: true,
          describe: `Most listed; more than ${TABLE_ROWS_MAX} only as JSON`,
        })
        .option('json', { type: 'boolean', describe: 'Print them as JSON, one a line' })
        .example('$0 batch operations ID --state failed', 'Which CPEs could not be upgraded?'),
    handler: (args: Arguments) => operations(args, io),
  };
}

function operations(args: Arguments, io: Io): Promise<void> {
  const limit = limitOf(args, args['json'] ? LISTED_MAX : TABLE_ROWS_MAX);
  return withBatches(args, io, async (opened) => {
    const { id: batch } = await batchNamed(args, opened.batches);
    const filter = {
      batch,
      // One of the choices.
      ...(args['state'] !== undefined && { states: [args['state'] as OperationState] }),
      ...(args['reason'] !== undefined && { reason: String(args['reason']) }),
      ...(args['cpe'] !== undefined && { cpeid: String(args['cpe']) as CpeId }),
    };
    const shown: Operation[] = [];
    let listed = 0;
    let isCut = false;
    for await (const operation of opened.operations.scan(filter)) {
      isCut = listed === limit;
      if (isCut) break;
      listed++;
      if (args['json']) await written(io, `${JSON.stringify(operation)}\n`);
      else shown.push(operation);
    }
    if (args['json']) return;
    if (shown.length === 0) {
      io.stdout.write('No such CPEs in this batch.\n');
      return;
    }
    const rows = shown.map((each) => [
      each.cpeid,
      each.state,
      each.detail ?? each.reason ?? '',
      String(each.attempts),
      timeText(each.updatedAtMs),
    ]);
    io.stdout.write(
      `${tableText(['CPE', 'State', 'Why', 'Tries', 'Changed'], rows, columnsOf(io.stdout))}\n`,
    );
    if (isCut) io.stdout.write(`There are more: --limit, at most ${TABLE_ROWS_MAX}, shows them.\n`);
    if (args['cpe'] !== undefined) io.stdout.write(logText(shown, columnsOf(io.stdout)));
  });
}

function logText(shown: readonly Operation[], columns: number): string {
  const rows = shown.flatMap(({ log }) => log.map(({ atMs, text }) => [timeText(atMs), text]));
  return rows.length === 0 ? '' : `${tableText(['Time', 'What happened'], rows, columns)}\n`;
}

/** Waits where whoever reads it is slower: there may be any number. */
function written({ stdout }: Pick<Io, 'stdout'>, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (stdout.write(text)) resolve();
    else stdout.once('drain', resolve);
  });
}
