import type { Readable } from 'node:stream';
import {
  type Clock,
  type Logger,
  MINUTE_MS,
  type MonotonicClock,
  monotonicClock,
  type OrganizationId,
} from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import { requiringOrganization } from '../../organizations/index.js';
import type { Change, Store, Stored } from '../../store/index.js';
import type { BuildPlace } from '../builds/index.js';
import { newContentFile } from '../content-files.js';
import { type AppendedContent, CONTENT_PREFIX, type ContentStore, type Received } from '../content-store.js';
import { ImageError, type ImageLibrary, type Upload, type UploadOutcome } from '../image.js';
import type { ImageDocument } from '../image-document.js';
import { ImageRoom } from '../image-room.js';
import { checkAnnouncedSize, chunksOf, Intake, partsLost } from '../incoming.js';
import { IMAGES, UPLOAD_IDLE_MS_MAX } from '../library.js';
import { SourcePolicy } from '../sources/index.js';
import { type ContentRange, wrongRange } from './content-range.js';
import type { Fetchable, FetchedUpload, FoundSource, PartOutcome } from './fetchable.js';
import { Fetching } from './fetching.js';
import { isEnded, type UploadEvent, type UploadReason } from './progress.js';
import { UPLOAD_KEPT_MS, UploadRecords } from './records.js';
import { Transfer } from './transfer.js';
import {
  admissionOf,
  newUploadId,
  partsOf,
  UPLOAD_ID_PATTERN,
  type UploadDocument,
  type UploadRecord,
  uploadIdOf,
} from './upload.js';
import { busy, cancelled, isRefusal, UploadError } from './upload-error.js';

/** Of what one user has begun and not ended, by how it comes. What comes in parts holds room for incoming content, for a day at worst; fetches wait for their turn. */
const OPEN_PER_USER_MAX = { parts: 4, url: 100 } as const;
/** Each refused commit means that its transfer has told how far it has come. */
const CANCEL_ATTEMPTS_MAX = 100;
/** What a disk, or a database, may take to give the next bytes of what it has. */
const READ_MS_MAX = MINUTE_MS;

/** An upload over HTTP: somebody does it. */
export type AskedUpload = Upload & {
  readonly by: Actor;
  /**
   * Where in a build it is to stand, where that is told behind the content: asked once all of it has come.
   * @throws whatever keeps it from becoming an image
   */
  readonly placeBehind?: () => Promise<BuildPlace>;
  /** Another name than one that is taken, where it need not be called just so. */
  readonly otherName?: (name: string) => string;
  /** It becomes no image of its own where its owner has one of the same bytes: it is that one, of which more may be known. */
  readonly takesSame?: true;
  /** Told of it once others see it, before any of it has come. */
  readonly onBegun?: (upload: UploadRecord) => void;
};

