import { type RuleId, withoutQueryValues } from '../../common/index.js';
import { PAGE_ITEMS_MAX } from '../../store/index.js';
import { conditionRemarks } from '../authoring/index.js';
import { countKeyOf, stoppedBy } from '../campaign/index.js';
import type { Fleet } from '../fleet/index.js';
import { IMAGE_MISSING, readMany, type Tables } from '../storage/index.js';
import type { Condition, Pauses, ResolveFile, StoredRule } from '../vocabulary/index.js';

/**
 * Why a rule that is enabled does not do what its author thinks: `stopped` by `limits.stopAfterFailures`, `suspended` for its condition, it
 * names an image that is not there, or a field that no CPE has.
 */
export const AMISS = ['stopped', 'suspended', 'image-missing', 'unknown-field'] as const;
export type Amiss = (typeof AMISS)[number];

/** Of each kind so many rules are named; the others are counted. */
export const NAMED_MAX = 100;
/** Rules pinned to CPEs may be a million: of those that have met a missing image so many are looked at. */
const MET_MAX = 10_000;

export interface RuleAmiss {
  readonly ruleId: RuleId;
  readonly why: Amiss;
  readonly detail: string;
}

export interface RulesAmiss {
  readonly counts: Readonly<Record<Amiss, number>>;
  /** The first {@link NAMED_MAX} of each. */
  readonly named: readonly RuleAmiss[];
}

export interface AttentionParts {
  readonly tables: Tables;
  readonly fleet: Pick<Fleet, 'everybodys'>;
  readonly resolveFile: ResolveFile;
  readonly pauses: Pauses;
}

/**
 * Looks at every fleet rule, and of the rules that are pinned to CPEs at those that are suspended or have met a missing image.
 * @throws StoreError
 */
export async function lookAtRules(parts: AttentionParts): Promise<RulesAmiss> {
  const { tables, fleet, pauses } = parts;
  const found = new Findings();
  const isThere = rememberingImages(parts.resolveFile);
  const limited: StoredRule[] = [];
  const looked = new Set<RuleId>();
  for (const { rule } of await fleet.everybodys()) {
    if (!rule.enabled) continue;
    const pause = pauses.due();
    if (pause !== null) await pause;
    looked.add(rule.id);
    if (rule.limits?.stopAfterFailures !== undefined) limited.push(rule);
    const unknown = unknownFieldIn(rule.condition);
    if (unknown !== null) found.add(rule.id, 'unknown-field', unknown);
    if (!(await isThere(rule))) found.add(rule.id, 'image-missing', missing(rule));
  }
  const campaigns = await readMany(tables.campaigns, limited.map(countKeyOf));
  for (const [at, rule] of limited.entries()) {
    const stopped = stoppedBy(rule.limits ?? {}, campaigns[at]?.document ?? null);
    if (stopped !== null) found.add(rule.id, 'stopped', stopped);
  }
  for await (const { document } of tables.rules.scan({ index: 'suspended' })) {
    if (document.enabled && document.suspended !== undefined)
      found.add(document.id, 'suspended', document.suspended.message);
  }
  for (const rule of await pinnedThatMetNone(tables, looked)) {
    if (!(await isThere(rule))) found.add(rule.id, 'image-missing', missing(rule));
  }
  return { counts: found.counts, named: found.named };
}

/** What a rule's condition names that no CPE has, in words; null where there is nothing. */
export function unknownFieldIn(condition: Condition): string | null {
  const remark = conditionRemarks(condition).find(
    ({ code }) => code === 'unknown-path' || code === 'missing-prefix',
  );
  return remark?.message ?? null;
}

/** Rules that no fleet has and that a CPE has met without their image, in the edition that it met. */
async function pinnedThatMetNone(
  { errors, rules }: Tables,
  looked: ReadonlySet<RuleId>,
): Promise<readonly StoredRule[]> {
  const edition = new Map<RuleId, number>();
  for await (const { document } of errors.scan({})) {
    if (document.last.code !== IMAGE_MISSING || looked.has(document.id)) continue;
    edition.set(document.id, document.ruleUpdatedAtMs);
    if (edition.size >= MET_MAX) break;
  }
  const met: StoredRule[] = [];
  for (const stored of await readMany(rules, [...edition.keys()])) {
    if (stored === null || !stored.document.enabled) continue;
    if (stored.document.updatedAtMs === edition.get(stored.document.id)) met.push(stored.document);
  }
  return met;
}

/** Asks for each file once; it is many rules' as a rule. */
function rememberingImages(resolveFile: ResolveFile): (rule: StoredRule) => Promise<boolean> {
  const known = new Map<string, boolean>();
  return async ({ file, organization }) => {
    const key = `${organization ?? ''} ${file}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const isThere = (await resolveFile(file, organization)) !== null;
    if (known.size < PAGE_ITEMS_MAX) known.set(key, isThere);
    return isThere;
  };
}

function missing({ file }: StoredRule): string {
  return `no image ${JSON.stringify(withoutQueryValues(file))} in the library`;
}

class Findings {
  readonly counts: Record<Amiss, number> = {
    stopped: 0,
    suspended: 0,
    'image-missing': 0,
    'unknown-field': 0,
  };
  readonly named: RuleAmiss[] = [];

  add(ruleId: RuleId, why: Amiss, detail: string): void {
    if (this.counts[why]++ < NAMED_MAX) this.named.push({ ruleId, why, detail });
  }
}
