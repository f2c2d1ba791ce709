import { setTimeout as delay } from 'node:timers/promises';
import type { CommandModule } from 'yargs';
import { type BatchId, SECOND_MS } from '../../../common/index.js';
import type { Batches, BatchState, Progress } from '../../../rollout/index.js';
import { withBatches } from '../../batches-access.js';
import { type Arguments, CommandError } from '../../command.js';
import type { Io } from '../../io.js';
import { progressBar } from '../../progress.js';
import { batchNamed, progressOf, withBatchId } from './named.js';
import { batchJson, endedOf, progressText } from './report.js';

const LOOK_EVERY_MS = SECOND_MS;
const TITLE_COLUMNS = 14;
const BAR_COLUMNS = 18;

/** In these nothing more becomes of a batch by itself. */
const ENDED: ReadonlySet<BatchState> = new Set(['success', 'failed', 'cancelled']);

export function watchCommand(io: Io): CommandModule {
  return {
    command: 'watch <id>',
    describe: 'Watch a batch until it has ended; the exit code is 0 where all came well out of it',
    builder: (argv) =>
      withBatchId(argv)
        .option('json', { type: 'boolean', describe: 'Print how it ended as JSON' })
        .example('$0 batch watch ID && echo done', 'Go on once all CPEs run the new version'),
    handler: (args: Arguments) =>
      withBatches(args, io, async ({ batches }) => {
        const batch = await batchNamed(args, batches);
        const progress = await watching(batch.id, batch.name, batches, io);
        if (args['json'])
          io.stdout.write(
            `${JSON.stringify(batchJson(await batchNamed(args, batches), progress), null, 2)}\n`,
          );
        else io.stdout.write(progressText(progress, io));
        if (progress.state !== 'success') throw new CommandError(`The batch ended as ${progress.state}.`);
      }),
  };
}

/** Looks at it every second. @returns what it has come to, once it has ended and nothing of it runs */
async function watching(
  id: BatchId,
  name: string,
  batches: Pick<Batches, 'progress'>,
  io: Io,
): Promise<Progress> {
  const title = name.length > TITLE_COLUMNS ? `${name.slice(0, TITLE_COLUMNS - 1)}…` : name;
  const columns = { title: TITLE_COLUMNS, bar: BAR_COLUMNS };
  let progress = await progressOf(id, batches);
  const bar = progressBar(io, { title, total: progress.total, unit: 'items', columns });
  try {
    for (;;) {
      bar.at(endedOf(progress), noteOf(progress), progress.total);
      if (ENDED.has(progress.state) && progress.byState.running === 0) return progress;
      await delay(LOOK_EVERY_MS);
      progress = await progressOf(id, batches);
    }
  } finally {
    bar.stop();
  }
}

/** Short enough for a line of 80 columns. */
function noteOf({ state, byState: { running, failed, 'timed-out': timedOut } }: Progress): string {
  const bad = failed + timedOut;
  if (state !== 'in-progress' && running === 0) return state;
  return `${running} running${bad === 0 ? '' : `, ${bad} failed`}`;
}
