import type { CommandModule } from 'yargs';
import { approveConnectionRequestUrl } from '../../../acs/index.js';
import { type CpeId, silentLogger, systemClock } from '../../../common/index.js';
import { type Arguments, CommandError, operator, withInstallation } from '../../command.js';
import { type Io, printable } from '../../io.js';

export function approveUrlCommand(io: Io): CommandModule {
  return {
    command: 'approve-url <id> <host>',
    describe: 'Say that the address to which a connection-request URL has moved is the CPE’s own',
    builder: (argv) =>
      argv
        .positional('id', { type: 'string', describe: 'Its id in DeviceStorage' })
        .positional('host', { type: 'string', describe: 'Host of its connectionRequestUrl' })
        .example('$0 device approve-url 00A1B2-HGW-1 192.0.2.7', 'Where you know that it is there now'),
    handler: (args: Arguments) => approveUrl(String(args['id']), String(args['host']), args, io),
  };
}

async function approveUrl(cpeid: string, host: string, args: Arguments, io: Io): Promise<void> {
  await withInstallation(args, io, 'refuse', async ({ store }) => {
    const parts = { store, clock: systemClock, logger: silentLogger };
    const approval = await approveConnectionRequestUrl(parts, cpeid as CpeId, host, operator());
    switch (approval.kind) {
      case 'approved': {
        const { url, changed } = approval;
        const said = changed ? `Approved ${url} of ${cpeid}.` : `${url} of ${cpeid} has not moved.`;
        io.stdout.write(`${printable(said)}\n`);
        return;
      }
      case 'unknown-cpe':
        throw new CommandError(printable(`No CPE is known as ${cpeid}.`));
      case 'elsewhere':
        throw new CommandError(
          printable(
            approval.host === null
              ? `The URL of ${cpeid} names no host: approve it once it does.`
              : `The URL of ${cpeid} names another host, ${approval.host}: approve that if it is the CPE's own.`,
          ),
        );
      default:
        return approval satisfies never;
    }
  });
}
