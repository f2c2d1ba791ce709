import type { Argv } from 'yargs';
import type { BatchId } from '../../../common/index.js';
import type { Batch, Batches, Progress } from '../../../rollout/index.js';
import { type Arguments, CommandError } from '../../command.js';
import { printable } from '../../io.js';

/** Adds the id of a batch. */
export function withBatchId<T>(argv: Argv<T>): Argv<T> {
  return argv.positional('id', { type: 'string', describe: 'The id of the batch' }) as Argv<T>;
}

/** The batch that a command names. @throws CommandError where there is none */
export async function batchNamed(args: Arguments, batches: Pick<Batches, 'get'>): Promise<Batch> {
  const id = String(args['id']);
  const batch = await batches.get(id as BatchId);
  if (batch === null) throw noBatch(id);
  return batch;
}

/** How far a batch has come. @throws CommandError where it was deleted meanwhile */
export async function progressOf(id: BatchId, batches: Pick<Batches, 'progress'>): Promise<Progress> {
  const progress = await batches.progress(id);
  if (progress === null) throw noBatch(id);
  return progress;
}

function noBatch(id: string): CommandError {
  return new CommandError(printable(`There is no batch ${id}; ferry batch list shows them.`));
}
