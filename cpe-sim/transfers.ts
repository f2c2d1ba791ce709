import { setTimeout as delay } from 'node:timers/promises';
import { DownloadError, type DownloadedImage, downloadImage } from './download.js';
import type { FaultPlan } from './fault.js';
import { faultResponse } from './rpc.js';
import type { Reply } from './session.js';
import {
  type CpeFault,
  type CpeRequest,
  type CpeResponse,
  type Download,
  type QueuedTransfer,
  UNKNOWN_TIME,
} from './soap/index.js';
import { TIMER_MS_MAX } from './timers.js';

/** A CPE must queue at least three transfers (TR-069 A.3.2.8); a fourth is refused with 9004. */
const QUEUED_MAX = 3;
/** How many Downloads the record keeps; the oldest go first. */
const RECORD_MAX = 1_000;
/** Most entries of TransferList. */
const LISTED_MAX = 16;
const FIRMWARE_FILE_TYPE = '1 Firmware Upgrade Image';

/** A transfer that has ended, and of which the ACS must still be told (TR-069 3.7.1.5: kept until answered). */
export interface Completion {
  readonly download: Download;
  readonly commandKey: string;
  readonly fault: CpeFault | null;
  readonly startTime: string;
  readonly completeTime: string;
  /** How many TransferCompletes are still to be sent. */
  reportsLeft: number;
  /** What follows the last of them, once its session is over. */
  readonly then: (() => void) | null;
}

/** The device that transfers happen on. */
export interface TransferHost {
  readonly productClass: string;
  readonly faults: FaultPlan;
  readonly signal: AbortSignal;
  /** Whether it is up: neither rebooting nor gone. */
  isOn(): boolean;
  readonly limits: {
    readonly imageBytesMax: number;
    readonly idleMsMax: number;
    readonly resumeMs: number;
  };
  /** Runs once no session is open. */
  afterSession(act: () => void): void;
  after(waitMs: number, act: () => void): void;
  /** Goes down; comes back with the version (null: the one it has), and runs `onBoot` before its first Inform. */
  reboot(softwareVersion: string | null, onBoot: () => void): void;
  /** Goes down for good. */
  vanish(): void;
  /** Something is to be told: a session is due. */
  sessionDue(): void;
  onDownload(commandKey: string, url: string, repeat: number): void;
  onTransfer(commandKey: string, fault: CpeFault | null, image: DownloadedImage | null): void;
  onReported(completion: Completion): void;
}

type Outcome =
  | { readonly kind: 'fetched'; readonly image: DownloadedImage; readonly startTime: string }
  | { readonly kind: 'failed'; readonly fault: CpeFault; readonly startTime: string };

/** The Downloads of one CPE: from the request to the answered TransferComplete, with the faults on order. */
export class Transfers {
  /** Every Download read, in order. */
  readonly record: { readonly commandKey: string; readonly url: string }[] = [];
  readonly #host: TransferHost;
  readonly #queue: Download[] = [];
  /** Accepted, and not yet reported; the ACS may ask for these. In the order they came. */
  readonly #states = new Map<Download, 1 | 2 | 3>();
  #working: Promise<void> | null = null;
  /** Breaks off what is being fetched. */
  #fetching: { readonly download: Download; readonly abort: AbortController } | null = null;
  #completions: Completion[] = [];
  /** Those that this session's Inform announced, or that arose in it. */
  #sendable: Completion[] = [];
  /** To be fetched and reported within this very session (an injected fault). */
  #sameSession: Download | null = null;

  constructor(host: TransferHost) {
    this.#host = host;
  }

  /** What the next Inform has to announce. */
  get completions(): readonly Completion[] {
    return this.#completions;
  }

  /** A session begins: what is complete now is told in it. */
  sessionStarts(): void {
    this.#sendable = [...this.#completions];
    this.#sameSession = null;
  }

  async nextRequest(): Promise<CpeRequest | null> {
    const download = this.#sameSession;
    if (download !== null) {
      this.#sameSession = null;
      await this.#executeInSession(download);
    }
    const [next] = this.#sendable;
    if (next === undefined) return null;
    const { commandKey, fault, startTime, completeTime } = next;
    return { type: 'TransferComplete', commandKey, fault, startTime, completeTime };
  }

  /** The TransferComplete that {@link nextRequest} gave last has been answered. */
  requestAnswered(): void {
    const completion = this.#sendable.shift();
    if (completion === undefined) return;
    this.#completions = this.#completions.filter((other) => other !== completion);
    this.#host.onReported(completion);
    this.#states.delete(completion.download);
    completion.reportsLeft--;
    if (completion.reportsLeft > 0) this.#host.afterSession(() => this.#complete(completion));
    else if (completion.then !== null) this.#host.afterSession(completion.then);
  }

