import { isDeepStrictEqual } from 'node:util';
import { compareVersions } from '../../condition/index.js';
import type { ValidRule } from '../../validation/index.js';
import { type Fact, factsOf, implies, valuesAt } from './facts.js';
import { quoted, type Remark } from './finding.js';

type RuleToCheck = ValidRule['rule'];

/** Rules that share what they are looked up by; beyond these they are not compared, or ten thousand alike would take minutes. */
const COMPARED_MAX = 200;
/** A long list of values says nothing that rules could be looked up by cheaply. */
const KEYS_OF_FACT_MAX = 100;

interface Member {
  readonly index: number;
  readonly rule: RuleToCheck;
  readonly facts: readonly Fact[];
}

/** A remark on one of the rules handed in, by its place among them. */
export interface SetRemark extends Remark {
  readonly index: number;
}

/**
 * What is to be said of rules that are together in one installation.
 *
 * A verified upgrade ends a rule for its CPE, and the next rule gets its turn. So no rule is kept out for ever by another one; what can
 * be said for certain is what becomes of a CPE that both are for. Only pairs are looked at of which the one that goes first is for
 * every CPE that the other is for, always (no window or limits of its own, not only on request).
 */
export function setRemarks(rules: readonly RuleToCheck[]): readonly SetRemark[] {
  const members = rules.flatMap((rule, index): Member[] => {
    const facts = rule.executions === 0 ? null : factsOf(rule.condition);
    return facts === null || facts.length === 0 ? [] : [{ index, rule, facts }];
  });
  const lookUp = lookUpOf(members);
  return members.flatMap((later) => {
    const candidates = lookUp(later).sort((a, b) => b.rule.priority - a.rule.priority || a.index - b.index);
    for (const first of candidates) {
      const remark = first.index === later.index ? null : pairRemark(first, later);
      // One is enough: when it is mended the next one shows.
      if (remark !== null) return [{ ...remark, index: later.index }];
    }
    return [];
  });
}

/** Finds the rules whose facts may follow from another's: each lies under the rarest key that any such other one has too. */
function lookUpOf(members: readonly Member[]): (narrow: Member) => Member[] {
  const uses = new Map<string, number>();
  for (const { facts } of members) {
    for (const key of facts.flatMap(keysOf)) uses.set(key, (uses.get(key) ?? 0) + 1);
  }
  const byKey = new Map<string, Member[]>();
  for (const member of members) {
    const rarest = member.facts
      .map(keysOf)
      .map((keys) => ({ keys, uses: keys.reduce((sum, key) => sum + (uses.get(key) ?? 0), 0) }))
      .sort((a, b) => a.uses - b.uses)[0];
    for (const key of rarest?.keys ?? []) {
      const list = byKey.get(key);
      if (list === undefined) byKey.set(key, [member]);
      else if (list.length < COMPARED_MAX) list.push(member);
    }
  }
  return ({ facts }) => [
    ...new Set(facts.flatMap((fact) => keysOf(fact).slice(0, 1)).flatMap((key) => byKey.get(key) ?? [])),
  ];
}

/** What follows from a fact has one of its keys, whichever of its values is asked for. */
function keysOf(fact: Fact): readonly string[] {
  if (fact.kind === 'other') return [fact.wording];
  return [...fact.values]
    .slice(0, KEYS_OF_FACT_MAX)
    .map((value) => `${fact.field}\0${typeof value}\0${String(value)}`);
}

function pairRemark(first: Member, later: Member): Remark | null {
  if (!goesFirst(first, later) || !implies(later.facts, first.facts)) return null;
  const both = implies(first.facts, later.facts);
  const name = quoted(first.rule.id);
  if (first.rule.file === later.rule.file && isDeepStrictEqual(first.rule.target, later.rule.target)) {
    if (both) {
      return {
        code: 'same-upgrade',
        path: ['id'],
        message: `the same condition and file as rule ${name}: each counts its executions of its own; keep one of them`,
      };
    }
    if (later.rule.force === true || !isAlwaysReady(first.rule)) return null;
    return {
      code: 'shadowed',
      path: ['condition'],
      message: `rule ${name} goes first and upgrades all of these CPEs to the same file; give this one a higher priority, or remove it`,
    };
  }
  if (!isAlwaysReady(first.rule)) return null;
  return twiceRemark(first, later, both);
}

/** Of equals the older one goes first, which the files do not show; then the one before it in the files stands for it. */
function goesFirst(first: Member, later: Member): boolean {
  if (!first.rule.enabled && later.rule.enabled) return false;
  if (!first.rule.automatic && later.rule.automatic) return false;
  const { priority } = first.rule;
  return priority > later.rule.priority || (priority === later.rule.priority && first.index < later.index);
}

function isAlwaysReady({ window, limits }: RuleToCheck): boolean {
  return window === undefined && limits === undefined;
}

function twiceRemark(first: Member, later: Member, both: boolean): Remark | null {
  const reached = first.rule.target?.softwareVersion;
  const next = later.rule.target?.softwareVersion;
  const versions = valuesAt(later.facts, 'softwareVersion');
  const name = quoted(first.rule.id);
  if (versions !== null) {
    // The second step of two: it waits for what the first one leads to.
    if (reached === undefined || versions.has(reached)) return null;
    return {
      code: 'shadowed',
      path: ['condition'],
      message: `rule ${name} goes first, and after it these CPEs run ${quoted(reached)}, which this condition does not name`,
    };
  }
  // A condition that looks at the version in another way may well tell a CPE before the first upgrade from one after it.
  const looksAtVersion = later.facts.some(
    (fact) => fact.kind === 'other' && fact.wording.includes('"softwareVersion"'),
  );
  if (looksAtVersion && !both) return null;
  const downgrade = reached !== undefined && next !== undefined && compareVersions(next, reached) < 0;
  const end = downgrade ? `, which is a downgrade from ${quoted(reached)} to ${quoted(next)}` : '';
  return {
    code: 'upgraded-twice',
    path: ['condition'],
    message: looksAtVersion
      ? `the same condition as rule ${name}, which goes first, but another target; let each name its own CPEs`
      : `rule ${name} goes first for these CPEs, then this one upgrades them again${end}; let each name its own CPEs`,
  };
}
