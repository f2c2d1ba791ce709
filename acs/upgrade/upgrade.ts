import {
  type CommandKey,
  type CountKey,
  type CpeId,
  compareText,
  type OrganizationId,
  type ResultId,
  type RuleId,
  runsTarget,
  type Turn,
} from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { RuleOwner } from '../../rules/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import type { ReportMatch } from './command-key.js';

/**
 * The life of an upgrade. `sent` is written before the Download goes on the wire (the design's `reserved` and `sent` in
 * one: after a crash nobody could tell them apart), so it also means "may have been sent".
 */
export type UpgradeState =
  | 'sent'
  | 'accepted'
  | 'transferred'
  | 'verified'
  | 'failed'
  | 'timed-out'
  | 'cancelled';

/** What FirmwareResultStorage shows of the outcome: 200 verified, 202 running, 500 failed, 408 timed out, 499 cancelled. */
export interface UpgradeResult {
  readonly code: 200 | 202 | 408 | 499 | 500;
  readonly message: string;
}

/** Somebody wants an upgrade ended although its Download has been sent. */
export interface Withdrawal {
  readonly askedAtMs: number;
  /** How often the CPE was asked in vain, for a passing reason. */
  readonly tries: number;
  /** The CPE has said that it is too late: the upgrade goes on. */
  readonly isRefused?: true;
}

/** One execution of one rule on one CPE. */
export interface Upgrade extends Document {
  readonly id: ResultId;
  readonly commandKey: CommandKey;
  readonly cpeid: CpeId;
  readonly campaignid: RuleId;
  /** What that rule is called by its author, where it is one of an organization; absent: as it is stored. */
  readonly writtenCampaignid?: string;
  /** To which organization its CPE belonged when it began, and so this for good; absent: the default. */
  readonly organization?: OrganizationId;
  /** What owns that rule; absent where an author does. */
  readonly owner?: RuleOwner;
  /** The rule's file and target that this was an execution of. */
  readonly countKey: CountKey;
  /** Which part of the rule's counts it was counted in; absent where nothing was sent. */
  readonly share?: number;
  /** Which of its counts by address, where it is in one. */
  readonly addressBucket?: number;
  readonly ruleDescription: string;
  readonly state: UpgradeState;
  /** True once it ended. */
  readonly status: boolean;
  readonly result: UpgradeResult;
  readonly file: string;
  /** SHA-256 of the image that it was decided for; absent where the file is elsewhere, and in upgrades of earlier versions. */
  readonly imageSha256?: string;
  /** FileType of its Download; absent where nothing was sent, and in upgrades of earlier versions. */
  readonly fileType?: string;
  readonly targetVersion: string | null;
  /** The target was read from the image's file: see `runsTarget`. Absent: it was typed, as in all upgrades of earlier versions. */
  readonly isTargetRead?: true;
  /** SoftwareVersion when it began. */
  readonly fromVersion: string | null;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  /** How often its Download was sent again, because it may not have reached the CPE; absent: never. */
  readonly repeats?: number;
  /** Digest of the URL its Download was sent with last: a URL may be a key to the file. */
  readonly urlDigest?: string;
  /** The version that its result was concluded from: a later one may correct it. */
  readonly concludedFrom?: string;
  /** The FaultCode that it failed with (TR-069 A.5.1), where the CPE said one; absent in upgrades of earlier versions. */
  readonly fault?: number;
  /** It failed as its Download does not seem to have reached the CPE. */
  readonly notReached?: true;
  /** How often it was. */
  readonly corrections?: number;
  /** How the CPE's report of the transfer was known to be this one's; absent: by its CommandKey, as it was sent. */
  readonly matchedBy?: ReportMatch;
  /** The identity under which its CPE came back from it and reported (see {@link Device.supersededBy}). */
  readonly reportedBy?: CpeId;
  /** The CPE does not tell whether it has the Download: from here on it is taken not to. */
  readonly doubtUntilMs?: number;
  /** Or from here on, where it comes with its periodic Inform. */
  readonly doubtUntilPeriodicMs?: number;
  /** Somebody wants it ended ({@link Upgrades.withdraw}); it stays when it has ended. */
  readonly withdrawal?: Withdrawal;
  /** The CPE does not have the Download, and it is not sent again yet. */
  readonly heldBack?: true;
  /** When the state it is in times out; absent once it ended. */
  readonly deadlineAtMs?: number;
  /** How long each state may last. */
  readonly stateMsMax: { readonly sent: number; readonly accepted: number; readonly transferred: number };
}

