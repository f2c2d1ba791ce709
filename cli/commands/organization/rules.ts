import type { CommandModule } from 'yargs';
import { CpeCredentials, type Device, surveyMemberships } from '../../../acs/index.js';
import { type OrganizationId, systemClock } from '../../../common/index.js';
import { type Arguments, CommandError, operator } from '../../command.js';
import { parseCredentials } from '../../config.js';
import { readingFile } from '../../files.js';
import { CPE_USER_NAME } from '../../installation.js';
import { columnsOf, countOf, type Io, tableText } from '../../io.js';
import { type Opened, withOrganizations } from '../../organizations-access.js';
import { progressBar } from '../../progress.js';
import { withSlug } from './changes.js';

/** More than a hundred rules have whose conditions are as long as they may be. */
const FILE_BYTES_MAX = 16 * 1_024 * 1_024;
/** A bar for less is gone before it is seen. */
const CPES_FOR_BAR_MIN = 1_000;

/** Shows the rules of an organization, or sets them from a file. */
export function rulesCommand(io: Io): CommandModule {
  return {
    command: 'rules <slug> [file]',
    describe: 'Print the rules by which CPEs belong to an organization, or set them from a JSON file',
    builder: (argv) =>
      withSlug(argv)
        .positional('file', {
          type: 'string',
          describe:
            'An array of {"subnet": …}, {"username": …} and {"condition": …}, as this command prints it',
        })
        .option('dry-run', {
          type: 'boolean',
          describe: 'Change nothing: only count how many of the known CPEs would belong where',
        })
        .option('json', { type: 'boolean', describe: 'Print what --dry-run counts as JSON' })
        .example('$0 organization rules north', 'Print them')
        .example('$0 organization rules north north.json --dry-run', 'Who would move?')
        .example('$0 organization rules north north.json', 'Set them'),
    handler: (args: Arguments) =>
      withOrganizations(args, io, async (opened) => {
        const { organizations } = opened;
        const found = await organizations.find(String(args['slug']));
        const path = args['file'] === undefined ? null : String(args['file']);
        const rules = path === null ? found.rules : await rulesIn(path);
        if (args['dryRun']) return survey(args, io, opened, found.id, rules);
        if (path === null) {
          io.stdout.write(`${JSON.stringify(found.rules, null, 2)}\n`);
          return;
        }
        const changed = await organizations.change(found.id, { rules }, operator());
        io.stdout.write(
          `${changed.slug} has ${countOf(changed.rules.length, 'rule')} now. CPEs move with their next Inform.\n`,
        );
      }),
  };
}

async function rulesIn(path: string): Promise<unknown> {
  return readingFile(path, async (text, sizeBytes) => {
    if (sizeBytes > FILE_BYTES_MAX) throw new CommandError(`it may have ${FILE_BYTES_MAX} bytes at most`);
    const chunks: Buffer[] = [];
    for await (const chunk of text) chunks.push(chunk as Buffer);
    try {
      return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
    } catch (error) {
      throw new CommandError(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

async function survey(
  args: Arguments,
  io: Io,
  { organizations, devices, conditions, installation, config }: Opened,
  id: OrganizationId,
  rules: unknown,
): Promise<void> {
  const all = await organizations.wouldBe(id, { rules });
  const { store, secrets } = installation;
  const credentials = new CpeCredentials({ store, secrets, clock: systemClock });
  const known = await devices.count();
  const bar =
    known >= CPES_FOR_BAR_MIN ? progressBar(io, { title: 'Looking', total: known, unit: 'items' }) : null;
  const found = await surveyMemberships(
    {
      devices,
      conditions,
      clock: systemClock,
      usernameOf,
      onLooked: (lookedAt) => bar?.at(lookedAt),
    },
    all,
  ).finally(() => bar?.stop());
  if (args['json']) {
    io.stdout.write(`${JSON.stringify(found)}\n`);
    return;
  }
  const rows = Object.entries(found.organizations).map(([slug, { cpes, moving }]) => [
    slug,
    String(cpes),
    String(moving),
  ]);
  io.stdout.write(`${tableText(['Organization', 'CPEs', 'of them new'], rows, columnsOf(io.stdout))}\n`);

  /** What a rule has asked for is kept; else what it would have logged in as. */
  async function usernameOf({ id: cpeid, identityProven }: Device): Promise<string | null> {
    if (identityProven === true) {
      for await (const { username } of credentials.scan({ cpeid })) return username;
    }
    return config.allowAnonymousCpe ? null : (parseCredentials(config.cpeAuth)?.username ?? CPE_USER_NAME);
  }
}
