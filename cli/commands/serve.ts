import type { CommandModule } from 'yargs';
import { systemClock } from '../../common/index.js';
import { type Arguments, endSignal, loggerOf, withConfig } from '../command.js';
import { CONFIG_NAMES } from '../config.js';
import { readConfig, unknownVariables } from '../config-sources.js';
import type { Io } from '../io.js';
import { type Ferry, startFerry } from '../server.js';

export function serveCommand(io: Io): CommandModule {
  return {
    command: 'serve',
    describe: 'Run the server: CWMP listener, northbound interface and file server',
    builder: (argv) =>
      withConfig(argv, CONFIG_NAMES)
        .example('$0 serve --rules-dir rules.d --public-file-url http://192.0.2.1:7567', 'The usual way')
        .example(
          '$0 serve --cpe-auth home:secret --connection-request-subnet 10.0.0.0/8',
          'CPEs behind a management network',
        ),
    async handler(args: Arguments) {
      const config = await readConfig(args, io.environment);
      const unknown = unknownVariables(io.environment);
      if (unknown !== null) io.stderr.write(`ferry: ${unknown}\n`);
      const logger = loggerOf(config);
      const ended = endSignal();
      const ferry = await startFerry(config, { clock: systemClock, logger });
      greet(ferry, io);
      const signal = await ended;
      logger.info('ferry.stopping', { signal });
      await ferry.close();
      logger.info('ferry.stopped');
    },
  };
}

function greet({ urls, firstAdmin, newCpeCredentials }: Ferry, io: Io): void {
  const lines = [
    `CPEs connect to       ${urls.cwmp}/`,
    `Northbound interface  ${urls.nbi}/v1/`,
    `Firmware files        ${urls.files}/`,
  ];
  if (firstAdmin !== null) {
    lines.push(`First user            ${firstAdmin.name}, password ${firstAdmin.password} (shown this once)`);
  }
  if (newCpeCredentials !== null) {
    const { username, password } = newCpeCredentials;
    lines.push(`CPEs log in as        ${username}, password ${password} (again by ferry config --secrets)`);
  }
  io.stdout.write(`${lines.join('\n')}\n`);
}
