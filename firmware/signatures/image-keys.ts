import { type Clock, type OrganizationId, SECOND_MS } from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import { requiringOrganization } from '../../organizations/index.js';
import type { Change, Collection, CollectionDefinition, Document, Store, Stored } from '../../store/index.js';
import { ImageError } from '../image-error.js';
import { type PublicKey, parsePublicKey } from './public-key.js';

/** All keys of one owner lie in one document: that their names and numbers are unique, and they few, is then the matter of its revision. */
export const IMAGE_KEYS: CollectionDefinition = { name: 'image-keys', indexes: {} };

export const IMAGE_KEYS_MAX = 64;
/** A signature by one of these does not say by which: each is tried, over all bytes of the image. */
export const KEYS_ALONE_MAX = 8;
export const KEY_NAME_PATTERN = /^[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,63}$/;
const INSTALLATION = 'installation';
const COMMIT_ATTEMPTS_MAX = 100;

/** A public key by which images are verified. */
export interface ImageKey extends PublicKey {
  /** Unique among those of its owner. */
  readonly name: string;
  /** Whose it is, and so whose images it holds for; absent: the installation's, for all. */
  readonly organization?: string;
  readonly addedAtMs: number;
  readonly addedBy: string;
}

interface KeysDocument extends Document {
  readonly keys: readonly Omit<ImageKey, 'organization'>[];
}

/** A key that was added, or was there already. */
export interface AddedKey {
  readonly key: ImageKey;
  readonly outcome: 'created' | 'unchanged';
}

/** Keys that hold for an image, and what shows that they still do. */
export interface HoldingKeys {
  readonly keys: readonly ImageKey[];
  /** For the commit that rests on a key of it: refused where the keys of its owner were changed. */
  unchanged(key: ImageKey): Change;
}

/** The public keys by which images are verified: of each organization, and of the installation. */
export class ImageKeys {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #collection: Collection<KeysDocument>;
  readonly #events: EventLog;

  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
    this.#collection = store.collection<KeysDocument>(IMAGE_KEYS);
    this.#events = new EventLog({ store, clock });
  }

  /** Those that an owner has, by name. @param organization  undefined: the installation */
  async of(organization: string | undefined): Promise<readonly ImageKey[]> {
    return keysIn(await this.#collection.get(idOf(organization)), organization);
  }

  /** Those that hold for the images of an owner: its own, and the installation's. */
  async holdingFor(organization: string | undefined): Promise<HoldingKeys> {
    const owners = organization === undefined ? [undefined] : [organization, undefined];
    const found = await this.#collection.getMany(owners.map(idOf));
    const revisions = new Map(owners.map((owner, index) => [owner, found[index]?.revision ?? null]));
    return {
      keys: owners.flatMap((owner, index) => keysIn(found[index] ?? null, owner)),
      unchanged: (key) =>
        this.#collection.requiring(idOf(key.organization), revisions.get(key.organization) ?? null),
    };
  }

  /**
   * Adds a key.
   * @param text  as a file of minisign, usign or signify, a PEM or base64 has it
   * @returns the key, and whether it was there already
   * @throws ImageError `invalid-key`, `key-taken`, `too-many-keys`; OrganizationError where there is no such organization
   */
  async add(
    { name, text, organization }: { name: string; text: string; organization?: string | undefined },
    by: Actor,
  ): Promise<AddedKey> {
    if (!KEY_NAME_PATTERN.test(name)) {
      const expected = 'must be 1 to 64 of the characters A-Z a-z 0-9 _ . ~ - and begin with none of . and -';
      throw new ImageError('invalid-key', 'name', `name ${expected}`);
    }
    const read = parsePublicKey(text);
    return this.#changing<AddedKey>(organization, async (stored) => {
      const keys = stored?.document.keys ?? [];
      const same = keys.find((key) => key.name === name);
      if (same?.publicKey === read.publicKey && same.keyId === read.keyId) {
        return { done: { key: withOwner(same, organization), outcome: 'unchanged' } };
      }
      if (same !== undefined) throw taken(`a key called ${name} is there: remove it first`);
      const twin = keys.find((key) => key.keyId === read.keyId || key.publicKey === read.publicKey);
      if (twin !== undefined) throw taken(`this key, or one with its number, is there as ${twin.name}`);
      checkRoom(keys, read);
      const key = { name, ...read, addedAtMs: this.#clock(), addedBy: by.name };
      return {
        keys: [...keys, key].sort((one, other) => (one.name < other.name ? -1 : 1)),
        event: { action: 'added', subjectId: name, by, after: shown(key) },
        done: { key: withOwner(key, organization), outcome: 'created' },
      };
    });
  }

  /** What was signed by it counts as unsigned from then on. @returns false where there is none of that name */
  remove(name: string, by: Actor, organization?: string): Promise<boolean> {
    return this.#changing(organization, async (stored) => {
      const keys = stored?.document.keys ?? [];
      const key = keys.find((each) => each.name === name);
      if (key === undefined) return { done: false };
      return {
        keys: keys.filter((each) => each !== key),
        event: { action: 'removed', subjectId: name, by, before: shown(key) },
        done: true,
      };
    });
  }

  async #changing<Done>(
    organization: string | undefined,
    plan: (stored: Stored<KeysDocument> | null) => Promise<Plan<Done>>,
  ): Promise<Done> {
    const id = idOf(organization);
    for (let attempt = 0; attempt < COMMIT_ATTEMPTS_MAX; attempt++) {
      const stored = await this.#collection.get(id);
      const { keys, event, done } = await plan(stored);
      if (keys === undefined || event === undefined) return done;
      // A key is only made for an organization that is there: one that is to be removed has none by then.
      const isThere =
        organization === undefined || event.action === 'removed'
          ? []
          : [(await requiringOrganization(this.#store, organization as OrganizationId)).isThere];
      const { committed } = await this.#store.commit([
        stored === null
          ? this.#collection.inserting({ id, keys })
          : this.#collection.replacing({ id, keys }, stored.revision),
        ...isThere,
        this.#events.noting({ ...event, subject: 'image-key', organization: organization ?? null }),
      ]);
      if (committed) return done;
    }
    throw new Error(`Image keys of ${id}: gave up after ${COMMIT_ATTEMPTS_MAX} commits that others overtook`);
  }
}

