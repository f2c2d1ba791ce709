import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { RuleId } from '../../common/index.js';
import type { ValidRule } from '../validation/index.js';
import {
  namePinIn,
  organizationOf,
  ownedPinIn,
  PASSWORD_KEPT,
  pinIn,
  type Rule,
  type RuleOwner,
  type StoredRule,
  writtenId,
} from '../vocabulary/index.js';
import { type Sealing, sealedPasswordOf } from './sealed-password.js';

const LIMITS_TAG_BYTES = 9;

/** What a rule's author knows of it: without what Ferry keeps beside it, and with {@link PASSWORD_KEPT} for its password. */
export function ruleOf(stored: StoredRule): Rule {
  const {
    id,
    organization: _organization,
    pin: _pin,
    fleetSeq: _fleetSeq,
    ownedSeq: _ownedSeq,
    owner: _owner,
    patterns: _patterns,
    createdAtMs: _createdAtMs,
    updatedAtMs: _updatedAtMs,
    suspended: _suspended,
    limitsTag: _limitsTag,
    restarts: _restarts,
    sourceFile: _sourceFile,
    sourceMissing: _sourceMissing,
    enabledOverride: _enabledOverride,
    sealedPassword,
    ...rest
  } = stored;
  // As in the installation's own rules it is the first field.
  const rule = { id: writtenId(id) as RuleId, ...rest };
  return sealedPassword === undefined ? rule : { ...rule, password: PASSWORD_KEPT };
}

/** What Ferry keeps of a rule beside its author's words, its condition and its times. */
export interface Provenance {
  readonly author: string;
  readonly restarts: number;
  readonly nowMs: number;
  readonly sealing: Sealing;
  /** For a rule that is, or was, in a rule file. */
  readonly source?: Pick<StoredRule, 'sourceFile' | 'sourceMissing' | 'enabledOverride'>;
  /** For a rule that nobody wrote. */
  readonly owner?: RuleOwner;
  /**
   * What becomes of a condition that was stored before there were patterns: it is read as it was, always or as long as all that is said of
   * the rule is, bar whether it is switched on; absent: it is read anew.
   */
  readonly keptReading?: 'always' | 'unless-changed';
}

/**
 * The rule as it will be stored in place of `before`, under the id that it has in its organization; the very same `before` where that says it all already, so that the caller
 * can tell that nothing changes.
 */
export function toStored(valid: ValidRule, before: StoredRule | null, provenance: Provenance): StoredRule {
  const { keptReading } = provenance;
  if (keptReading === undefined || before === null || !mayKeepReading(valid, before))
    return storedAs(valid, before, provenance, readAnew(valid, before, provenance));
  const kept = storedAs(valid, before, provenance, readAsBefore(before));
  if (keptReading === 'always' || saysTheSame(kept, before)) return kept;
  return storedAs(valid, before, provenance, readAnew(valid, before, provenance));
}

/** Of the rule itself: whether it is switched on, and in which file it stands, says nothing of what it means. */
function saysTheSame(rule: StoredRule, before: StoredRule): boolean {
  return isDeepStrictEqual(wordsOf(rule), wordsOf(before));
}

function wordsOf(stored: StoredRule): Readonly<Record<string, unknown>> {
  return { ...ruleOf(stored), enabled: true, author: '', password: stored.sealedPassword };
}

/** What is stored of how a condition is read, and how its rule is found. */
type Reading = Pick<StoredRule, 'patterns' | 'pin' | 'fleetSeq' | 'ownedSeq'>;

function mayKeepReading({ rule, isReadAnew }: ValidRule, before: StoredRule): boolean {
  return isReadAnew && before.patterns === undefined && isDeepStrictEqual(rule.condition, before.condition);
}

function readAnew(valid: ValidRule, before: StoredRule | null, { owner }: Provenance): Reading {
  return { ...(valid.isReadAnew && { patterns: true }), ...foundBy(valid, before, owner) };
}

function readAsBefore({ pin, fleetSeq = 0 }: StoredRule): Reading {
  return pin === undefined ? { fleetSeq } : { pin };
}

function storedAs(
  { rule: { password, ...rule } }: ValidRule,
  before: StoredRule | null,
  { author, restarts, nowMs, sealing, source, owner }: Provenance,
  reading: Reading,
): StoredRule {
  const organization = organizationOf(rule.id);
  const next: StoredRule = {
    ...rule,
    ...(organization !== undefined && { organization }),
    author,
    ...sealedPasswordOf(password, before, sealing),
    ...(owner !== undefined && { owner }),
    ...reading,
    createdAtMs: before?.createdAtMs ?? nowMs,
    updatedAtMs: before?.updatedAtMs ?? nowMs,
    restarts,
    ...limitsTagOf(rule.limits, before),
    ...source,
  };
  // An edit is what lifts a suspension; saying the same again is none.
  const { suspended: _, ...unsuspended } = before ?? {};
  if (before !== null && isDeepStrictEqual(next, unsuspended)) return before;
  return { ...next, updatedAtMs: nowMs };
}

/** By its one CPE, or as one of the fleet: which generation it goes into, the commit says. */
function foundBy(
  { rule: { id }, pin, name }: ValidRule,
  before: StoredRule | null,
  owner: RuleOwner | undefined,
): Pick<StoredRule, 'pin' | 'fleetSeq' | 'ownedSeq'> {
  const organization = organizationOf(id);
  if (owner !== undefined) return pin === null ? { ownedSeq: 0 } : { pin: ownedPinIn(organization, pin) };
  if (name !== null) return { pin: namePinIn(organization, name) };
  return pin === null ? { fleetSeq: before?.fleetSeq ?? 0 } : { pin: pinIn(organization, pin) };
}

function limitsTagOf(limits: Rule['limits'], before: StoredRule | null): Pick<StoredRule, 'limitsTag'> {
  if (limits === undefined) return {};
  const kept = before?.limitsTag;
  if (kept !== undefined && isDeepStrictEqual(limits, before?.limits)) return { limitsTag: kept };
  return { limitsTag: randomBytes(LIMITS_TAG_BYTES).toString('base64url') };
}

/** Whether the rule stands in a rule file now: then only the file may change it. */
export function isFromFile(rule: StoredRule): boolean {
  return rule.sourceFile !== undefined && rule.sourceMissing !== true;
}

/**
 * JSON Merge Patch (RFC 7396) as far as a rule goes: null takes a field away, `limits` and the like are merged field by field. A
 * condition is replaced as a whole: half of the old one would be a new one that nobody wrote.
 */
export function mergePatch(rule: Rule, patch: Readonly<Record<string, unknown>>): unknown {
  return merged({ ...rule }, patch, (name, before, value) =>
    isPlainObject(value) && name !== 'condition'
      ? merged(isPlainObject(before) ? before : {}, value, (_name, _before, inner) => inner)
      : value,
  );
}

function merged(
  target: Readonly<Record<string, unknown>>,
  patch: Readonly<Record<string, unknown>>,
  combine: (name: string, before: unknown, value: unknown) => unknown,
): unknown {
  const result = new Map(Object.entries(target));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, combine(name, result.get(name), value));
  }
  return Object.fromEntries(result);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