  /** Answers a Download (TR-069 A.3.2.8). */
  async answer(download: Download): Promise<Reply> {
    const { faults } = this.#host;
    if (faults.take('drop', ({ at }) => at === 'download') !== null) return { kind: 'break' };
    const repeat = this.record.filter(({ commandKey }) => commandKey === download.commandKey).length;
    this.record.push({ commandKey: download.commandKey, url: download.url });
    if (this.record.length > RECORD_MAX) this.record.shift();
    this.#host.onDownload(download.commandKey, download.url, repeat);

    if (faults.take('hang') !== null) return { kind: 'silence' };
    const refusal = faults.take('refuse');
    if (refusal !== null) return { kind: 'answer', response: faultResponse(refusal.faultCode) };
    const wrong = this.#wrongArguments(download);
    if (wrong !== null) return { kind: 'answer', response: wrong };
    if (faults.take('status-zero') !== null) return this.#fetchAtOnce(download);
    this.#states.set(download, 1);
    if (faults.take('same-session-complete') !== null) this.#sameSession = download;
    else {
      this.#queue.push(download);
      this.#host.afterSession(() => this.work());
    }
    if (faults.take('drop', ({ at }) => at === 'download-response') !== null) return { kind: 'break' };
    return {
      kind: 'answer',
      response: {
        type: 'DownloadResponse',
        status: 1,
        startTime: UNKNOWN_TIME,
        completeTime: UNKNOWN_TIME,
      },
    };
  }