/** Images on their way into the library, for all nodes to see. `within` is whose uploads there are: an organization's, or (null) everybody's. */
export interface Uploads {
  /** Refuses what is too large before any of it has come. @throws ImageError `too-large` */
  checkSize(sizeBytes: number): void;
  /** As of the library, and shown while it runs. @throws ImageError, BuildError, UploadError `cancelled` */
  upload(upload: AskedUpload): Promise<UploadOutcome>;
  /**
   * Begins an upload whose content comes in parts.
   * @param url  where it is fetched from instead, in the background; by this process if it can, else by another
   * @throws ImageError, BuildError, UploadError `too-many`, SourceError
   */
  begin(
    upload: Omit<AskedUpload, 'content' | 'placeBehind' | 'otherName' | 'unlisted' | 'onBegun'>,
    url?: string,
  ): Promise<UploadRecord>;
  /**
   * Takes the next part; the last has all of it validated. What came of a part that breaks off counts. Bytes that are there already are
   * skipped.
   * @throws UploadError, ImageError, BuildError
   */
  receive(id: string, within: string | null, range: ContentRange, content: Readable): Promise<PartOutcome>;
  /** @throws UploadError `not-found` */
  get(id: string, within: string | null): Promise<UploadRecord>;
  /** That whose image has, or is to have, a number; null where there is none. */
  withNumber(number: number, within: string | null): Promise<UploadRecord | null>;
  /** The latest first. @param within  empty: those of the installation alone @param page.after  the id that the page before ended with */
  list(
    within: string | null,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<readonly UploadRecord[]>;
  /** @throws UploadError `not-found`, `ended` */
  cancel(id: string, within: string | null, by: Actor): Promise<UploadRecord>;
  /** Forgets one that came to nothing, before its time. @throws UploadError `not-found`, also where it has not ended so */
  forget(id: string, within: string | null, by: Actor): Promise<void>;
  /**
   * Ends what died with its process, has validated what is complete, gives up what nothing came of for a day, and forgets what ended then.
   * Called at start and now and then.
   */
  cleanUp(): Promise<void>;
  /** The files into which contents of uploads go that have not ended: one may lie in its place before anything names it. */
  contentFiles(): Promise<ReadonlySet<string>>;
  /** Ends what is fetched here; it goes on elsewhere, or after the next start. */
  close(): Promise<void>;
}

export interface UploadsOptions {
  readonly library: ImageLibrary;
  readonly contents: ContentStore;
  readonly store: Store;
  /** As of the library. */
  readonly limits: {
    readonly imageBytesMax: number;
    readonly uploadIdleMsMax?: number;
    readonly organizationImageBytesMax?: number;
  };
  /** Subnets of the addresses that images may be fetched from; none unless told. */
  readonly sources?: readonly string[];
  /** How long it is waited before a fetch is tried again, see {@link Fetching}. */
  readonly fetchPauseMs?: number;
  readonly clock: Clock;
  readonly monotonic?: MonotonicClock;
  readonly logger: Logger;
}

export function openUploads(options: UploadsOptions): Uploads {
  return new StoredUploads(options);
}

class StoredUploads implements Uploads, Fetchable {
  readonly #options: UploadsOptions;
  readonly #records: UploadRecords;
  readonly #events: EventLog;
  readonly #sources: SourcePolicy;
  readonly #fetching: Fetching;
  /** What takes the same bytes is admitted one after the other: the next may be of these. */
  #taking: Promise<unknown> = Promise.resolve();

