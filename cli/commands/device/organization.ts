import type { CommandModule } from 'yargs';
import { isAnyCpeId } from '../../../acs/index.js';
import { type Arguments, CommandError, operator } from '../../command.js';
import { type Io, printable } from '../../io.js';
import { withOrganizations } from '../../organizations-access.js';

/** Puts a CPE into an organization, or leaves that to the rules again. */
export function organizationCommand(io: Io): CommandModule {
  return {
    command: 'organization <id> [slug]',
    describe: 'Put a CPE into an organization by hand, whatever rules say',
    builder: (argv) =>
      argv
        .positional('id', { type: 'string', describe: 'The id of a CPE' })
        .positional('slug', { type: 'string', describe: 'The slug of an organization, or its id' })
        .option('automatic', {
          type: 'boolean',
          describe: 'Let the rules of the organizations say it again, from its next Inform on',
        })
        .example('$0 device organization 00A1B2-HGW-1 north', 'It is one of theirs')
        .example('$0 device organization 00A1B2-HGW-1 --automatic', 'Whose it is is for rules to say'),
    handler: (args: Arguments) => place(args, io),
  };
}

async function place(args: Arguments, io: Io): Promise<void> {
  const cpeid = String(args['id']);
  const slug = args['slug'] === undefined ? null : String(args['slug']);
  if ((slug === null) !== (args['automatic'] === true))
    throw new CommandError('say to whom: the slug of an organization, or --automatic', 2);
  if (!isAnyCpeId(cpeid)) throw new CommandError(printable(`${cpeid} is not the id of a CPE.`), 2);
  await withOrganizations(args, io, async ({ placements }) => {
    const { unknown, unchanged } = await placements.place([cpeid], slug, operator());
    if (unknown > 0) throw new CommandError(printable(`No CPE ${cpeid} is known.`));
    const is = slug === null ? 'is where rules say, from its next Inform on' : `belongs to ${slug}`;
    io.stdout.write(printable(`${cpeid} ${is}${unchanged > 0 ? ', as it did before' : ''}.\n`));
  });
}
