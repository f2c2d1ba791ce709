import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { CpeId, LogFields, Logger, RuleId } from '../../common/index.js';
import { byCommand } from '../../events/index.js';
import { createIsolate } from '../../rules/condition/isolate/index.js';
import type { EvaluationMeans, IsolatedOutcome } from '../../rules/decision/evaluation.js';
import { createProbation } from '../../rules/decision/probation.js';
import {
  type Decision,
  type DecisionInput,
  type ImageFacts,
  openRules,
  type PutCounts,
  type RuleEngine,
  type RulesOptions,
  type StoredRule,
} from '../../rules/index.js';
import type { RuleFailure } from '../../rules/storage/failure.js';
import { createPauses } from '../../rules/vocabulary/pause.js';
import { openLmdbStore, type Store } from '../../store/index.js';
import { haveOrganizations } from '../support/organizations-there.js';
import { testSecrets } from '../support/secrets.js';

export const CPE = '00A1B2-HGW-1' as CpeId;
/** 2026-01-31 02:30 in UTC, a Saturday. */
export const NOW_MS = Date.UTC(2026, 0, 31, 2, 30);

/** A CPE as a session would describe it. */
export function contextOf(over: Partial<DecisionInput['context']> = {}): DecisionInput['context'] {
  return {
    cpeid: CPE,
    oui: '00A1B2',
    productClass: 'HGW',
    serialNumber: '1',
    manufacturer: 'Acme',
    softwareVersion: '1.0.0',
    events: ['2 PERIODIC'],
    tags: [],
    organization: 'default',
    ip: '192.0.2.1',
    identity: { proven: false },
    lastInform: NOW_MS,
    registered: NOW_MS,
    now: NOW_MS,
    model: over.modelName ?? over.productClass ?? 'HGW',
    ...over,
  };
}

export function inputOf(
  over: Partial<DecisionInput['context']> = {},
  rest: Partial<Omit<DecisionInput, 'context'>> = {},
): DecisionInput {
  return {
    context: contextOf(over),
    readParameters: async () => ({}),
    unread: async () => [],
    counts: {},
    requested: false,
    ...rest,
  };
}

export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-rules-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export interface TestRules {
  readonly rules: RuleEngine;
  readonly store: Store;
  readonly clock: { nowMs: number };
  /** What became of the conditions that needed JSONata itself. */
  readonly isolated: readonly IsolatedOutcome[];
  /** What `resolveFile` knows. */
  readonly images: Map<string, ImageFacts>;
  readonly log: readonly { readonly event: string; readonly fields: LogFields }[];
  readonly logger: Logger;
  /** Another process's rules on the same store. */
  another(): Promise<RuleEngine>;
  stored(id: string): Promise<StoredRule>;
}

async function openTestStore(t: ExecutionContext): Promise<Store> {
  const store = await openLmdbStore({ directory: await temporaryDirectory(t) });
  t.teardown(() => store.close());
  return store;
}

/** Ids of two organizations that are there. */
export const NORTH = '11111111-1111-4111-8111-111111111111';
export const SOUTH = '22222222-2222-4222-8222-222222222222';

