import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import {
  ApiError,
  chunksOf,
  type DynDialect,
  invalid,
  isClientGone,
  isObject,
  type Problem,
  parseJson,
  RecordError,
  type RecordSplitter,
  shortJson,
  toApiError,
} from '../http/index.js';
import { BATCH_ITEMS_MAX, type NbiLimits } from '../limits.js';
import { BulkReport, type Refusal, type Span, type StoredCounts, type Unit } from './bulk-report.js';

/** What is wrong with an item of a batch. */
export interface ItemRefusal {
  /** Its index in the batch; null: of the batch, and nobody knows of which. */
  readonly item: number | null;
  readonly code: 400 | 409;
  readonly problem: Problem;
}

/** Where batches go. */
export interface BatchSink {
  /** One of what is stored, in a word. */
  readonly what: string;
  /** Stores all or none. */
  put(bodies: readonly unknown[]): Promise<StoredCounts>;
  /** What else is wrong with a batch that is not stored. */
  check(bodies: readonly unknown[]): Promise<readonly ItemRefusal[]>;
  /** What an error of {@link put} says of the batch; null where it says something else. */
  refusals(error: unknown, bodies: readonly unknown[]): readonly ItemRefusal[] | null;
}

export interface BulkPut {
  readonly sink: BatchSink;
  readonly dialect: DynDialect;
  readonly limits: NbiLimits;
  /** What is wrong with one by itself, for this request. */
  readonly itemProblem: (body: unknown) => Problem | null;
  readonly unit: Unit;
  readonly splitter: RecordSplitter;
}

/** What is stored together or not at all. */
class Batch {
  readonly bodies: unknown[] = [];
  /** Of each body, where it stands in what was sent. */
  readonly numbers: number[] = [];
  /** Of those that have not become a body. */
  readonly refusals: Refusal[] = [];
  readonly #numberOfId = new Map<string, number>();
  #span: Span | null = null;
  #sizeBytes = 0;

  get span(): Span | null {
    return this.#span;
  }

  isFull(sizeBytesMax: number): boolean {
    return (this.#span?.count ?? 0) >= BATCH_ITEMS_MAX || this.#sizeBytes >= sizeBytesMax;
  }

  count(number: number, sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
    this.#span = {
      first: this.#span?.first ?? number,
      last: number,
      count: (this.#span?.count ?? 0) + 1,
    };
  }

  add(number: number, body: unknown): void {
    this.bodies.push(body);
    this.numbers.push(number);
  }

  refuse(number: number, problem: Problem): void {
    this.refusals.push({ number, code: 400, problem });
  }

  /** @returns which one has the same id, where one has */
  claim(number: number, body: unknown): number | null {
    const id = isObject(body) ? body['id'] : undefined;
    if (typeof id !== 'string') return null;
    const other = this.#numberOfId.get(id);
    if (other === undefined) this.#numberOfId.set(id, number);
    return other ?? null;
  }
}

/**
 * Stores what is in a body while it comes, batch by batch, and reports on each. The body is read no faster than the batches are
 * stored, so however long it is, one batch of it is in memory. What was stored stays, also where the rest is refused, or never
 * comes; a batch whose end has not come is not stored.
 * @throws ApiError where nothing was reported yet
 */
export async function storeInBatches(
  put: BulkPut,
  request: IncomingMessage,
  response: Response,
): Promise<void> {
  const report = new BulkReport(response, put.dialect.message, put.unit);
  try {
    await storeAll(put, request, report);
    report.end(null);
  } catch (error) {
    if (isClientGone(error)) return;
    const known = error instanceof RecordError ? invalid('', error.message) : toApiError(error);
    if (known === null || !report.hasBegun) throw known ?? error;
    // A client that has fallen silent would keep its connection until the time for the whole request is over.
    if (known.status === 408) response.once('finish', () => request.destroy());
    report.end(known);
  }
}

async function storeAll(put: BulkPut, request: IncomingMessage, report: BulkReport): Promise<void> {
  const { limits, splitter, unit } = put;
  let batch = new Batch();
  const settle = async () => {
    await settleBatch(put, batch, report);
    batch = new Batch();
    if (report.problems < limits.reportedProblemsMax) return;
    throw invalid(
      '',
      `fewer problems: no more was read of this body; correct the ${unit}s listed, and send it again`,
    );
  };
  for await (const chunk of chunksOf(request, limits.bodyMsMax)) {
    for (const { number, bytes } of splitter.push(chunk)) {
      const pending = take(put, batch, number, bytes);
      // Awaited only where it is one: a turn of the promises for each of a million lines would be dear.
      if (pending !== null) await pending;
      if (batch.isFull(limits.batchBytesMax)) await settle();
    }
  }
  for (const { number, bytes } of splitter.end()) await take(put, batch, number, bytes);
  await settle();
  if (!report.hasBegun)
    throw invalid('', unit === 'line' ? `a ${put.sink.what} on each line` : `an array of ${put.sink.what}s`);
}

/** @returns what must be awaited before the next record is asked for; null where this one was small */
function take(put: BulkPut, batch: Batch, number: number, bytes: Buffer | null): Promise<void> | null {
  const { limits, unit } = put;
  batch.count(number, bytes?.length ?? 0);
  if (bytes === null) {
    batch.refuse(number, {
      field: '',
      expected: `at most ${limits.recordBytesMax} bytes a ${put.sink.what}`,
    });
    return null;
  }
  const refuse = (error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    for (const problem of error.problems) batch.refuse(number, problem);
  };
  try {
    const body = parseJson(bytes, limits, unit === 'line' ? number : 1);
    if (body instanceof Promise) return body.then((read) => add(put, batch, number, read), refuse);
    add(put, batch, number, body);
  } catch (error) {
    refuse(error);
  }
  return null;
}

function add({ itemProblem, unit }: BulkPut, batch: Batch, number: number, body: unknown): void {
  const problem = itemProblem(body) ?? duplicateProblem(batch.claim(number, body), body, unit);
  if (problem === null) batch.add(number, body);
  else batch.refuse(number, problem);
}

function duplicateProblem(other: number | null, body: unknown, unit: Unit): Problem | null {
  if (other === null || !isObject(body)) return null;
  const expected = `an id of its own in its batch; ${unit} ${other} has the same`;
  return { field: 'id', code: 'duplicate', expected, found: shortJson(body['id']) };
}

async function settleBatch({ sink }: BulkPut, batch: Batch, report: BulkReport): Promise<void> {
  const { span, bodies, refusals } = batch;
  if (span === null) return;
  const numbered = (found: readonly ItemRefusal[]): Refusal[] =>
    found.map(({ item, ...refusal }) => ({
      number: (item === null ? undefined : batch.numbers[item]) ?? span.first,
      ...refusal,
    }));
  if (refusals.length > 0) {
    return report.refused(span, [...refusals, ...numbered(await sink.check(bodies))]);
  }
  try {
    report.stored(span, await sink.put(bodies));
  } catch (error) {
    const found = sink.refusals(error, bodies);
    if (found === null) throw error;
    report.refused(span, numbered(found));
  }
}
