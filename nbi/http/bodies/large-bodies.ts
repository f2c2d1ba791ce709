import type { IncomingMessage } from 'node:http';
import { SECOND_MS } from '../../../common/index.js';
import { ApiError } from '../api-error.js';

/** What is larger costs memory and time that one user is to have only once. */
export const LARGE_BODY_BYTES = 256 * 1024;
/** Of one user. What waits holds nothing: its client is not read from. */
const WAITING_MAX = 4;
/** Long enough for 10,000 rules to be stored; a load that takes longer is one that the next has to come back after. */
const WAIT_MS_MAX = 20 * SECOND_MS;
const RETRY_AFTER_SECONDS = 5;

/** What waits for its turn, in the order in which it came. */
type Waiting = Set<() => void>;

/** Large bodies of one user are taken one after the other: four at a time would take the memory of four. */
export class LargeBodies {
  /** Whoever has one under way. */
  readonly #users = new Map<string, Waiting>();
  readonly #waitMsMax: number;

  constructor(waitMsMax = WAIT_MS_MAX) {
    this.#waitMsMax = waitMsMax;
  }

  /** Users who have one under way. */
  get underWay(): number {
    return this.#users.size;
  }

  /** How many of a user's wait. */
  waiting(user: string): number {
    return this.#users.get(user)?.size ?? 0;
  }

  /**
   * Waits until no other large body of the user is under way.
   * @returns to be called once the request is answered
   * @throws ApiError 429 where too many wait, or this one has for too long; 400 where its client is gone
   */
  async enter(user: string, heldBytes: number, request: IncomingMessage): Promise<() => void> {
    if (heldBytes <= LARGE_BODY_BYTES) return () => {};
    // Gone while its password was looked at: nothing would tell of it any more.
    if (request.destroyed) throw gone();
    const waiting = this.#users.get(user);
    if (waiting === undefined) this.#users.set(user, new Set());
    else await this.#turn(waiting, request);
    return () => this.#leave(user);
  }

  #turn(waiting: Waiting, request: IncomingMessage): Promise<void> {
    if (waiting.size >= WAITING_MAX) return Promise.reject(busy());
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        waiting.delete(begin);
        clearTimeout(timer);
        request.off('close', onClose);
        settle();
      };
      const begin = () => finish(resolve);
      const onClose = () => finish(() => reject(gone()));
      const timer = setTimeout(() => finish(() => reject(busy())), this.#waitMsMax);
      request.on('close', onClose);
      waiting.add(begin);
    });
  }

  #leave(user: string): void {
    const [next] = this.#users.get(user) ?? [];
    if (next === undefined) this.#users.delete(user);
    else next();
  }
}

function gone(): ApiError {
  return new ApiError(400, [{ field: '', expected: 'a whole body' }]);
}

function busy(): ApiError {
  const expected = `one body of more than ${LARGE_BODY_BYTES} bytes at a time: wait for yours that is under way to end`;
  return new ApiError(429, [{ field: '', code: 'busy', expected }], {
    'Retry-After': String(RETRY_AFTER_SECONDS),
  });
}