export const UPGRADES: CollectionDefinition = {
  name: 'upgrades',
  indexes: {
    campaign: ['campaignid', 'startedAtMs'],
    cpe: ['cpeid', 'startedAtMs'],
    started: ['startedAtMs'],
    status: ['status', 'startedAtMs'],
    deadline: ['deadlineAtMs'],
    // Of results of the default, where there is no other, nothing is in these.
    organization: ['organization', 'startedAtMs'],
    organizationCampaign: ['organization', 'campaignid', 'startedAtMs'],
    // Only those of rules of organizations are in it.
    writtenCampaign: ['writtenCampaignid', 'startedAtMs'],
  },
};

/** Whether a version that a CPE reports is the one that this upgrade is to bring; false where none is known. */
export function isTarget(
  { targetVersion, isTargetRead }: Pick<Upgrade, 'targetVersion' | 'isTargetRead'>,
  reported: string,
): boolean {
  return (
    targetVersion !== null && runsTarget(reported, { version: targetVersion, isRead: isTargetRead === true })
  );
}

/** Which sending of its Download an upgrade is at: 0 for the first. What is learnt of an earlier one may be out of date. */
export function repeatsOf({ repeats }: Pick<Upgrade, 'repeats'>): number {
  return repeats ?? 0;
}

/** A place in the order in which upgrades are listed. */
export interface UpgradePlace {
  readonly startedAtMs: number;
  readonly id: string;
}

/** As the indexes give them backwards: ties go by id, the last by its UTF-8 first. */
export function newestFirst(left: UpgradePlace, right: UpgradePlace): number {
  return right.startedAtMs - left.startedAtMs || compareText(right.id, left.id);
}

export interface UpgradeFilter {
  readonly ids?: readonly string[];
  /** Of rules, as they are stored. */
  readonly campaignids?: readonly string[];
  /** Of rules of organizations, as their authors call them. */
  readonly writtenCampaignids?: readonly string[];
  readonly cpeids?: readonly string[];
  readonly status?: boolean;
  /** Only those that are kept as belonging to it: of the default not all are. */
  readonly organization?: OrganizationId;
  /** Only what comes after this place in the order, which costs no more than from the start. */
  readonly after?: UpgradePlace;
}

/** Deleting the result of an upgrade that still runs would lose what becomes of it. */
export class UpgradeRunningError extends Error {
  override readonly name = 'UpgradeRunningError';
  constructor(readonly ids: readonly ResultId[]) {
    super(`${ids.length} of the results belong to upgrades that are still running`);
  }
}

/** What has come of {@link Upgrades.withdraw}. */
export type WithdrawalAnswer = 'asked' | 'transferred' | 'ended';

/** Results of upgrades, running and ended. */
export interface Upgrades {
  get(id: ResultId): Promise<Upgrade | null>;
  /**
   * Newest first (by `startedAtMs`, which does not move under a reader of several pages), ties by id; served from an index for the first of
   * `ids`, `cpeids`, `campaignids` (together with `organization`), `writtenCampaignids`, `organization` and `status` that the filter has, and
   * from no other: what else it asks for is for the caller to check.
   * @param turn  see `Collection.scan`
   */
  scan(filter: UpgradeFilter, turn?: Turn): AsyncIterable<Upgrade>;
  /**
   * Has an upgrade ended that is under way and that its CPE may not have begun: it is asked to give up the Download in its next session
   * (CancelTransfer, TR-069 A.4.1.9), for which whoever calls this may call it. Durable when it resolves; asked twice it changes nothing.
   * One whose Download seems not to have arrived is not sent again.
   * @returns `asked`: the CPE will be, and the upgrade ends `cancelled` where it gives up, else as it would have; `transferred`: it is too
   *   late, the CPE has the file or has said so; `ended`: it is over; null: there is none
   */
  withdraw(id: ResultId): Promise<WithdrawalAnswer | null>;
  /** @returns how many there were. @throws UpgradeRunningError, and then nothing is deleted */
  remove(ids: readonly ResultId[], by: Actor): Promise<number>;
}