/** Rules on a real store, by default in a directory of its own, with an image `hgw-2.0.0.bin`. */
export async function openTestRules(
  t: ExecutionContext,
  opened?: Store,
  {
    isSharedAddress,
    onHeldBack,
    ...more
  }: Pick<
    RulesOptions,
    'isSharedAddress' | 'onHeldBack' | 'boardParameter' | 'signingOf' | 'requireSignature' | 'namesakesOf'
  > = {},
): Promise<TestRules> {
  const store = opened ?? (await openTestStore(t));
  await haveOrganizations(store, NORTH, SOUTH);
  const clock = { nowMs: NOW_MS };
  const images = new Map<string, ImageFacts>([['hgw-2.0.0.bin', { softwareVersion: '2.0.0' }]]);
  const log: { event: string; fields: LogFields }[] = [];
  const isolated: IsolatedOutcome[] = [];
  const write = (event: string, fields: LogFields = {}): void => void log.push({ event, fields });
  const logger: Logger = { error: write, warn: write, info: write, debug: write };
  const open = async (): Promise<RuleEngine> => {
    const engine = await openRules({
      store,
      clock: () => clock.nowMs,
      monotonic: () => clock.nowMs,
      logger,
      secrets: testSecrets,
      resolveFile: async (file) => images.get(file) ?? (file.includes('://') ? {} : null),
      conditionWaitMsMax: PATIENT_MS,
      ...more,
      ...(isSharedAddress !== undefined && { isSharedAddress }),
      ...(onHeldBack !== undefined && { onHeldBack }),
      onIsolated: (outcome) => isolated.push(outcome),
    });
    t.teardown(() => engine.close());
    return engine;
  };
  const rules = await open();
  return {
    rules,
    store,
    clock,
    isolated,
    images,
    log,
    logger,
    another: open,
    async stored(id) {
      const found = await rules.get(id as RuleId);
      if (found === null) throw new Error(`There is no rule ${id}`);
      return found.rule;
    },
  };
}

/** No test depends on how long something else has taken. */
const PATIENT_MS = 60_000;

export interface TestMeans {
  readonly means: EvaluationMeans;
  readonly outcomes: readonly IsolatedOutcome[];
  readonly failures: readonly RuleFailure[];
  close(): Promise<void>;
}

/**
 * What evaluations need, with a real isolate in which no one who waits gives up.
 * @param cpuMs  what each evaluation is said to have cost, given what it did cost
 */
export function evaluationMeans({
  cpuMs = (spent) => spent,
  clock = () => NOW_MS,
}: {
  readonly cpuMs?: (spentMs: number) => number;
  readonly clock?: () => number;
} = {}): TestMeans {
  const isolate = createIsolate();
  const outcomes: IsolatedOutcome[] = [];
  const failures: RuleFailure[] = [];
  return {
    means: {
      isolate: {
        ...isolate,
        async evaluate(request) {
          const evaluated = await isolate.evaluate(request);
          return evaluated.kind === 'answer' ? { ...evaluated, cpuMs: cpuMs(evaluated.cpuMs) } : evaluated;
        },
      },
      waitMsMax: PATIENT_MS,
      pauses: createPauses(),
      probation: createProbation(clock),
      onIsolated: (outcome) => outcomes.push(outcome),
      onFailure: (failure) => failures.push(failure),
    },
    outcomes,
    failures,
    close: () => isolate.close(),
  };
}

/** A rule's body as a caller would post it. */
export function ruleBody(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { id: 'r1', file: 'hgw-2.0.0.bin', condition: { productClass: 'HGW' }, ...over };
}

export function post(rules: RuleEngine, ...bodies: readonly unknown[]): Promise<PutCounts> {
  return rules.put(bodies, { by: byCommand('api'), onlyNew: false });
}

/** The verdict on each rule, by its id. */
export function verdictsOf(decision: Decision): Readonly<Record<string, string>> {
  if (!('considered' in decision)) return {};
  return Object.fromEntries(decision.considered.map(({ ruleId, verdict }) => [ruleId, verdict]));
}

/** The same store, but for word of what others have changed: its watches say for ever that nothing has. */
export function deaf(store: Store): Store {
  const silent = <T extends object>(target: T, methods: Partial<T>): T =>
    new Proxy(target, {
      get(original, name) {
        const own: unknown = Reflect.get(methods, name);
        if (own !== undefined) return own;
        const value: unknown = Reflect.get(original, name);
        return typeof value === 'function' ? value.bind(original) : value;
      },
    });
  return silent(store, {
    collection: (definition) =>
      silent(store.collection(definition), { watch: () => ({ position: () => 1 }) }),
  });
}
