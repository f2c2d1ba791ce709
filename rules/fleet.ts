import { setImmediate } from 'node:timers/promises';
import type { Revision } from '../store/index.js';
import { type CompiledCondition, type ConditionCompiler, ConditionError } from './condition/index.js';
import type { StoredRule } from './rule.js';
import { FLEET_GENERATION_ID, type Tables } from './tables.js';

const COMPILED_AT_ONCE = 50;

/** A rule ready to be decided on. */
export interface Candidate {
  readonly rule: StoredRule;
  readonly revision: Revision;
  /** A string where the condition does not compile (it was stored by another version): then what is wrong. */
  readonly condition: CompiledCondition | string;
}

/** The fleet rules, in the order they are considered. */
export interface Fleet {
  /** What is stored now, read again only when a fleet rule has changed since the last time. */
  current(): Promise<readonly Candidate[]>;
}

export function openFleet(tables: Tables, compiler: ConditionCompiler): Fleet {
  let generation: Revision | null | undefined;
  let loaded: Promise<readonly Candidate[]> = Promise.resolve([]);
  /** What was loaded last, to compile only what has changed since. */
  let compiled: ReadonlyMap<string, Candidate> = new Map();

  const load = async (): Promise<readonly Candidate[]> => {
    const next = new Map<string, Candidate>();
    for await (const { document, revision } of tables.rules.scan({ index: 'fleet', equals: [true] })) {
      const before = compiled.get(document.id);
      const same = before?.revision === revision;
      next.set(document.id, same ? before : candidateOf(document, revision, compiler));
      // Compiling takes a tenth of a millisecond: the first load of thousands must not hold up the sessions.
      if (!same && next.size % COMPILED_AT_ONCE === 0) await setImmediate();
    }
    compiled = next;
    return [...next.values()].sort(inOrder);
  };

  return {
    async current() {
      // Asked before the rules are read: a change in between is then seen as one the next time.
      const now = (await tables.generations.get(FLEET_GENERATION_ID))?.revision ?? null;
      if (now !== generation) {
        generation = now;
        loaded = load();
        // Whoever awaits it hears of the failure; the next decision tries again.
        loaded.catch(() => {
          if (generation === now) generation = undefined;
        });
      }
      return loaded;
    },
  };
}

export function candidateOf(rule: StoredRule, revision: Revision, compiler: ConditionCompiler): Candidate {
  try {
    return { rule, revision, condition: compiler.compile(rule.condition) };
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return { rule, revision, condition: error.message };
  }
}

/** The larger priority first, then the older rule, then the smaller id. */
export function inOrder({ rule: left }: Candidate, { rule: right }: Candidate): number {
  return (
    right.priority - left.priority ||
    left.createdAtMs - right.createdAtMs ||
    (left.id < right.id ? -1 : left.id > right.id ? 1 : 0)
  );
}

/** Two lists that are in order, as one. */
export function* mergeInOrder(left: readonly Candidate[], right: readonly Candidate[]): Generator<Candidate> {
  let [l, r] = [0, 0];
  for (;;) {
    const [fromLeft, fromRight] = [left[l], right[r]];
    if (fromLeft === undefined && fromRight === undefined) return;
    if (fromRight === undefined || (fromLeft !== undefined && inOrder(fromLeft, fromRight) <= 0)) {
      if (fromLeft !== undefined) yield fromLeft;
      l += 1;
    } else {
      yield fromRight;
      r += 1;
    }
  }
}
