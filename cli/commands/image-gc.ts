import type { CommandModule } from 'yargs';
import { upgradesIn } from '../../acs/index.js';
import { DAY_MS, silentLogger, systemClock } from '../../common/index.js';
import { type Collected, collectImages, type KeptBecause } from '../../firmware/index.js';
import { batchesIn, usesOfImages } from '../../rollout/index.js';
import { openRules } from '../../rules/index.js';
import { type Arguments, CommandError, operator } from '../command.js';
import { withImages, withOrganization } from '../images-access.js';
import { columnsOf, countOf, type Io, printable, sizeText, tableText } from '../io.js';

const DAYS = /^([0-9]{1,5})d?$/;

/** `ferry image gc`: removes the images that nobody needs. */
export function gcCommand(io: Io): CommandModule {
  return {
    command: 'gc',
    describe: 'Remove the images that no rule and no running upgrade names, and that were not used for long',
    builder: (argv) =>
      withOrganization(argv, 'Whose images, by slug; without, those that are shared by all')
        .option('unused-for', {
          type: 'string',
          requiresArg: true,
          default: '90d',
          describe: 'What was added, or sent to a CPE, within so many days stays',
        })
        .option('keep', {
          type: 'number',
          requiresArg: true,
          default: 0,
          describe: 'So many of each product class and hardware version stay, the newest',
        })
        .option('keep-builds', {
          type: 'number',
          requiresArg: true,
          default: 0,
          describe: 'So many builds of each category stay with all their images, the newest',
        })
        .option('dry-run', { type: 'boolean', describe: 'Only tell what would go, and why the others stay' })
        .option('json', { type: 'boolean', describe: 'Print it as JSON' })
        .example('$0 image gc --unused-for 180d --keep 3 --dry-run', ''),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images, installation, organization }) => {
        const [unusedMs, keepNewest] = [daysIn(args['unusedFor']) * DAY_MS, countIn(args['keep'], '--keep')];
        const keepBuilds = countIn(args['keepBuilds'], '--keep-builds');
        const dryRun = args['dryRun'] === true;
        const { store, secrets } = installation;
        const parts = { store, secrets, clock: systemClock, logger: silentLogger };
        const rules = await openRules({ ...parts, resolveFile: async () => null });
        try {
          const collected = await collectImages(
            { images, uses: usesOfImages({ rules, upgrades: upgradesIn(store), batches: batchesIn(store) }) },
            {
              ...(organization !== null && { organization: organization.id }),
              unusedMs,
              keepNewest,
              keepBuilds,
              dryRun,
              nowMs: systemClock(),
              by: operator(),
            },
          );
          io.stdout.write(
            `${args['json'] ? jsonOf(collected, dryRun) : report(collected, dryRun, columnsOf(io.stdout))}\n`,
          );
        } finally {
          await rules.close();
        }
      }),
  };
}

function daysIn(value: unknown): number {
  const [, days] = DAYS.exec(String(value)) ?? [];
  if (days !== undefined) return Number(days);
  throw new CommandError('--unused-for must be a number of days, as in 90d', 2);
}

function countIn(value: unknown, option: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new CommandError(`${option} must be a whole number of at least 0`, 2);
}

const REASONS: Readonly<Record<KeptBecause, string>> = {
  young: 'added lately',
  newest: 'one of the newest',
  'newest-build': 'of one of the newest builds',
  'build-stays': 'its build stays',
  'named-by-rule': 'named by',
  'upgrade-running': 'an upgrade runs',
  'used-lately': 'sent to a CPE lately',
  'not-looked-at': 'too many at once: run it again',
  'changed-meanwhile': 'named or changed meanwhile',
};

function report({ removed, removedBuilds, kept }: Collected, dryRun: boolean, columns: number): string {
  const bytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const [would, stay] = dryRun ? ['would be removed', 'would stay'] : ['removed', 'stay'];
  const rows = [
    ...removed.map(({ name }) => [name, would]),
    ...kept.map(({ image, because, rules = [] }) => [
      image.name,
      `${REASONS[because]} ${rules.join(', ')}`.trim(),
    ]),
  ];
  const builds = removedBuilds.length === 0 ? '' : ` and ${countOf(removedBuilds.length, 'build')}`;
  const sum = `${countOf(removed.length, 'image')}${builds} ${would} (${sizeText(bytes)}), ${kept.length} ${stay}.`;
  return rows.length === 0
    ? sum
    : `${tableText(
        ['Name', 'What becomes of it'],
        rows.map((row) => row.map(printable)),
        columns,
      )}\n${sum}`;
}

function jsonOf({ removed, removedBuilds, kept }: Collected, dryRun: boolean): string {
  const told = {
    dryRun,
    removed: removed.map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes, sha256 })),
    removedBuilds: removedBuilds.map(({ id, category, version }) => ({ id, category, version })),
    kept: kept.map(({ image, because, rules }) => ({ name: image.name, because, rules })),
  };
  return JSON.stringify(told, null, 2);
}
