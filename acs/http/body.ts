import type { IncomingMessage } from 'node:http';
import { SoapError } from '../soap/index.js';

const HTTP_TOO_LARGE = 413;
const NO_BODY = Buffer.alloc(0);

/**
 * How many bytes of bodies may be under way at once, from their first byte until they are answered: clients that hold back the
 * end of theirs, and a store that is slow to answer, must not fill the memory.
 */
export class BodyBudget {
  readonly #bytesMax: number;
  #usedBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @returns false where that is more than is left; then nothing is taken */
  take(sizeBytes: number): boolean {
    if (this.#usedBytes + sizeBytes > this.#bytesMax) return false;
    this.#usedBytes += sizeBytes;
    return true;
  }

  give(sizeBytes: number): void {
    this.#usedBytes -= sizeBytes;
  }
}

/** What one request has taken of a {@link BodyBudget}. */
export class BodyShare {
  #heldBytes = 0;

  constructor(private readonly budget: BodyBudget) {}

  take(sizeBytes: number): boolean {
    if (!this.budget.take(sizeBytes)) return false;
    this.#heldBytes += sizeBytes;
    return true;
  }

  /** To be called once nothing is kept of the body any more. */
  giveBack(): void {
    this.budget.give(this.#heldBytes);
    this.#heldBytes = 0;
  }
}

/** Too many bodies are under way; this one may come again later. */
export class BodyBudgetError extends Error {
  override readonly name = 'BodyBudgetError';
}

/**
 * Reads a request's body.
 * @param share  what it takes stays taken
 * @throws SoapError 413 as soon as it is known to be longer than `bytesMax`, 415 for a coded body; BodyBudgetError; Error when the client
 *         goes away
 */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
  share: BodyShare,
): Promise<Buffer> {
  const coding = request.headers['content-encoding'];
  if (coding !== undefined && coding !== 'identity') {
    throw new SoapError(`Content-Encoding ${coding} is not supported`, { kind: 'http', status: 415 });
  }
  const tooLarge = () =>
    new SoapError(`the body is longer than ${bytesMax} bytes`, { kind: 'http', status: HTTP_TOO_LARGE });
  const announced = request.headers['content-length'];
  // Every session has such a request, and its body needs no waiting for.
  if (announced === '0') return NO_BODY;
  if (Number(announced ?? 0) > bytesMax) throw tooLarge();
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  return new Promise<Buffer>((resolve, reject) => {
    // What is still to come of a body that is refused flows on, unread.
    const refuse = (error: Error) => {
      chunks.length = 0;
      sizeBytes = Number.POSITIVE_INFINITY;
      reject(error);
    };
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > bytesMax) return refuse(tooLarge());
      if (!share.take(chunk.length)) return refuse(new BodyBudgetError('too many bodies are under way'));
      chunks.push(chunk);
    });
    request.on('end', () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    request.on('error', reject);
    request.on('close', () => {
      if (!request.complete) reject(new Error('the connection was closed in mid-request'));
    });
  });
}
