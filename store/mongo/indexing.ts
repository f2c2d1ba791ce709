import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import type { PreparedChange } from '../changes.js';
import { type CommitOutcome, type Document, type Stored, StoreError } from '../collection.js';
import { isDamaged } from '../damage.js';
import { decodeRecord, encodeRecord, FIRST_ID, fieldsName, type StoredRecord } from './layout.js';

/** How many documents are given their keys at a time, and how many bytes of them. */
const STEP_DOCUMENTS_MAX = 200;
const STEP_BYTES_MAX = 4 * 1024 * 1024;
const CLOSING_POLL_MS = 100;

export interface KeyGiving {
  readonly records: Collection<StoredRecord>;
  readonly fields: readonly string[];
  /** How long other nodes may go on writing without the keys. */
  readonly othersMs: number;
  readonly isClosing: () => boolean;
  readonly commit: (changes: readonly PreparedChange[], sizeBytes: number) => Promise<CommitOutcome>;
}

/**
 * Gives the keys of a new index to documents that were written before it: each is written again as it is, unless somebody
 * else does. A node that is stopped in the middle leaves the rest to the next that opens the collection.
 * @throws StoreError `bad-document` where a document does not fit the index
 */
export async function giveKeys(giving: KeyGiving): Promise<void> {
  const { records, fields, isClosing } = giving;
  const waitUntilMs = performance.now() + giving.othersMs;
  while (performance.now() < waitUntilMs && !isClosing()) await sleep(CLOSING_POLL_MS);
  const name = fieldsName(fields);
  let step: StoredRecord[] = [];
  let sizeBytes = 0;
  const cursor = records
    .find({ _id: { $gte: FIRST_ID }, d: { $exists: true }, [`x.${name}`]: { $exists: false } })
    .hint('_id_')
    .sort({ _id: 1 });
  for await (const record of cursor) {
    if (isClosing()) throw new StoreError('closed', 'The store is closed');
    if (!hasKeys(record, fields)) continue;
    step.push(record);
    sizeBytes += record.d?.length ?? 0;
    if (step.length < STEP_DOCUMENTS_MAX && sizeBytes < STEP_BYTES_MAX) continue;
    await writeAgain(step, giving);
    step = [];
    sizeBytes = 0;
  }
  await writeAgain(step, giving);
}

function hasKeys(record: StoredRecord, fields: readonly string[]): boolean {
  const { d: json, r: revision } = record;
  return (
    json !== undefined &&
    revision !== undefined &&
    encodeRecord(json, revision, [fields]).record.x !== undefined
  );
}

async function writeAgain(step: readonly StoredRecord[], { records, commit }: KeyGiving): Promise<void> {
  await Promise.all(
    step.map(async (record) => {
      const stored = readable(record, records.collectionName);
      if (stored === null) return;
      const { document, revision } = stored;
      const change = { kind: 'replace', collection: records.collectionName, document, revision } as const;
      // Refused where another node has written it since, who knew of the index.
      await commit([{ change, json: record.d ?? null }], record.d?.length ?? 0);
    }),
  );
}

/** Null for one that cannot be read: it is in no index, and keeps no other from being in it. */
function readable(record: StoredRecord, collection: string): Stored<Document> | null {
  try {
    return decodeRecord<Document>(record, collection);
  } catch (error) {
    if (isDamaged(error)) return null;
    throw error;
  }
}
