import { systemClock } from '../../common/index.js';
import { openFreeze } from '../../rules/index.js';
import {
  type Change,
  type Document,
  LEASES,
  type LeaseDocument,
  type Store,
  StoreError,
} from '../../store/index.js';
import { IMAGE_COLLECTIONS, KEPT_COLLECTIONS } from '../collections.js';
import { INSTALLATION, type Installation } from '../installation.js';
import { type BackupEnd, BackupError, type BackupHeader, readBackup } from './format.js';
import { keyCheckOf } from './key.js';
import { recountRunning } from './recount.js';
import { restoreImage } from './restore-image.js';
import { RESTORE_ID, restoreMarks } from './restoring.js';

/** A commit is held in memory and, on MongoDB, is one transaction of 16 MiB at most. */
const BATCH_CHANGES = 400;
const BATCH_CHARACTERS = 1024 * 1024;
/** So that the store has the next commit while it is busy with one. */
const BATCHES_UNDER_WAY = 2;
/** A batch that a slow database does not take in time is halved, down to a few documents. */
const HALVINGS_MAX = 6;
const PAGE = 500;
/** What a store holds that no server and no user has ever worked with. */
const OPENING_IDS: ReadonlySet<string> = new Set([RESTORE_ID, 'master-key']);

export interface VerifiedBackup {
  readonly header: BackupHeader;
  readonly end: BackupEnd;
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
    counts.set(line.collection, (counts.get(line.collection) ?? 0) + 1);
  }
  if (header === null || end === null) throw new Error('A backup was read without its header or its end');
  const isAsCounted =
    images === end.images &&
    Object.keys(end.documents).length === counts.size &&
    Object.entries(end.documents).every(([name, count]) => counts.get(name) === count);
  if (!isAsCounted)
    throw new BackupError(`${path} is damaged (its end counts other documents): take another backup.`);
  return { header, end };
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
  { header, end }: VerifiedBackup,
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
  await writeAll(path, store, images, options.onDocument);
  await recountRunning(store);
  if (options.freeze) await freeze(store, header);
  await marks.delete(RESTORE_ID);
}

async function refuseInUse(store: Store): Promise<void> {
  for await (const { document } of store.collection<LeaseDocument>(LEASES).scan({})) {
    if (document.untilMs <= Date.now()) continue;
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
    const collection = store.collection<Document>(definition);
    let batch: Change[] = [];
    const flush = async () => {
      const changes = batch;
      batch = [];
      // One that is gone by now would refuse the others: nobody else is at work here.
      if (!(await store.commit(changes)).committed) throw new BackupError(IN_USE);
    };
    for await (const { document, revision } of collection.scan({})) {
      if (definition.name === INSTALLATION.name && document.id === RESTORE_ID) continue;
      batch.push(collection.deleting(document.id, revision));
      if (batch.length === BATCH_CHANGES) await flush();
    }
    await flush();
  }
}

const IN_USE =
  'Somebody else writes to this store: stop every server and command that uses it, and try again.';

async function writeAll(
  path: string,
  store: Store,
  images: Installation['images'],
  onDocument: () => void,
): Promise<void> {
  const batches = new Batches(store);
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
        const { collection: name, document } = line;
        await batches.add(store.collection<Document>(definitionOf(name)).putting(document), document);
        onDocument();
        break;
      }
      default:
        line satisfies never;
    }
  }
  await batches.drain();
}

/** Puts changes together to commits, a few of which are under way at a time. */
class Batches {
  #changes: Change[] = [];
  #keys: string[] = [];
  #characters = 0;
  /** What the changes above and those under way write. */
  readonly #written = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  constructor(private readonly store: Store) {}

  async add(change: Change, document: Document): Promise<void> {
    const key = `${change.collection}/${document.id}`;
    // The same document twice in commits side by side would end as either.
    if (this.#written.has(key)) await this.drain();
    this.#written.add(key);
    this.#keys.push(key);
    this.#changes.push(change);
    this.#characters += JSON.stringify(document).length;
    if (this.#changes.length < BATCH_CHANGES && this.#characters < BATCH_CHARACTERS) return;
    this.#send();
    while (this.#underWay.size >= BATCHES_UNDER_WAY) await Promise.race(this.#underWay);
    this.#rethrow();
  }

  async drain(): Promise<void> {
    this.#send();
    await Promise.all(this.#underWay);
    this.#rethrow();
  }

  #send(): void {
    const changes = this.#changes;
    const keys = this.#keys;
    if (changes.length === 0) return;
    this.#changes = [];
    this.#keys = [];
    this.#characters = 0;
    const sent: Promise<void> = this.#put(changes, HALVINGS_MAX)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#underWay.delete(sent);
        for (const key of keys) this.#written.delete(key);
      });
    this.#underWay.add(sent);
  }

  /** What is put twice is there once, so whatever became of the first attempt another does no harm. */
  async #put(changes: readonly Change[], halvings: number): Promise<void> {
    try {
      await this.store.commit(changes);
    } catch (error) {
      const mayBeTooMuch = error instanceof StoreError && error.code === 'unavailable';
      if (!mayBeTooMuch || halvings === 0) throw error;
      const half = Math.ceil(changes.length / 2);
      await this.#put(changes.slice(0, half), halvings - 1);
      if (half < changes.length) await this.#put(changes.slice(half), halvings - 1);
    }
  }

  #rethrow(): void {
    if (this.#failure === null) return;
    const { error } = this.#failure;
    throw error instanceof StoreError && error.code === 'bad-document'
      ? new BackupError(`The backup holds a document that cannot be stored: ${error.message}`)
      : error;
  }
}

/** Of what CPEs did after the backup nobody knows here: upgrades wait for an operator's word. */
async function freeze(store: Store, { createdAt }: BackupHeader): Promise<void> {
  await openFreeze(store, systemClock).write({
    frozen: true,
    by: 'ferry restore',
    reason: `Restored from a backup of ${createdAt}: upgrades that began after it are not known here`,
  });
}
