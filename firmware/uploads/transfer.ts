import { type MonotonicClock, SECOND_MS } from '../../common/index.js';
import type { Change, Stored } from '../../store/index.js';
import { ImageError } from '../image.js';
import { progressed, type UploadEvent } from './progress.js';
import type { UploadRecords } from './records.js';
import { CLAIM_MS, type UploadDocument } from './upload.js';
import { busy, cancelled } from './upload-error.js';

/** Progress is written no more often than this. */
const SAVED_EVERY_MS = SECOND_MS;
/** Two renewals may fail before others take the process for dead. */
const RENEWED_EVERY_MS = CLAIM_MS / 3;
/** Where it is not known how much comes, so much is reserved of the organization's room at a time. */
const RESERVED_AT_ONCE_BYTES = 4 * 1024 * 1024;

/**
 * An upload while this process does something with it: only one does at a time. What it does not save for long it renews its claim of, and
 * where somebody else has changed it, or the claim is in doubt, it goes no further.
 */
export class Transfer {
  #stored: Stored<UploadDocument>;
  #savedAtMs: number;
  /** One after the other: each needs the revision that the one before it made. */
  #saving: Promise<unknown> = Promise.resolve();
  readonly #renewing: NodeJS.Timeout;

  /** @param stored  with a claim that was made for it */
  constructor(
    private readonly records: UploadRecords,
    private readonly monotonic: MonotonicClock,
    stored: Stored<UploadDocument>,
  ) {
    this.#stored = stored;
    this.#savedAtMs = monotonic();
    this.#renewing = setInterval(() => {
      // What has changed is told to whoever saves next.
      this.#save((document) => document).catch(() => {});
    }, RENEWED_EVERY_MS);
    this.#renewing.unref();
  }

  get upload(): UploadDocument {
    return this.#stored.document;
  }

  /** Whether it is time to tell others how far it has come. */
  get isDue(): boolean {
    return this.monotonic() - this.#savedAtMs >= SAVED_EVERY_MS;
  }

  /**
   * Has others know that so many bytes have come, and reserves room for them.
   * @throws UploadError `cancelled`, `busy`; ImageError `no-space`
   */
  async came(bytes: number, nowMs: number): Promise<void> {
    const reserve = (reservedBytes: number) =>
      this.#save((document) => {
        const progress = progressed(document, { kind: 'received', bytes });
        if (progress === null) throw new Error(`${bytes} bytes cannot have come of upload ${document.id}`);
        return { ...document, ...progress, changedAtMs: nowMs, reservedBytes };
      });
    const { reservedBytes } = this.upload;
    if (bytes <= reservedBytes) return reserve(reservedBytes);
    try {
      await reserve(bytes + RESERVED_AT_ONCE_BYTES);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      await reserve(bytes);
    }
  }

  /** @throws as {@link came} */
  save(change: Partial<UploadDocument>): Promise<void> {
    return this.#save((document) => ({ ...document, ...change }));
  }

  /** All of it is there. @throws as {@link came} */
  completed(bytes: number): Promise<void> {
    return this.#save((document) => {
      if (document.state === 'validating') return document;
      const received = { ...document, receivedBytes: bytes };
      const progress = progressed(received, { kind: 'completed' });
      if (progress === null) throw new Error(`Upload ${document.id} is not complete`);
      return { ...received, ...progress };
    });
  }

  /** From now on nobody but its caller changes it: it is renewed no more, so that the commit which follows has its revision. */
  async still(): Promise<void> {
    clearInterval(this.#renewing);
    await this.#saving;
  }

  /** What goes into the commit by which it becomes an image. @throws UploadError where somebody else has changed it meanwhile */
  async admitting(image: string): Promise<readonly Change[]> {
    await this.still();
    const now = await this.records.get(this.upload.id);
    if (now?.revision !== this.#stored.revision) throw lost(now);
    const ended = this.records.endedBy(withoutClaim(now.document), { kind: 'admitted', image });
    if (ended === null) throw lost(now);
    return this.records.changing(now, ended);
  }

  /** Ends it so, unless somebody else has. */
  async end(event: UploadEvent): Promise<void> {
    await this.still();
    const ended = this.records.endedBy(withoutClaim(this.upload), event);
    if (ended !== null) await this.records.change(this.#stored, ended);
  }

  /** Lets others go on with it. */
  async release(): Promise<void> {
    await this.still();
    const { claim } = this.upload;
    if (claim !== undefined) await this.records.change(this.#stored, withoutClaim(this.upload));
  }

  close(): void {
    clearInterval(this.#renewing);
  }

  #save(change: (document: UploadDocument) => UploadDocument): Promise<void> {
    const saved = this.#saving.then(async () => {
      const { document } = this.#stored;
      const claim = await this.records.newClaim(document.claim?.holder);
      const stored = await this.records.change(this.#stored, { ...change(document), claim });
      if (stored === null) throw lost(await this.records.get(document.id));
      this.#stored = stored;
      this.#savedAtMs = this.monotonic();
    });
    this.#saving = saved.catch(() => {});
    return saved;
  }
}

function withoutClaim({ claim: _, ...document }: UploadDocument): UploadDocument {
  return document;
}

function lost(now: Stored<UploadDocument> | null): Error {
  return now === null || now.document.state === 'cancelled' ? cancelled() : busy();
}
