import { createHash } from 'node:crypto';
import { addAbortSignal } from 'node:stream';
import { Background, MINUTE_MS, type MonotonicClock } from '../../common/index.js';
import type { Image, ImageLibrary } from '../../firmware/index.js';

/** What a disk, or a database, may take to give the next bytes of what it has. */
const READ_MS_MAX = MINUTE_MS;

/** So long after it was read it is not read again. */
const KNOWN_MS = MINUTE_MS;

export interface WholeContentsParts {
  readonly monotonic: MonotonicClock;
  readonly images: Pick<ImageLibrary, 'open'>;
}

interface Found {
  readonly isWhole: Promise<boolean>;
  /** Without end while it is being read. */
  untilMs: number;
}

/** Reads whether all bytes of images are those that came: in the background, and each once for however many CPEs ask for it together. */
export class WholeContents {
  readonly #parts: WholeContentsParts;
  readonly #signal: AbortSignal;
  readonly #background = new Background();
  readonly #found = new Map<string, Found>();

  /** @param signal  breaks off whatever is read */
  constructor(parts: WholeContentsParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /**
   * Whether they are, as was found a minute ago at most.
   * @throws whatever keeps them from being read
   */
  isWhole(image: Image): Promise<boolean> {
    const { monotonic } = this.#parts;
    for (const [key, { untilMs }] of this.#found) if (untilMs <= monotonic()) this.#found.delete(key);
    const key = `${image.contentFile} ${image.sha256}`;
    const before = this.#found.get(key);
    if (before !== undefined) return before.isWhole;
    const found: Found = { isWhole: this.#read(image), untilMs: Number.POSITIVE_INFINITY };
    this.#found.set(key, found);
    found.isWhole.then(
      () => {
        found.untilMs = monotonic() + KNOWN_MS;
      },
      // The next one tries it again.
      () => this.#found.delete(key),
    );
    return found.isWhole;
  }

  async #read(image: Image): Promise<boolean> {
    const content = await this.#parts.images.open(image);
    if (content === null) return false;
    const hash = createHash('sha256');
    const bytes = addAbortSignal(this.#signal, content.read({ start: 0, end: image.sizeBytes - 1 }));
    const idle = () =>
      bytes.destroy(new Error(`No bytes of image ${image.id} came for ${READ_MS_MAX / 1_000} seconds`));
    let timer = setTimeout(idle, READ_MS_MAX);
    try {
      for await (const chunk of bytes) {
        clearTimeout(timer);
        await this.#background.turn(image.id, async () => hash.update(chunk as Buffer));
        timer = setTimeout(idle, READ_MS_MAX);
      }
    } finally {
      clearTimeout(timer);
    }
    return hash.digest('hex') === image.sha256;
  }
}
