import { setTimeout as delay } from 'node:timers/promises';
import type { CommandModule } from 'yargs';
import { SECOND_MS } from '../../../common/index.js';
import type { Batch, BatchWhat, NewBatch, NewWhom, Progress } from '../../../rollout/index.js';
import type { Condition, Limits } from '../../../rules/index.js';
import { type OpenedBatches, withBatches } from '../../batches-access.js';
import { type Arguments, CommandError, operator } from '../../command.js';
import { readCpeNames } from '../../cpe-names.js';
import { readingFile } from '../../files.js';
import { countOf, type Io, printable } from '../../io.js';
import { organizationNamed, organizationOption } from '../../organization-option.js';
import { type ProgressBar, progressBar } from '../../progress.js';
import { progressOf } from './named.js';
import { batchJson, progressText } from './report.js';

const LOOK_EVERY_MS = SECOND_MS;
/** Of those that come from standard input nobody knows how many there will be: it is told at each of so many. */
const TOLD_EVERY = 10_000;

export function createCommand(io: Io): CommandModule {
  return {
    command: 'create',
    describe: 'Make a batch: running servers act on it, nothing before all of it is made',
    builder: (argv) =>
      argv
        .option('name', {
          type: 'string',
          demandOption: true,
          requiresArg: true,
          describe: 'What to call it',
        })
        .option('image', {
          type: 'string',
          requiresArg: true,
          describe: 'The image that its CPEs are to get',
        })
        .option('build', {
          type: 'string',
          requiresArg: true,
          describe: 'Instead: of this build, by its id, each CPE gets the image that is for it',
        })
        .option('cpes', {
          type: 'string',
          requiresArg: true,
          describe:
            'File of CPEs by id or serial number, one a line, or CSV with a column cpeid; - is standard input',
        })
        .option('all', { type: 'boolean', describe: 'Every CPE that is known now' })
        .option('condition', {
          type: 'string',
          requiresArg: true,
          describe: 'Whoever meets it, whenever it comes: JSONata, or an object as that of a rule',
        })
        .option('build-devices', {
          type: 'boolean',
          describe: 'The devices of the build: those with a firmware of its category that do not run it',
        })
        .option('firmwareless', {
          type: 'boolean',
          implies: 'build-devices',
          describe: 'Also CPEs without a firmware that fit one of its images',
        })
        .option('not-before', {
          type: 'string',
          requiresArg: true,
          describe: 'Send nothing before then: 2026-12-01T02:00:00+01:00',
        })
        .option('not-after', { type: 'string', requiresArg: true, describe: 'Send nothing from then on' })
        .option('once', {
          type: 'boolean',
          describe: 'Give up what was not sent within an hour, rather than waiting for CPEs that are away',
        })
        .option('priority', {
          type: 'number',
          requiresArg: true,
          describe: 'As that of a rule; 0 unless said',
        })
        .option('wake-per-second', {
          type: 'number',
          requiresArg: true,
          describe: 'How many waiting CPEs a second are called; 10 unless said, 0: none is',
        })
        .option('concurrent', {
          type: 'number',
          requiresArg: true,
          describe: 'With --condition: most upgrades under way at a time',
        })
        .option('total', {
          type: 'number',
          requiresArg: true,
          describe: 'With --condition: most it may start',
        })
        .option('stop-after-failures', {
          type: 'number',
          requiresArg: true,
          describe: 'With --condition: how many failed upgrades stop it',
        })
        .option('note', { type: 'string', requiresArg: true, describe: 'What there is to be said of it' })
        .option('organization', organizationOption('Whose batch it is, of its CPEs alone, by its slug or id'))
        .option('json', { type: 'boolean', describe: 'Print what was made as JSON' })
        .example('$0 batch create --name Berlin --image hgw-2.0.0.bin --cpes berlin.txt', 'Those of a file')
        .example(
          '$0 batch create --name Night --image hgw-2.0.0.bin --all --not-before 2026-12-01T02:00:00+01:00',
          'All of them, at night',
        ),
    handler: (args: Arguments) => create(args, io),
  };
}

function create(args: Arguments, io: Io): Promise<void> {
  const said = saidIn(args);
  const others = whomIn(args);
  return withBatches(args, io, async (opened) => {
    const organization = organizationNamed(args, opened.organizations);
    const make = (whom: NewWhom) =>
      opened.batches.create(
        { ...said, whom, ...(organization !== null && { organization: organization.id }) },
        operator(),
      );
    const batch =
      others === null
        ? await makeOfList(String(args['cpes']), make, io)
        : await makeOfOthers(others, make, opened, io);
    const progress = await progressOf(batch.id, opened.batches);
    if (args['json']) io.stdout.write(`${JSON.stringify(batchJson(batch, progress), null, 2)}\n`);
    else io.stdout.write(madeText(batch, progress, io));
  });
}

