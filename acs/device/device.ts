import {
  type CountKey,
  type CpeId,
  MINUTE_MS,
  type OrganizationId,
  type ResultId,
  type Turn,
} from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { OrganizationsNow } from '../../organizations/index.js';
import type { DecisionInput, RuleCount } from '../../rules/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import type { CwmpNamespace } from '../soap/index.js';
import type { CpeIdentity } from './cpeid.js';

/** The two roots a data model can have: TR-181 and TR-098. */
export type DataModelRoot = 'Device' | 'InternetGatewayDevice';

/** How long SendCNR's wish for a session stands. */
export const REQUESTED_MS = 10 * MINUTE_MS;

/** Parameter paths to be asked for again at a time. */
export interface AskLater {
  readonly paths: readonly string[];
  readonly untilMs: number;
}

/** To which organization a CPE belongs, and how that came. */
export interface Placement {
  readonly id: OrganizationId;
  /** An operator said so; the first membership rule that holds; or none holds, and it is the default. */
  readonly by: 'hand' | 'rule' | 'default';
  /** The generation of the organizations whose rules were looked at; absent: they are in the next session. */
  readonly at?: number;
  /** What it logged in as then, where any rule asks. */
  readonly username?: string;
}

/** What Ferry keeps of a CPE between sessions. Small (≤ 2 kB as a rule): it is read in every session. */
export interface Device extends Document {
  readonly id: CpeId;
  /** By what it is found where a UUID stands for it (`DeviceIds`); absent in what an earlier version wrote. */
  readonly uuid?: string;
  /** Its serial number as the label of a host name, where it can be one (`serialLabelOf`); absent also in what an earlier version wrote. */
  readonly serialLabel?: string;
  readonly manufacturer: string;
  readonly oui: string;
  readonly productClass: string;
  readonly serialNumber: string;
  readonly modelName?: string;
  readonly softwareVersion?: string;
  readonly hardwareVersion?: string;
  readonly root: DataModelRoot;
  readonly namespace: CwmpNamespace;
  /** Where its last Inform came from. */
  readonly ip: string;
  readonly connectionRequestUrl?: string;
  /**
   * When its URL moved to another address, whoever it was that informed; absent: never, or somebody vouches for where it is
   * (`withUrlTrusted`). Until then it is called with Digest alone.
   */
  readonly connectionRequestMovedMs?: number;
  /** The host of its last URL that named one; absent where the URL does. */
  readonly connectionRequestHost?: string;
  /** What it reported last of these fields and is not taken, so that they are not known: why, by field. */
  readonly refusedFields?: {
    readonly [Field in 'softwareVersion' | 'hardwareVersion' | 'modelName' | 'connectionRequestUrl']?: string;
  };
  /** Credentials this ACS generated for connection requests; `confirmed` once the CPE has taken them. */
  readonly connectionRequestAuth?: {
    readonly username: string;
    readonly sealedPassword: string;
    readonly confirmed: boolean;
  };
  /**
   * Whether credentials and the periodic Inform are still to be set. `partly` and `refused`: the CPE took some or none of it; `failed`: it
   * was tried three times without an answer that can be read. From these, a boot or another version begins anew.
   */
  readonly provisioning: 'due' | 'done' | 'partly' | 'refused' | 'failed';
  /** How often it has been tried since it last came to an end. */
  readonly provisioningTries?: number;
  /** What the CPE did not take, and its words. */
  readonly provisioningFailures?: readonly {
    readonly names: readonly string[];
    readonly faultCode: number;
    readonly faultString: string;
  }[];
  /** Its last session began with credentials of its own: it is the one that it says it is. */
  readonly identityProven?: true;
  /** Since when it comes with the shared pair and a BOOTSTRAP, though it has had credentials of its own; until it uses such. */
  readonly credentialsLostMs?: number;
  /** It waits to be enrolled: rules do not look at it, and its data model is not kept. Absent where it is enrolled. */
  readonly enrolment?: 'waiting';
  readonly registeredMs: number;
  readonly lastInformMs: number;
  readonly lastEvents: readonly string[];
  readonly tags: readonly string[];
  /** To which organization it belongs; absent: to the default, and nobody has asked yet. */
  readonly organization?: Placement;
  /** An operator asked for a session (SendCNR); the next one before this time consumes it. */
  readonly requestedUntilMs?: number;
  /** The upgrade under way; at most one. */
  readonly inFlight?: ResultId;
  /** The last upgrade that timed out, or was withdrawn: what is heard later may still say how it ended. */
  readonly late?: ResultId;
  /** The last upgrade, where its result was concluded from a version: a later one may correct it. */
  readonly concluded?: Conclusion;
  /** The identity under which this device goes on, as it came back from an upgrade with another OUI. */
  readonly supersededBy?: CpeId;
  /** The identity that it had before. */
  readonly supersedes?: CpeId;
  /** What it reported last of a transfer that nobody here asked for (TR-069 A.3.3.3). */
  readonly autonomousTransfer?: AutonomousTransfer;
  readonly counts: Readonly<Record<CountKey, RuleCount>>;
  /** Digest of the parameters of the last Inform, so that unchanged ones are not written again. */
  readonly informDigest: string;
  /** How much of its data model is kept, names and values; absent where nobody has counted it yet. */
  readonly parametersBytes?: number;
  /** What of its data model is not kept, as it is too much; absent where all is. */
  readonly parametersCut?: ParametersCut;
  /** It has said that it does not know CancelTransfer: it is not asked again until its version changes. */
  readonly cancelUnsupported?: true;
  /** Parameter paths rules asked for that this CPE was asked for since its last version change. */
  readonly askedPaths?: readonly string[];
  /** Those that it has not told for a passing reason: asked for again after a boot, or at this time. */
  readonly failedPaths?: AskLater;
  /** Those that it was asked for and has not answered: asked for again at this time. */
  readonly unansweredPaths?: AskLater;
  /** What somebody waits for: asked for in the next session, whatever is known of it. */
  readonly wantedPaths?: readonly string[];
}