/** What a change comes to; without `keys` nothing is changed. */
interface Plan<Done> {
  readonly keys?: KeysDocument['keys'];
  readonly event?: {
    readonly action: 'added' | 'removed';
    readonly subjectId: string;
    readonly by: Actor;
    readonly before?: Readonly<Record<string, unknown>>;
    readonly after?: Readonly<Record<string, unknown>>;
  };
  readonly done: Done;
}

function idOf(organization: string | undefined): string {
  return organization ?? INSTALLATION;
}

function keysIn(stored: Stored<KeysDocument> | null, organization: string | undefined): readonly ImageKey[] {
  return (stored?.document.keys ?? []).map((key) => withOwner(key, organization));
}

function withOwner(key: Omit<ImageKey, 'organization'>, organization: string | undefined): ImageKey {
  return organization === undefined ? key : { ...key, organization };
}

function checkRoom(keys: KeysDocument['keys'], { algorithm }: PublicKey): void {
  if (keys.length >= IMAGE_KEYS_MAX) {
    throw tooMany(`there are ${IMAGE_KEYS_MAX} keys, which is as many as there may be: remove one first`);
  }
  const alone = keys.filter((key) => key.algorithm === 'ed25519').length;
  if (algorithm === 'ed25519' && alone >= KEYS_ALONE_MAX) {
    throw tooMany(
      `there are ${KEYS_ALONE_MAX} keys of Ed25519 alone, which is as many as there may be: remove one first, or use one of minisign`,
    );
  }
}

/** What the log of events says of a key. */
function shown({ name, addedAtMs, publicKey, ...key }: Omit<ImageKey, 'organization'>) {
  return { id: name, ...key, ed25519: publicKey, added: Math.floor(addedAtMs / SECOND_MS) };
}

function taken(message: string): ImageError {
  return new ImageError('key-taken', 'name', message);
}

function tooMany(message: string): ImageError {
  return new ImageError('too-many-keys', null, message);
}
