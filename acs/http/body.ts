import type { IncomingMessage } from 'node:http';
import { type Mend, SoapError } from '../soap/index.js';
import { type Coding, codingOf, INFLATION_BYTES, Inflation } from './coding.js';

const HTTP_TOO_LARGE = 413;

/**
 * How many bytes of bodies may be under way at once, from their first byte until they are answered: clients that hold back the
 * end of theirs, and a store that is slow to answer, must not fill the memory. Where they would be more, the body that has been coming for
 * longest gives way: one that is sent without a pause is there in a moment, from wherever it comes.
 */
export class BodyBudget {
  readonly #bytesMax: number;
  #usedBytes = 0;
  /** Whose body has not wholly come yet, and whom to tell that it will not be read; the longest under way first. */
  readonly #coming = new Map<BodyShare, () => void>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @param giveWay  called at most once, before {@link came}: what was taken has been given back */
  comes(share: BodyShare, giveWay: () => void): void {
    this.#coming.set(share, giveWay);
  }

  /** It has wholly come, or will not be read. */
  came(share: BodyShare): void {
    this.#coming.delete(share);
  }

  /** @returns false where no other can give way for it; then nothing is taken */
  take(sizeBytes: number, share: BodyShare): boolean {
    while (this.#usedBytes + sizeBytes > this.#bytesMax) {
      const [longest] = this.#coming;
      if (longest === undefined || longest[0] === share) return false;
      const [other, giveWay] = longest;
      this.#coming.delete(other);
      other.giveBack();
      giveWay();
    }
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

  /** @see BodyBudget.comes */
  comes(giveWay: () => void): void {
    this.budget.comes(this, giveWay);
  }

  /** @see BodyBudget.came */
  came(): void {
    this.budget.came(this);
  }

  take(sizeBytes: number): boolean {
    if (!this.budget.take(sizeBytes, this)) return false;
    this.#heldBytes += sizeBytes;
    return true;
  }

  /** To be called once nothing is kept of the body any more. */
  giveBack(): void {
    this.budget.came(this);
    this.budget.give(this.#heldBytes);
    this.#heldBytes = 0;
  }
}

/** Too much is under way; this request may come again later. */
export class BusyError extends Error {
  override readonly name = 'BusyError';

  constructor(
    /** Of what there is too much. */
    readonly kind: 'bodies' | 'requests',
    message: string,
  ) {
    super(message);
  }
}

/** What a request carried. */
export interface RequestBody {
  /** As it was before it was coded. */
  readonly bytes: Buffer;
  readonly mended: readonly Mend[];
}

const NO_BODY: RequestBody = { bytes: Buffer.alloc(0), mended: [] };
const BLANK_BODY: RequestBody = { bytes: NO_BODY.bytes, mended: ['blank-body'] };

export interface BodyOptions {
  /** Of the body as it comes, and of what it is inflated to. */
  readonly bytesMax: number;
  /** White space counts as nothing. */
  readonly forgivesBlank: boolean;
}

/**
 * Reads a request's body.
 * @param share  what it takes stays taken
 * @throws SoapError 413 as soon as it is known to be longer than `bytesMax`, or to inflate to too much; 415 for a coding that is not
 *         decoded, 400 for one that is not what it is called; BusyError; Error when the client goes away
 */
export async function readBody(
  request: IncomingMessage,
  { bytesMax, forgivesBlank }: BodyOptions,
  share: BodyShare,
): Promise<RequestBody> {
  const announced = request.headers['content-length'];
  // Every session has such a request, and its body needs no waiting for.
  if (announced === '0') return NO_BODY;
  const coding = codingOf(request.headers['content-encoding']);
  const tooLarge = () =>
    new SoapError(`the body is longer than ${bytesMax} bytes`, { kind: 'http', status: HTTP_TOO_LARGE });
  if (Number(announced ?? 0) > bytesMax) throw tooLarge();
  const chunks: Buffer[] = [];
  let receivedBytes = 0;
  let keptBytes = 0;
  let inflation: Inflation | null = null;
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    // What is still to come of a body that is refused flows on, unread.
    const refuse = (error: Error) => {
      share.came();
      chunks.length = 0;
      receivedBytes = keptBytes = Number.POSITIVE_INFINITY;
      inflation?.stop();
      reject(error);
    };
    const keep = (piece: Buffer) => {
      keptBytes += piece.length;
      if (keptBytes > bytesMax) return refuse(tooLarge());
      if (inflation !== null && !share.take(piece.length)) return refuse(budgetSpent());
      chunks.push(piece);
    };
    const finish = () => {
      share.came();
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    };
    share.comes(() => refuse(budgetSpent()));
    if (coding.kind !== 'identity') {
      if (!share.take(INFLATION_BYTES)) return refuse(budgetSpent());
      inflation = new Inflation(coding.kind, { piece: keep, end: finish, failed: refuse });
    }
    request.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
      if (receivedBytes > bytesMax) return refuse(tooLarge());
      if (!share.take(chunk.length)) return refuse(budgetSpent());
      if (inflation === null) keep(chunk);
      else inflation.write(chunk);
    });
    request.on('end', () => {
      if (inflation === null) finish();
      else inflation.end();
    });
    request.on('error', reject);
    request.on('close', () => {
      if (!request.complete) refuse(new Error('the connection was closed in mid-request'));
    });
  });
  if (bytes.length === 0) return NO_BODY;
  if (forgivesBlank && isBlank(bytes)) return BLANK_BODY;
  return { bytes, mended: isMended(coding, inflation) ? ['coding'] : NO_BODY.mended };
}

function isMended({ isOdd }: Coding, inflation: Inflation | null): boolean {
  return isOdd || (inflation?.isMisnamed ?? false);
}

function budgetSpent(): BusyError {
  return new BusyError('bodies', 'too many bodies are under way');
}

/** Nothing but blanks, tabs and line ends. An envelope ends the search at its first byte. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}
