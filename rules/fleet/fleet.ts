import { createTurns, type RuleId } from '../../common/index.js';
import type { ConditionCompiler } from '../condition/index.js';
import {
  FLEET_GENERATION_ID,
  type GenerationDocument,
  goneId,
  ownersOfRules,
  type Tables,
} from '../storage/index.js';
import { createPauses } from '../vocabulary/index.js';
import { type Candidate, candidateOf } from './candidate.js';
import { FleetRules } from './fleet-rules.js';

const NO_GENERATION: Pick<GenerationDocument, 'generation' | 'goneFrom'> = {
  generation: 0,
  goneFrom: 0,
};

/** The fleet rules, in memory. */
export interface Fleet {
  /** As they were read last, whenever that was; without any where none were. */
  last(): FleetRules;
  /** What was stored at some moment of the last second, with whatever this process has stored since. Mostly reads nothing. */
  current(): Promise<FleetRules>;
  /** What is stored now. Of what has changed since the last time, only that is read. */
  latest(): Promise<FleetRules>;
  /** All that concern CPEs of an organization as they are stored now, also disabled ones, in the order they are considered. */
  all(organization: string | undefined): Promise<readonly Candidate[]>;
  /** All there are as they are stored now, whoever's CPEs they concern, also disabled ones. */
  everybodys(): Promise<Iterable<Candidate>>;
}

export function openFleet(tables: Tables, compiler: ConditionCompiler): Fleet {
  let index = new FleetRules();
  /** The generation that the index has; null before anything was read. */
  let seen: number | null = null;
  const watch = tables.generations.watch();
  /** Where the generations stood when they were last read. */
  let position: number | null = null;
  const inTurn = createTurns();

  const generationNow = async () =>
    (await tables.generations.get(FLEET_GENERATION_ID))?.document ?? NO_GENERATION;

  const catchUp = async (wanted: number): Promise<void> => {
    if (seen !== null && seen >= wanted) return;
    const { generation } = await generationNow();
    if (seen !== null && (await readSince(seen))) index.know((await ownersOfRules(tables)).pinning);
    else await readAll();
    seen = generation;
  };

  /** Rules go into an index of its own meanwhile, so that decisions under way see the old one whole. */
  const readAll = async (): Promise<void> => {
    const next = new FleetRules();
    await readRules(next, 0);
    next.know((await ownersOfRules(tables)).pinning);
    index = next;
  };

  /** @returns false where there are no notes any more that go back so far */
  const readSince = async (since: number): Promise<boolean> => {
    // Before the rules: one that is deleted and added again has its note before it.
    const gone = await readGone(since);
    const found = await readRules(index, since);
    // Asked afterwards, as notes may go while they are read.
    if ((await generationNow()).goneFrom > since + 1) return false;
    for (const id of gone) if (!found.has(id)) index.delete(id);
    return true;
  };

  const readGone = async (since: number): Promise<ReadonlySet<RuleId>> => {
    const gone = new Set<RuleId>();
    for await (const { document } of tables.gone.scan({ atLeast: goneId(since + 1) })) {
      for (const id of document.ruleIds) gone.add(id);
    }
    return gone;
  };

  /** Takes over what was written after `since`. @returns whose rules these were */
  const readRules = async (into: FleetRules, since: number): Promise<ReadonlySet<RuleId>> => {
    const found = new Set<RuleId>();
    const pauses = createPauses();
    // Rules that have an owner are found by an index of their own (see `StoredRule.ownedSeq`).
    for (const by of ['fleetSeq', 'ownedSeq']) {
      for await (const { document, revision } of tables.rules.scan({ index: by, atLeast: since + 1 })) {
        found.add(document.id);
        const known = index.get(document.id);
        const same = known?.revision === revision;
        if (same && into === index) continue;
        // Compiling takes a tenth of a millisecond, or much more: the first load of thousands must not hold up the sessions.
        const pause = same ? null : pauses.due();
        if (pause !== null) await pause;
        into.set(same ? known : candidateOf(document, revision, compiler));
      }
    }
    return found;
  };

  const latest = async (): Promise<FleetRules> => {
    const before = watch.position();
    const { generation } = await generationNow();
    if (seen === null || seen < generation) await inTurn(() => catchUp(generation));
    position = before;
    return index;
  };

  const current = async (): Promise<FleetRules> => {
    const now = watch.position();
    return now === null || now !== position ? latest() : index;
  };

  return {
    last: () => index,
    current,
    latest,
    everybodys: async () => (await latest()).everybodys(),
    all: async (organization) => (await latest()).of(organization).all(),
  };
}
