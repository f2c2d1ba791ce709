import type { CommandModule } from 'yargs';
import type { CpeId } from '../../../common/index.js';
import { operationIdOf } from '../../../rollout/index.js';
import { withBatches } from '../../batches-access.js';
import { type Arguments, operator } from '../../command.js';
import { columnsOf, countOf, type Io, printable } from '../../io.js';
import { batchNamed, progressOf, withBatchId } from './named.js';
import { countsText } from './report.js';

/** `cancel`, `retry` and `delete`. */
export function changeCommands(io: Io): readonly CommandModule[] {
  return [cancelCommand(io), retryCommand(io), deleteCommand(io)];
}

function cancelCommand(io: Io): CommandModule {
  return {
    command: 'cancel <id>',
    describe: 'Send nothing more of a batch; what is under way goes on, or is given up where the CPE can',
    builder: (argv) =>
      withBatchId(argv)
        .option('cpe', { type: 'string', requiresArg: true, describe: 'Only for this CPE, by its id' })
        .example('$0 batch cancel ID', ''),
    handler: (args: Arguments) =>
      withBatches(args, io, async ({ batches }) => {
        const { id, name } = await batchNamed(args, batches);
        if (args['cpe'] !== undefined) {
          const cpeid = String(args['cpe']) as CpeId;
          const state = await batches.cancelOne(operationIdOf(id, cpeid), operator());
          const said =
            state === 'running'
              ? `${cpeid} has been sent it: it is asked to give it up in its next session.`
              : `Cancelled for ${cpeid}.`;
          io.stdout.write(printable(`${said}\n`));
          return;
        }
        await batches.cancel(id, operator());
        // What waits is withdrawn by this process, as long as nothing else of the batch is under way elsewhere.
        await batches.made(id);
        const progress = await progressOf(id, batches);
        io.stdout.write(printable(`Cancelled ${name}: nothing more of it is sent.\n`));
        io.stdout.write(countsText('', progress, columnsOf(io.stdout)));
      }),
  };
}

function retryCommand(io: Io): CommandModule {
  return {
    command: 'retry <id>',
    describe: 'Start again what has failed, timed out or was cancelled',
    builder: (argv) =>
      withBatchId(argv)
        .option('reason', {
          type: 'string',
          requiresArg: true,
          describe: 'Only CPEs that ended for this reason, as show tells it',
        })
        .option('cpe', { type: 'string', requiresArg: true, describe: 'Only this CPE, by its id' })
        .example('$0 batch retry ID --reason fault-9010', 'After the file server was mended'),
    handler: (args: Arguments) =>
      withBatches(args, io, async ({ batches }) => {
        const { id } = await batchNamed(args, batches);
        const { reason, cpe } = args;
        const filter = {
          ...(reason !== undefined && { reason: String(reason) }),
          ...(cpe !== undefined && { operation: operationIdOf(id, String(cpe) as CpeId) }),
        };
        const retried = await batches.retry(id, filter, operator());
        io.stdout.write(`${countOf(retried, 'CPE')} wait${retried === 1 ? 's' : ''} again.\n`);
      }),
  };
}

function deleteCommand(io: Io): CommandModule {
  return {
    command: 'delete <id>',
    describe: 'Cancel a batch, and delete it; what is under way goes on, and results of upgrades stay',
    builder: withBatchId,
    handler: (args: Arguments) =>
      withBatches(args, io, async ({ batches }) => {
        const { id, name } = await batchNamed(args, batches);
        await batches.remove(id, operator());
        await batches.made(id);
        io.stdout.write(printable(`Deleted ${name}.\n`));
      }),
  };
}
