import { setImmediate } from 'node:timers/promises';
import type { DescribedCpe, DeviceFilter, Devices, Moment } from '../acs/index.js';
import type { CpeId, Turn } from '../common/index.js';
import type { Organization, OrganizationsNow } from '../organizations/index.js';
import type { MatchFinding, RuleMatch } from '../rules/index.js';
import { isWellFormed } from '../store/index.js';

/** Beyond that many serial numbers walking all CPEs is no slower. */
const SERIAL_NUMBERS_MAX = 1_000;
/** So many CPEs are judged in one go: sessions must have their turn. */
const CPES_AT_ONCE = 50;
/** Conditions that fail do so for the same reason many times. */
const ERRORS_LISTED_MAX = 10;

/** Why a condition that may have meant the CPE does not match it. */
const NO_RESULT: ReadonlySet<MatchVerdict> = new Set(['condition-error', 'ambiguous-serial']);

export interface MatchOptions extends Moment {
  readonly match: RuleMatch;
  /** Whose CPEs alone are looked at; null: everybody's. */
  readonly organization?: Organization | null;
  /** Go on behind this one. */
  readonly after?: CpeId;
  /** Most CPEs listed. */
  readonly listedMax: number;
  /** Asked after each CPE: true ends the search there. */
  readonly isOver: () => boolean;
  /** When each page of CPEs is read; see `Collection.scan`. */
  readonly turn?: Turn;
  readonly onLooked?: (lookedAt: number) => void;
}

export type MatchVerdict = MatchFinding['verdict'] | 'upgrade-under-way' | 'waits-to-be-enrolled';

export interface MatchedCpe {
  readonly cpeid: CpeId;
  readonly softwareVersion?: string;
  readonly verdict: MatchVerdict;
  readonly detail?: string;
}

export interface MatchReport {
  readonly lookedAt: number;
  /** CPEs for which the condition is true. */
  readonly matching: number;
  /** Those that the rule would upgrade if they began a session now, each looked at alone. */
  readonly wouldUpgradeNow: number;
  readonly verdicts: Readonly<Partial<Record<MatchVerdict, number>>>;
  /** The first of those that match, by cpeid. */
  readonly cpes: readonly MatchedCpe[];
  /** The first for which the condition failed, or that it names by a serial number which others have too. */
  readonly errors: readonly MatchedCpe[];
  /** The last CPE that was looked at, where the search ended before all were: go on behind it. */
  readonly next: CpeId | null;
}

/** Holds one rule against the CPEs that are known, by cpeid, and changes nothing. */
export async function matchDevices(devices: Devices, options: MatchOptions): Promise<MatchReport> {
  const { match, organization = null, after, listedMax, isOver, turn, onLooked, nowMs, requested } = options;
  const moment: Moment = { nowMs, ...(requested === undefined ? {} : { requested }) };
  const verdicts = new Map<MatchVerdict, number>();
  const [cpes, errors]: [MatchedCpe[], MatchedCpe[]] = [[], []];
  let passed = 0;
  let lookedAt = 0;
  let matching = 0;
  let last: CpeId | null = null;
  const report = (next: CpeId | null): MatchReport => ({
    lookedAt,
    matching,
    wouldUpgradeNow: verdicts.get('chosen') ?? 0,
    verdicts: Object.fromEntries(verdicts),
    cpes,
    errors,
    next,
  });
  const filter = await filterFor(devices, match, after, organization);
  for await (const cpe of devices.describeAll(filter, moment, turn)) {
    passed += 1;
    if (passed % CPES_AT_ONCE === 0) await setImmediate();
    if (organization !== null && cpe.input.organization !== organization.id) continue;
    if (last !== null && isOver()) return report(last);
    const { matches, ...finding } = await judge(match, cpe);
    const { cpeid, softwareVersion } = cpe.input.context;
    const judged = { cpeid, ...(softwareVersion === undefined ? {} : { softwareVersion }), ...finding };
    last = cpeid;
    lookedAt += 1;
    verdicts.set(finding.verdict, (verdicts.get(finding.verdict) ?? 0) + 1);
    if (matches) matching += 1;
    if (matches && cpes.length < listedMax) cpes.push(judged);
    if (NO_RESULT.has(finding.verdict) && errors.length < ERRORS_LISTED_MAX) errors.push(judged);
    onLooked?.(lookedAt);
  }
  return report(null);
}

/**
 * How many CPEs are known, of one organization or of all.
 * @param organization  null: of all
 */
export async function knownCpes(
  devices: Pick<Devices, 'count'>,
  organization: Organization | null,
  organizations: OrganizationsNow,
): Promise<number> {
  if (organization === null) return devices.count();
  if (!organization.isDefault) return devices.count({ organization: organization.id });
  // No index has all of them: there are those that nobody has put anywhere.
  let known = await devices.count();
  for (const { id, isDefault } of organizations.all)
    if (!isDefault) known -= await devices.count({ organization: id });
  return Math.max(0, known);
}

async function judge(
  match: RuleMatch,
  { input, inFlight, isWaiting }: DescribedCpe,
): Promise<Pick<MatchFinding, 'matches' | 'detail'> & { readonly verdict: MatchVerdict }> {
  const finding = await match.judge(input);
  if (!finding.matches || finding.verdict === 'condition-true') return finding;
  if (isWaiting === true) return { matches: true, verdict: 'waits-to-be-enrolled' };
  return inFlight === null ? finding : { matches: true, verdict: 'upgrade-under-way', detail: inFlight };
}

/** The smallest range of an index that holds every CPE the rule can match, in the order of cpeids. */
async function filterFor(
  devices: Devices,
  { narrowed: { names, cpeids, serialNumbers, tags } }: RuleMatch,
  after: CpeId | undefined,
  organization: Organization | null,
): Promise<DeviceFilter> {
  const behind = after === undefined ? {} : { after };
  // Each may be a serial number, and to look so is still less than to walk all CPEs.
  if (names !== undefined) return { ids: [...names, ...(await idsOf(devices, names))], ...behind };
  if (cpeids !== undefined) return { ids: cpeids, ...behind };
  if (serialNumbers !== undefined && serialNumbers.length <= SERIAL_NUMBERS_MAX)
    return { ids: await idsOf(devices, serialNumbers), ...behind };
  const [tag, ...otherTags] = tags ?? [];
  // Behind a cpeid the index of tags saves nothing: it would be walked from its beginning.
  if (tag !== undefined && otherTags.length === 0 && after === undefined && isWellFormed(tag)) {
    return { tags: [tag] };
  }
  // Not all of the default's are in the index.
  if (organization?.isDefault === false) return { organization: organization.id, ...behind };
  return behind;
}

/** The CPEs that have one of these serial numbers. */
async function idsOf(devices: Devices, serialNumbers: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  // No CPE has told half of a surrogate pair: the store would refuse to look for it.
  const possible = serialNumbers.filter(isWellFormed);
  for await (const { id } of devices.scan({ serialNumbers: possible })) ids.push(id);
  return ids;
}
