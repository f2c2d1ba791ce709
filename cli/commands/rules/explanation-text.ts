import type { CpeExplanation, DescribedCpe } from '../../../acs/index.js';
import type { ConjunctFinding, RuleExplanation } from '../../../rules/index.js';
import { printable } from '../../io.js';

const TEXT_CHARACTERS_MAX = 100;
const MARKS: Readonly<Record<ConjunctFinding['outcome'], string>> = {
  true: '✔',
  false: '✖',
  error: '!',
  'not-evaluated': '·',
};

/** An explanation for a person at a terminal: what is decided and why, then each rule with its conjuncts. */
export function explanationText({ input }: DescribedCpe, explanation: CpeExplanation): string {
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

function ruleLines({ ruleId, verdict, detail, priority, conjuncts }: RuleExplanation): readonly string[] {
  const said = detail === undefined ? verdict : `${verdict} (${line(detail, detail.length)})`;
  return [`${line(ruleId)}, priority ${priority}: ${said}`, ...conjuncts.flatMap(conjunctLines)];
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
