import {
  type Device,
  type Devices,
  isAnyCpeId,
  isTarget,
  type Upgrade,
  type Upgrades,
} from '../acs/index.js';
import { type CountKey, type CpeId, type RuleId, runsTarget } from '../common/index.js';
import type { ImageLibrary } from '../firmware/index.js';
import { belongsTo, type Organization } from '../organizations/index.js';
import {
  countKeyOf,
  isPinnedTo,
  NO_COUNT,
  type PlannedRule,
  pinOf,
  type RuleCount,
  type Rules,
  type StoredRule,
} from '../rules/index.js';
import { namedCpes } from './batches/index.js';

/** CPEs that are read side by side. */
const CPES_AT_ONCE = 64;
/** Of the results of a CPE so many are looked at, the newest first. */
const RESULTS_LOOKED_AT_MAX = 50;
/** Rules of the fleet of which is looked whether they have run, for one request. */
const FLEET_RULES_MAX = 20;
/** So many are told of. */
const KEPT_MAX = 100;

/** A rule that was written, and does not run again where it has. */
export type KeptRevision =
  /** Of the one CPE that it is for; the upgrade is null where its result was deleted. */
  | {
      readonly kind: 'cpe';
      readonly rule: StoredRule;
      readonly cpeid: CpeId;
      readonly reported: string;
      readonly count: RuleCount;
      readonly upgrade: Pick<Upgrade, 'id' | 'result'> | null;
      /** Posted while it was not in force it would have begun anew. */
      readonly wouldBegin: boolean;
    }
  /** Of the CPEs of the fleet on which it has run. */
  | { readonly kind: 'fleet'; readonly rule: StoredRule };

export interface RuleRevisionsParts {
  readonly devices: Pick<Devices, 'get' | 'scan' | 'withSerialNumber'>;
  readonly upgrades: Pick<Upgrades, 'scan'>;
  readonly rules: Pick<Rules, 'hasRun'>;
  readonly images: Pick<ImageLibrary, 'get'>;
  /** Whose rules are written; null: the installation's. */
  readonly organization: Organization | null;
}

/** What the one CPE of a rule has come to by the file and target that the rule has now. */
interface Past {
  readonly device: Device;
  readonly reported: string;
  readonly count: RuleCount;
  readonly upgrade: Upgrade | null;
}

/**
 * Which rules that somebody writes begin a new revision, as by RestartRule, and of which others he should hear that they run no more where
 * they have run. A revision is a rule's file, target and number of restarts (`countKeyOf`).
 *
 * A rule begins one where it is pinned to a CPE and posted while it is not in force (it was deleted, or is switched off), and that CPE, which
 * this revision has upgraded, reports another version than the upgrade came to. So a script that uses one id for all upgrades of a CPE
 * upgrades it each time, and a fleet is never upgraded twice by an edit.
 */
export class RuleRevisions {
  readonly #parts: RuleRevisionsParts;
  readonly #kept = new Map<RuleId, KeptRevision>();
  #fleetRules = 0;

  constructor(parts: RuleRevisionsParts) {
    this.#parts = parts;
  }

  /** Those of rules that are posted which begin a new revision. To be asked again where they are planned again. */
  async posted(planned: readonly PlannedRule[]): Promise<ReadonlySet<RuleId>> {
    return this.#judge(planned, mayBegin);
  }

  /** Of rules that are changed in another way none does. */
  async changed(planned: readonly PlannedRule[]): Promise<void> {
    await this.#judge(planned, () => false);
  }

  /** What there is to be told since this was asked last. */
  takeKept(): readonly KeptRevision[] {
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    return kept;
  }

