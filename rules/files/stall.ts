import { SECOND_MS } from '../../common/index.js';

/** So long a file system may take for one answer: a disk that sleeps wakes up in less, and a mount that hangs takes for ever. */
const ANSWER_MS_MAX = 10 * SECOND_MS;
/** So long all rule files may take to be read, however steadily they come: 256 MiB at 4 MiB a second. */
const READ_MS_MAX = 60 * SECOND_MS;

export interface StallLimits {
  readonly answerMsMax: number;
  readonly readMsMax: number;
}

export const STALL_LIMITS: StallLimits = { answerMsMax: ANSWER_MS_MAX, readMsMax: READ_MS_MAX };

/** Notices that reading takes longer than it may. It ends nothing: what waits in the kernel cannot be called back. */
export class StallWatch {
  #answer: NodeJS.Timeout | null = null;
  #all: NodeJS.Timeout | null = null;
  #isStalled = false;

  constructor(
    private readonly limits: StallLimits,
    private readonly onStall: () => void,
  ) {}

  begin(): void {
    this.#isStalled = false;
    this.#all = setTimeout(() => this.#stall(), this.limits.readMsMax).unref();
    this.progress();
  }

  /** The file system has answered. */
  progress(): void {
    if (this.#isStalled || this.#all === null) return;
    if (this.#answer !== null) this.#answer.refresh();
    else this.#answer = setTimeout(() => this.#stall(), this.limits.answerMsMax).unref();
  }

  end(): void {
    if (this.#answer !== null) clearTimeout(this.#answer);
    if (this.#all !== null) clearTimeout(this.#all);
    this.#answer = null;
    this.#all = null;
  }

  #stall(): void {
    this.end();
    this.#isStalled = true;
    this.onStall();
  }
}
