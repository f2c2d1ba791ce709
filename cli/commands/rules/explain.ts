import type { CommandModule } from 'yargs';
import { type Belonging, type DescribedCpe, type Devices, describedCpe } from '../../../acs/index.js';
import type { CpeId } from '../../../common/index.js';
import { type CpeExplanation, explainFor, ruleNameOf, rulesAskedFor } from '../../../rollout/index.js';
import { writtenId } from '../../../rules/index.js';
import { type Arguments, CommandError, limitOf } from '../../command.js';
import { type Io, printable } from '../../io.js';
import { organizationNamed } from '../../organization-option.js';
import { withRules } from '../../rules-access.js';
import { draftOf, idIn, momentOf, readBytes, readJson, withRuleAndMoment } from './asked.js';
import { explanationText, type ToldExplanation } from './explanation-text.js';

const RULES_LISTED = 20;
const RULES_LISTED_MAX = 1_000;

export function explainCommand(io: Io): CommandModule {
  return {
    command: 'explain [rule]',
    describe: 'Why a rule does or does not hit a CPE, or what becomes of every rule',
    builder: (argv) =>
      withRuleAndMoment(argv)
        .option('cpe', { type: 'string', requiresArg: true, describe: 'The id of a CPE that is known' })
        .option('cpe-file', {
          type: 'string',
          requiresArg: true,
          describe: 'A JSON file that describes a CPE, as "cpe" does in a test of rules',
        })
        .option('inform', {
          type: 'string',
          requiresArg: true,
          describe: 'An XML file with a captured Inform; what --cpe-file says goes before it',
        })
        .option('limit', {
          type: 'number',
          default: RULES_LISTED,
          requiresArg: true,
          describe: 'Most rules shown, those that tell something before the others',
        })
        .example('$0 rules explain hgw-2.0.0 --cpe 00A1B2-HGW-1', 'Does it hit this CPE, and why not?')
        .example('$0 rules explain --cpe 00A1B2-HGW-1', 'What becomes of every rule'),
    handler: (args: Arguments) =>
      withRules(args, io, async ({ rules, devices }) => {
        const limit = limitOf(args, RULES_LISTED_MAX);
        const draft = await draftOf(args);
        const organizations = await devices.organizations();
        const organization = organizationNamed(args, organizations);
        const belonging = { organizations, organization };
        const cpe = await cpeOf(args, devices, belonging);
        const named = args['rule'] ?? idIn(draft);
        const ids =
          named === undefined
            ? undefined
            : await rulesAskedFor(rules, organization, [String(named)], cpe.input);
        const explanation = await explainFor(rules, cpe, {
          limit,
          ...(ids === undefined ? {} : { ids }),
          ...(draft === undefined ? {} : { draft }),
          ...(organization !== null && { organization: organization.id }),
        });
        const shown = shownTo(belonging, explanation);
        const { cpeid, softwareVersion } = cpe.input.context;
        io.stdout.write(
          args['json']
            ? `${JSON.stringify({ cpeid, softwareVersion, ...shown }, null, 2)}\n`
            : explanationText(cpe, shown),
        );
      }),
  };
}

/** Its rules as they are called, see {@link ruleNameOf}. */
function shownTo(
  { organization: asking, organizations }: Belonging,
  explanation: CpeExplanation,
): ToldExplanation {
  const { winner, rules } = explanation;
  return {
    ...explanation,
    ...(winner !== undefined && { winner: writtenId(winner) }),
    rules: rules.map((rule) => {
      const { id: ruleId, ...owner } = ruleNameOf(rule.ruleId, asking, organizations);
      return { ...rule, ruleId, ...owner };
    }),
  };
}

async function cpeOf(args: Arguments, devices: Devices, belonging: Belonging): Promise<DescribedCpe> {
  const { cpe: id, 'cpe-file': cpeFile, inform: informFile } = args;
  const isDescribed = cpeFile !== undefined || informFile !== undefined;
  if ((id !== undefined) === isDescribed) {
    throw new CommandError(
      'say which CPE: --cpe ID, or describe one with --cpe-file FILE, --inform FILE or both',
      2,
    );
  }
  const moment = momentOf(args);
  if (isDescribed) {
    const cpe = cpeFile === undefined ? {} : { cpe: await readJson(String(cpeFile)) };
    const inform = informFile === undefined ? {} : { inform: await readBytes(String(informFile)) };
    return describedCpe({ ...cpe, ...inform }, moment, {
      known: devices,
      belonging,
      cpeIdentity: devices.cpeIdentity,
    });
  }
  const known = await devices.describe(String(id) as CpeId, moment);
  const { organization } = belonging;
  if (known !== null && (organization === null || known.input.organization === organization.id)) return known;
  throw new CommandError(
    `There is no CPE ${printable(String(id))}: none has informed under this id. --cpe-file describes one.`,
  );
}
