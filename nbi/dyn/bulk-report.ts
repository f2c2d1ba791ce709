import type { Response } from 'express';
import { type ApiError, NDJSON_CONTENT_TYPE, type Problem } from '../http/index.js';

/** What the rules of a body are counted by: lines from 1, items of an array from 0. */
export type Unit = 'line' | 'item';

/** The rules of a batch, by the numbers of the first and the last. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** What became of a batch that was stored. */
export interface StoredCounts {
  readonly written: number;
  readonly unchanged: number;
  /** What whoever sent it should hear beside. */
  readonly warnings?: readonly unknown[];
}

/** What is wrong with one rule of a batch. */
export interface Refusal {
  readonly number: number;
  readonly code: number;
  readonly problem: Problem;
}

/**
 * The answer to a body that is stored while it comes: NDJSON, written as it goes. A batch is a line; where it was refused, a line
 * for each rule that is to blame comes before it. The last line sums up.
 *
 * Nothing waits for the client to read: one that first sends everything would wait for us in turn. So the report is bounded instead.
 */
export class BulkReport {
  #written = 0;
  #unchanged = 0;
  #refused = 0;
  #problems = 0;
  #begun = false;

  constructor(
    private readonly response: Response,
    private readonly message: string,
    private readonly unit: Unit,
  ) {}

  get hasBegun(): boolean {
    return this.#begun;
  }

  /** Listed so far. */
  get problems(): number {
    return this.#problems;
  }

  stored(span: Span, { written, unchanged, warnings = [] }: StoredCounts): void {
    this.#written += written;
    this.#unchanged += unchanged;
    const told = warnings.length > 0 ? { warnings } : {};
    this.#line({ ...this.#range(span), code: 204, written, unchanged, ...told });
  }

  refused(span: Span, refusals: readonly Refusal[]): void {
    this.#refused += span.count;
    this.#problems += refusals.length;
    const byNumber = new Map<number, Refusal[]>();
    for (const refusal of refusals) {
      const others = byNumber.get(refusal.number);
      if (others === undefined) byNumber.set(refusal.number, [refusal]);
      else others.push(refusal);
    }
    for (const [number, ofOne] of [...byNumber].sort(([a], [b]) => a - b)) {
      const details = ofOne.map(({ problem }) => problem);
      this.#line({ [this.unit]: number, code: worstOf(ofOne), details });
    }
    this.#line({ ...this.#range(span), code: worstOf(refusals), written: 0, unchanged: 0 });
  }

  /** @param failure  why not all of the body was looked at */
  end(failure: ApiError | null): void {
    const done = this.#written + this.#unchanged;
    const refusedCode = done > 0 ? 207 : 400;
    this.#line({
      code: failure?.status ?? (this.#refused === 0 ? 204 : refusedCode),
      message: this.message,
      written: this.#written,
      unchanged: this.#unchanged,
      refused: this.#refused,
      ...(failure === null ? {} : { details: failure.problems }),
    });
    this.response.end();
  }

  #range({ first, last }: Span): Readonly<Record<string, readonly number[]>> {
    return { [`${this.unit}s`]: [first, last] };
  }

  #line(content: unknown): void {
    // Whoever has gone is told nothing; that reading their body fails is what ends the work.
    const isFirst = !this.#begun;
    this.#begun = true;
    if (this.response.destroyed) return;
    if (isFirst) this.response.status(200).set('Content-Type', NDJSON_CONTENT_TYPE);
    this.response.write(`${JSON.stringify(content)}\n`);
  }
}

function worstOf(refusals: readonly Refusal[]): number {
  return Math.max(...refusals.map(({ code }) => code));
}
