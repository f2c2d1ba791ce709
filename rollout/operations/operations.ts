import type { BatchId, CpeId, OperationId, OrganizationId, Turn } from '../../common/index.js';
import type { Operation, OperationCounts, OperationState } from './operation.js';

/** A place in the order in which operations are listed. */
export interface OperationPlace {
  readonly createdAtMs: number;
  readonly id: string;
}

/** All that are said must hold; one of them is looked up in an index, the others are checked. */
export interface OperationFilter {
  readonly batch?: BatchId;
  readonly cpeid?: CpeId;
  readonly states?: readonly OperationState[];
  readonly reason?: string;
  readonly imageNumber?: number;
  /** Only those of CPEs of this organization. */
  readonly organization?: OrganizationId;
  /** Only what comes after this place, which costs no more than from the start. */
  readonly after?: OperationPlace;
}

/** The operations of batches, to be read. */
export interface Operations {
  get(id: OperationId): Promise<Operation | null>;
  /** What a batch has for a CPE. */
  of(batch: BatchId, cpeid: CpeId): Promise<Operation | null>;
  /** Newest first, ties by id. @param turn  see `Collection.scan` */
  scan(filter: OperationFilter, turn?: Turn): AsyncIterable<Operation>;
  /** The counts of a batch: at most 16 documents are read. */
  counts(batch: BatchId): Promise<OperationCounts>;
  /** Up to three CPEs for each reason. */
  examples(batch: BatchId, reasons: readonly string[]): Promise<Readonly<Record<string, readonly CpeId[]>>>;
}
