import { type Clock, type CpeId, createTurns, type InTurn, type RuleId } from '../../common/index.js';
import { EventLog } from '../../events/index.js';
import {
  type Change,
  type Collection,
  type CollectionDefinition,
  type Document,
  PAGE_ITEMS_MAX,
  type Store,
  type Stored,
} from '../../store/index.js';
import { type CampaignTables, openCampaigns } from '../campaign/index.js';
import type { LastError, StoredRule } from '../vocabulary/index.js';
import { SETTINGS } from './freeze.js';
import { RULE_GATES, type RuleGate } from './rule-gate.js';

export interface RestartsDocument extends Document {
  readonly restarts: number;
}

export interface GenerationDocument extends Document {
  /** The number that the last commit of fleet rules took. */
  readonly generation: number;
  /** Notes of {@link GoneDocument} are there from this generation on. */
  readonly goneFrom: number;
  /** As {@link Owners} has them; only in what an older version of Ferry wrote, and any of them may have pinned rules. */
  readonly organizations?: readonly string[];
}

/** Organizations and their rules. */
export interface Owners {
  /** Those that have, or had, rules of their own. */
  readonly organizations: readonly string[];
  /** Those of them that have, or had, rules that are pinned to CPEs; and as {@link ownedPinsOf} has it, whose CPEs batches and the like pin rules to; and as {@link namePinsOf} has it, those that have rules for CPEs by their serial numbers. */
  readonly pinning: readonly string[];
}

/** Rules that a commit took out of the fleet: deleted, or pinned since. Its id is {@link goneId} of the commit's generation. */
export interface GoneDocument extends Document {
  readonly ruleIds: readonly RuleId[];
}

/** What is known of a rule's failures since it was last edited (id = rule id). */
export interface RuleErrors extends Document {
  readonly id: RuleId;
  /** The edition of the rule that failed; of any other this says nothing. */
  readonly ruleUpdatedAtMs: number;
  readonly last: LastError;
  /** The different CPEs it tripped for. */
  readonly trippedFor: readonly CpeId[];
}

/** The collections behind the rules. */
export interface Tables extends CampaignTables {
  readonly store: Store;
  readonly rules: Collection<StoredRule>;
  /** How often each rule id was restarted (id = rule id): survives removing a rule and adding it again. */
  readonly restarts: Collection<RestartsDocument>;
  /**
   * One document, `fleet`, that changes with every fleet rule and only then. Every commit that touches fleet rules takes the next
   * generation and stamps them with it, so that who has seen one generation reads only what came after.
   */
  readonly generations: Collection<GenerationDocument>;
  readonly gone: Collection<GoneDocument>;
  /** One document, `fleet`, written with a generation. Apart from that, as every decision reads the generation. */
  readonly owners: Collection<Owners & Document>;
  /** Commits of fleet rules by this process: each needs the generation that the one before it made. */
  readonly inFleetTurn: InTurn;
  /** Where it is said who changes them. */
  readonly events: EventLog;
  /** What a commit takes along that leaves rules with these files. */
  readonly keepingFiles: KeepingFiles;
  /** Whether the rules of each owner may run; whoever owns them writes these. */
  readonly gates: Collection<RuleGate>;
  /** Apart from the rules, so that an error moves no rule's revision and no reservation is refused for it. */
  readonly errors: Collection<RuleErrors>;
}

export const RULES: CollectionDefinition = {
  name: 'rules',
  indexes: {
    pin: ['pin'],
    fleetSeq: ['fleetSeq'],
    // Only fleet rules that have an owner.
    ownedSeq: ['ownedSeq'],
    createdAt: ['createdAtMs'],
    // Only rules of organizations are in it.
    organization: ['organization', 'createdAtMs'],
    sourceFile: ['sourceFile'],
    // Only rules that wake their CPEs are in these.
    fleetWake: ['fleetSeq', 'window.wakePerSecond'],
    pinnedWake: ['pin', 'window.wakePerSecond'],
    suspended: ['suspended.atMs'],
  },
};
const RESTARTS: CollectionDefinition = { name: 'rule-restarts', indexes: {} };
const GENERATIONS: CollectionDefinition = { name: 'rule-generations', indexes: {} };
const GONE: CollectionDefinition = { name: 'rules-gone', indexes: {} };
const OWNERS: CollectionDefinition = { name: 'rule-owners', indexes: {} };
const ERRORS: CollectionDefinition = { name: 'rule-errors', indexes: {} };

/** Every collection of the rules but those of campaigns and leases. */
export const RULE_COLLECTIONS: readonly CollectionDefinition[] = [
  RULES,
  RESTARTS,
  GENERATIONS,
  GONE,
  OWNERS,
  ERRORS,
  RULE_GATES,
  SETTINGS,
];

/**
 * What goes along with a commit of rules that name these files, so that none of them is removed as unneeded at the same time; it is asked
 * anew for every try.
 */
export type KeepingFiles = (files: readonly string[]) => Promise<readonly Change[]>;

export function openTables(store: Store, clock: Clock, keepingFiles: KeepingFiles = async () => []): Tables {
  return {
    store,
    keepingFiles,
    rules: store.collection<StoredRule>(RULES),
    restarts: store.collection<RestartsDocument>(RESTARTS),
    generations: store.collection<GenerationDocument>(GENERATIONS),
    gone: store.collection<GoneDocument>(GONE),
    owners: store.collection<Owners & Document>(OWNERS),
    inFleetTurn: createTurns(),
    ...openCampaigns(store),
    events: new EventLog({ store, clock }),
    gates: store.collection<RuleGate>(RULE_GATES),
    errors: store.collection<RuleErrors>(ERRORS),
  };
}

export const FLEET_GENERATION_ID = 'fleet';

/**
 * Whose rules there are.
 * @returns and whether that is stored as this version of Ferry does: it keeps nothing of the other way
 */
export async function ownersOfRules({
  generations,
  owners,
}: Tables): Promise<Owners & { readonly isStored: boolean }> {
  const known = await owners.get(FLEET_GENERATION_ID);
  if (known !== null) return { ...known.document, isStored: true };
  const organizations = (await generations.get(FLEET_GENERATION_ID))?.document.organizations ?? [];
  return { organizations, pinning: organizations, isStored: false };
}

const GENERATION_DIGITS = 16;

/** Ids sort as the generations do. */
export function goneId(generation: number): string {
  return String(generation).padStart(GENERATION_DIGITS, '0');
}

export function generationOfGone(id: string): number {
  return Number.parseInt(id, 10);
}

/** Any number of documents, in the order asked: page after page, which are then not one consistent read. */
export async function readMany<T extends Document>(
  collection: Collection<T>,
  ids: readonly string[],
): Promise<(Stored<T> | null)[]> {
  const found: (Stored<T> | null)[] = [];
  for (let start = 0; start < ids.length; start += PAGE_ITEMS_MAX) {
    found.push(...(await collection.getMany(ids.slice(start, start + PAGE_ITEMS_MAX))));
  }
  return found;
}
