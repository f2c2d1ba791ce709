// A process of its own, started by deep-check.ts: reading a damaged page may end it, and tells where.
import process from 'node:process';
import { silentLogger, systemClock } from '../../common/index.js';
import { type Document, isDamaged, type Store } from '../../store/index.js';
import { ALL_COLLECTIONS } from '../collections.js';
import { type Installation, openInstallation } from '../installation.js';
import { checkStore } from '../store-check.js';
import type { FromReader, Part, Position, ReadTask } from './protocol.js';

const PAGE = 500;

process.once('message', (task: ReadTask) => {
  read(task)
    .then(() => tell({ kind: 'done' }))
    .catch((error: unknown) =>
      tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
    )
    .finally(() => process.disconnect());
});
// Whoever started it is gone.
process.once('disconnect', () => process.exit());

async function read({ config, slowly, skipped, withReport }: ReadTask): Promise<void> {
  const installation = await openInstallation(config, { clock: systemClock, logger: silentLogger }, 'refuse');
  try {
    const { store } = installation;
    await tell({ kind: 'opened' });
    if (withReport) await reportOn(installation);
    for (const part of partsOf(skipped)) {
      const isSlow = slowly !== null && isSame(part, slowly);
      try {
        await readPart(store, part, isSlow ? slowly : null);
      } catch (error) {
        if (!isDamaged(error)) throw error;
        await tell({ kind: 'part-failed', part, message: error.message });
      }
    }
  } finally {
    await installation.close();
  }
}

/** What is damaged there keeps nothing from being read. */
async function reportOn({ store, secrets }: Installation): Promise<void> {
  try {
    await tell({ kind: 'report', report: await checkStore(store, secrets) });
  } catch (error) {
    if (!isDamaged(error)) throw error;
    await tell({ kind: 'report-failed', message: error.message });
  }
}

function partsOf(skipped: readonly Part[]): Part[] {
  return ALL_COLLECTIONS.flatMap(({ name, indexes }) =>
    ['id', ...Object.keys(indexes)].map((index) => ({ collection: name, index })),
  ).filter((part) => !skipped.some((other) => isSame(part, other)));
}

function isSame(one: Part, other: Part): boolean {
  return one.collection === other.collection && one.index === other.index;
}

async function readPart(store: Store, part: Part, slowly: Position | null): Promise<void> {
  const definition = ALL_COLLECTIONS.find(({ name }) => name === part.collection);
  if (definition === undefined) throw new Error(`No collection ${part.collection}`);
  const collection = store.collection<Document>(definition);
  const query = { index: part.index, limit: slowly === null ? PAGE : 1 };
  let told = store.damage.list().length;
  const aloneBefore = store.damage.entriesAlone;
  let documents = 0;
  let position: Position = { ...part, after: slowly?.after ?? null };
  // The document may be gone; only by id is its place known all the same.
  const resumed =
    part.index === 'id' && position.after !== null
      ? collection.cursorAt({ index: 'id' }, { id: position.after })
      : null;
  for (let after = resumed; ; ) {
    await tell({ kind: 'at', position });
    const page = await collection.find(after === null ? query : { ...query, after });
    const bad = store.damage.list().slice(told);
    told += bad.length;
    if (bad.length > 0) await tell({ kind: 'bad', documents: bad });
    documents += page.items.length;
    position = { ...part, after: page.items.at(-1)?.document.id ?? position.after };
    after = page.next;
    if (after === null) break;
  }
  const entriesAlone = store.damage.entriesAlone - aloneBefore;
  await tell({ kind: 'part', part, documents, entriesAlone });
}

/** Resolves when it is out, so that nothing that ends this process can keep it from being told. */
function tell(message: FromReader): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) return resolve();
    process.send(message, undefined, {}, () => resolve());
  });
}
