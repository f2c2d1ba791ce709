import { randomUUID } from 'node:crypto';
import { type Clock, DAY_MS, ownProcessMark, processState, stillHolds } from '../../common/index.js';
import { type Change, type Collection, PAGE_ITEMS_MAX, type Store, type Stored } from '../../store/index.js';
import type { ImageRoom } from '../image-room.js';
import { isEnded, progressed, type UploadEvent } from './progress.js';
import { CLAIM_MS, type Claim, UPLOADS, type UploadDocument } from './upload.js';

/** So long one that has ended is shown, and one that nothing comes of any more is waited for. */
export const UPLOAD_KEPT_MS = DAY_MS;
/** Of one organization, that have ended. */
export const ENDED_UPLOADS_MAX = 1_000;

/** The uploads in the store. What an upload reserves moves in the commit that changes it. */
export class UploadRecords {
  readonly #uploads: Collection<UploadDocument>;
  readonly #mark = ownProcessMark();

  constructor(
    private readonly parts: { readonly store: Store; readonly clock: Clock; readonly room: ImageRoom },
  ) {
    this.#uploads = parts.store.collection<UploadDocument>(UPLOADS);
  }

  get(id: string): Promise<Stored<UploadDocument> | null> {
    return this.#uploads.get(id);
  }

  async withNumber(number: number): Promise<UploadDocument | null> {
    const { items } = await this.#uploads.find({ index: 'number', equals: [number], limit: 1 });
    return items[0]?.document ?? null;
  }

  /** @returns false where it has been changed meanwhile, or is gone */
  async remove({ document, revision }: Stored<UploadDocument>, along: readonly Change[]): Promise<boolean> {
    return (await this.parts.store.commit([this.#uploads.deleting(document.id, revision), ...along]))
      .committed;
  }

  /** The latest first, of one organization, (the empty text) of none, or (null) all. @param after  the id of the last of the page before */
  async page(within: string | null, limit: number, after?: string): Promise<readonly UploadDocument[]> {
    const range = within === null ? {} : { index: 'owner', equals: [within] };
    const query = { ...range, order: 'descending' } as const;
    const from = after === undefined ? null : { id: after, owner: within ?? '' };
    const cursor = from === null ? null : this.#uploads.cursorAt(query, from as UploadDocument);
    const found: UploadDocument[] = [];
    for await (const { document } of this.#uploads.scan({ ...query, ...(cursor && { after: cursor }) })) {
      if (found.length === limit) break;
      found.push(document);
    }
    return found;
  }

  /** Those that have not ended, of one user or all. */
  async open(uploadedBy?: string): Promise<readonly Stored<UploadDocument>[]> {
    const found: Stored<UploadDocument>[] = [];
    const query = { index: 'open', ...(uploadedBy !== undefined && { equals: [uploadedBy] }) };
    for await (const stored of this.#uploads.scan(query)) found.push(stored);
    return found;
  }

  /** @throws ImageError `no-space` where its organization has no room for what it reserves */
  async insert(document: UploadDocument, along: readonly Change[]): Promise<Stored<UploadDocument>> {
    const { store, room } = this.parts;
    const { organization, reservedBytes } = document;
    const outcome = await store.commit([
      this.#uploads.inserting(document),
      ...(await room.taking(organization, reservedBytes, { isBound: true })),
      ...along,
    ]);
    if (!outcome.committed) {
      room.requireRoom(outcome.refused);
      throw new Error(`The upload ${document.id} could not be begun`);
    }
    const [revision] = outcome.revisions;
    if (revision == null) throw new Error('The store gave no revision');
    return { document, revision };
  }

  /**
   * @returns null where somebody else has changed it meanwhile
   * @throws ImageError `no-space` where its organization has no room for what more it reserves
   */
  async change(
    stored: Stored<UploadDocument>,
    document: UploadDocument,
    along: readonly Change[] = [],
  ): Promise<Stored<UploadDocument> | null> {
    const outcome = await this.parts.store.commit([...(await this.changing(stored, document)), ...along]);
    if (outcome.committed) {
      const [revision] = outcome.revisions;
      if (revision == null) throw new Error('The store gave no revision');
      return { document, revision };
    }
    this.parts.room.requireRoom(outcome.refused);
    return null;
  }

  /** The changes by which an upload becomes another, for a commit that does more. */
  async changing(
    { document: before, revision }: Stored<UploadDocument>,
    document: UploadDocument,
  ): Promise<readonly Change[]> {
    const moreBytes = document.reservedBytes - before.reservedBytes;
    return [
      this.#uploads.replacing(document, revision),
      ...(await this.parts.room.taking(document.organization, moreBytes, { isBound: true })),
    ];
  }

  /** Whether a process does something with it, as far as that can be told. */
  async isClaimed({ claim }: UploadDocument): Promise<boolean> {
    if (claim === undefined || !stillHolds(claim.untilMs, CLAIM_MS, this.parts.clock())) return false;
    return (await processState(claim.mark, false)) !== 'ended';
  }

  async newClaim(holder: string = randomUUID()): Promise<Claim> {
    return { holder, mark: await this.#mark, untilMs: this.parts.clock() + CLAIM_MS };
  }

  /** The document of one that ends so; null where it has ended, or this cannot happen to it. */
  endedBy(document: UploadDocument, event: UploadEvent): UploadDocument | null {
    const { openBy: _, ...rest } = document;
    const progress = progressed(rest, event);
    if (progress === null || !isEnded(progress)) return null;
    return { ...rest, ...progress, reservedBytes: 0, endedAtMs: this.parts.clock() };
  }

  /** Forgets those of an organization that ended long ago, and the eldest where there are too many. */
  async forgetSomeOf(owner: string): Promise<void> {
    const query = { index: 'ended', equals: [owner] };
    let excess = (await this.#uploads.count(query)) - ENDED_UPLOADS_MAX;
    if (excess <= 0) return;
    for await (const { document } of this.#uploads.scan(query)) {
      if (excess-- <= 0) return;
      await this.#uploads.delete(document.id);
    }
  }

  /** Forgets all that ended long ago. */
  async forgetOld(): Promise<void> {
    const query = { index: 'endedAt', below: this.parts.clock() - UPLOAD_KEPT_MS, limit: PAGE_ITEMS_MAX };
    for (;;) {
      const { items } = await this.#uploads.find(query);
      if (items.length === 0) return;
      for (const { document } of items) await this.#uploads.delete(document.id);
    }
  }
}
