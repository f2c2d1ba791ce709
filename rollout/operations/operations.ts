import type { BatchId, CpeId, OperationId, OrganizationId, Turn } from '../../common/index.js';
import type { Operation, OperationCounts, OperationState } from './operation.js';

/** A place in the order in which operations are listed. */
export interface OperationPlace {
  readonly createdAtMs: number;
  readonly id: string;
}

/**
 * All that are said must hold; one of them is looked up in an index (a batch's also together with states or a reason, an organization's with
 * states, states by themselves), the others are checked.
 */
export interface OperationFilter {
  readonly batch?: BatchId;
  readonly cpeid?: CpeId;
  readonly states?: readonly OperationState[];
  readonly reason?: string;
  readonly imageNumber?: number;
  /** Only those that are kept as of its CPEs: of the default not all are. */
  readonly organization?: OrganizationId;
  /** Only what comes after this place, which costs no more than from the start. */
  readonly after?: OperationPlace;
}

/** The operations of batches, to be read. */
export interface Operations {
  get(id: OperationId): Promise<Operation | null>;
  /** What a batch has for a CPE. */
  of(batch: BatchId, cpeid: CpeId): Promise<Operation | null>;
  /**
   * Newest first, ties by id. Where `states` are asked for, one that goes from one of them to another meanwhile may be missed; none
   * is given twice.
   * @param turn  see `Collection.scan`
   */
  scan(filter: OperationFilter, turn?: Turn): AsyncIterable<Operation>;
  /** What counts those that a filter holds of, in bounded pieces; null where that cannot be told without reading each. */
  counting(filter: Omit<OperationFilter, 'after'>): (() => Promise<number>) | null;
  /** The counts of a batch: at most 16 documents are read. */
  counts(batch: BatchId): Promise<OperationCounts>;
  /** Up to three CPEs for each of at most 32 reasons, the newest first. */
  examples(batch: BatchId, reasons: readonly string[]): Promise<Readonly<Record<string, readonly CpeId[]>>>;
}
