import type { CommandKey, CpeId, ResultId } from '../../common/index.js';
import type { Stored } from '../../store/index.js';
import type { Device } from '../device/device.js';
import type {
  AcsMessage,
  AutonomousTransferComplete,
  CpeMessage,
  Download,
  EnvelopeStyle,
  FaultStruct,
  Inform,
  Parameter,
  QueueRequest,
  TransferComplete,
} from '../soap/index.js';
import type { SetNow } from './provisioning.js';
import type { ProvisioningAnswer, ProvisioningAttempt } from './provisioning-plan.js';

/** What a session knows of its CPE, from the Inform that began it. */
export interface SessionFacts {
  readonly cpeid: CpeId;
  /** It has lost the credentials by which it could prove who it is: nothing of it is believed, and it is told nothing. */
  readonly isLost?: true;
  /** It waits to be enrolled: it is told nothing, and nothing that it says after its Inform is kept. */
  readonly isWaiting?: true;
  /** The session began with credentials of this CPE alone. */
  readonly isProven?: true;
  /** Or with those of another, which it says it was before an upgrade. */
  readonly provenAs?: CpeId;
  readonly style: EnvelopeStyle;
  readonly events: readonly string[];
  /** The session carries 1 BOOT: the CPE has restarted. */
  readonly boot: boolean;
  readonly softwareVersion: string | null;
  /** An operator asked for this session (SendCNR). */
  readonly requested: boolean;
  /** An upgrade was transferred before this session began, so that a boot with the old version says that it failed. */
  readonly applying: boolean;
  /** The CommandKey of the event M Download, where the Inform has one that is not empty. */
  readonly transferKey: string | null;
  /** A Download that was under way before this session began, and of which nobody knows whether it reached the CPE. */
  readonly doubt: Doubt | null;
  /** What the shell has at hand of this session's CPE, so as not to read it again; the steps do not look at it. */
  readonly hand: { device: Stored<Device> | null };
}

/** A sending of a Download that found no answer. */
export interface Doubt {
  readonly upgradeId: ResultId;
  /** Which sending it is: 0 for the first. */
  readonly repeats: number;
  /** The Inform names it in an event M Download: it has reached the CPE, and TransferComplete is to come. */
  readonly announced: boolean;
}

/** To be asked of a CPE before anything is sent to it: what it has queued (TR-069 A.4.1.1, A.4.1.7). */
export interface QueueQuestion {
  readonly request: QueueRequest['type'];
  readonly upgradeId: ResultId;
  /** The sending that is in doubt; null: the upgrade has timed out, and the next one is about to be begun. */
  readonly repeats: number | null;
}

/** A request of ours that the CPE has not answered yet; at most one (MaxEnvelopes is 1 since TR-069 Amendment 1). */
export type Outstanding =
  | { readonly request: 'SetParameterValues'; readonly attempt: ProvisioningAttempt }
  | { readonly request: 'GetParameterValues'; readonly names: readonly string[] }
  | { readonly request: 'Download'; readonly upgradeId: ResultId; readonly repeats: number }
  | { readonly request: 'CancelTransfer'; readonly upgradeId: ResultId }
  | QueueQuestion;

/** The state of one CWMP session: a value, so that the whole protocol can be tested without a socket. */
export type Session =
  | { readonly phase: 'start' }
  | {
      readonly phase: 'open';
      readonly facts: SessionFacts;
      readonly outstanding: Outstanding | null;
      /** The CPE has sent an empty POST: it has nothing more of its own to say, and it is our turn. */
      readonly quiet: boolean;
      readonly tasks: TasksLeft;
      /** The CPE has been asked what it has queued, and nothing stands in the way of another Download. */
      readonly queueKnown: boolean;
    };
export type OpenSession = Extract<Session, { phase: 'open' }>;

export interface TasksLeft {
  /** Verification and other consequences of the CPE being quiet; asked once. */
  readonly settle: boolean;
  readonly provision: boolean;
  /** The CPE has an upgrade under way that somebody wants ended; asked once. */
  readonly withdraw?: true;
  /** Whether the CPE has an upgrade under way of which it is to be asked. */
  readonly doubt: boolean;
  /** Parameter names still to be read, a GetParameterValues each. */
  readonly reads: readonly (readonly string[])[];
  /** How often rules may still be asked: once, and again after each reading of parameters that they wanted. */
  readonly decisions: number;
}

