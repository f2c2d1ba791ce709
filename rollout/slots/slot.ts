import type { Device } from '../../acs/index.js';
import type { Actor } from '../../events/index.js';
import type { Image } from '../../firmware/index.js';

/** What stands in a slot. */
export interface SlotContent {
  /** Empty where nobody knows it. */
  readonly version: string;
  /** Whether a CPE reports that version; else it is the name of the file. */
  readonly isVersionKnown: boolean;
  /** What is said of it to people: the changelog of its build; empty where there is none. */
  readonly notes: string;
  /** What would be sent; null where the CPE alone has it. */
  readonly image: Image | null;
}

/** How the last try to have a CPE run what stands in a slot has failed. */
export interface SlotFailure {
  readonly stage: 'failed' | 'not-heard-of' | 'refused';
  /** The CPE's FaultCode (TR-069 A.5.1), where it told one. */
  readonly code: number | null;
  readonly reason: string;
  readonly text: string;
}

/** One place for firmware of a CPE. */
export interface Slot {
  /** A number, from 1, as a text. */
  readonly key: string;
  /** Null: it is empty. */
  readonly content: SlotContent | null;
  /** The CPE runs it. */
  readonly current: boolean;
  /** An upgrade to it waits or runs, whoever has begun it. */
  readonly afterReboot: boolean;
  /** What is being fetched is to stand here. */
  readonly reserved: boolean;
  readonly failure: SlotFailure | null;
}

/** A slot in which something stands. */
export type FilledSlot = Slot & { readonly content: SlotContent };

export type SlotErrorCode =
  /** There is no slot of this key. */
  | 'no-slot'
  /** Nothing stands in it. */
  | 'empty-slot'
  /** All slots are taken. */
  | 'no-empty-slot'
  /** The CPE runs it, or is to run it. */
  | 'in-use'
  | 'no-fetch'
  | 'too-many-fetches';

/** Why something cannot be done with the slots of a CPE; each API words it. */
export class SlotError extends Error {
  override readonly name = 'SlotError';
  constructor(
    readonly code: SlotErrorCode,
    message: string,
    /** Of the slot or the fetch that was asked for; null where none was. */
    readonly key: string | null = null,
  ) {
    super(message);
  }
}

export type FetchState = 'queued' | 'in-progress' | 'finished' | 'failed' | 'cancelled';

/** A file that Ferry was told to fetch into a slot. */
export interface SlotFetch {
  /** A number, from 1, as a text; never given twice. */
  readonly key: string;
  readonly url: string;
  readonly sha256: string | null;
  readonly state: FetchState;
  /** Where it is to stand, or stands; null where it came to nothing. */
  readonly slot: string | null;
  /** Why it failed; null where it has not. */
  readonly problem: string | null;
  readonly beganAtMs: number;
  readonly endedAtMs: number | null;
}

/** What is asked to be fetched. */
export interface AskedFetch {
  readonly url: string;
  /** In lower case; null: it is not checked. */
  readonly sha256: string | null;
  /** What the library is to call it. */
  readonly name: string;
}

/** What came of looking whether a CPE can be upgraded to what stands in a slot. */
export interface SlotTest {
  readonly passed: boolean;
  /** For people, one after the other. */
  readonly lines: readonly string[];
}

export interface SlotTestOptions {
  /** Whether the CPE is called first, so that what is known of it is of now. */
  readonly live: boolean;
  /** Ends the waiting for the CPE. */
  readonly signal: AbortSignal;
}

export interface SlotUpgradeOptions extends SlotTestOptions {
  /** What whoever asks says of it. */
  readonly note: string | null;
  readonly by: Actor;
}

/** The places for firmware of single CPEs: their own, where they tell of them, else modelled. */
export interface DeviceSlots {
  /** All of them, by key. */
  of(device: Device): Promise<readonly Slot[]>;
  /**
   * Puts an image into the first empty slot; one that stands in a slot stays there.
   * @returns its slot
   * @throws SlotError `no-empty-slot`
   */
  put(device: Device, image: Image, by: Actor): Promise<Slot>;
  /** Takes out what stands in a slot; its image stays in the library. @throws SlotError `no-slot`, `empty-slot`, `in-use` */
  clear(device: Device, key: string, by: Actor): Promise<void>;
  /** What was told to be fetched, the oldest first. */
  fetches(device: Device): Promise<readonly SlotFetch[]>;
  /**
   * Has a file fetched in the background, which then stands in a slot.
   * @throws SlotError `no-empty-slot`, `too-many-fetches`; SourceError, ImageError, UploadError
   */
  beginFetch(device: Device, asked: AskedFetch, by: Actor): Promise<SlotFetch>;
  /**
   * Cancels what has not ended, which then stays in the list; takes out of it what has.
   * @returns what it is now; null where it was taken out
   * @throws SlotError `no-fetch`
   */
  dropFetch(device: Device, key: string, by: Actor): Promise<SlotFetch | null>;
  /** Whether the CPE could be upgraded to what stands in a slot; changes nothing. @throws SlotError `no-slot`, `empty-slot` */
  test(device: Device, key: string, options: SlotTestOptions): Promise<SlotTest>;
  /**
   * Tests, and where that is passed begins the upgrade, in place of one that was begun here and was not sent. What the CPE runs needs none:
   * then only that is withdrawn.
   * @throws SlotError `no-slot`, `empty-slot`; BatchError
   */
  upgrade(device: Device, key: string, options: SlotUpgradeOptions): Promise<SlotTest>;
  /** Puts what was fetched meanwhile where it is to stand, of all CPEs, and forgets some of what is kept of CPEs that are gone. To be called now and then. */
  settle(): Promise<void>;
}
