import type { CommandModule } from 'yargs';
import type { CpeId } from '../../../common/index.js';
import { type Arguments, CommandError, operator } from '../../command.js';
import { withCredentials } from '../../credentials-access.js';
import type { Io } from '../../io.js';

/** An operator's word that a CPE which has lost its credentials is the one. */
export function readmitCommand(io: Io): CommandModule {
  return {
    command: 'readmit <cpeid>',
    describe: 'Give a CPE that has lost its credentials new ones, when it comes within a day',
    builder: (argv) => argv.positional('cpeid', { type: 'string', describe: 'As DeviceStorage shows it' }),
    handler: (args: Arguments) =>
      withCredentials(args, io, 'refuse', async (credentials) => {
        const cpeid = String(args['cpeid']) as CpeId;
        if (!(await credentials.readmit(cpeid, operator())))
          throw new CommandError(`${cpeid} has never used credentials of its own: it needs no readmission.`);
        io.stdout.write(`${cpeid} is given new credentials when it comes within a day.\n`);
      }),
  };
}
