import { setTimeout as pause } from 'node:timers/promises';
import { HOUR_MS, type Logger, SECOND_MS } from '../../common/index.js';
import { openSource, SourceError, type SourcePolicy } from '../sources/index.js';
import type { Fetchable } from './fetchable.js';
import type { UploadReason } from './progress.js';
import { isRefusal, UploadError, type UploadErrorCode } from './upload-error.js';

/** Of one process. */
const AT_A_TIME_MAX = 4;
const OF_ONE_USER_MAX = 2;
/** The first, and so many more. */
const TRIES_MAX = 4;
const PAUSE_MS_FIRST = 2 * SECOND_MS;
/** All of them together. */
const FETCHED_MS_MAX = 6 * HOUR_MS;

/** Cancelled meanwhile, or another process has it. */
const ENDED_OTHERWISE: ReadonlySet<UploadErrorCode> = new Set(['cancelled', 'busy', 'not-found', 'ended']);

export interface FetchingParts {
  readonly uploads: Fetchable;
  readonly sources: SourcePolicy;
  readonly logger: Logger;
  /** Before the second try; then twice as long each time. */
  readonly pauseMsFirst?: number;
}

/**
 * Fetches what uploads say where it is, in the background. What is under way is in the store, so that any process takes up what another has
 * left; what both take up one of them gets.
 */
export class Fetching {
  readonly #running = new Map<
    string,
    { readonly by: string; readonly stop: AbortController; readonly done: Promise<void> }
  >();
  #isClosed = false;

  constructor(private readonly parts: FetchingParts) {}

  /** Takes up what waits, as far as there is room; to be called when one has begun, and now and then. */
  async next(): Promise<void> {
    // What one process may not fetch another may.
    if (this.#isClosed || this.parts.sources.isOff) return;
    for (const { id, uploadedBy } of await this.parts.uploads.fetches()) {
      if (this.#isClosed || this.#running.size >= AT_A_TIME_MAX) return;
      const ofUser = [...this.#running.values()].filter(({ by }) => by === uploadedBy).length;
      if (this.#running.has(id) || ofUser >= OF_ONE_USER_MAX) continue;
      const stop = new AbortController();
      const done = this.#fetch(id, stop.signal)
        .catch((error: unknown) => this.parts.logger.warn('upload.not-fetched', { upload: id, error }))
        .finally(() => {
          this.#running.delete(id);
          this.next().catch((error: unknown) => this.parts.logger.warn('upload.not-fetched', { error }));
        });
      this.#running.set(id, { by: uploadedBy, stop, done });
    }
  }

  /** Breaks off what this process fetches of an upload, if it does. */
  stop(id: string): void {
    this.#running.get(id)?.stop.abort();
  }

  /** Ends; what was under way another process takes up, or this one after its next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort();
    await Promise.all(running.map(({ done }) => done));
  }

  async #fetch(id: string, stopped: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(FETCHED_MS_MAX)]);
    let pauseMs = this.parts.pauseMsFirst ?? PAUSE_MS_FIRST;
    for (let tries = 1; ; tries++) {
      const reason = await this.#tried(id, signal);
      if (reason === null || stopped.aborted) return;
      if (!reason.mayPass || tries === TRIES_MAX || signal.aborted) {
        await this.parts.uploads.failed(id, reason);
        return;
      }
      await pause(pauseMs, undefined, { signal }).catch(() => {});
      pauseMs *= 2;
    }
  }

  /** @returns why it has not come to its end; null where it has, or is nobody's or another's by now */
  async #tried(
    id: string,
    signal: AbortSignal,
  ): Promise<(UploadReason & { readonly mayPass: boolean }) | null> {
    const { uploads, sources } = this.parts;
    try {
      const document = await uploads.toFetch(id);
      if (document === null) return null;
      const { url, receivedBytes, validator = null } = document;
      const source = await openSource(sources, url, { fromByte: receivedBytes, validator, signal });
      try {
        await uploads.found(id, source);
        const part = { from: source.fromByte, to: source.totalBytes - 1 };
        await uploads.fetched(id, { part, totalBytes: source.totalBytes }, source.content);
        return null;
      } finally {
        source.content.destroy();
      }
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== 'unknown') return reason;
      this.parts.logger.warn('upload.not-fetched', { upload: id, error });
      return { code: 'failed', message: 'the server could not keep it', mayPass: true };
    }
  }
}

function reasonOf(error: unknown): (UploadReason & { readonly mayPass: boolean }) | null | 'unknown' {
  if (error instanceof UploadError)
    return ENDED_OTHERWISE.has(error.code)
      ? null
      : { code: error.code, message: error.message, mayPass: false };
  if (error instanceof SourceError)
    return { code: error.code, message: error.message, mayPass: error.mayPass };
  if (isRefusal(error))
    return { code: error.code, message: error.message, mayPass: error.code === 'incomplete' };
  return 'unknown';
}