  /** What GetQueuedTransfers and GetAllQueuedTransfers are told (TR-069 A.4.1.1, A.4.1.7). */
  async queued(): Promise<readonly QueuedTransfer[]> {
    const { faults, signal } = this.#host;
    const slow = faults.take('slow-queue');
    if (slow !== null) await delay(slow.delayMs, undefined, { signal, ref: false }).catch(() => undefined);
    const isHidden = faults.take('hide-queue') !== null;
    return isHidden ? [] : [...this.#states].slice(0, LISTED_MAX).map(queued);
  }

  /**
   * Gives up the transfers of a key that it has accepted and not yet fetched (TR-069 A.4.1.9): of these it tells nothing more. What it has
   * fetched it applies.
   */
  cancel(commandKey: string): CpeResponse {
    const refusal = this.#host.faults.take('refuse-cancel');
    if (refusal !== null) return faultResponse(refusal.faultCode);
    const meant = [...this.#states].filter(([download]) => download.commandKey === commandKey);
    if (meant.some(([, state]) => state === 3)) return faultResponse(9021);
    for (const [download] of meant) this.#giveUp(download);
    return { type: 'CancelTransferResponse' };
  }

  #giveUp(download: Download): void {
    this.#states.delete(download);
    const at = this.#queue.indexOf(download);
    if (at !== -1) this.#queue.splice(at, 1);
    if (this.#sameSession === download) this.#sameSession = null;
    if (this.#fetching?.download === download) this.#fetching.abort.abort();
  }

  #wrongArguments(download: Download): ReturnType<typeof faultResponse> | null {
    if (download.fileType !== FIRMWARE_FILE_TYPE)
      return faultResponse(9003, `Invalid arguments: only FileType "${FIRMWARE_FILE_TYPE}" is supported`);
    if (!URL.canParse(download.url)) return faultResponse(9003, 'Invalid arguments: URL is none');
    const url = new URL(download.url);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return faultResponse(9013);
    if (url.username !== '' || url.password !== '')
      return faultResponse(9003, 'Invalid arguments: URL must not hold userinfo');
    if (this.#queue.length >= QUEUED_MAX) return faultResponse(9004);
    return null;
  }

  /** Takes up the queue where nothing is under way; called again after a boot. */
  work(): void {
    if (this.#working !== null || !this.#host.isOn()) return;
    const download = this.#queue.shift();
    if (download === undefined) return;
    this.#working = this.#execute(download).finally(() => {
      this.#working = null;
      this.work();
    });
  }

  /** Waits for what is under way, after the host's signal has aborted. */
  async stopped(): Promise<void> {
    await this.#working;
  }

  /** Queued transfers outlive a reboot (TR-069 A.3.2.8), unless the device has the fault that they do not. */
  goDown(): void {
    this.forgetSession();
    if (this.#host.faults.take('forget-queue') === null) return;
    this.#queue.length = 0;
    this.#states.clear();
    this.#completions = [];
  }

  /** A device whose session is over forgets what was said in it, not what the ACS must be told. */
  forgetSession(): void {
    this.#sendable = [];
    this.#sameSession = null;
  }

  async #fetch(download: Download): Promise<Outcome | null> {
    const { faults, limits, productClass } = this.#host;
    const abort = new AbortController();
    const signal = AbortSignal.any([this.#host.signal, abort.signal]);
    this.#fetching = { download, abort };
    const startTime = now();
    const injected = faults.take('transfer');
    try {
      if (injected !== null) {
        const { faultCode, faultString } = injected;
        return this.#failed(download, { faultCode, faultString }, startTime);
      }
      const { username, password, url, fileSizeBytes } = download;
      const credentials = username === '' ? null : { username, password };
      const image = await downloadImage({ url, credentials, fileSizeBytes, ...limits, signal });
      if (image.productClass !== undefined && image.productClass !== productClass)
        throw new DownloadError(9018, `the image is for ${image.productClass}`);
      this.#host.onTransfer(download.commandKey, null, image);
      return { kind: 'fetched', image, startTime };
    } catch (error) {
      if (signal.aborted) return null;
      if (error instanceof DownloadError) return this.#failed(download, error.fault, startTime);
      throw error;
    } finally {
      if (this.#fetching?.download === download) this.#fetching = null;
    }
  }

  #failed(download: Download, fault: CpeFault, startTime: string): Outcome {
    this.#host.onTransfer(download.commandKey, fault, null);
    return { kind: 'failed', fault, startTime };
  }

  async #execute(download: Download): Promise<void> {
    if (download.delaySeconds > 0) {
      const waitMs = Math.min(download.delaySeconds * 1_000, TIMER_MS_MAX);
      await delay(waitMs, undefined, { signal: this.#host.signal, ref: false }).catch(() => undefined);
    }
    // Given up, or forgotten, before it was begun.
    if (this.#host.signal.aborted || !this.#states.has(download)) return;
    this.#states.set(download, 2);
    const outcome = await this.#fetch(download);
    if (outcome === null || !this.#fetched(download)) return;
    if (outcome.kind === 'failed') this.#complete(this.#completion(download, outcome, null));
    else if (this.#host.faults.take('early-complete') !== null)
      this.#complete(this.#completion(download, outcome, () => this.#apply(outcome.image, () => undefined)));
    else
      this.#host.afterSession(() => {
        this.#apply(outcome.image, () => this.#completeAfterBoot(download, outcome));
      });
  }

  /** @returns false where the device has forgotten the transfer meanwhile */
  #fetched(download: Download): boolean {
    if (!this.#states.has(download)) return false;
    this.#states.set(download, 3);
    return true;
  }

  #completeAfterBoot(download: Download, outcome: Outcome): void {
    const complete = (): void => {
      if (this.#states.has(download)) this.#complete(this.#completion(download, outcome, null));
    };
    const late = this.#host.faults.take('late-complete');
    if (late === null) complete();
    else this.#host.after(late.delayMs, complete);
  }

  async #executeInSession(download: Download): Promise<void> {
    this.#states.set(download, 2);
    const outcome = await this.#fetch(download);
    if (outcome === null || !this.#fetched(download)) return;
    const then = outcome.kind === 'failed' ? null : () => this.#apply(outcome.image, () => undefined);
    const completion = this.#completion(download, outcome, then);
    this.#completions.push(completion);
    this.#sendable.push(completion);
  }

  async #fetchAtOnce(download: Download): Promise<Reply> {
    const outcome = await this.#fetch(download);
    if (outcome === null) return { kind: 'break' };
    if (outcome.kind === 'failed') {
      const { faultCode, faultString } = outcome.fault;
      return { kind: 'answer', response: faultResponse(faultCode, faultString) };
    }
    this.#host.afterSession(() => this.#apply(outcome.image, () => undefined));
    return {
      kind: 'answer',
      response: {
        type: 'DownloadResponse',
        status: 0,
        startTime: outcome.startTime,
        completeTime: now(),
      },
    };
  }

  #apply(image: DownloadedImage, onBoot: () => void): void {
    if (this.#host.faults.take('never-back') !== null) {
      this.#host.vanish();
      return;
    }
    const stays = this.#host.faults.take('old-version') !== null;
    this.#host.reboot(stays ? null : image.softwareVersion, onBoot);
  }

  #completion(download: Download, outcome: Outcome, then: (() => void) | null): Completion {
    return {
      download,
      commandKey: download.commandKey,
      fault: outcome.kind === 'failed' ? outcome.fault : null,
      startTime: outcome.startTime,
      // TR-069 A.3.3.2: the time of a transfer that did not succeed is unknown.
      completeTime: outcome.kind === 'failed' ? UNKNOWN_TIME : now(),
      reportsLeft: this.#host.faults.take('complete-twice') === null ? 1 : 2,
      then,
    };
  }

  #complete(completion: Completion): void {
    this.#completions.push(completion);
    this.#host.sessionDue();
  }
}

function queued([download, state]: readonly [Download, QueuedTransfer['state']]): QueuedTransfer {
  const { commandKey, fileType, fileSizeBytes, targetFileName } = download;
  return { commandKey, state, fileType, fileSizeBytes, targetFileName };
}

/** The time as CWMP writes it: whole seconds, UTC. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