/** What of a data model is not kept. */
export interface ParametersCut {
  /** The subtrees (`Device.WiFi`) of which all or some is missing: the first sixteen by name. A BOOTSTRAP begins anew. */
  readonly subtrees: readonly string[];
  /** Names and values that were not kept when that happened last. */
  readonly bytes: number;
}

/** What may still be corrected, and by what. */
export interface Conclusion {
  readonly id: ResultId;
  /** The version that would; null: any other than the one before the upgrade. */
  readonly correctedBy: string | null;
  /** Then also than this one, which an upgrade to a target that was read from the image's file has failed by. */
  readonly otherThan?: string;
  /** From then on it stays; absent: until the next upgrade begins. */
  readonly untilMs?: number;
}

export interface AutonomousTransfer {
  readonly atMs: number;
  readonly isDownload: boolean;
  readonly fileType: string;
  readonly targetFileName: string;
  /** 0: it went well. */
  readonly faultCode: number;
  readonly faultString: string;
}

export const DEVICES: CollectionDefinition = {
  name: 'devices',
  indexes: {
    serialNumber: ['serialNumber'],
    tags: ['tags'],
    registered: ['registeredMs'],
    enrolment: ['enrolment'],
    organization: ['organization.id'],
    uuid: ['uuid'],
    serialLabel: ['serialLabel'],
    organizationRegistered: ['organization.id', 'registeredMs'],
  },
};

/** A subtree of the data model of one CPE, as last reported: flat, by full name. The id is `<cpeid>/<subtree>`. */
export interface ParameterDocument extends Document {
  /** When anything in it changed last; absent in what an older version wrote. */
  readonly atMs?: number;
  readonly values: Readonly<Record<string, string | number | boolean>>;
}

export const PARAMETERS: CollectionDefinition = { name: 'parameters', indexes: {} };