  async #judge(
    planned: readonly PlannedRule[],
    begins: (planned: PlannedRule) => boolean,
  ): Promise<ReadonlySet<RuleId>> {
    const anew = new Set<RuleId>();
    const pasts = await this.#pastsOf(
      planned.map(({ rule }) => rule).filter((rule) => pinOf(rule) !== undefined),
    );
    for (const each of planned) {
      const { rule } = each;
      this.#kept.delete(rule.id);
      if (pinOf(rule) === undefined) {
        await this.#judgeOfFleet(each);
        continue;
      }
      const past = pasts.get(rule.id);
      if (past === undefined || (await this.#isAsUpgraded(rule, past))) continue;
      if (past.count.verified && begins(each)) anew.add(rule.id);
      else this.#keepOfCpe(rule, past);
    }
    return anew;
  }

  /** Only where it is taken up again: an edit of a rule that runs is expected by nobody to run it again. */
  async #judgeOfFleet({ rule, before }: PlannedRule): Promise<void> {
    const isTakenUp = before === null || !before.enabled || countKeyOf(before) !== countKeyOf(rule);
    if (!rule.enabled || !isTakenUp || this.#fleetRules >= FLEET_RULES_MAX) return;
    this.#fleetRules += 1;
    if (await this.#parts.rules.hasRun(rule)) this.#keep({ kind: 'fleet', rule });
  }

  #keepOfCpe(rule: StoredRule, { device, reported, count, upgrade }: Past): void {
    // While one runs nobody knows yet what the CPE will report.
    if (!rule.enabled || device.inFlight !== undefined) return;
    this.#keep({ kind: 'cpe', rule, cpeid: device.id, reported, count, upgrade, wouldBegin: count.verified });
  }

  #keep(kept: KeptRevision): void {
    if (this.#kept.size < KEPT_MAX) this.#kept.set(kept.rule.id, kept);
  }

  /** Only of those that the rule, as it is, does not upgrade (again). */
  async #pastsOf(rules: readonly StoredRule[]): Promise<ReadonlyMap<RuleId, Past>> {
    const pasts = new Map<RuleId, Past>();
    for (let start = 0; start < rules.length; start += CPES_AT_ONCE) {
      const some = rules.slice(start, start + CPES_AT_ONCE);
      const found = await Promise.all(some.map((rule) => this.#pastOf(rule)));
      for (const [index, rule] of some.entries()) {
        const past = found[index];
        if (past) pasts.set(rule.id, past);
      }
    }
    return pasts;
  }

  async #pastOf(rule: StoredRule): Promise<Past | null> {
    const device = await this.#deviceOf(rule);
    if (device?.softwareVersion === undefined) return null;
    const countKey = countKeyOf(rule);
    const count = device.counts[countKey] ?? NO_COUNT;
    const isUsedUp = rule.executions >= 0 && count.started >= rule.executions;
    if (!count.verified && !isUsedUp) return null;
    const upgrade = await this.#lastOf(device.id, rule.id, countKey);
    return { device, reported: device.softwareVersion, count, upgrade };
  }

  async #deviceOf(rule: StoredRule): Promise<Device | null> {
    const { devices, organization } = this.#parts;
    const name = pinOf(rule) ?? '';
    const known = isAnyCpeId(name) ? await devices.get(name) : null;
    const device = known ?? (await this.#bySerialNumber(name));
    if (device === null || device.supersededBy !== undefined) return null;
    if (!isPinnedTo(rule, { cpeid: device.id, serialNumber: device.serialNumber })) return null;
    return organization === null || belongsTo(organization, device.organization?.id) ? device : null;
  }

  async #bySerialNumber(name: string): Promise<Device | null> {
    const [named] = await namedCpes(this.#parts.devices, this.#parts.organization, [name]);
    return named?.kind === 'cpe' ? named.device : null;
  }

  async #lastOf(cpeid: CpeId, ruleId: RuleId, countKey: CountKey): Promise<Upgrade | null> {
    let looks = RESULTS_LOOKED_AT_MAX;
    for await (const upgrade of this.#parts.upgrades.scan({ cpeids: [cpeid] })) {
      if (upgrade.campaignid === ruleId && upgrade.countKey === countKey) return upgrade;
      if (--looks <= 0) break;
    }
    return null;
  }

  /** Whether the CPE reports what the upgrade came to, or was to; true where nobody can say. */
  async #isAsUpgraded(rule: StoredRule, { reported, upgrade }: Past): Promise<boolean> {
    if (upgrade === null) return this.#isAtTargetOf(rule, reported);
    if (isTarget(upgrade, reported)) return true;
    // A CPE may be verified by another version than the target that its file told; and one that has gone back was concluded from the old.
    if (upgrade.state === 'verified')
      return upgrade.concludedFrom === undefined
        ? upgrade.targetVersion === null
        : upgrade.concludedFrom === reported;
    return false;
  }

  /** Its result was deleted: what the rule says, or its image, is all that is known. */
  async #isAtTargetOf({ file, target, organization }: StoredRule, reported: string): Promise<boolean> {
    if (target !== undefined) return target.softwareVersion === reported;
    const image = await this.#parts.images.get(file, organization);
    if (image?.softwareVersion === undefined) return true;
    const isRead = image.fromFile?.includes('softwareVersion') === true;
    return runsTarget(reported, { version: image.softwareVersion, isRead });
  }
}

/** What is stored already as it is posted is not changed by posting it. */
function mayBegin({ rule, before }: PlannedRule): boolean {
  return before === null || (!before.enabled && rule !== before);
}
