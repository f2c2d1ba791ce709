import type { Clock } from '../../common/index.js';
import { UploadError, type UploadRecord, type Uploads } from '../../firmware/index.js';
import { operationImageOf } from '../operations/index.js';
import { knownImage, type SlotLibrary } from './known-images.js';
import type { FetchState, SlotFetch } from './slot.js';
import { isUnderWay, type KeptFetch, type KeptSlot, type SlotRecord, withFetches } from './slot-record.js';

export interface FetchParts {
  readonly uploads: Pick<Uploads, 'get'>;
  readonly library: SlotLibrary;
  readonly clock: Clock;
}

/** What is kept of an upload that nobody knows any more. */
const LOST = 'the upload is not known any more: fetch it again';
const GONE = 'the image is gone again: fetch it again';

/**
 * The same record with what has become of its fetches: one that is whole stands in the slot that was reserved for it.
 * @returns the record itself where nothing has
 * @throws StoreError
 */
export async function settled(parts: FetchParts, record: SlotRecord): Promise<SlotRecord> {
  const nowMs = parts.clock();
  let slots = record.slots;
  const fetches: KeptFetch[] = [];
  for (const fetch of record.fetches) {
    const now: Settled = isUnderWay(fetch) ? await settledOne(parts, fetch, nowMs) : { fetch };
    fetches.push(now.fetch);
    const { slot } = now.fetch;
    if (now.image === undefined || slot === undefined) continue;
    const before = slots[slot];
    // Of what is emptied it is known what the CPE tells of it. Else that may have changed since it was reserved.
    const over = before?.kind === 'emptied' ? { over: before.over } : {};
    slots = { ...slots, [slot]: { kind: 'image', ...now.image, ...over } };
  }
  const isAsItWas = fetches.every((fetch, index) => fetch === record.fetches[index]);
  return isAsItWas ? record : { ...withFetches(record, fetches, nowMs), slots };
}

interface Settled {
  readonly fetch: KeptFetch;
  /** What it has brought. */
  readonly image?: Brought;
}

type Brought = Pick<Extract<KeptSlot, { kind: 'image' }>, 'image' | 'version'>;

async function settledOne(parts: FetchParts, fetch: KeptFetch, nowMs: number): Promise<Settled> {
  const upload = await uploadOf(parts, fetch);
  if (upload === null) return { fetch: nothing(fetch, 'failed', LOST, nowMs) };
  const state = stateOf(upload);
  const endedAtMs = upload.endedAtMs ?? nowMs;
  switch (state) {
    case 'queued':
    case 'in-progress':
      return { fetch };
    case 'cancelled':
      return { fetch: nothing(fetch, state, undefined, endedAtMs) };
    case 'failed':
      return { fetch: nothing(fetch, state, upload.reason?.message, endedAtMs) };
    case 'finished': {
      const image = await broughtBy(parts, upload);
      return image === null
        ? { fetch: nothing(fetch, 'failed', GONE, endedAtMs) }
        : { fetch: { ...fetch, state, endedAtMs }, image };
    }
    default:
      return state satisfies never;
  }
}

function nothing(
  { slot: _, ...fetch }: KeptFetch,
  state: FetchState,
  problem: string | undefined,
  endedAtMs: number,
): KeptFetch {
  return { ...fetch, state, ...(problem !== undefined && { problem }), endedAtMs };
}

async function broughtBy({ library }: FetchParts, upload: UploadRecord): Promise<Brought | null> {
  const found = upload.image === undefined ? null : await library.get(upload.image, upload.organization);
  const image = found === null ? null : operationImageOf(found);
  if (found === null || image === null) return null;
  const { version } = await knownImage(library, found);
  return { image, version };
}

/** As it is now: what has not ended is as far as its upload. @throws StoreError */
export async function fetchNow(
  parts: Pick<FetchParts, 'uploads'>,
  { key, url, sha256, slot, state, problem, beganAtMs, endedAtMs, upload }: KeptFetch,
): Promise<SlotFetch> {
  const running = isUnderWay({ state }) ? await uploadOf(parts, { upload }) : null;
  return {
    key,
    url,
    sha256: sha256 ?? null,
    state: running === null ? state : stateOf(running),
    slot: slot ?? null,
    problem: problem ?? null,
    beganAtMs,
    endedAtMs: endedAtMs ?? null,
  };
}

/** Null where it was forgotten. */
async function uploadOf(
  { uploads }: Pick<FetchParts, 'uploads'>,
  { upload }: Pick<KeptFetch, 'upload'>,
): Promise<UploadRecord | null> {
  try {
    return await uploads.get(upload, null);
  } catch (error) {
    if (error instanceof UploadError && error.code === 'not-found') return null;
    throw error;
  }
}

function stateOf({ state, receivedBytes }: UploadRecord): FetchState {
  switch (state) {
    case 'uploading':
      return receivedBytes === 0 ? 'queued' : 'in-progress';
    case 'validating':
      return 'in-progress';
    case 'valid':
      return 'finished';
    case 'invalid':
    case 'upload-error':
      return 'failed';
    case 'cancelled':
      return 'cancelled';
    default:
      return state satisfies never;
  }
}
