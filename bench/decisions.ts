import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CpeId, silentLogger, systemClock } from '../common/index.js';
import { type DecisionInput, openRules, type RuleEngine } from '../rules/index.js';
import { openLmdbStore } from '../store/index.js';

/** The fleet rules differ in these, so that a CPE meets about one of them, however many there are. */
const PRODUCT_CLASSES = 10;
const SOFTWARE_VERSIONS = 50;
const POSTED_AT_ONCE = 1_000;
const WARM_UP_DECISIONS = 500;

export interface RuleCounts {
  readonly fleet: number;
  readonly pinned: number;
}

export interface DecisionTimes {
  readonly medianMicroseconds: number;
  readonly p99Microseconds: number;
  /** How many of the decisions found a rule: a benchmark that never does measures little. */
  readonly found: number;
}

/** The fleet rule of this number: three conjuncts, as equalities. */
export function fleetRule(number: number): Record<string, unknown> {
  return { id: `FLEET-${number}`, file: 'bench.bin', condition: fieldsOf(number) };
}

/** The rule pinned to the CPE of this number. */
export function pinnedRule(number: number): Record<string, unknown> {
  return { id: `PIN-${number}`, file: 'bench.bin', condition: { cpeid: cpeidOf(number) } };
}

/** A periodic session of the CPE of this number: it meets the fleet rule and the pinned rule of its number. */
export function inputOf(number: number): DecisionInput {
  return {
    context: {
      cpeid: cpeidOf(number),
      oui: '00A1B2',
      serialNumber: String(number),
      manufacturer: 'Bench',
      events: ['2 PERIODIC'],
      tags: ['bench'],
      ip: '192.0.2.1',
      lastInform: 0,
      registered: 0,
      now: 0,
      ...fieldsOf(number),
    },
    readParameters: async () => ({}),
    unread: async () => [],
    counts: {},
    requested: false,
  };
}

/** Runs `use` on rules of their own in a temporary directory, with so many stored. */
export async function withRules<Result>(
  { fleet, pinned }: RuleCounts,
  use: (rules: RuleEngine) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-bench-'));
  const store = await openLmdbStore({ directory });
  try {
    const rules = await openRules({
      store,
      clock: systemClock,
      logger: silentLogger,
      resolveFile: async () => ({ softwareVersion: '2.0.0' }),
    });
    await postRules(rules, fleet, fleetRule);
    await postRules(rules, pinned, pinnedRule);
    try {
      return await use(rules);
    } finally {
      await rules.close();
    }
  } finally {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param numbers  of the CPEs to decide for, one after the other */
export async function timeDecisions(
  rules: Pick<RuleEngine, 'decide'>,
  numbers: readonly number[],
): Promise<DecisionTimes> {
  for (const number of numbers.slice(0, WARM_UP_DECISIONS)) await rules.decide(inputOf(number));
  const times: number[] = [];
  let found = 0;
  for (const number of numbers) {
    const input = inputOf(number);
    const startedNs = process.hrtime.bigint();
    const { kind } = await rules.decide(input);
    times.push(Number(process.hrtime.bigint() - startedNs) / 1_000);
    if (kind !== 'nothing') found += 1;
  }
  times.sort((left, right) => left - right);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { medianMicroseconds: at(0.5), p99Microseconds: at(0.99), found };
}

async function postRules(
  rules: RuleEngine,
  count: number,
  body: (number: number) => Record<string, unknown>,
): Promise<void> {
  for (let start = 0; start < count; start += POSTED_AT_ONCE) {
    const length = Math.min(POSTED_AT_ONCE, count - start);
    const bodies = Array.from({ length }, (_, index) => body(start + index));
    await rules.put(bodies, { author: 'bench', onlyNew: false });
  }
}

function cpeidOf(number: number): CpeId {
  return `00A1B2-HGW-${number}` as CpeId;
}

function fieldsOf(number: number) {
  return {
    productClass: `HGW${number % PRODUCT_CLASSES}`,
    softwareVersion: `1.${Math.floor(number / PRODUCT_CLASSES) % SOFTWARE_VERSIONS}`,
    hardwareVersion: `r${Math.floor(number / (PRODUCT_CLASSES * SOFTWARE_VERSIONS))}`,
  };
}