type Make = (whom: NewWhom) => Promise<Batch>;

/** @param path  `-` is standard input */
function makeOfList(path: string, make: Make, io: Io): Promise<Batch> {
  if (path === '-') return make({ kind: 'list', cpeids: counted(readCpeNames(io.stdin), io) });
  return readingFile(path, async (text, sizeBytes) => {
    const bar = progressBar(io, { title: 'Making', total: sizeBytes, unit: 'bytes' });
    try {
      const cpeids = showing(readCpeNames(text), () => bar.at(text.bytesRead));
      const made = await make({ kind: 'list', cpeids });
      bar.at(sizeBytes);
      return made;
    } finally {
      bar.stop();
    }
  });
}

async function* showing(names: AsyncIterable<string>, show: () => void): AsyncGenerator<string> {
  for await (const name of names) {
    show();
    yield name;
  }
}

async function* counted(names: AsyncIterable<string>, io: Pick<Io, 'stderr'>): AsyncGenerator<string> {
  let count = 0;
  for await (const name of names) {
    count++;
    if (count % TOLD_EVERY === 0) io.stderr.write(`Making: ${countOf(count, 'CPE')}\n`);
    yield name;
  }
}

/** What is made in the background is waited for: it would be gone on with by a server only once this process was missed. */
async function makeOfOthers(whom: NewWhom, make: Make, opened: OpenedBatches, io: Io): Promise<Batch> {
  const { batches, devices } = opened;
  const batch = await make(whom);
  if (whom.kind === 'condition') return batch;
  const total = await devices.count();
  const bar: ProgressBar = progressBar(io, { title: 'Making', total, unit: 'items' });
  const isMade = batches.made(batch.id).then(() => true);
  try {
    while (!(await Promise.race([isMade, delay(LOOK_EVERY_MS, false)])))
      bar.at((await progressOf(batch.id, batches)).total);
  } finally {
    bar.stop();
  }
  return (await batches.get(batch.id)) ?? batch;
}

function madeText({ id, name }: Batch, progress: Progress, io: Io): string {
  return `Made ${printable(name)}, ${id}\n${progressText(progress, io)}ferry batch watch ${id} shows how it goes on.\n`;
}

/** What is said of a batch beside whom it is for. @throws CommandError */
function saidIn(args: Arguments): Omit<NewBatch, 'whom' | 'organization'> {
  const text = (name: string) => (args[name] === undefined ? undefined : String(args[name]));
  const number = (name: string) => (args[name] === undefined ? undefined : Number(args[name]));
  const said = {
    notBefore: text('notBefore'),
    notAfter: text('notAfter'),
    priority: number('priority'),
    wakePerSecond: number('wakePerSecond'),
    note: text('note'),
  };
  const limits = {
    concurrent: number('concurrent'),
    total: number('total'),
    stopAfterFailures: number('stopAfterFailures'),
  };
  return {
    name: String(args['name']),
    what: whatIn(args),
    persistent: args['once'] !== true,
    through: 'batches',
    ...definedOf(said),
    ...(Object.keys(definedOf(limits)).length > 0 && { limits: definedOf(limits) satisfies Limits }),
  };
}

function whatIn(args: Arguments): BatchWhat {
  const { image, build } = args;
  if ((image === undefined) === (build === undefined))
    throw new CommandError('say what to send: --image, or --build', 2);
  return image === undefined ? { build: String(build) } : { image: String(image) };
}

type Defined<T> = { readonly [Name in keyof T]?: Exclude<T[Name], undefined> };

function definedOf<T extends Readonly<Record<string, unknown>>>(fields: T): Defined<T> {
  // What is left has no other fields, and none that is undefined.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** @returns null: those of a list. @throws CommandError where not just one way is said */
function whomIn(args: Arguments): NewWhom | null {
  const { cpes, all, condition, buildDevices } = args;
  const ways = [cpes !== undefined, all === true, condition !== undefined, buildDevices === true];
  if (ways.filter(Boolean).length !== 1)
    throw new CommandError('say for whom: --cpes FILE, --all, --condition, or --build-devices', 2);
  if (cpes !== undefined) return null;
  if (all === true) return { kind: 'all' };
  if (buildDevices === true) return { kind: 'build', firmwareless: args['firmwareless'] === true };
  return { kind: 'condition', condition: conditionOf(String(condition)) };
}

/** The object form is JSON; everything else is JSONata, whose own objects hold for nobody. */
function conditionOf(text: string): Condition {
  try {
    const value: unknown = JSON.parse(text);
    // Whether it is a condition is for the rules to judge.
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Condition) : text;
  } catch {
    return text;
  }
}
