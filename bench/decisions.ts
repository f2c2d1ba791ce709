import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import jsonata from 'jsonata';
import { type CountKey, createLogger, createSecrets, systemClock } from '../common/index.js';
import { OrganizationDirectory } from '../organizations/index.js';
import { type DecisionInput, openRules } from '../rules/index.js';
import { openLmdbStore } from '../store/index.js';
import { serialOf } from './envelopes.js';
import { anonymousBytes } from './memory.js';
import { cpeidOf, fleetRule, modelOf, pinnedRule } from './rule-bodies.js';

/** What decisions cost in a process that has just been started on a store with so many rules. */
export interface DecisionCosts {
  /** From an empty process to the first decision. */
  readonly openMs: number;
  readonly rssAnonBytes: number;
  /** Medians. `none`: no rule is true; `done`: one is, and has done its work; `upgrade`: one is, and would start now. */
  readonly microseconds: Readonly<Record<'none' | 'done' | 'upgrade', number>>;
  /** For one decision made by evaluating every rule with jsonata; estimated from fewer rules where there are more than that. */
  readonly jsonataMicroseconds: number;
  readonly jsonataRules: number;
}

const WARM_UP = 3_000;
const MEASURED = 5_000;
const JSONATA_RULES_MAX = 10_000;
const JSONATA_DECISIONS = 5;

const [dataDir = '', kind = '', countText = ''] = process.argv.slice(2);
const count = Number(countText);
const startedMs = performance.now();
const store = await openLmdbStore({ directory: join(dataDir, 'store') });
const rules = await openRules({
  store,
  clock: systemClock,
  logger: createLogger({ level: 'error', format: 'json' }),
  secrets: createSecrets(randomBytes(32)),
  resolveFile: async () => ({ softwareVersion: '9.0.0' }),
});

/** The CPEs belong to them in turn, where there are others than the default. */
const organizations = (await new OrganizationDirectory({ store }).latest()).all.filter(
  ({ isDefault }) => !isDefault,
);

function inputOf(index: number, done: boolean): DecisionInput {
  const nowMs = Date.now();
  const organization = organizations[index % organizations.length];
  const model = kind === 'fleet' ? modelOf(index) : { productClass: 'HGW', softwareVersion: '0.9.0' };
  return {
    context: {
      cpeid: cpeidOf(index) as DecisionInput['context']['cpeid'],
      oui: '00A1B2',
      serialNumber: serialOf(index),
      manufacturer: 'Acme Networks',
      identity: { proven: false },
      hardwareVersion: 'HGW-7490-rev3',
      events: ['2 PERIODIC'],
      tags: [],
      organization: organization?.slug ?? 'default',
      ip: '10.20.30.40',
      lastInform: nowMs,
      registered: nowMs,
      now: nowMs,
      model: model.productClass,
      ...model,
    },
    readParameters: async () => ({}),
    unread: async () => [],
    counts: done ? countsOf(index) : {},
    requested: false,
    ...(organization !== undefined && { organization: organization.id }),
  };
}

const countKeys = new Map<number, CountKey>();

function countsOf(index: number): DecisionInput['counts'] {
  const key = countKeys.get(index);
  if (key === undefined) return {};
  return { [key]: { started: 1, failures: 0, verified: true, givenBack: 0 } };
}

/** Which CPEs are asked about: spread over all rules; those beyond them have none. */
const asked = Array.from({ length: 500 }, (_, position) => Math.floor((position * count) / 500));

async function medianMicroseconds(which: 'none' | 'done' | 'upgrade'): Promise<number> {
  const inputs = asked.map((index) =>
    inputOf(which === 'none' ? index + 10_000_000 : index, which === 'done'),
  );
  const expected = which === 'upgrade' ? 'upgrade' : 'nothing';
  const took: number[] = [];
  for (let round = 0; round < WARM_UP + MEASURED; round++) {
    const input = inputs[round % inputs.length];
    if (input === undefined) throw new Error('There are no inputs');
    const before = performance.now();
    const decision = await rules.decide(input);
    took.push((performance.now() - before) * 1_000);
    if (decision.kind !== expected) throw new Error(`Decided ${decision.kind} where ${expected} was right`);
  }
  const measured = took.slice(WARM_UP).sort((a, b) => a - b);
  return measured[Math.floor(measured.length / 2)] ?? 0;
}

for (const index of asked) {
  const decision = await rules.decide(inputOf(index, false));
  if (decision.kind === 'upgrade') countKeys.set(index, decision.countKey);
}
const openMs = performance.now() - startedMs;
const rssAnonBytes = await anonymousBytes(process.pid);

async function jsonataMicroseconds(): Promise<number> {
  const bodies = Array.from({ length: Math.min(count, JSONATA_RULES_MAX) }, (_, index) =>
    kind === 'fleet'
      ? fleetRule(index).condition
      : (pinnedRule(index, '') as { condition: unknown }).condition,
  );
  const expressions = bodies.map((condition) => jsonata(textOf(condition)));
  const context = inputOf(Math.floor(count / 2), false).context;
  const took: number[] = [];
  for (let round = 0; round < JSONATA_DECISIONS; round++) {
    const before = performance.now();
    for (const expression of expressions) await expression.evaluate(context);
    took.push((performance.now() - before) * 1_000);
  }
  took.sort((a, b) => a - b);
  return ((took[Math.floor(took.length / 2)] ?? 0) * count) / expressions.length;
}

function textOf(condition: unknown): string {
  if (typeof condition === 'string') return condition;
  return Object.entries(condition as object)
    .map(([field, value]) => `${field} = ${JSON.stringify(value)}`)
    .join(' and ');
}

const costs: DecisionCosts = {
  openMs,
  rssAnonBytes,
  microseconds: {
    none: await medianMicroseconds('none'),
    done: await medianMicroseconds('done'),
    upgrade: await medianMicroseconds('upgrade'),
  },
  jsonataMicroseconds: await jsonataMicroseconds(),
  jsonataRules: Math.min(count, JSONATA_RULES_MAX),
};
process.send?.(costs);
await rules.close();
await store.close();
process.disconnect?.();
