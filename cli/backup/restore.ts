import { MINUTE_MS, stillHolds, systemClock } from '../../common/index.js';
import { openFreeze } from '../../rules/index.js';
import { type Document, LEASES, type LeaseDocument, type Store } from '../../store/index.js';
import { IMAGE_COLLECTIONS, KEPT_COLLECTIONS } from '../collections.js';
import { INSTALLATION, type Installation } from '../installation.js';
import { type BackupEnd, BackupError, type BackupHeader, readBackup } from './format.js';
import { keyCheckOf } from './key.js';
import { Loader } from './loader.js';
import { restoreImage } from './restore-image.js';
import { RESTORE_ID, restoreMarks } from './restoring.js';
import { RunningCount } from './running-count.js';

const PAGE = 500;
/** What a store holds that no server and no user has ever worked with. */
const OPENING_IDS: ReadonlySet<string> = new Set([RESTORE_ID, 'master-key']);

export interface VerifiedBackup {
  readonly header: BackupHeader;
  readonly end: BackupEnd;
  readonly running: RunningCount;
}

/**
 * Reads a whole backup and checks that it is one that this version can restore.
 * @throws BackupError
 */
export async function verifyBackup(
  path: string,
  onBytes: (sizeBytes: number) => void,
): Promise<VerifiedBackup> {
  const counts = new Map<string, number>();
  const running = new RunningCount();
  let images = 0;
  let header: BackupHeader | null = null;
  let end: BackupEnd | null = null;
  // To the last line and beyond, since what follows the end is looked for there.
  for await (const line of readBackup(path, onBytes)) {
    if (line.kind === 'header') header = line.header;
    if (line.kind === 'end') end = line.end;
    if (line.kind === 'image') images++;
    if (line.kind !== 'document') continue;
    definitionOf(line.collection);
    running.note(line.collection, line.document);
    counts.set(line.collection, (counts.get(line.collection) ?? 0) + 1);
  }
  if (header === null || end === null) throw new Error('A backup was read without its header or its end');
  const isAsCounted =
    images === end.images &&
    Object.keys(end.documents).length === counts.size &&
    Object.entries(end.documents).every(([name, count]) => counts.get(name) === count);
  if (!isAsCounted)
    throw new BackupError(`${path} is damaged (its end counts other documents): take another backup.`);
  return { header, end, running };
}

function definitionOf(collection: string) {
  const definition = KEPT_COLLECTIONS.find(({ name }) => name === collection);
  if (definition !== undefined) return definition;
  throw new BackupError(
    `The backup holds a collection that this version of Ferry does not know (${collection}): ` +
      'restore it with the version that wrote it or a newer one.',
  );
}

export interface RestoreOptions {
  /** Delete what the target holds, rather than refuse. */
  readonly overwrite: boolean;
  /** Leave upgrades frozen unless nothing can have moved since the backup. */
  readonly freeze: boolean;
  readonly onDocument: () => void;
}

/**
 * Brings an installation to what a verified backup holds. Cut off, it leaves a mark that keeps servers away, and the same call
 * takes it to its end.
 * @throws BackupError where the target is in use or holds something, or the backup is another's
 */
export async function restoreBackup(
  path: string,
  { header, end, running }: VerifiedBackup,
  installation: Pick<Installation, 'store' | 'secrets' | 'images'>,
  options: RestoreOptions,
): Promise<void> {
  const { store, images } = installation;
  if (header.keyCheck !== keyCheckOf(installation.secrets)) {
    throw new BackupError(
      'The backup was made with another master key, without which its secrets cannot be opened: put the secret.key that ' +
        'belongs to it in place, or name it with --secret-file.',
    );
  }
  await refuseInUse(store);
  const marks = restoreMarks(store);
  const mark = await marks.get(RESTORE_ID);
  const goesOn = mark?.document.sha256 === end.sha256;
  if (!goesOn && !options.overwrite) await refuseNotEmpty(store);
  await marks.put({ id: RESTORE_ID, sha256: end.sha256 });
  await empty(store, images);
  await writeAll(path, store, images, { correct: running.corrector(), onDocument: options.onDocument });
  if (options.freeze) await freeze(store, header);
  await marks.delete(RESTORE_ID);
}

async function refuseInUse(store: Store): Promise<void> {
  for await (const { document } of store.collection<LeaseDocument>(LEASES).scan({})) {
    if (!stillHolds(document.untilMs, MINUTE_MS, Date.now())) continue;
    throw new BackupError(
      'A server works on this store, or did within the last minute: stop it, and try again when its leases have run out.',
    );
  }
}

async function refuseNotEmpty(store: Store): Promise<void> {
  const found: string[] = [];
  for (const definition of [...KEPT_COLLECTIONS, ...IMAGE_COLLECTIONS]) {
    const page = await store.collection<Document>(definition).find({ limit: OPENING_IDS.size + 1 });
    const ids = page.items.map(({ document }) => document.id);
    if (ids.some((id) => definition.name !== INSTALLATION.name || !OPENING_IDS.has(id))) {
      found.push(definition.name);
    }
  }
  if (found.length === 0) return;
  throw new BackupError(
    `The target is not empty: it holds ${found.join(', ')}. A backup is never mixed with what is there: name an empty ` +
      'target, or delete all of that with --overwrite.',
  );
}

async function empty(store: Store, images: Installation['images']): Promise<void> {
  for (;;) {
    const page = await images.list({ limit: PAGE });
    for (const { id } of page.items) await images.remove(id);
    if (page.items.length === 0) break;
  }
  for (const definition of KEPT_COLLECTIONS) {
    if (definition.name !== INSTALLATION.name) await store.clear(definition);
  }
  // The mark stays throughout.
  const kept = store.collection<Document>(INSTALLATION);
  for await (const { document } of kept.scan({})) {
    if (document.id !== RESTORE_ID) await kept.delete(document.id);
  }
}

async function writeAll(
  path: string,
  store: Store,
  images: Installation['images'],
  {
    correct,
    onDocument,
  }: {
    readonly correct: ReturnType<RunningCount['corrector']>;
    readonly onDocument: () => void;
  },
): Promise<void> {
  const loader = new Loader(store);
  const lines = readBackup(path);
  for await (const line of lines) {
    switch (line.kind) {
      case 'header':
      case 'end':
        break;
      case 'image':
        await restoreImage(images, store, line, lines);
        onDocument();
        break;
      case 'bytes':
        throw new BackupError(`${path} is damaged (bytes of no image): take another.`);
      case 'document': {
        const { collection, document, sizeBytes } = line;
        await loader.add(definitionOf(collection), correct(collection, document), sizeBytes);
        onDocument();
        break;
      }
      default:
        line satisfies never;
    }
  }
  await loader.drain();
}

/** Of what CPEs did after the backup nobody knows here: upgrades wait for an operator's word. */
async function freeze(store: Store, { createdAt }: BackupHeader): Promise<void> {
  await openFreeze(store, systemClock).write({
    frozen: true,
    by: 'ferry restore',
    reason: `Restored from a backup of ${createdAt}: upgrades that began after it are not known here`,
  });
}
