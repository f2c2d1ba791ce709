import type { CommandModule } from 'yargs';
import type { FreezeState } from '../../rules/index.js';
import { type Arguments, INSTALLATION_OPTIONS, operator, withConfig } from '../command.js';
import { type Io, printable, timeText } from '../io.js';
import { ORGANIZATION_OPTION, organizationNamed } from '../organization-option.js';
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
        .option('organization', {
          ...ORGANIZATION_OPTION,
          describe: 'The slug or id of an organization: the brake of its CPEs alone',
        })
        .option('json', { type: 'boolean', describe: 'Answer as JSON' })
        .conflicts('lift', 'status')
        .example('$0 freeze --reason "2.0.1 loses its VLANs"', 'Stop now')
        .example('$0 freeze --lift', 'Go on')
        .example('$0 freeze --organization north', 'Stop those of one organization'),
    handler: (args: Arguments) =>
      withRulesAlone(args, io, async (rules, organizations) => {
        const organization = organizationNamed(args, await organizations());
        const whose = organization === null ? {} : { organization: organization.id };
        const reason = typeof args['reason'] === 'string' ? { reason: args['reason'] } : {};
        if (!args['status'])
          await rules.freeze({ frozen: !args['lift'], by: operator(), ...reason, ...whose });
        // While the installation brakes for all, that is what holds.
        const state = await rules.freezeState(organization?.id);
        const text = stateText(state, organization === null ? '' : ` of ${organization.slug}`);
        io.stdout.write(args['json'] ? `${JSON.stringify(state)}\n` : `${text}\n`);
      }),
  };
}

/** @param whose  behind the word: of an organization */
function stateText({ frozen, by, reason, sinceMs }: FreezeState, whose: string): string {
  if (!frozen) return `Upgrades${whose} are running.`;
  const since = sinceMs === undefined ? '' : ` since ${timeText(sinceMs)}`;
  return printable(
    `Upgrades${whose} are frozen${since}${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '.' : `: ${reason}`}`,
  );
}