/** The CPEs this installation knows. */
export interface Devices {
  get(cpeid: CpeId): Promise<Device | null>;
  /**
   * By id, ascending; served from an index for `ids`, `idPrefix`, `serialNumbers`, `tags`, `isWaiting` and `organization`, and for
   * `organization` together with `idPrefix`, else in bounded pages.
   * @param turn  see `Collection.scan`
   */
  scan(filter: DeviceFilter, turn?: Turn): AsyncIterable<Device>;
  /** By what the installation tells CPEs apart. */
  readonly cpeIdentity: CpeIdentity;
  /**
   * The CPEs that have told this serial number, by id: none, one, or several of different vendors or product classes.
   * @param limit  no more of them are looked at
   */
  withSerialNumber(serialNumber: string, limit: number): Promise<readonly Device[]>;
  /**
   * By when they came first, newest first.
   * @param organization  only those that are kept as belonging to it: of the default not all are; absent: all
   * @param turn  see `Collection.scan`
   */
  newest(organization?: OrganizationId, turn?: Turn): AsyncIterable<Device>;
  /** Whether a CPE of this installation can have this id. */
  isId(text: string): text is CpeId;
  /** Whether it is to be enrolled before rules may look at it, also if it came now. */
  isWaiting(device: Device): boolean;
  /** Every parameter known of the CPE, by full name; at most 2 MiB of names and values. */
  parameters(cpeid: CpeId): Promise<Readonly<Record<string, string | number | boolean>>>;
  /**
   * Has a CPE asked for parameters in its next session, once, whatever is known of them. One that is told nothing, or has an upgrade under way, is asked later.
   * @param paths  without its root, a few
   */
  want(cpeid: CpeId, paths: readonly string[]): Promise<void>;
  /** What would be decided on if the CPE began a session now; null for one that is not known. */
  describe(cpeid: CpeId, moment: Moment): Promise<DescribedCpe | null>;
  /** The same of many, in the order of {@link scan}. */
  describeAll(filter: DeviceFilter, moment: Moment, turn?: Turn): AsyncIterable<DescribedCpe>;
  /** How many are known, wait to be enrolled, or belong to an organization other than the default: walks an index in bounded pieces. */
  count(which?: 'waiting' | { readonly organization: OrganizationId }): Promise<number>;
  /** The organizations, as they stood within the last second. */
  organizations(): OrganizationsNow | Promise<OrganizationsNow>;
  /**
   * Forgets CPEs and their data models, each in a commit of its own; results of their upgrades stay. One that informs afterwards is a new
   * one. A CPE with an upgrade under way stays, as what becomes of that could not be learnt without it.
   * @throws StoreError  then any of them may be gone
   */
  remove(cpeids: readonly CpeId[], options: RemovalOptions): Promise<Removal>;
}

export type RemovalOptions = RemovalReason & RemovalBounds;

/** Asked for by somebody, or because nothing has been heard of the CPE for too long. */
export type RemovalReason =
  | { readonly why: 'asked'; readonly by: Actor }
  | { readonly why: 'not-heard'; readonly by?: never };

export interface RemovalBounds {
  /** Leaves a CPE where it is false of what is known of it by then; it does not act, as it may be asked again. */
  readonly only?: (device: Device) => boolean;
  /** When each portion is done, so that others have theirs in between; without it at once. */
  readonly turn?: Turn;
}

/** What came of a removal. Whoever was not known any more is in neither. */
export interface Removal {
  readonly removed: number;
  /** Those that stay, as they have an upgrade under way. */
  readonly upgrading: readonly CpeId[];
}

/** When, and whether as if SendCNR had asked for the session; without that word, whether it has. */
export interface Moment {
  readonly nowMs: number;
  readonly requested?: boolean;
}

/** A CPE as a session finds it that begins with the event `2 PERIODIC`. */
export interface DescribedCpe {
  readonly input: DecisionInput;
  /** The upgrade under way: while there is one nothing is decided. */
  readonly inFlight: ResultId | null;
  /** It waits to be enrolled: until it is nothing is decided. */
  readonly isWaiting?: true;
}

export interface DeviceFilter {
  readonly ids?: readonly string[];
  readonly idPrefix?: string;
  readonly serialNumbers?: readonly string[];
  readonly tags?: readonly string[];
  /** Only those that wait to be enrolled. */
  readonly isWaiting?: true;
  /** Only those that are kept as belonging to it: of the default not all are. */
  readonly organization?: OrganizationId;
  /** Only those whose id comes after this one, which costs no more than from the start. */
  readonly after?: string;
}
