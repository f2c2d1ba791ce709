import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PreparedChange } from '../changes.js';
import { type CommitOutcome, StoreError } from '../collection.js';
import { NOTHING_CHANGED, OUTCOME_OPEN, within } from './errors.js';

/** Most commits, changes and bytes of documents that share one transaction; it must end well within MongoDB's 60 s. */
const GROUP_COMMITS_MAX = 256;
const GROUP_CHANGES_MAX = 5_000;
const GROUP_BYTES_MAX = 32 * 1024 * 1024;
/** Most commits, and bytes of them, that may wait; further ones are refused at once. */
const WAITING_COMMITS_MAX = 20_000;
const WAITING_BYTES_MAX = 256 * 1024 * 1024;

/** One commit on its way. It is settled once; what comes later is too late for whoever waits. */
export class PendingCommit {
  /** Whether the database has been asked to commit it and has not said what came of it. */
  isCommitting = false;
  /** Others were in its way before, so that in a group it would only hold up the rest. */
  isHeldUp = false;
  /** Somebody else answers it, in time. */
  isHandedOver = false;
  #isSettled = false;

  constructor(
    readonly changes: readonly PreparedChange[],
    readonly sizeBytes: number,
    readonly enqueuedAtMs: number,
    private readonly answer: {
      resolve: (outcome: CommitOutcome) => void;
      reject: (error: unknown) => void;
    },
  ) {}

  get isSettled(): boolean {
    return this.#isSettled;
  }

  resolve(outcome: CommitOutcome): void {
    this.#isSettled = true;
    this.answer.resolve(outcome);
  }

  reject(error: unknown): void {
    this.#isSettled = true;
    this.answer.reject(error);
  }

  /** To be called when its time is over. */
  expire(): void {
    if (this.#isSettled || this.isHandedOver) return;
    this.reject(
      new StoreError(
        'unavailable',
        this.isCommitting ? OUTCOME_OPEN : `The database could not be written in time; ${NOTHING_CHANGED}`,
      ),
    );
  }
}

export interface GroupCommitOptions {
  /**
   * How long a commit waits for others to share its transaction; 0: those of the same turn of the event loop, and as long as
   * one is under way.
   */
  readonly windowMs: number;
  /** How long a commit waits before it is tried, and again how long it may take. */
  readonly timeoutMs: number;
  /**
   * Settles the commits of the group; never rejects. Begins nothing new after `deadlineMs` (of `performance.now`).
   * @returns those that others are in the way of: each is tried again by itself, while its time lasts
   */
  readonly run: (group: readonly PendingCommit[], deadlineMs: number) => Promise<readonly PendingCommit[]>;
}

/**
 * Gathers commits that are made at about the same time into groups, one under way at a time. Whatever the database does,
 * each commit is answered within twice the time-out.
 */
export class GroupCommit {
  #waiting: PendingCommit[] = [];
  #waitingBytes = 0;
  #pumping: Promise<void> | null = null;
  #isDraining = false;
  #wake: () => void = () => {};
  #watch: NodeJS.Timeout | null = null;

  constructor(private readonly options: GroupCommitOptions) {}

  /** @param enqueuedAtMs  since when its caller has been waiting (of `performance.now`) */
  run(
    changes: readonly PreparedChange[],
    sizeBytes: number,
    enqueuedAtMs = performance.now(),
  ): Promise<CommitOutcome> {
    if (this.#waiting.length >= WAITING_COMMITS_MAX || this.#waitingBytes + sizeBytes > WAITING_BYTES_MAX) {
      return Promise.reject(
        new StoreError(
          'unavailable',
          `${this.#waiting.length} commits of ${this.#waitingBytes} bytes are waiting already: the database is too slow; ${NOTHING_CHANGED}`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push(new PendingCommit(changes, sizeBytes, enqueuedAtMs, { resolve, reject }));
      this.#waitingBytes += sizeBytes;
      if (this.#waiting.length >= GROUP_COMMITS_MAX) this.#wake();
      this.#pumping ??= this.#pump();
    });
  }

  /** Waits for all commits, and no longer for others to share their transaction. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#wake();
    await this.#pumping;
  }

  /** Answers at once, with nothing changed, those whose turn has not come. */
  expireWaiting(): void {
    for (const commit of this.#waiting) commit.expire();
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  async #pump(): Promise<void> {
    const { timeoutMs } = this.options;
    this.#watch = setInterval(() => this.#expireLate(), Math.max(10, timeoutMs / 10));
    while (this.#waiting.length > 0) {
      await this.#window();
      const group = this.#nextGroup();
      if (group.length === 0) continue;
      const deadlineMs = performance.now() + timeoutMs;
      const running = this.options.run(group, deadlineMs);
      await within(timeoutMs, 'commit', running).catch(() => {
        for (const commit of group) commit.expire();
      });
      // What still runs begins nothing new; the next group must not overtake it, as both may be of the same documents.
      const heldUp = await running;
      const isLate = this.#isLate();
      for (const commit of group) if (isLate(commit) || !heldUp.includes(commit)) commit.expire();
      this.#queueAgain(heldUp.filter((commit) => !commit.isSettled));
    }
    clearInterval(this.#watch);
    this.#pumping = null;
  }

  #queueAgain(commits: readonly PendingCommit[]): void {
    for (const commit of commits) commit.isHeldUp = true;
    this.#waiting.push(...commits);
    this.#waitingBytes += commits.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Lets others come, counted from when the first came: time spent waiting for the last group is not spent again. */
  async #window(): Promise<void> {
    const first = this.#waiting[0];
    if (first === undefined || this.#isDraining || this.#waiting.length >= GROUP_COMMITS_MAX) return;
    if (this.options.windowMs === 0) return nextTurn();
    const leftMs = first.enqueuedAtMs + this.options.windowMs - performance.now();
    if (leftMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leftMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }

  #nextGroup(): PendingCommit[] {
    let count = 0;
    let changes = 0;
    let sizeBytes = 0;
    for (const commit of this.#waiting) {
      changes += commit.changes.length;
      sizeBytes += commit.sizeBytes;
      const isFull = count >= GROUP_COMMITS_MAX || changes > GROUP_CHANGES_MAX || sizeBytes > GROUP_BYTES_MAX;
      if (count > 0 && (isFull || commit.isHeldUp)) break;
      count++;
      if (commit.isHeldUp) break;
    }
    const group = this.#waiting.splice(0, count);
    this.#waitingBytes -= group.reduce((sum, commit) => sum + commit.sizeBytes, 0);
    return group;
  }

  #isLate(): (commit: PendingCommit) => boolean {
    const before = performance.now() - this.options.timeoutMs;
    return (commit) => commit.enqueuedAtMs < before;
  }

  #expireLate(): void {
    const isLate = this.#isLate();
    for (const commit of this.#waiting) if (isLate(commit)) commit.expire();
    this.#waiting = this.#waiting.filter((commit) => !isLate(commit));
    this.#waitingBytes = this.#waiting.reduce((sum, commit) => sum + commit.sizeBytes, 0);
  }
}
