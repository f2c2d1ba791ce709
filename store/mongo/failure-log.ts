import { type Logger, SECOND_MS, Seldom } from '../../common/index.js';
import type { StoreError } from '../collection.js';

/** What fails together is told once in a while, not thousands of times. */
const FAILURE_LOG_MS = 10 * SECOND_MS;

/** Tells operators of commits that failed. */
export class FailureLog {
  readonly #seldom = new Seldom(FAILURE_LOG_MS);

  constructor(private readonly logger: Logger) {}

  tell(commits: number, { code, message }: StoreError): void {
    const omitted = this.#seldom.admit(code);
    if (omitted === null) return;
    this.logger.error('store.commit-failed', {
      code,
      commits,
      error: message,
      ...(omitted > 0 && { omitted }),
    });
  }
}