  constructor(options: UploadsOptions) {
    const { store, clock, limits, logger, sources = [], fetchPauseMs } = options;
    this.#options = options;
    const images = store.collection<ImageDocument>(IMAGES);
    const room = new ImageRoom(store, images, limits.organizationImageBytesMax ?? null);
    this.#records = new UploadRecords({ store, clock, room });
    this.#events = new EventLog(options);
    this.#sources = new SourcePolicy(sources);
    this.#fetching = new Fetching({
      uploads: this,
      sources: this.#sources,
      logger,
      ...(fetchPauseMs !== undefined && { pauseMsFirst: fetchPauseMs }),
    });
  }

  async upload(upload: AskedUpload): Promise<UploadOutcome> {
    // A stream that fails before it is read would otherwise end the process; reading it reports the failure.
    upload.content.on('error', () => {});
    await this.#check(upload);
    const { contents } = this.#options;
    const transfer = await this.#begun(upload, { kind: 'whole' }, []);
    upload.onBegun?.(transfer.upload);
    return this.#through(transfer, async () => {
      const received = await contents.receive(upload.content, {
        bytesMax: this.#options.limits.imageBytesMax,
        idleMsMax: this.#idleMsMax,
        by: upload.uploadedBy,
        ...(upload.sizeBytes !== undefined && { sizeBytes: upload.sizeBytes }),
        onBytes: (bytes) => {
          const needsRoom = upload.organization !== undefined && bytes > transfer.upload.reservedBytes;
          return needsRoom || transfer.isDue ? transfer.came(bytes, this.#options.clock()) : undefined;
        },
      });
      const place = await this.#placeBehind(upload, received);
      const { otherName } = upload;
      return this.#admit(transfer, received, {
        ...(place !== undefined && { place }),
        ...(otherName !== undefined && { otherName }),
      });
    });
  }

  /** @throws UploadError `too-many` */
  async #requireFew(uploadedBy: string, kind: keyof typeof OPEN_PER_USER_MAX): Promise<void> {
    const open = await this.#records.open(uploadedBy);
    const most = OPEN_PER_USER_MAX[kind];
    if (open.filter(({ document }) => document.kind === kind).length < most) return;
    const [what, how] =
      kind === 'url' ? ['fetches', 'wait for one'] : ['uploads in parts', 'send the rest of one'];
    throw new UploadError(
      'too-many',
      '',
      `at most ${most} ${what} of one user that have not ended: ${how}, or cancel it`,
    );
  }

  async #placeBehind({ placeBehind }: AskedUpload, received: Received): Promise<BuildPlace | undefined> {
    try {
      return await placeBehind?.();
    } catch (error) {
      await this.#options.contents.remove(received.name);
      throw error;
    }
  }

  async begin(upload: Omit<AskedUpload, 'content'>, url?: string): Promise<UploadRecord> {
    if (url !== undefined) this.#sources.check(url);
    await this.#check(upload);
    const kind = url === undefined ? ({ kind: 'parts' } as const) : ({ kind: 'url', url } as const);
    await this.#requireFew(upload.uploadedBy, kind.kind);
    const transfer = await this.#begun(upload, kind, (id) => [
      this.#events.noting({
        action: 'added',
        subject: 'upload',
        subjectId: id,
        organization: upload.organization ?? null,
        by: upload.by,
        after: {
          name: upload.metadata.name,
          ...(url !== undefined && { url }),
          ...(upload.sizeBytes !== undefined && { sizeBytes: upload.sizeBytes }),
        },
      }),
    ]);
    transfer.close();
    if (url !== undefined) this.#fetchNext();
    return transfer.upload;
  }

  async receive(
    id: string,
    within: string | null,
    range: ContentRange,
    content: Readable,
  ): Promise<PartOutcome> {
    const stored = await this.#find(id, within);
    if (stored.document.kind !== 'parts')
      throw new UploadError(
        'not-resumable',
        'id',
        'an upload begun by POST /v1/uploads without a url: this one comes in one request, or is fetched',
      );
    return this.#part(stored, range, content);
  }

  async fetched(id: string, range: ContentRange, content: Readable): Promise<PartOutcome> {
    return this.#part(await this.#find(id, null), range, content);
  }

  async #part(
    stored: Stored<UploadDocument>,
    { part, totalBytes }: ContentRange,
    content: Readable,
  ): Promise<PartOutcome> {
    content.on('error', () => {});
    const { document } = stored;
    if (isEnded(document)) throw ended(document);
    if (document.sizeBytes !== undefined && document.sizeBytes !== totalBytes)
      throw wrongRange(`a TOTAL of ${document.sizeBytes}, as the upload was begun with`);
    checkAnnouncedSize(
      { sizeBytes: totalBytes, bytesMax: this.#options.limits.imageBytesMax },
      Number.POSITIVE_INFINITY,
    );
    if (await this.#records.isClaimed(document)) throw busy();
    const { receivedBytes } = document;
    if (part !== null && part.from > receivedBytes) {
      const expected = `a part that begins with byte ${receivedBytes}, behind what has come`;
      throw new UploadError('wrong-offset', 'Content-Range', expected, receivedBytes);
    }
    const isWhole = receivedBytes === totalBytes;
    if (!isWhole && (part === null || part.to < receivedBytes)) return { kind: 'waiting', upload: document };
    const transfer = await this.#claim(stored, totalBytes);
    return this.#through(transfer, async () => {
      if (part !== null && !isWhole) await this.#append(transfer, part, content);
      if (transfer.upload.receivedBytes === totalBytes)
        return { kind: 'admitted', outcome: await this.#validate(transfer) };
      await transfer.release();
      return { kind: 'waiting', upload: transfer.upload };
    });
  }

  async fetches(): Promise<readonly FetchedUpload[]> {
    const found: FetchedUpload[] = [];
    for (const { document } of await this.#records.open()) {
      if (isFetched(document) && !(await this.#records.isClaimed(document))) found.push(document);
    }
    return found.sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  async toFetch(id: string): Promise<FetchedUpload | null> {
    const document = (await this.#records.get(id))?.document;
    return document !== undefined && isFetched(document) ? document : null;
  }

  async found(id: string, { validator }: FoundSource): Promise<void> {
    const stored = await this.#find(id, null);
    const { document } = stored;
    if (isEnded(document)) throw ended(document);
    const isSame = validator !== null && validator === document.validator;
    if (isSame || (document.receivedBytes === 0 && validator === null)) return;
    if (await this.#records.isClaimed(document)) throw busy();
    const { validator: _, ...anew } = document;
    const changed = { ...anew, receivedBytes: 0, ...(validator !== null && { validator }) };
    if ((await this.#records.change(stored, changed)) === null) throw busy();
  }

  async failed(id: string, reason: UploadReason): Promise<void> {
    const stored = await this.#records.get(id);
    if (stored === null || (await this.#records.isClaimed(stored.document))) return;
    const failed = this.#records.endedBy(stored.document, { kind: 'failed', reason });
    if (failed === null || (await this.#records.change(stored, failed)) === null) return;
    await this.#dropParts(stored.document);
  }

  async get(id: string, within: string | null): Promise<UploadRecord> {
    return (await this.#find(id, within)).document;
  }

  async withNumber(number: number, within: string | null): Promise<UploadRecord | null> {
    const found = await this.#records.withNumber(number);
    return found !== null && (within === null || found.organization === within) ? found : null;
  }

  list(
    within: string | null,
    { limit, after }: { readonly limit: number; readonly after?: string },
  ): Promise<readonly UploadRecord[]> {
    return this.#records.page(within, limit, after);
  }

  async cancel(id: string, within: string | null, by: Actor): Promise<UploadRecord> {
    for (let attempt = 0; attempt < CANCEL_ATTEMPTS_MAX; attempt++) {
      const stored = await this.#find(id, within);
      const cancelledOne = this.#records.endedBy(stored.document, { kind: 'cancelled' });
      if (cancelledOne === null) throw ended(stored.document);
      const { organization = null, metadata } = stored.document;
      const note = this.#events.noting({
        action: 'cancelled',
        subject: 'upload',
        subjectId: id,
        organization,
        by,
        before: { name: metadata.name },
      });
      if ((await this.#records.change(stored, cancelledOne, [note])) === null) continue;
      this.#fetching.stop(id);
      // Whoever writes on it removes it on learning of this.
      if (!(await this.#records.isClaimed(stored.document))) await this.#dropParts(stored.document);
      return cancelledOne;
    }
    throw busy();
  }

  async forget(id: string, within: string | null, by: Actor): Promise<void> {
    const stored = await this.#find(id, within);
    const { organization = null, metadata, state } = stored.document;
    const cameToNothing = isEnded(stored.document) && state !== 'valid';
    const note = this.#events.noting({
      action: 'removed',
      subject: 'upload',
      subjectId: id,
      organization,
      by,
      before: { name: metadata.name, state },
    });
    if (!cameToNothing || !(await this.#records.remove(stored, [note]))) throw notFound();
  }

  async cleanUp(): Promise<void> {
    for (const stored of await this.#records.open()) {
      if (await this.#records.isClaimed(stored.document)) continue;
      await this.#resume(stored).catch((error: unknown) =>
        this.#options.logger.warn('upload.not-resumed', { upload: stored.document.id, error }),
      );
    }
    this.#fetchNext();
    await this.#records.forgetOld();
    for await (const { name } of this.#options.contents.listAppended()) {
      const stored = await this.#records.get(uploadIdOf(name));
      const isNeeded =
        stored !== null && (!isEnded(stored.document) || (await this.#records.isClaimed(stored.document)));
      if (!isNeeded) await this.#options.contents.remove(name);
    }
  }

  async contentFiles(): Promise<ReadonlySet<string>> {
    const open = await this.#records.open();
    return new Set(open.flatMap(({ document: { contentFile } }) => contentFile ?? []));
  }

  close(): Promise<void> {
    return this.#fetching.close();
  }

  /** In the background: nobody waits for it. */
  #fetchNext(): void {
    this.#fetching
      .next()
      .catch((error: unknown) => this.#options.logger.warn('uploads.not-fetched', { error }));
  }

  /** What is to become of an upload that no process has. */
  async #resume(stored: Stored<UploadDocument>): Promise<void> {
    const { document } = stored;
    const { clock } = this.#options;
    const fail = async (code: string, message: string) => {
      const failed = this.#records.endedBy(document, { kind: 'failed', reason: { code, message } });
      if (failed === null || (await this.#records.change(stored, failed)) === null) return;
      await this.#dropParts(document);
    };
    if (document.kind === 'whole')
      return fail('abandoned', 'the server that received it ended before all of it had come: send it again');
    const isOver = clock() - document.changedAtMs > UPLOAD_KEPT_MS;
    // What cannot be looked into for as long never can.
    if (!isOver && document.receivedBytes > 0 && document.receivedBytes === document.sizeBytes) {
      const transfer = await this.#claim(stored, document.sizeBytes);
      await this.#through(transfer, () => this.#validate(transfer));
      return;
    }
    if (isOver) await fail('given-up', 'nothing came of it for 24 hours: begin another upload');
  }

  checkSize(sizeBytes: number): void {
    checkAnnouncedSize({ sizeBytes, bytesMax: this.#options.limits.imageBytesMax }, Number.POSITIVE_INFINITY);
  }

  /** @throws ImageError, BuildError before anything is read */
  async #check(upload: Omit<AskedUpload, 'content'>): Promise<void> {
    await this.#options.library.check(upload);
    const { sizeBytes } = upload;
    const { imageBytesMax: bytesMax } = this.#options.limits;
    checkAnnouncedSize({ bytesMax, ...(sizeBytes !== undefined && { sizeBytes }) }, Number.POSITIVE_INFINITY);
  }

  async #begun(
    upload: Omit<AskedUpload, 'content'>,
    how: Pick<UploadDocument, 'kind' | 'url'>,
    along: readonly Change[] | ((id: string) => readonly Change[]),
  ): Promise<Transfer> {
    const { clock, store } = this.#options;
    const {
      metadata,
      organization,
      sha256,
      sizeBytes,
      uploadedBy,
      by,
      place,
      signature,
      unlisted,
      takesSame,
    } = upload;
    const nowMs = clock();
    const id = newUploadId(nowMs);
    const document: UploadDocument = {
      id,
      ...how,
      state: 'uploading',
      receivedBytes: 0,
      metadata,
      uploadedBy,
      by,
      owner: organization ?? '',
      number: await this.#options.library.builds.numbers.free(),
      openBy: uploadedBy,
      beganAtMs: nowMs,
      changedAtMs: nowMs,
      reservedBytes: sizeBytes ?? 0,
      ...(sizeBytes !== undefined && { sizeBytes }),
      ...(sha256 !== undefined && { sha256 }),
      ...(organization !== undefined && { organization }),
      ...(unlisted !== undefined && { unlisted }),
      ...(takesSame !== undefined && { takesSame }),
      ...(place !== undefined && { place }),
      ...(signature !== undefined && { signature: signature.toString('base64') }),
      ...(how.kind === 'whole' && { claim: await this.#records.newClaim() }),
    };
    const isThere =
      organization === undefined
        ? []
        : [(await requiringOrganization(store, organization as OrganizationId)).isThere];
    await this.#records.forgetSomeOf(document.owner);
    const more = typeof along === 'function' ? along(id) : along;
    const stored = await this.#records.insert(document, [...isThere, ...more]);
    return this.#transfer(stored);
  }

  /** @throws UploadError `busy` where another was quicker; ImageError `no-space` */
  async #claim(stored: Stored<UploadDocument>, sizeBytes: number): Promise<Transfer> {
    const claim = await this.#records.newClaim();
    const reservedBytes = Math.max(stored.document.reservedBytes, sizeBytes);
    const claimed = await this.#records.change(stored, {
      ...stored.document,
      sizeBytes,
      reservedBytes,
      claim,
    });
    if (claimed === null) throw busy();
    return this.#transfer(claimed);
  }

  #transfer(stored: Stored<UploadDocument>): Transfer {
    return new Transfer(this.#records, this.#options.monotonic ?? monotonicClock, stored);
  }

  /** Does the work of a transfer; where that fails the upload ends so, or waits for what is left of it. */
  async #through<R>(transfer: Transfer, work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      await this.#failed(transfer, error).catch((failure: unknown) =>
        this.#options.logger.warn('upload.not-ended', { upload: transfer.upload.id, error: failure }),
      );
      throw error;
    } finally {
      transfer.close();
    }
  }

  async #failed(transfer: Transfer, error: unknown): Promise<void> {
    if (error instanceof UploadError && error.code === 'cancelled') return this.#dropParts(transfer.upload);
    if (error instanceof UploadError) return transfer.release();
    const { kind, state } = transfer.upload;
    // Whatever is not the sender's doing may pass: what has come in parts stays.
    if (kind !== 'whole' && (state === 'uploading' || !isRefusal(error))) return transfer.release();
    await transfer.end(endOf(error, state === 'validating'));
    await this.#dropParts(transfer.upload);
  }

  /** Writes a part behind what is there. What came before it broke off counts. */
  async #append(
    transfer: Transfer,
    { from, to }: { readonly from: number; readonly to: number },
    content: Readable,
  ): Promise<void> {
    const { id, receivedBytes: offset, uploadedBy, sizeBytes = 0 } = transfer.upload;
    const { limits, contents, clock } = this.#options;
    const file = await contents
      .append(partsOf(id), { offset, sizeBytes, bytesMax: limits.imageBytesMax, by: uploadedBy })
      .catch(async (error: unknown) => {
        if (error instanceof ImageError && error.code === 'incomplete') {
          await transfer.end(endOf(error, false));
          await this.#dropParts(transfer.upload);
        }
        throw error;
      });
    let position = from;
    const keep = async () => {
      // Asked first: where another goes on with it nothing may be written any more, which may be of a part that is an image by now.
      await transfer.save({});
      await file.flush();
      await transfer.came(Math.max(position, offset), clock());
    };
    try {
      for await (const chunk of chunksOf(content, this.#idleMsMax)) {
        if (position + chunk.length > to + 1)
          throw wrongRange(`a body of ${to - from + 1} bytes, as the range says`);
        // Written on only while it is certain that nobody else does.
        if (transfer.isDue) await keep();
        await writeFrom(file, chunk, offset - position);
        position += chunk.length;
      }
      await keep();
    } catch (error) {
      if (!(error instanceof UploadError && error.code !== 'wrong-range') && position > offset)
        await keep().catch((failure: unknown) =>
          this.#options.logger.warn('upload.part-not-kept', { upload: id, error: failure }),
        );
      throw error;
    } finally {
      await file.close();
    }
    if (position <= to) throw new ImageError('incomplete', null, 'the body has fewer bytes than its range');
  }

  /** Reads all that came in parts, and has it become an image. */
  async #validate(transfer: Transfer): Promise<UploadOutcome> {
    const { id, receivedBytes, contentFile } = transfer.upload;
    await transfer.completed(receivedBytes);
    const { contents } = this.#options;
    const read = async (name: string): Promise<Received | null> => {
      const content = await contents.open(name, receivedBytes);
      if (content === null) return null;
      const intake = new Intake(content.read({ start: 0, end: receivedBytes - 1 }), {
        bytesMax: receivedBytes,
        sizeBytes: receivedBytes,
        idleMsMax: READ_MS_MAX,
        by: '',
      });
      for await (const _ of intake.chunks());
      return intake.received(name);
    };
    // Where a process died in the midst of this it may lie in its place already.
    const readPlaced = async () =>
      contentFile === undefined ? null : read(`${CONTENT_PREFIX}${contentFile}`);
    let received = await readPlaced();
    if (received === null) {
      const isThere = await contents.seal(partsOf(id), receivedBytes);
      received = isThere ? await read(partsOf(id)) : null;
    }
    // Another process that was taken for dead may have moved it meanwhile.
    received ??= await readPlaced();
    if (received === null) throw partsLost();
    const file = contentFile ?? newContentFile(received.sha256);
    await transfer.save({ contentFile: file });
    return this.#admit(transfer, received, { contentFile: file });
  }

  async #admit(
    transfer: Transfer,
    received: Received,
    {
      contentFile,
      place,
      otherName,
    }: Pick<AskedUpload, 'otherName'> & {
      readonly contentFile?: string;
      readonly place?: BuildPlace;
    },
  ): Promise<UploadOutcome> {
    const { contents, library } = this.#options;
    try {
      if (transfer.upload.state !== 'validating') await transfer.completed(received.sizeBytes);
    } catch (error) {
      if (contentFile === undefined) await contents.remove(received.name);
      throw error;
    }
    const { upload } = transfer;
    const admission = { ...admissionOf(upload), ...(place !== undefined && { place }) };
    const admit = async (): Promise<UploadOutcome> => {
      const same = await this.#sameOf(transfer, received);
      if (same !== null) return same;
      const outcome = await library.admit(received, admission, {
        along: (name) => transfer.admitting(name),
        ...(otherName !== undefined && { otherName }),
        ...(contentFile !== undefined && { contentFile }),
      });
      if (outcome.outcome === 'unchanged')
        await transfer.end({ kind: 'admitted', image: outcome.image.name });
      return outcome;
    };
    if (upload.takesSame !== true) return admit();
    const admitted = this.#taking.then(admit);
    this.#taking = admitted.catch(() => {});
    return admitted;
  }

  /** What its owner has of the same bytes already, for an upload that takes it; null for others, and where there is nothing. */
  async #sameOf(transfer: Transfer, { name, sha256 }: Received): Promise<UploadOutcome | null> {
    const { contents, library } = this.#options;
    const { takesSame, organization, by, sha256: expected = sha256 } = transfer.upload;
    if (takesSame !== true || expected !== sha256) return null;
    const image = await library.withContent(sha256, organization);
    if (image === null) return null;
    // It is used from now on.
    if (image.unlistedAtMs !== undefined) await library.unlisted.list(image.name, by, organization);
    await transfer.end({ kind: 'admitted', image: image.name });
    // What has been moved to its place already cleanUp removes.
    if (!name.startsWith(CONTENT_PREFIX)) await contents.remove(name);
    return { image, outcome: 'unchanged', sameContentAs: [] };
  }

  /** @throws UploadError `not-found`, also for what another organization has */
  async #find(id: string, within: string | null): Promise<Stored<UploadDocument>> {
    const stored = UPLOAD_ID_PATTERN.test(id) ? await this.#records.get(id) : null;
    if (stored === null || (within !== null && stored.document.organization !== within)) throw notFound();
    return stored;
  }

  async #dropParts({ id, kind }: UploadDocument): Promise<void> {
    if (kind === 'whole') return;
    await this.#options.contents.remove(partsOf(id)).catch((error: unknown) => {
      // cleanUp tries again.
      this.#options.logger.warn('upload.parts-not-removed', { upload: id, error });
    });
  }

  get #idleMsMax(): number {
    return this.#options.limits.uploadIdleMsMax ?? UPLOAD_IDLE_MS_MAX;
  }
}

/** What of a chunk lies behind the bytes that are there already. */
async function writeFrom(file: AppendedContent, chunk: Uint8Array, there: number): Promise<void> {
  if (there < chunk.length) await file.write(there > 0 ? chunk.subarray(there) : chunk);
}

function endOf(error: unknown, isValidating: boolean): UploadEvent {
  if (isRefusal(error)) {
    const reason = { code: error.code, message: error.message };
    const isWrong = isValidating && !['no-space', 'incomplete'].includes(error.code);
    return isWrong ? { kind: 'refused', reason } : { kind: 'failed', reason };
  }
  return {
    kind: 'failed',
    reason: { code: 'failed', message: 'the server could not keep it: send it again' },
  };
}

function notFound(): UploadError {
  return new UploadError('not-found', 'id', 'an upload that there is');
}

function ended({ state }: UploadRecord): UploadError {
  return state === 'cancelled'
    ? cancelled()
    : new UploadError('ended', 'id', `an upload that goes on: this one is ${state}`);
}

function isFetched(document: UploadDocument): document is FetchedUpload {
  const { kind, url, receivedBytes, sizeBytes } = document;
  return kind === 'url' && url !== undefined && !isEnded(document) && receivedBytes !== sizeBytes;
}
