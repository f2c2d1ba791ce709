import type { OrganizationsNow } from '../../../organizations/index.js';
import {
  type Batch,
  type BatchState,
  OPERATION_STATES,
  type OperationCounts,
  type Progress,
  reasonsOf,
} from '../../../rollout/index.js';
import { columnsOf, countOf, type Io, tableText, timeText } from '../../io.js';

/** What a batch would send, in a word or two. */
export function whatText({ what }: Pick<Batch, 'what'>): string {
  return 'image' in what ? what.image : `build ${what.build}`;
}

/** How many of a batch have come to an end, whichever. */
export function endedOf({ total, byState: { pending, running } }: OperationCounts): number {
  return total - pending - running;
}

/** `10 CPEs, 7 verified, 2 failed, 1 running`, in lines of so many columns; what there is none of is left out. */
export function countsText(head: string, { total, byState }: OperationCounts, columns: number): string {
  const some = OPERATION_STATES.filter((state) => byState[state] > 0);
  const lines: string[] = [];
  let line = `${head}${countOf(total, 'CPE')}`;
  for (const part of some.map((state) => `${byState[state]} ${state}`)) {
    const longer = `${line}, ${part}`;
    if (longer.length < columns) line = longer;
    else {
      lines.push(`${line},`);
      line = `  ${part}`;
    }
  }
  return `${[...lines, line].join('\n')}\n`;
}

/** What was not upgraded and why, the most frequent reason first; empty where there is none. */
export function reasonsText(progress: Pick<Progress, 'byReason' | 'examples'>, columns: number): string {
  const rows = reasonsOf(progress).map(({ reason, count, words, examples }) => [
    reason,
    String(count),
    words,
    examples.slice(0, 1).join(''),
  ]);
  if (rows.length === 0) return '';
  return `${tableText(['Reason', 'CPEs', 'What it means', 'Such as'], rows, columns)}\n`;
}

/** How far a batch has come, in a line and the reasons. */
export function progressText(progress: Progress, io: Pick<Io, 'stdout'>): string {
  const columns = columnsOf(io.stdout);
  return `${countsText(`${progress.state}: `, progress, columns)}${reasonsText(progress, columns)}`;
}

/** A batch with all that it was told, and how far it has come. */
export function batchText(
  batch: Batch,
  progress: Progress,
  organizations: OrganizationsNow,
  io: Pick<Io, 'stdout'>,
): string {
  const { whom, limits, organization } = batch;
  const some = (name: string, value: string | undefined) => (value === undefined ? [] : [[name, value]]);
  const rows = [
    ['id', batch.id],
    ['name', batch.name],
    ['sends', whatText(batch)],
    ['to', whomText(batch)],
    ...(whom.kind === 'condition' ? [['condition', JSON.stringify(whom.condition)]] : []),
    ...some('not before', batch.notBefore),
    ...some('not after', batch.notAfter),
    ['persistent', batch.persistent ? 'yes' : 'no'],
    ...some('given up', batch.endsAtMs === undefined ? undefined : timeText(batch.endsAtMs)),
    ...some('limits', limits === undefined ? undefined : JSON.stringify(limits)),
    ['priority', String(batch.priority)],
    ['wakes', batch.wakePerSecond === 0 ? 'none' : `${batch.wakePerSecond} a second`],
    ...some('organization', organization === undefined ? undefined : organizations.labelOf(organization)),
    ...some('made through', batch.through),
    ...some('note', batch.note),
    ['made by', batch.by],
    ['made', timeText(batch.createdAtMs)],
    ['changed', timeText(batch.updatedAtMs)],
  ];
  return `${tableText(['Field', 'Value'], rows, columnsOf(io.stdout))}\n${progressText(progress, io)}`;
}

function whomText({ whom }: Pick<Batch, 'whom'>): string {
  switch (whom.kind) {
    case 'list':
      return 'the CPEs that were named';
    case 'all':
      return 'all CPEs that were known when it was made';
    case 'condition':
      return 'whoever meets the condition';
    case 'build':
      return whom.firmwareless
        ? 'the devices of the build, also those without a firmware'
        : 'the devices of the build';
    default:
      return whom satisfies never;
  }
}

/** A batch and how far it has come, as JSON shows it. */
export function batchJson(
  batch: Batch,
  { state, ...progress }: OperationCounts & { readonly state: BatchState },
): Readonly<Record<string, unknown>> {
  return { ...batch, state, progress };
}
