import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../options.js';
import type { StoreReport } from '../store-check.js';
import type { BadDocument, FromReader, Part, Position, ReadTask } from './protocol.js';

/** Most bad documents that are named. */
export const BAD_DOCUMENTS_MAX = 100;
/** Each time the reader ends one part is left out, or read once more and slowly. */
const READERS_MAX = 500;

export interface DeepReport {
  /** As {@link checkStore} says, which needs no damage to be so; null where not even that could be read. */
  readonly report: StoreReport | null;
  /** How many documents were read. */
  readonly documents: number;
  /** The first {@link BAD_DOCUMENTS_MAX} that could not be. */
  readonly bad: readonly BadDocument[];
  readonly badTotal: number;
  /** What else is wrong, in words. */
  readonly problems: readonly string[];
}

/**
 * Reads every document of every collection, by id and by each index, in a process of its own: LMDB ends a process that reads a
 * damaged page. Where that happens reading goes on behind it, in another.
 * @throws Error where the store cannot be opened; its message says why
 */
export async function deepCheck(config: Config): Promise<DeepReport> {
  const skipped: Part[] = [];
  const bad = new Map<string, BadDocument>();
  const problems: string[] = [];
  let report: StoreReport | null = null;
  let documents = 0;
  let slowly: Position | null = null;
  let withReport = true;
  for (let readers = 0; readers < READERS_MAX; readers++) {
    let position: Position | null = null;
    let isOpen = false;
    let isDone = false;
    const end = await runReader({ config, slowly, skipped, withReport }, (message) => {
      switch (message.kind) {
        case 'opened':
          isOpen = true;
          break;
        case 'report':
          report = message.report;
          withReport = false;
          break;
        case 'report-failed':
          problems.push(message.message);
          withReport = false;
          break;
        case 'at':
          position = message.position;
          break;
        case 'bad':
          for (const each of message.documents) bad.set(`${each.collection} ${each.id}`, each);
          break;
        case 'part':
          skipped.push(message.part);
          if (message.part.index === 'id') documents += message.documents;
          if (message.entriesAlone > 0) problems.push(aloneText(message.part, message.entriesAlone));
          break;
        case 'part-failed':
          skipped.push(message.part);
          problems.push(partText(message.part, message.message));
          break;
        case 'failed':
          throw new Error(message.message);
        case 'done':
          isDone = true;
          break;
        default:
          message satisfies never;
      }
    });
    if (isDone) break;
    // TypeScript does not see what the function above has noted.
    const at = position as Position | null;
    if (isOpen && withReport) {
      problems.push(`The store is damaged where its documents are counted: that ends the process (${end})`);
      withReport = false;
      continue;
    }
    if (at === null) {
      problems.push(`The store is damaged: opening it ends the process (${end}): restore a backup`);
      break;
    }
    const wasSlow = slowly !== null && slowly.collection === at.collection && slowly.index === at.index;
    if (at.index === 'id' && !wasSlow) {
      slowly = at;
      continue;
    }
    problems.push(endedText(at, end));
    skipped.push({ collection: at.collection, index: at.index });
    slowly = null;
  }
  const all = [...bad.values()];
  return { report, documents, bad: all.slice(0, BAD_DOCUMENTS_MAX), badTotal: all.length, problems };
}

function endedText({ collection, index, after }: Position, end: string): string {
  const where = index === 'id' ? collection : `${collection}, index ${index}`;
  const from = after === null ? 'at its beginning' : `behind the document ${after}`;
  return `${where}: the store is damaged ${from}: reading on ends the process (${end}). What follows in it was not read: restore a backup`;
}

function partText({ collection, index }: Part, message: string): string {
  return index === 'id' ? message : `${collection}, index ${index}: ${message}`;
}

function aloneText({ collection, index }: Part, entries: number): string {
  return `${collection}: ${entries} ${entries === 1 ? 'entry' : 'entries'} of the index ${index} without a document: restore a backup`;
}

/** @returns by which signal or with which code it ended */
function runReader(task: ReadTask, onMessage: (message: FromReader) => void): Promise<string> {
  const child = fork(fileURLToPath(new URL('./reader-process.js', import.meta.url)), [], {
    // LMDB's own words of what it found are of no use to anyone.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.on('message', (message: FromReader) => {
      try {
        onMessage(message);
      } catch (error) {
        reject(error);
      }
    });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.send(task);
  });
}
