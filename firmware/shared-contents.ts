import type { Readable } from 'node:stream';
import { type StoredFiles, StoreError } from '../store/index.js';
import {
  type AppendedContent,
  type AppendOptions,
  CONTENT_PREFIX,
  type ContentEntry,
  type ContentStore,
  type ImageContent,
  type IncomingEntry,
  type Received,
  type ReceiveOptions,
} from './content-store.js';
import { checkAnnouncedSize, Intake, newIncomingName, noSpace, partsLost } from './incoming.js';

/**
 * Keeps content beside the documents of a store that many nodes share. No node knows what others read, so content that
 * was in use stays until it is old enough for `cleanUp`: downloads under way get to their end.
 */
export class SharedContents implements ContentStore {
  constructor(private readonly files: StoredFiles) {}

  async receive(content: Readable, options: ReceiveOptions): Promise<Received> {
    // How much room there is the database does not tell.
    checkAnnouncedSize(options, Number.POSITIVE_INFINITY);
    const name = newIncomingName();
    const intake = new Intake(content, options);
    await orNoSpace(() => this.files.write(name, intake.chunks()));
    return intake.received(name);
  }

  async append(name: string, options: AppendOptions): Promise<AppendedContent> {
    checkAnnouncedSize(options, Number.POSITIVE_INFINITY);
    const file = await orNoSpace(() => this.files.append(name, options.offset));
    if (file === null) throw partsLost();
    return {
      write: (chunk) => orNoSpace(() => file.write(chunk)),
      flush: () => orNoSpace(() => file.flush()),
      close: async () => {},
    };
  }

  seal(name: string, sizeBytes: number): Promise<boolean> {
    return this.files.seal(name, sizeBytes);
  }

  listAppended(): AsyncIterable<ContentEntry> {
    return this.files.listAppended();
  }

  move(from: string, to: string): Promise<void> {
    return this.files.move(from, to);
  }

  open(name: string, sizeBytes: number): Promise<ImageContent | null> {
    return this.files.open(name, sizeBytes);
  }

  remove(name: string): Promise<void> {
    return this.files.remove(name);
  }

  retire(name: string): Promise<void> {
    return this.files.touch(name);
  }

  list(): AsyncIterable<ContentEntry> {
    return this.files.list(CONTENT_PREFIX);
  }

  async *listIncoming(): AsyncIterable<IncomingEntry> {
    // No node knows which others run; each upload says by itself when it was last heard of.
    for await (const entry of this.files.listIncoming()) yield { ...entry, isAbandoned: false };
  }
}

async function orNoSpace<R>(act: () => Promise<R>): Promise<R> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof StoreError && error.code === 'no-space' ? noSpace() : error;
  }
}
