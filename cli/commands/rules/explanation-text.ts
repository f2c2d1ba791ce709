import type { DescribedCpe } from '../../../acs/index.js';
import type { CpeExplanation, RuleName } from '../../../rollout/index.js';
import type { ConjunctFinding, RuleExplanation } from '../../../rules/index.js';
import { printable } from '../../io.js';

const TEXT_CHARACTERS_MAX = 100;
const MARKS: Readonly<Record<ConjunctFinding['outcome'], string>> = {
  true: '✔',
  false: '✖',
  error: '!',
  'not-evaluated': '·',
};

/** An explanation with its rules as they are called. */
export interface ToldExplanation extends Omit<CpeExplanation, 'winner' | 'rules'> {
  readonly winner?: string;
  readonly rules: readonly ToldRule[];
}

interface ToldRule extends Omit<RuleExplanation, 'ruleId'>, Omit<RuleName, 'id'> {
  readonly ruleId: string;
}

/** An explanation for a person at a terminal: what is decided and why, then each rule with its conjuncts. */
export function explanationText({ input }: DescribedCpe, explanation: ToldExplanation): string {
  const { cpeid, softwareVersion } = input.context;
  const { kind, winner, reason, rules, omitted } = explanation;
  const runs =
    softwareVersion === undefined ? 'its software version is not known' : `runs ${softwareVersion}`;
  const head = [
    `CPE       ${line(cpeid)}, ${line(runs)}`,
    `Decision  ${kind}${winner === undefined ? '' : `: ${line(winner)}`}`,
    `Why       ${line(reason, reason.length)}`,
  ];
  const more = omitted === 0 ? [] : ['', `and ${omitted} more rules; --limit shows more of them`];
  return `${[...head, ...rules.flatMap((rule) => ['', ...ruleLines(rule)]), ...more].join('\n')}\n`;
}

/** What became of a rule, and only those of its conjuncts that did not hold. */
export function stoppedText(rule: RuleExplanation): readonly string[] {
  const stopped = rule.conjuncts.filter(({ outcome }) => outcome !== 'true' && outcome !== 'not-evaluated');
  return [`${line(rule.ruleId)}: ${verdictText(rule)}`, ...stopped.flatMap(conjunctLines)];
}

function ruleLines(rule: ToldRule): readonly string[] {
  const { ruleId, priority, conjuncts, warning } = rule;
  const warned = warning === undefined ? [] : [`  ! ${line(warning.message, warning.message.length)}`];
  return [
    `${line(ruleId)}${ownerText(rule)}, priority ${priority}: ${verdictText(rule)}`,
    ...warned,
    ...conjuncts.flatMap(conjunctLines),
  ];
}

function ownerText({ organization, of }: ToldRule): string {
  const owner = of === undefined ? organization : `the ${of}`;
  return owner === undefined ? '' : ` of ${line(owner)}`;
}

/** Where a conjunct did not hold it says what the detail would, and more. */
function verdictText({ verdict, detail, conjuncts }: Omit<RuleExplanation, 'ruleId'>): string {
  const isSaidBelow = conjuncts.some(({ outcome }) => outcome === 'false' || outcome === 'error');
  return detail === undefined || isSaidBelow ? verdict : `${verdict} (${line(detail, detail.length)})`;
}

function conjunctLines({ text, outcome, found, message }: ConjunctFinding): readonly string[] {
  const values = found.map(
    ({ path, value }) => `      ${line(path)} ${value === undefined ? 'is missing' : `is ${shown(value)}`}`,
  );
  const said = message === undefined ? [] : [`      ${line(message, message.length)}`];
  return [`  ${MARKS[outcome]} ${line(text)}`, ...values, ...said];
}

function shown(value: unknown): string {
  return line(JSON.stringify(value));
}

/** On one line, and nothing in it that steers the terminal. */
function line(text: string, charactersMax = TEXT_CHARACTERS_MAX): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  return printable(flat.length > charactersMax ? `${flat.slice(0, charactersMax)}…` : flat);
}