/** What came in: a message, an empty body, or the answer to what the last step asked. */
export type Input =
  | { readonly kind: 'message'; readonly message: CpeMessage; readonly style: EnvelopeStyle }
  /** What cannot be read and is no request: an answer to what is outstanding, if anything is. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'answer'; readonly answer: Answer };

/** What must be known or stored before the session can go on; performed by the shell, durably. */
export type Query =
  | { readonly kind: 'record-inform'; readonly inform: Inform; readonly style: EnvelopeStyle }
  | { readonly kind: 'record-transfer-complete'; readonly transferComplete: TransferComplete }
  | { readonly kind: 'record-autonomous-transfer'; readonly transfer: AutonomousTransferComplete }
  | {
      readonly kind: 'record-download';
      readonly upgradeId: ResultId;
      readonly repeats: number;
      readonly outcome: 0 | 1 | FaultStruct;
    }
  | {
      readonly kind: 'record-withdrawal';
      readonly upgradeId: ResultId;
      /** `unanswered`: what came, if anything, could not be read. */
      readonly outcome: 'given-up' | 'unanswered' | FaultStruct;
    }
  /** `commandKeys`: of what it has queued; null where it does not tell. */
  | {
      readonly kind: 'record-queue';
      readonly question: QueueQuestion;
      readonly commandKeys: readonly string[] | null;
    }
  | {
      readonly kind: 'record-parameters';
      readonly parameters: readonly Parameter[];
      /** Names asked for that need not be asked for again: answered, or unknown to the CPE by its own word. */
      readonly settled: readonly string[];
      /** Names asked for of which nothing is known by now. */
      readonly failed: readonly string[];
    }
  | {
      readonly kind: 'record-provisioning';
      readonly attempt: ProvisioningAttempt;
      readonly answer: ProvisioningAnswer;
    }
  /** Leaves a trace; what follows from it is asked for next. */
  | {
      readonly kind: 'record-unreadable';
      readonly request: Outstanding['request'];
      readonly reason: string;
    }
  | { readonly kind: 'settle' }
  | { readonly kind: 'provision' }
  | { readonly kind: 'withdraw' }
  | { readonly kind: 'doubt' }
  | { readonly kind: 'decide'; readonly queueKnown: boolean };

export type Answer =
  | {
      readonly to: 'record-inform';
      readonly facts: SessionFacts;
      readonly settle: boolean;
      readonly provision: boolean;
      /** Somebody wants the upgrade ended that is under way. */
      readonly withdraw?: true;
    }
  | { readonly to: 'record-transfer-complete' | 'record-autonomous-transfer' }
  | { readonly to: 'record-download' | 'record-withdrawal' | 'record-parameters' | 'record-unreadable' }
  /** Asks for parameters that the upgrade under way needs, where the Inform lacked them. */
  | { readonly to: 'settle'; readonly read: readonly string[] }
  /** Null where there is nothing more to set in this session. */
  | { readonly to: 'provision' | 'record-provisioning'; readonly next: SetNow | null }
  /** Null where there is nothing to be given up, or no longer, or the CPE cannot be asked. */
  | { readonly to: 'withdraw'; readonly cancel: CancelNow | null }
  /** Null where there is no doubt, or no longer. */
  | { readonly to: 'doubt'; readonly question: QueueQuestion | null }
  | {
      readonly to: 'record-queue';
      readonly next: { readonly kind: 'go-on' | 'nothing' } | DownloadNow;
    }
  | {
      readonly to: 'decide';
      readonly decision:
        | { readonly kind: 'nothing' }
        | { readonly kind: 'read'; readonly names: readonly string[] }
        | { readonly kind: 'ask-queue'; readonly question: QueueQuestion }
        | DownloadNow;
    };

/** What the CPE is to give up. */
export interface CancelNow {
  readonly upgradeId: ResultId;
  readonly commandKey: CommandKey;
}

/** Reserved, and durably so. */
export interface DownloadNow {
  readonly kind: 'download';
  readonly download: Download;
  readonly upgradeId: ResultId;
  readonly repeats: number;
}

/** What the CPE is sent next. */
export type Reply =
  | { readonly kind: 'message'; readonly message: AcsMessage }
  /** An empty answer: nothing more from us; the session may still be carried on by the CPE. */
  | { readonly kind: 'empty' }
  /** What came breaks the protocol: HTTP 400, and the session is over. */
  | { readonly kind: 'violation'; readonly reason: string };

export type Step =
  | { readonly session: Session; readonly reply: Reply }
  | { readonly session: Session; readonly ask: Query };
