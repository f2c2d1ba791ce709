import type { CommandModule } from 'yargs';
import {
  type ApprovalCounts,
  type CpeIdentity,
  type Device,
  openApprovals,
  UnknownCpeError,
} from '../../../acs/index.js';
import { type CpeId, isListed, silentLogger, subnetList, systemClock } from '../../../common/index.js';
import { belongsTo, type Organization } from '../../../organizations/index.js';
import { type Arguments, CommandError, operator, withInstallation } from '../../command.js';
import { cpeIdentityOf } from '../../cpe-identity.js';
import { isIdOf, readCpeIds } from '../../cpe-names.js';
import { readingFile } from '../../files.js';
import { countOf, type Io, printable } from '../../io.js';
import { ORGANIZATION_OPTION, organizationNamed } from '../../organization-option.js';

/** Of a file or of those that wait, so many at a time. */
const BATCH = 1_000;

/** Enrols CPEs, those that wait and those that are yet to come. */
export function approveCommand(io: Io): CommandModule {
  return {
    command: 'approve [ids..]',
    describe: 'Enrol CPEs that wait, or name some that are to be enrolled when they come (--enrol)',
    builder: (argv) =>
      argv
        .positional('ids', { type: 'string', array: true, describe: 'Whole ids of CPEs' })
        .option('from', {
          type: 'string',
          requiresArg: true,
          describe: 'File of ids, one a line, or CSV with a column cpeid',
        })
        .option('all-waiting', { type: 'boolean', describe: 'All that wait now' })
        .option('ip', {
          type: 'string',
          requiresArg: true,
          describe: 'Of all that wait only those whose last Inform came from this subnet',
        })
        .option('organization', {
          ...ORGANIZATION_OPTION,
          describe: 'Only CPEs that are known and belong to this organization, by its slug or id',
        })
        .example('$0 device approve 00A1B2-HGW-1', 'It is one of yours')
        .example('$0 device approve --from delivered.csv', 'Before they come, with --enrol known')
        .example('$0 device approve --all-waiting --ip 192.0.2.0/24', 'Those of one network'),
    handler: (args: Arguments) => approve(args, io),
  };
}

async function approve(args: Arguments, io: Io): Promise<void> {
  const named = namedIn(args);
  const subnet = subnetIn(args);
  const path = args['from'] === undefined ? null : String(args['from']);
  const ways = [named.length > 0, path !== null, args['allWaiting'] === true].filter(Boolean).length;
  if (ways !== 1) throw new CommandError('say which: ids, --from FILE, or --all-waiting', 2);
  if (subnet !== null && args['allWaiting'] !== true)
    throw new CommandError('--ip goes with --all-waiting', 2);
  // All of it first: nothing is approved of a file with a damaged line.
  if (path !== null) await overFile(path, null, async () => {});
  await withInstallation(args, io, path === null ? 'refuse' : 'make', async ({ store }) => {
    const by = await cpeIdentityOf(store);
    for (const id of named) requireId(id, by);
    const opened = openApprovals({ store, clock: systemClock, logger: silentLogger });
    const sum = { approved: 0, named: 0, enrolled: 0 };
    try {
      const organization = organizationNamed(args, await opened.devices.organizations());
      const take = async (cpeids: readonly CpeId[]) => {
        const counts = await opened.approvals.approve(cpeids, operator(), organization);
        sum.approved += counts.approved;
        sum.named += counts.named;
        sum.enrolled += counts.enrolled;
      };
      const check = async (cpeids: readonly CpeId[]) => {
        if (organization !== null) await opened.approvals.requireKnown(cpeids, organization);
      };
      // All of it first: nothing is approved of a file that names what is no CPE's id here, or another's CPE.
      if (path !== null) await overFile(path, by, check);
      if (path !== null) await overFile(path, by, take);
      else if (named.length > 0) await take(named);
      else
        await inBatches(
          opened.devices.scan({ isWaiting: true }),
          (device) => (isMeant(device, subnet, organization) ? device.id : null),
          take,
        );
    } catch (error) {
      if (!(error instanceof UnknownCpeError)) throw error;
      throw new CommandError(printable(`No CPE ${error.cpeid} is known in ${String(args['organization'])}.`));
    } finally {
      await opened.close();
    }
    io.stdout.write(textOf(sum));
  });
}

function isMeant(
  { ip, organization: placement }: Device,
  subnet: ReturnType<typeof subnetList> | null,
  organization: Organization | null,
): boolean {
  if (subnet !== null && !isListed(subnet, ip)) return false;
  return organization === null || belongsTo(organization, placement?.id);
}

function namedIn(args: Arguments): readonly CpeId[] {
  const ids: unknown = args['ids'];
  return (Array.isArray(ids) ? ids.map(String) : []).map((id) => {
    requireId(id, null);
    return id;
  });
}

function requireId(id: string, by: CpeIdentity | null): asserts id is CpeId {
  if (!isIdOf(id, by)) throw new CommandError(printable(`${id} is not the id of a CPE.`), 2);
}

function subnetIn(args: Arguments): ReturnType<typeof subnetList> | null {
  if (args['ip'] === undefined) return null;
  try {
    return subnetList([String(args['ip'])]);
  } catch (error) {
    throw new CommandError(printable(`--ip: ${error instanceof Error ? error.message : String(error)}`), 2);
  }
}

function overFile(
  path: string,
  by: CpeIdentity | null,
  take: (cpeids: readonly CpeId[]) => Promise<void>,
): Promise<void> {
  return readingFile(path, (text) => inBatches(readCpeIds(text, by), (cpeid) => cpeid, take));
}

/** @param idOf  null leaves one out */
async function inBatches<T>(
  all: AsyncIterable<T>,
  idOf: (one: T) => CpeId | null,
  take: (cpeids: readonly CpeId[]) => Promise<void>,
): Promise<void> {
  let batch: CpeId[] = [];
  for await (const one of all) {
    const id = idOf(one);
    if (id !== null) batch.push(id);
    if (batch.length < BATCH) continue;
    await take(batch);
    batch = [];
  }
  await take(batch);
}

function textOf({ approved, named, enrolled }: ApprovalCounts): string {
  const lines = [`Enrolled ${countOf(approved, 'CPE')}.`];
  if (named > 0)
    lines.push(
      `${countOf(named, 'CPE')} not heard of yet: with --enrol known enrolled at the first Inform, with --enrol approve to be approved after it.`,
    );
  if (enrolled > 0) lines.push(`${countOf(enrolled, 'CPE')} enrolled already.`);
  return `${lines.join('\n')}\n`;
}
