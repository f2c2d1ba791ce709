import type { CommandModule } from 'yargs';
import type { CpeId } from '../../../common/index.js';
import type { Organization } from '../../../organizations/index.js';
import { knownCpes, type MatchReport, matchDevices, ruleAskedFor } from '../../../rollout/index.js';
import { type Limits, type MatchTarget, type RuleMatch, writtenId } from '../../../rules/index.js';
import { type Arguments, CommandError, limitOf } from '../../command.js';
import { columnsOf, type Io, printable, tableText } from '../../io.js';
import { organizationNamed } from '../../organization-option.js';
import { progressBar } from '../../progress.js';
import { withRules } from '../../rules-access.js';
import { draftOf, momentOf, withRuleAndMoment } from './asked.js';

const CPES_LISTED = 100;
const CPES_LISTED_MAX = 100_000;
/** A bar for less is gone before it is seen. */
const CPES_FOR_BAR_MIN = 1_000;

export function matchCommand(io: Io): CommandModule {
  return {
    command: 'match [rule]',
    describe: 'Which known CPEs a rule would upgrade now, also before it is enabled',
    builder: (argv) =>
      withRuleAndMoment(argv)
        .option('condition', {
          type: 'string',
          requiresArg: true,
          describe: 'Instead of a rule: which CPEs this JSONata expression is true for',
        })
        .option('limit', {
          type: 'number',
          default: CPES_LISTED,
          requiresArg: true,
          describe: 'Most CPEs listed; all are counted',
        })
        .option('after', {
          type: 'string',
          requiresArg: true,
          describe: 'Look only at CPEs behind this id, as in the last one listed',
        })
        .example('$0 rules match hgw-2.0.0', 'Whom would it upgrade?')
        .example('$0 rules match --file rules/hgw.json --limit 10', 'The same of a rule that is not stored'),
    handler: (args: Arguments) =>
      withRules(args, io, async ({ rules, devices }) => {
        const listedMax = limitOf(args, CPES_LISTED_MAX);
        const moment = momentOf(args);
        const after = args['after'] === undefined ? {} : { after: String(args['after']) as CpeId };
        const organizations = await devices.organizations();
        const organization = organizationNamed(args, organizations);
        const match = await rules.match(await targetOf(args, organization));
        const known = await knownCpes(devices, organization, organizations);
        const walksAll = Object.keys(match.narrowed).length === 0 && known >= CPES_FOR_BAR_MIN;
        const bar = walksAll ? progressBar(io, { title: 'Looking', total: known, unit: 'items' }) : null;
        const report = await matchDevices(devices, {
          match,
          organization,
          listedMax,
          ...moment,
          ...after,
          isOver: () => false,
          onLooked: (lookedAt) => bar?.at(lookedAt),
        }).finally(() => bar?.stop());
        const { rule } = match;
        io.stdout.write(
          args['json']
            ? `${JSON.stringify({ rule: rule === null ? null : writtenId(rule.id), enabled: rule?.enabled, known, ...report }, null, 2)}\n`
            : reportText(match, known, report, columnsOf(io.stdout)),
        );
      }),
  };
}

async function targetOf(args: Arguments, organization: Organization | null): Promise<MatchTarget> {
  const draft = await draftOf(args);
  const { rule, condition } = args;
  if ((draft !== undefined || rule !== undefined) === (condition !== undefined)) {
    throw new CommandError('say what to look for: the id of a rule, --file FILE or --condition TEXT', 2);
  }
  const asking = organization === null ? {} : { organization: organization.id };
  if (condition !== undefined) return { condition: String(condition), ...asking };
  return draft === undefined
    ? { ruleId: ruleAskedFor(organization, String(rule)), ...asking }
    : { draft, ...asking };
}

function reportText({ rule }: RuleMatch, known: number, report: MatchReport, columns: number): string {
  const { lookedAt, matching, wouldUpgradeNow, verdicts, cpes, errors } = report;
  const counts = Object.entries(verdicts).sort(([, left], [, right]) => right - left);
  const lines = [
    ...(rule === null
      ? []
      : [`Rule ${writtenId(rule.id)}${rule.enabled ? '' : ', as though it were enabled (it is not)'}`]),
    `${known} CPEs are known, ${lookedAt} were looked at: ${matching} match${rule === null ? '' : `, ${wouldUpgradeNow} would be upgraded now`}.`,
    ...(rule?.limits === undefined ? [] : [limitsText(rule.limits, wouldUpgradeNow)]),
    ...counts.map(([verdict, count]) => `  ${String(count).padStart(8)}  ${verdict}`),
  ];
  const listed = [...cpes, ...errors];
  if (listed.length > 0) {
    const rows = listed.map(({ cpeid, softwareVersion = '', verdict, detail = '' }) => [
      cpeid,
      softwareVersion,
      verdict,
      detail,
    ]);
    const isDetailed = rows.some((row) => row.at(-1) !== '');
    const shown = isDetailed ? rows : rows.map((row) => row.slice(0, -1));
    lines.push(
      '',
      tableText(['CPE', 'Version', 'Verdict', 'Detail'].slice(0, shown[0]?.length), shown, columns),
    );
  }
  const last = cpes.at(-1);
  if (last !== undefined && matching > cpes.length) {
    lines.push(
      `and ${matching - cpes.length} more that match; --limit lists more, --after ${last.cpeid} the next`,
    );
  }
  // Tables have been made printable cell by cell.
  return `${lines.map((each) => (each.includes('\n') ? each : printable(each))).join('\n')}\n`;
}

function limitsText(limits: Limits, wouldUpgradeNow: number): string {
  const { concurrent = Number.POSITIVE_INFINITY, total = Number.POSITIVE_INFINITY } = limits;
  const told = Object.entries(limits).map(([name, value]) => `${name} ${String(value)}`);
  const what = wouldUpgradeNow > Math.min(concurrent, total) ? 'Its limits let through fewer' : 'Its limits';
  return `${what}: ${told.join(', ')}.`;
}
