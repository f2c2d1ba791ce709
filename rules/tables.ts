import { type Collection, type Document, PAGE_ITEMS_MAX, type Store, type Stored } from '../store/index.js';
import { type Campaign, openCampaigns } from './campaign.js';
import type { StoredRule } from './rule.js';
import type { RuleErrors } from './rule-errors.js';

export interface RestartsDocument extends Document {
  readonly restarts: number;
}

export interface GenerationDocument extends Document {
  readonly generation: number;
}

/** The collections behind the rules. */
export interface Tables {
  readonly store: Store;
  readonly rules: Collection<StoredRule>;
  /** How often each rule id was restarted (id = rule id): survives removing a rule and adding it again. */
  readonly restarts: Collection<RestartsDocument>;
  /** One document, `fleet`, that changes with every fleet rule and only then: a million pinned rules may be written without
   * anyone's list of fleet rules being read again. */
  readonly generations: Collection<GenerationDocument>;
  readonly campaigns: Collection<Campaign>;
  /** Apart from the rules, so that an error moves no rule's revision and no reservation is refused for it. */
  readonly errors: Collection<RuleErrors>;
}

export function openTables(store: Store): Tables {
  return {
    store,
    rules: store.collection<StoredRule>({
      name: 'rules',
      indexes: {
        pin: ['pin'],
        fleet: ['fleet'],
        createdAt: ['createdAtMs'],
        sourceFile: ['sourceFile'],
        suspended: ['suspended.atMs'],
      },
    }),
    restarts: store.collection<RestartsDocument>({ name: 'rule-restarts', indexes: {} }),
    generations: store.collection<GenerationDocument>({ name: 'rule-generations', indexes: {} }),
    campaigns: openCampaigns(store),
    errors: store.collection<RuleErrors>({ name: 'rule-errors', indexes: {} }),
  };
}

export const FLEET_GENERATION_ID = 'fleet';

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
