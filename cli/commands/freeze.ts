import type { CommandModule } from 'yargs';
import type { FreezeState } from '../../rules/index.js';
import { type Arguments, INSTALLATION_OPTIONS, operator, withConfig } from '../command.js';
import { type Io, printable, timeText } from '../io.js';
import { withRulesAlone } from '../rules-access.js';

export function freezeCommand(io: Io): CommandModule {
  return {
    command: 'freeze',
    describe: 'Emergency brake: no Download leaves any process until it is lifted',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS)
        .option('lift', { type: 'boolean', describe: 'Let upgrades go on' })
        .option('status', { type: 'boolean', describe: 'Only say whether upgrades are frozen' })
        .option('reason', { type: 'string', requiresArg: true, describe: 'Why, for whoever asks' })
        .option('json', { type: 'boolean', describe: 'Answer as JSON' })
        .conflicts('lift', 'status')
        .example('$0 freeze --reason "2.0.1 loses its VLANs"', 'Stop now')
        .example('$0 freeze --lift', 'Go on'),
    handler: (args: Arguments) =>
      withRulesAlone(args, io, async (rules) => {
        const reason = typeof args['reason'] === 'string' ? { reason: args['reason'] } : {};
        const state = args['status']
          ? await rules.freezeState()
          : await rules.freeze({ frozen: !args['lift'], by: operator(), ...reason });
        io.stdout.write(args['json'] ? `${JSON.stringify(state)}\n` : `${stateText(state)}\n`);
      }),
  };
}

function stateText({ frozen, by, reason, sinceMs }: FreezeState): string {
  if (!frozen) return 'Upgrades are running.';
  const since = sinceMs === undefined ? '' : ` since ${timeText(sinceMs)}`;
  return printable(
    `Upgrades are frozen${since}${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '.' : `: ${reason}`}`,
  );
}
