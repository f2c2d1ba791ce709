import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CommandModule } from 'yargs';
import { epochMsOf, SECOND_MS, systemClock } from '../../common/index.js';
import { type Actor, type EventDocument, type EventFilter, EventLog, SUBJECTS } from '../../events/index.js';
import { AUDIT_CSV, auditView, csvRow } from '../../nbi/index.js';
import {
  type Arguments,
  CommandError,
  INSTALLATION_OPTIONS,
  withConfig,
  withInstallation,
} from '../command.js';
import { columnsOf, type Io, tableText, timeText } from '../io.js';
import { organizationIn, organizationOption } from '../organization-option.js';

const LISTED = 50;
const LISTED_MAX = 1_000;
const EXPORTS = ['ndjson', 'csv'] as const;
type Export = (typeof EXPORTS)[number];
const CHUNK_CHARACTERS = 16 * 1_024;

/** Who has changed what. */
export function auditCommand(io: Io): CommandModule {
  return {
    command: 'audit',
    describe: 'Who has changed what, the latest first',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS)
        .option('since', {
          type: 'string',
          requiresArg: true,
          describe: 'Not before then: 2026-11-29T00:00:00Z',
        })
        .option('until', { type: 'string', requiresArg: true, describe: 'Before then' })
        .option('by', { type: 'string', requiresArg: true, describe: 'Name of a user, or of a rule file' })
        .option('subject', { choices: SUBJECTS, describe: 'Of what kind it is that was changed' })
        .option('id', { type: 'string', requiresArg: true, describe: 'Its id, as of a rule or a CPE' })
        .option('action', { type: 'string', requiresArg: true, describe: 'What was done, as in removed' })
        .option('organization', organizationOption('Only what belongs to this organization'))
        .option('limit', {
          type: 'number',
          default: LISTED,
          requiresArg: true,
          describe: 'Most entries listed',
        })
        .option('json', {
          type: 'boolean',
          describe: 'Print them as JSON, with what was there before and after',
        })
        .option('export', {
          choices: EXPORTS,
          describe: 'Write all of them to standard output, however many',
        })
        .conflicts('json', 'export')
        .example('$0 audit --subject rule --id UPGRADE_00A1B2-HGW-1', 'What became of a rule')
        .example('$0 audit --export csv --since 2026-01-01T00:00:00Z > audit.csv', 'For a spreadsheet'),
    handler: (args: Arguments) => audit(args, io),
  };
}

async function audit(args: Arguments, io: Io): Promise<void> {
  const filter = filterOf(args);
  const limit = limitOf(args);
  await withInstallation(args, io, 'refuse', async ({ store }) => {
    const organization = (await organizationIn(args, store))?.id;
    const entries = new EventLog({ store, clock: systemClock }).scan({
      ...filter,
      ...(organization !== undefined && { organization }),
    });
    if (args['export'] !== undefined) return exportAll(entries, args['export'] as Export, io);
    const found: EventDocument[] = [];
    for await (const entry of entries) {
      found.push(entry);
      if (found.length > limit) break;
    }
    const shown = found.slice(0, limit);
    if (args['json']) io.stdout.write(`${JSON.stringify(shown.map(auditView), null, 2)}\n`);
    else io.stdout.write(listText(shown, found.length > limit, columnsOf(io.stdout)));
  });
}

/** @throws CommandError */
function filterOf(args: Arguments): EventFilter {
  const text = (name: string) => (args[name] === undefined ? undefined : String(args[name]));
  const fields = {
    fromMs: timeOf(args, 'since'),
    beforeMs: timeOf(args, 'until'),
    by: text('by'),
    // One of the choices.
    subject: args['subject'] as EventFilter['subject'] | undefined,
    subjectId: text('id'),
    action: text('action'),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** @throws CommandError */
function timeOf(args: Arguments, name: string): number | undefined {
  if (args[name] === undefined) return undefined;
  const text = String(args[name]);
  const epochMs = /^\d{1,11}$/.test(text) ? Number(text) * SECOND_MS : epochMsOf(text);
  if (epochMs !== null) return epochMs;
  throw new CommandError(`--${name}: must be a time, as in 2026-11-29T00:00:00Z, or epoch seconds`, 2);
}

/** @throws CommandError */
function limitOf(args: Arguments): number {
  const limit = Number(args['limit']);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LISTED_MAX) return limit;
  throw new CommandError(`--limit: must be a whole number from 1 to ${LISTED_MAX}; --export writes all`, 2);
}

/** Written as fast as it is read. */
async function exportAll(entries: AsyncIterable<EventDocument>, format: Export, io: Io): Promise<void> {
  const texts = format === 'csv' ? csvOf(entries) : ndjsonOf(entries);
  await pipeline(Readable.from(inChunks(texts), { objectMode: false }), io.stdout, { end: false });
}

async function* csvOf(entries: AsyncIterable<EventDocument>): AsyncGenerator<string> {
  yield csvRow(AUDIT_CSV.head);
  for await (const entry of entries) yield csvRow(AUDIT_CSV.row(auditView(entry)));
}

async function* ndjsonOf(entries: AsyncIterable<EventDocument>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(auditView(entry))}\n`;
}

async function* inChunks(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const text of texts) {
    chunk += text;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

function listText(shown: readonly EventDocument[], areMore: boolean, columns: number): string {
  if (shown.length === 0) return 'No such entry.\n';
  const rows = shown.map((entry) => [
    timeText(entry.atMs),
    entry.by === undefined ? '' : whoText(entry.by),
    `${entry.action} ${entry.subject}`,
    [subjectText(entry), ...changedFields(entry)].join('\n'),
  ]);
  const table = tableText(['Time', 'Who', 'What', 'Which'], rows, columns);
  return `${table}\n${areMore ? 'and more; --limit lists more, --export all\n' : ''}`;
}

function whoText({ name, how, address }: Actor): string {
  return [name, how === 'password' ? '' : `(${how})`, address ?? ''].filter((part) => part !== '').join(' ');
}

/** An organization's id tells people nothing, so its slug stands above it where the entry has that. */
function subjectText({ subject, subjectId, before, after }: EventDocument): string {
  const slug = subject === 'organization' ? (after?.['slug'] ?? before?.['slug']) : undefined;
  return typeof slug === 'string' ? `${slug}\n${subjectId}` : subjectId;
}

/** Of what was there before and after the names of the fields that differ, on a line of their own. */
function changedFields({ before, after }: EventDocument): readonly string[] {
  if (before === undefined || after === undefined) return [];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.length === 0 ? [] : [names.join(', ')];
}
