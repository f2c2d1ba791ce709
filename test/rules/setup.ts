import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { CpeId, LogFields, Logger, RuleId } from '../../common/index.js';
import {
  type Decision,
  type DecisionInput,
  type ImageFacts,
  openRules,
  type PutCounts,
  type RuleEngine,
  type StoredRule,
} from '../../rules/index.js';
import { openLmdbStore, type Store } from '../../store/index.js';

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
    ip: '192.0.2.1',
    lastInform: NOW_MS,
    registered: NOW_MS,
    now: NOW_MS,
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

/** Rules on a real store, by default in a directory of its own, with an image `hgw-2.0.0.bin`. */
export async function openTestRules(t: ExecutionContext, opened?: Store): Promise<TestRules> {
  const store = opened ?? (await openTestStore(t));
  const clock = { nowMs: NOW_MS };
  const images = new Map<string, ImageFacts>([['hgw-2.0.0.bin', { softwareVersion: '2.0.0' }]]);
  const log: { event: string; fields: LogFields }[] = [];
  const write = (event: string, fields: LogFields = {}): void => void log.push({ event, fields });
  const logger: Logger = { error: write, warn: write, info: write, debug: write };
  const open = (): Promise<RuleEngine> =>
    openRules({
      store,
      clock: () => clock.nowMs,
      logger,
      resolveFile: async (file) => images.get(file) ?? (file.includes('://') ? {} : null),
    });
  const rules = await open();
  return {
    rules,
    store,
    clock,
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

/** A rule's body as a caller would post it. */
export function ruleBody(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { id: 'r1', file: 'hgw-2.0.0.bin', condition: { productClass: 'HGW' }, ...over };
}

export function post(rules: RuleEngine, ...bodies: readonly unknown[]): Promise<PutCounts> {
  return rules.put(bodies, { author: 'api', onlyNew: false });
}

/** The verdict on each rule, by its id. */
export function verdictsOf(decision: Decision): Readonly<Record<string, string>> {
  if (!('considered' in decision)) return {};
  return Object.fromEntries(decision.considered.map(({ ruleId, verdict }) => [ruleId, verdict]));
}
