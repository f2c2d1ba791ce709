import type { CommandModule } from 'yargs';
import { type Arguments, CommandError, endSignal } from '../command.js';
import { runDemo } from '../demo/demo.js';
import type { Io } from '../io.js';

const CPES_MAX = 500;

export function demoCommand(io: Io): CommandModule {
  return {
    command: 'demo',
    describe: 'Upgrade simulated CPEs end to end, two of which fail, and show how it went',
    builder: (argv) =>
      argv
        .option('count', {
          type: 'number',
          default: 20,
          requiresArg: true,
          describe: `CPEs, 3 to ${CPES_MAX}`,
        })
        .option('keep-running', {
          type: 'boolean',
          describe: 'Afterwards leave everything running until Ctrl-C',
        })
        .option('json', { type: 'boolean', describe: 'Print the results as JSON instead of a table' }),
    async handler(args: Arguments) {
      const count = Number(args['count']);
      if (!Number.isInteger(count) || count < 3 || count > CPES_MAX) {
        throw new CommandError(`--count must be a whole number from 3 to ${CPES_MAX}`, 2);
      }
      const isRight = await runDemo(io, {
        count,
        json: args['json'] === true,
        keepRunning: args['keepRunning'] === true,
        ended: endSignal(),
      });
      if (!isRight) throw new CommandError('the demo did not end as it should; see the table above');
    },
  };
}
