import type { CommandModule } from 'yargs';
import type { CpeId } from '../../../common/index.js';
import { type Arguments, CommandError, operator } from '../../command.js';
import { withCredentials } from '../../credentials-access.js';
import { type Io, printable } from '../../io.js';
import { ORGANIZATION_OPTION, organizationIn } from '../../organization-option.js';

/** An operator's word that a CPE which has lost its credentials is the one. */
export function readmitCommand(io: Io): CommandModule {
  return {
    command: 'readmit <id>',
    describe: 'Give a CPE that has lost its credentials new ones, when it comes within a day',
    builder: (argv) =>
      argv
        .positional('id', { type: 'string', describe: 'As DeviceStorage shows it' })
        .option('organization', ORGANIZATION_OPTION),
    handler: (args: Arguments) =>
      withCredentials(args, io, 'refuse', async ({ credentials, store }) => {
        const cpeid = String(args['id']) as CpeId;
        const organization = await organizationIn(args, store);
        if (!(await credentials.readmit(cpeid, operator(), organization)))
          throw new CommandError(
            printable(
              `${cpeid} has never used credentials of its own${organization === null ? '' : `, or does not belong to ${organization.slug}`}: it needs no readmission.`,
            ),
          );
        io.stdout.write(`${cpeid} is given new credentials when it comes within a day.\n`);
      }),
  };
}
