import type { CpeId, ResultId } from '../../common/index.js';
import type { Stored } from '../../store/index.js';
import type { Device } from '../device/device.js';
import type {
  AcsMessage,
  CpeMessage,
  Download,
  EnvelopeStyle,
  FaultStruct,
  Inform,
  Parameter,
  SetParameter,
  TransferComplete,
} from '../soap/index.js';

/** What a session knows of its CPE, from the Inform that began it. */
export interface SessionFacts {
  readonly cpeid: CpeId;
  readonly style: EnvelopeStyle;
  readonly events: readonly string[];
  /** The session carries 1 BOOT: the CPE has restarted. */
  readonly boot: boolean;
  readonly softwareVersion: string | null;
  /** An operator asked for this session (SendCNR). */
  readonly requested: boolean;
  /** An upgrade was transferred before this session began, so that a boot with the old version says that it failed. */
  readonly applying: boolean;
  /** What the shell has at hand of this session's CPE, so as not to read it again; the steps do not look at it. */
  readonly hand: { device: Stored<Device> | null };
}

/** A request of ours that the CPE has not answered yet; at most one (MaxEnvelopes is 1 since TR-069 Amendment 1). */
export type Outstanding =
  | { readonly request: 'SetParameterValues' }
  | { readonly request: 'GetParameterValues'; readonly names: readonly string[] }
  | { readonly request: 'Download'; readonly upgradeId: ResultId };

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
    };
export type OpenSession = Extract<Session, { phase: 'open' }>;

export interface TasksLeft {
  /** Verification and other consequences of the CPE being quiet; asked once. */
  readonly settle: boolean;
  readonly provision: boolean;
  /** Parameter names still to be read, a GetParameterValues each. */
  readonly reads: readonly (readonly string[])[];
  /** How often rules may still be asked: once, and again after each reading of parameters that they wanted. */
  readonly decisions: number;
}

/** What came in: a message, an empty body, or the answer to what the last step asked. */
export type Input =
  | { readonly kind: 'message'; readonly message: CpeMessage; readonly style: EnvelopeStyle }
  | { readonly kind: 'empty' }
  | { readonly kind: 'answer'; readonly answer: Answer };

/** What must be known or stored before the session can go on; performed by the shell, durably. */
export type Query =
  | { readonly kind: 'record-inform'; readonly inform: Inform; readonly style: EnvelopeStyle }
  | { readonly kind: 'record-transfer-complete'; readonly transferComplete: TransferComplete }
  | { readonly kind: 'record-download'; readonly upgradeId: ResultId; readonly outcome: 0 | 1 | FaultStruct }
  | {
      readonly kind: 'record-parameters';
      readonly asked: readonly string[];
      readonly parameters: readonly Parameter[];
    }
  | { readonly kind: 'record-provisioning'; readonly fault: FaultStruct | null }
  | { readonly kind: 'settle' }
  | { readonly kind: 'provision' }
  | { readonly kind: 'decide' };

export type Answer =
  | {
      readonly to: 'record-inform';
      readonly facts: SessionFacts;
      readonly settle: boolean;
      readonly provision: boolean;
    }
  | { readonly to: 'record-transfer-complete' }
  | { readonly to: 'record-download' | 'record-parameters' | 'record-provisioning' }
  /** Asks for parameters that the upgrade under way needs, where the Inform lacked them. */
  | { readonly to: 'settle'; readonly read: readonly string[] }
  | { readonly to: 'provision'; readonly parameters: readonly SetParameter[] }
  | {
      readonly to: 'decide';
      readonly decision:
        | { readonly kind: 'nothing' }
        | { readonly kind: 'read'; readonly names: readonly string[] }
        | { readonly kind: 'download'; readonly download: Download; readonly upgradeId: ResultId };
    };

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
