import { EventEmitter } from 'node:events';
import type { CpeFault, CpeIdentity, QueueMethod } from './soap/index.js';

/** What happens to simulated CPEs, by name; each carries whose it is. */
export interface SimulatorEvents {
  /** The InformResponse came: these events are delivered. */
  inform: [
    { readonly identity: CpeIdentity; readonly events: readonly string[]; readonly retryCount: number },
  ];
  /** A session is over. `messages`: how many the CPE sent. */
  session: [
    | {
        readonly identity: CpeIdentity;
        readonly outcome: 'ended';
        readonly events: readonly string[];
        readonly messages: number;
      }
    | {
        readonly identity: CpeIdentity;
        readonly outcome: 'failed';
        readonly events: readonly string[];
        readonly reason: string;
        /** When it is tried again; null: not (the CPE reboots or stops). */
        readonly retryMs: number | null;
      },
  ];
  'connection-request': [{ readonly identity: CpeIdentity; readonly outcome: 'accepted' | 'busy' | 'off' }];
  /** A Download was read. `repeat`: how often this CommandKey had come before. */
  download: [
    {
      readonly identity: CpeIdentity;
      readonly commandKey: string;
      readonly url: string;
      readonly repeat: number;
    },
  ];
  /** The ACS asked what is queued. `commandKeys`: what it was told; null: with a fault, as the method is not supported. */
  'queue-asked': [
    {
      readonly identity: CpeIdentity;
      readonly method: QueueMethod;
      readonly commandKeys: readonly string[] | null;
    },
  ];
  /** The ACS asked that a transfer be given up. `faultCode`: what it was refused with; null: it was given up, or there was none. */
  'cancel-asked': [
    { readonly identity: CpeIdentity; readonly commandKey: string; readonly faultCode: number | null },
  ];
  /** The file was fetched, or not. */
  transfer: [
    {
      readonly identity: CpeIdentity;
      readonly commandKey: string;
      readonly fault: CpeFault | null;
      /** Of the fetched image; 0 where none was. */
      readonly sizeBytes: number;
      readonly resumes: number;
    },
  ];
  /** TransferComplete was answered by the ACS. */
  'transfer-complete-sent': [
    { readonly identity: CpeIdentity; readonly commandKey: string; readonly fault: CpeFault | null },
  ];
  /** The CPE goes down, to come back later. */
  reboot: [{ readonly identity: CpeIdentity }];
  /** The CPE goes down for good (fault `never-back`). */
  gone: [{ readonly identity: CpeIdentity }];
  /** The CPE runs another version than before. */
  version: [{ readonly identity: CpeIdentity; readonly from: string; readonly to: string }];
}

export type SimulatorEventName = keyof SimulatorEvents;
export type SimulatorEmitter = EventEmitter<SimulatorEvents>;

export const SIMULATOR_EVENT_NAMES = [
  'inform',
  'session',
  'connection-request',
  'download',
  'queue-asked',
  'cancel-asked',
  'transfer',
  'transfer-complete-sent',
  'reboot',
  'gone',
  'version',
] as const satisfies readonly SimulatorEventName[];

export function createEmitter(): SimulatorEmitter {
  return new EventEmitter<SimulatorEvents>();
}
