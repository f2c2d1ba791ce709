import type { BatchId, CpeId, OperationId, Turn } from '../../common/index.js';
import type { Collection, Store } from '../../store/index.js';
import { countsOf, shareIdsOf } from './counting.js';
import {
  OPERATION_SHARES,
  OPERATIONS,
  type Operation,
  type OperationCounts,
  type OperationShare,
} from './operation.js';
import { operationIdOf } from './operation-life.js';
import type { OperationFilter, Operations } from './operations.js';
import { OPERATION_REASONS } from './reasons.js';
import { countingOperations, scanOperations } from './scan-operations.js';

/** So many CPEs are named of those whose operations ended for one reason. */
const EXAMPLES_OF_A_REASON = 3;

/** Reads what is stored of operations. */
export class OperationStore implements Operations {
  readonly #operations: Collection<Operation>;
  readonly #shares: Collection<OperationShare>;

  constructor(store: Store) {
    this.#operations = store.collection<Operation>(OPERATIONS);
    this.#shares = store.collection<OperationShare>(OPERATION_SHARES);
  }

  async get(id: OperationId): Promise<Operation | null> {
    return (await this.#operations.get(id))?.document ?? null;
  }

  of(batch: BatchId, cpeid: CpeId): Promise<Operation | null> {
    return this.get(operationIdOf(batch, cpeid));
  }

  scan(filter: OperationFilter, turn?: Turn): AsyncIterable<Operation> {
    return scanOperations(this.#operations, filter, turn);
  }

  counting(filter: Omit<OperationFilter, 'after'>): (() => Promise<number>) | null {
    return countingOperations(this.#operations, filter);
  }

  async counts(batch: BatchId): Promise<OperationCounts> {
    const found = await this.#shares.getMany(shareIdsOf(batch));
    return countsOf(found.flatMap((stored) => stored?.document ?? []));
  }

  async examples(
    batch: BatchId,
    reasons: readonly string[],
  ): Promise<Readonly<Record<string, readonly CpeId[]>>> {
    const asked = [...new Set(reasons)].slice(0, OPERATION_REASONS.length);
    const found = await Promise.all(
      asked.map((reason) =>
        this.#operations.find({
          index: 'batchReason',
          equals: [batch, reason],
          order: 'descending',
          limit: EXAMPLES_OF_A_REASON,
        }),
      ),
    );
    return Object.fromEntries(
      asked.map((reason, at) => [reason, found[at]?.items.map(({ document }) => document.cpeid) ?? []]),
    );
  }
}
