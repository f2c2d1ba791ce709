import { type Clock, type Logger, type Secrets, systemClock } from '../../common/index.js';
import { type Actor, byCommand, EventLog } from '../../events/index.js';
import { BuildRecount, TAKEN_NAMES, type TakenName } from '../../firmware/index.js';
import { BatchRecount, settleOperations } from '../../rollout/index.js';
import { openFreeze } from '../../rules/index.js';
import { type Change, type Document, type Store, takeExclusively } from '../../store/index.js';
import { IMAGE_COLLECTIONS, KEPT_COLLECTIONS } from '../collections.js';
import { FIRST_START_ID, INSTALLATION, KEY_CHECK_ID } from '../first-start.js';
import { type Installation, usePartsOf } from '../installation.js';
import { type BackupEnd, BackupError, type BackupHeader, checkMac, readBackup } from './format.js';
import { checkKey } from './key.js';
import { Loader } from './loader.js';
import { restoreImage } from './restore-image.js';
import { RESTORE_ID, restoreMarks } from './restoring.js';
import { RunningCount } from './running-count.js';

const PAGE = 500;
/** What a store holds that no server and no user has ever worked with. */
const OPENING_IDS: ReadonlySet<string> = new Set([RESTORE_ID, KEY_CHECK_ID, FIRST_START_ID]);

export interface VerifiedBackup {
  readonly header: BackupHeader;
  readonly end: BackupEnd;
  readonly running: RunningCount;
  readonly builds: BuildRecount;
  readonly batches: BatchRecount;
}

/** The master key that a backup must have been made with. @throws BackupError where it cannot be told, or is another */
export type KeyOfBackup = (header: BackupHeader) => Pick<Secrets, 'mac'>;

/**
 * Reads a whole backup and checks that it is one that this version can restore, and as it was written.
 * @param keyOf  null: whoever could write the file can have changed what is in it
 * @throws BackupError
 */
export async function verifyBackup(
  path: string,
  keyOf: KeyOfBackup | null,
  onBytes: (sizeBytes: number) => void,
): Promise<VerifiedBackup> {
  const counts = new Map<string, number>();
  const running = new RunningCount();
  const builds = new BuildRecount();
  const batches = new BatchRecount();
  let images = 0;
  let header: BackupHeader | null = null;
  let end: BackupEnd | null = null;
  let secrets: Pick<Secrets, 'mac'> | null = null;
  // To the last line and beyond, since what follows the end is looked for there.
  for await (const line of readBackup(path, onBytes)) {
    if (line.kind === 'header') {
      header = line.header;
      secrets = keyOf?.(header) ?? null;
    }
    if (line.kind === 'end') end = line.end;
    if (line.kind === 'image') images++;
    if (line.kind !== 'document') continue;
    definitionOf(line.collection);
    running.note(line.collection, line.document);
    builds.note(line.collection, line.document);
    batches.note(line.collection, line.document);
    counts.set(line.collection, (counts.get(line.collection) ?? 0) + 1);
  }
  if (header === null || end === null) throw new Error('A backup was read without its header or its end');
  const isAsCounted =
    images === end.images &&
    Object.keys(end.documents).length === counts.size &&
    Object.entries(end.documents).every(([name, count]) => counts.get(name) === count);
  if (!isAsCounted)
    throw new BackupError(`${path} is damaged (its end counts other documents): take another backup.`);
  if (secrets !== null) checkMac(path, secrets, end);
  return { header, end, running, builds, batches };
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
  /** Who has it done, for the log of events. */
  readonly by: Actor;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Brings an installation to what a verified backup holds. Cut off, it leaves a mark that keeps servers away, and the same call
 * takes it to its end.
 * @throws BackupError where the target holds something, or the backup is another's; StoreInUseError where it is in use
 */
export async function restoreBackup(
  path: string,
  { header, end, running, builds, batches }: VerifiedBackup,
  installation: Pick<Installation, 'store' | 'shared' | 'secrets' | 'images'>,
  options: RestoreOptions,
): Promise<void> {
  const { store, images } = installation;
  checkKey(header, installation.secrets);
  const hold = await takeExclusively(usePartsOf(installation, options));
  try {
    const marks = restoreMarks(store);
    const mark = await marks.get(RESTORE_ID);
    const goesOn = mark?.document.sha256 === end.sha256;
    if (!goesOn && !options.overwrite) await refuseNotEmpty(store);
    // From here on it is the mark that keeps servers away, also where this process dies.
    await hold.commit([marks.putting({ id: RESTORE_ID, sha256: end.sha256 })]);
    await empty(store, images);
    const [ofShares, ofBuilds] = [running.corrector(), builds.corrector()];
    await writeAll(path, installation, {
      sha256: end.sha256,
      correct: (collection, document) =>
        batches.corrected(collection, ofBuilds(collection, ofShares(collection, document))),
      names: builds.names(),
      onDocument: options.onDocument,
    });
    await settleOperations({ store, images, clock: options.clock });
    if (options.freeze) await freeze(store, header);
    await hold.commit([marks.deleting(RESTORE_ID), restored(store, header, options)]);
  } finally {
    await hold.release();
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
    for (const { name, organization } of page.items) await images.remove(name, null, organization);
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
  { store, images }: Pick<Installation, 'store' | 'images'>,
  {
    sha256,
    correct,
    names,
    onDocument,
  }: {
    /** Of what was verified. */
    readonly sha256: string;
    /** Null: it is left out. */
    readonly correct: (collection: string, document: Document) => Document | null;
    /** In the place of those that the backup holds. */
    readonly names: readonly TakenName[];
    readonly onDocument: () => void;
  },
): Promise<void> {
  const loader = new Loader(store);
  const lines = readBackup(path);
  for await (const line of lines) {
    switch (line.kind) {
      case 'header':
        break;
      case 'end':
        if (line.end.sha256 === sha256) break;
        throw new BackupError(`${path} is not what was verified: somebody has replaced it meanwhile.`);
      case 'image':
        await restoreImage(images, store, line, lines);
        onDocument();
        break;
      case 'bytes':
        throw new BackupError(`${path} is damaged (bytes of no image): take another.`);
      case 'document': {
        const { collection, document, sizeBytes } = line;
        const kept = collection === TAKEN_NAMES.name ? null : correct(collection, document);
        if (kept !== null) await loader.add(definitionOf(collection), kept, sizeBytes);
        onDocument();
        break;
      }
      default:
        line satisfies never;
    }
  }
  for (const name of names) await loader.add(TAKEN_NAMES, name, JSON.stringify(name).length);
  await loader.drain();
}

/** The first that the log says after what the backup holds of it. */
function restored(store: Store, { createdAt }: BackupHeader, { by, clock }: RestoreOptions): Change {
  return new EventLog({ store, clock }).noting({
    action: 'restored',
    subject: 'installation',
    subjectId: 'installation',
    by,
    after: { backupOf: createdAt },
  });
}

/** Of what CPEs did after the backup nobody knows here: upgrades wait for an operator's word. */
async function freeze(store: Store, { createdAt }: BackupHeader): Promise<void> {
  await openFreeze(store, systemClock).write({
    frozen: true,
    by: byCommand('ferry restore'),
    reason: `Restored from a backup of ${createdAt}: upgrades that began after it are not known here`,
  });
}
