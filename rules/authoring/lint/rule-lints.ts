import type { CompiledCondition, ConditionFlaw } from '../../condition/index.js';
import { demandedBy } from '../../fleet/index.js';
import type { ValidRule } from '../../validation/index.js';
import { conditionRemarks } from './condition-lints.js';
import { constantRemarks } from './constant-lint.js';
import type { Remark } from './finding.js';
import { timeRemarks } from './time-lints.js';
import { windowRemarks } from './window-lints.js';

type RuleToCheck = ValidRule['rule'];

/** Fields that name single CPEs: a rule for a handful of those needs no limits. */
const NAMES_OF_CPES: ReadonlySet<string> = new Set(['cpeid', 'serialNumber', 'ip']);
const HANDFUL = 100;

/** What is to be said of one valid rule by itself. */
export function ruleRemarks(
  rule: RuleToCheck,
  condition: CompiledCondition,
  flaws: readonly ConditionFlaw[],
  nowMs: number,
): readonly Remark[] {
  const { file, target, limits, executions } = rule;
  const remarks: Remark[] = [...constantRemarks(flaws, conditionRemarks(rule.condition))];
  if (limits === undefined && rule.automatic && !isForAHandful(condition)) {
    remarks.push({
      code: 'no-limits',
      path: [],
      message:
        'the rule is for a fleet and nothing stops it; add limits such as {"concurrent": 50, "stopAfterFailures": 20}',
    });
  }
  if (condition.pin === null && condition.requirements.every((each) => demandedBy(each) === null)) {
    remarks.push({
      code: 'not-indexed',
      path: ['condition'],
      message:
        'evaluated in every session of every CPE; add a conjunct such as productClass = "…" that rules most CPEs out',
    });
  }
  if (condition.closure === null) {
    remarks.push({
      code: 'uncompiled',
      path: ['condition'],
      message:
        'runs in JSONata itself, in a process apart and within the 50 ms of a decision; docs/rules.md says what need not (“What is fast”)',
    });
  }
  if (executions === 0) {
    remarks.push({
      code: 'never-runs',
      path: ['executions'],
      message: 'with 0 executions no upgrade ever starts; use "enabled": false to pause a rule',
    });
  }
  remarks.push(...timeRemarks(rule, nowMs));
  if (rule.window !== undefined) remarks.push(...windowRemarks(rule.window));
  if (file.includes('://') && target === undefined) {
    remarks.push({
      code: 'no-target',
      path: ['file'],
      message:
        'nothing says which version the file is, so no upgrade is verified by it; add "target": {"softwareVersion": "…"}',
    });
  }
  return remarks;
}

function isForAHandful({ pin, requirements }: CompiledCondition): boolean {
  return (
    pin !== null ||
    requirements.some(
      ({ path, values, patterns = [] }) =>
        NAMES_OF_CPES.has(path.join('.')) && values.length <= HANDFUL && patterns.length === 0,
    )
  );
}
