import { randomBytes } from 'node:crypto';
import {
  type Clock,
  type CpeId,
  compareText,
  type Logger,
  type Secrets,
  stillHolds,
  type Turn,
} from '../../common/index.js';
import type { Change, Collection, Store, Stored } from '../../store/index.js';
import {
  CPE_AUTH,
  CPE_PROOFS,
  type CpeCredential,
  type CpeLogin,
  type CpeProof,
  CredentialError,
  FORMERLY_MAX,
  PASSWORDS_MAX,
  problemIn,
  READMISSION_MS,
  type SealedPassword,
} from './credential.js';

/** Of one {@link CpeCredentials.put}: what one commit takes in good time on either store. */
export const CREDENTIALS_A_BATCH_MAX = 1_000;
/** Whoever changes the same credentials at the same time changes them at least once meanwhile. */
const ROUNDS_MAX = 5;
const PASSWORD_BYTES = 18;
const NAME_BYTES = 4;
const NONE: readonly CpeId[] = [];

/** What of credentials may be shown: never a password. */
export interface ShownCredential {
  readonly username: string;
  readonly cpeid: CpeId;
  /** See {@link CpeCredential.formerly}; absent: none. */
  readonly formerly?: readonly CpeId[];
  readonly sinceMs: number;
  /** When the CPE used them first; null where it has not yet. */
  readonly provenMs: number | null;
}

/** Passwords that are right for a user name, the newest first. */
export interface RightCredentials {
  readonly cpeid: CpeId;
  /** Identities that the CPE had before, see {@link CpeCredential.formerly}. */
  readonly formerly: readonly CpeId[];
  readonly passwords: readonly string[];
  /** Whether the CPE has used the newest. */
  readonly isProven: boolean;
}

export interface PutOutcome {
  readonly stored: number;
  /** These were there already. */
  readonly unchanged: number;
}

export interface CpeCredentialsParts {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Tells who has changed credentials, where somebody has said so. */
  readonly logger?: Logger;
}

/** Which credentials; without a field all. */
export interface CredentialFilter {
  readonly usernames?: readonly string[];
  readonly cpeid?: string;
  /** Of the user name. */
  readonly prefix?: string;
  /** Only what comes after this user name. */
  readonly after?: string;
}

/** The credentials that single CPEs log in with, beside the pair that the fleet shares. */
export class CpeCredentials {
  readonly #parts: CpeCredentialsParts;
  readonly #collection: Collection<CpeCredential>;
  readonly #proofs: Collection<CpeProof>;

  constructor(parts: CpeCredentialsParts) {
    this.#parts = parts;
    this.#collection = parts.store.collection<CpeCredential>(CPE_AUTH);
    this.#proofs = parts.store.collection<CpeProof>(CPE_PROOFS);
  }

  /**
   * Stores credentials, all or none, durably. What a CPE had before stays right until it has used these.
   * @param logins  at most {@link CREDENTIALS_A_BATCH_MAX}; of those with the same user name the last counts
   * @param by  who gives them, for the log
   * @throws CredentialError for the first that cannot be taken: malformed, or its user name is another CPE's
   * @throws StoreError
   */
  async put(logins: readonly CpeLogin[], by?: string): Promise<PutOutcome> {
    const byName = new Map<string, { readonly login: CpeLogin; readonly index: number }>();
    for (const [index, login] of logins.entries()) {
      const problem = problemIn(login);
      if (problem !== null) throw new CredentialError(problem, index);
      const before = byName.get(login.username);
      if (before !== undefined && before.login.cpeid !== login.cpeid)
        throw takenBy(before.login.cpeid, index);
      byName.set(login.username, { login, index });
    }
    const distinct = [...byName.values()];
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const found = await this.#collection.getMany(distinct.map(({ login }) => login.username));
      const changes = distinct.flatMap(({ login, index }, at) =>
        this.#changing(login, index, found[at] ?? null),
      );
      if (changes.length === 0 || (await this.#parts.store.commit(changes)).committed) {
        const outcome = { stored: changes.length, unchanged: logins.length - changes.length };
        if (by !== undefined && outcome.stored > 0) this.#tellSet(logins, outcome, by);
        return outcome;
      }
    }
    throw new Error('Somebody else keeps changing the same credentials');
  }

  #tellSet(logins: readonly CpeLogin[], { stored }: PutOutcome, by: string): void {
    const [only, ...others] = logins;
    const cpeid = others.length === 0 ? only?.cpeid : undefined;
    this.#parts.logger?.info('cpe.credentials-set', { by, stored, ...(cpeid !== undefined && { cpeid }) });
  }

  #changing(login: CpeLogin, index: number, found: Stored<CpeCredential> | null): readonly Change[] {
    const { secrets, clock } = this.#parts;
    const { username: id, password } = login;
    // Whoever means an identity that it had before means the same CPE.
    const isFormer = found?.document.formerly?.includes(login.cpeid) === true;
    const cpeid = isFormer ? found.document.cpeid : login.cpeid;
    if (found !== null && found.document.cpeid !== cpeid) throw takenBy(found.document.cpeid, index);
    const before = found?.document.passwords ?? [];
    if (before[0] !== undefined && secrets.open(before[0].sealed) === password) return [];
    const newest = { sealed: secrets.seal(password), sinceMs: clock() };
    // Of two that the CPE may not have yet the older is of no use: it has the proven one, or is given this.
    const kept = found?.document.provenMs === undefined && before.length > 1 ? before.slice(1) : before;
    const document = {
      ...formerlyOf(found?.document),
      id,
      cpeid,
      passwords: [newest, ...kept].slice(0, PASSWORDS_MAX),
    };
    return [
      found === null
        ? this.#collection.inserting(document)
        : this.#collection.replacing(document, found.revision),
    ];
  }

  /**
   * What is right for a user name that a CPE has given; null where it is no CPE's.
   * @throws StoreError
   */
  async rightFor(username: string): Promise<RightCredentials | null> {
    const found = await this.#collection.get(username);
    if (found === null) return null;
    const { cpeid, formerly = NONE, passwords, provenMs } = found.document;
    const { secrets } = this.#parts;
    return {
      cpeid,
      formerly,
      passwords: passwords.map(({ sealed }) => secrets.open(sealed)),
      isProven: provenMs !== undefined,
    };
  }

  /**
   * The CPE has logged in with a password of its own: from now on the shared pair is wrong for it, and where it is the newest whatever it had
   * before as well; durably.
   */
  async used(username: string, password: string): Promise<void> {
    const { secrets, clock, store } = this.#parts;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const found = await this.#collection.get(username);
      const newest = found?.document.passwords[0];
      if (found === null || newest === undefined || found.document.provenMs !== undefined) return;
      const { id, cpeid } = found.document;
      const atMs = clock();
      if (secrets.open(newest.sealed) !== password) {
        // So it is in every session until it uses the newest.
        if ((await this.#proofs.get(cpeid)) === null)
          await this.#proofs.insert({ id: cpeid, username: id, atMs });
        return;
      }
      const changes = [
        this.#collection.replacing(
          { ...formerlyOf(found.document), id, cpeid, passwords: [newest], provenMs: atMs },
          found.revision,
        ),
        this.#proofs.putting({ id: cpeid, username: id, atMs }),
      ];
      for await (const { document, revision } of this.#collection.scan({ index: 'cpeid', equals: [cpeid] }))
        if (document.id !== id && !isNewer(document, newest))
          changes.push(this.#collection.deleting(document.id, revision));
      if ((await store.commit(changes)).committed) return;
    }
  }

  /** Whether a CPE has used credentials of its own, so that the shared pair is wrong for it; and whether it is to be given new ones. */
  async proofOf(cpeid: CpeId): Promise<{ readonly isReadmitted: boolean } | null> {
    const proof = await this.#proofs.get(cpeid);
    if (proof === null) return null;
    return { isReadmitted: stillHolds(proof.document.readmitUntilMs, READMISSION_MS, this.#parts.clock()) };
  }

  /**
   * What else changes where a CPE goes on under another identity, as its OUI has changed: whatever it logs in with is that one's from then
   * on, and nobody without it speaks for either.
   * @param provenAs  whose own credentials the CPE's session began with; undefined: the shared pair, or none
   * @returns null where it may not: the identity before has been proved by credentials that the session has not shown
   */
  async continuing(
    before: CpeId,
    after: CpeId,
    provenAs: CpeId | undefined,
  ): Promise<readonly Change[] | null> {
    if (provenAs !== before)
      return (await this.#proofs.get(before)) === null ? [this.#proofs.requiring(before, null)] : null;
    const changes: Change[] = [];
    let username: string | null = null;
    for await (const { document, revision } of this.#collection.scan({ index: 'cpeid', equals: [before] })) {
      const others = (document.formerly ?? NONE).filter((cpeid) => cpeid !== before && cpeid !== after);
      const formerly = [before, ...others].slice(0, FORMERLY_MAX);
      changes.push(this.#collection.replacing({ ...document, cpeid: after, formerly }, revision));
      if (document.provenMs !== undefined) username = document.id;
    }
    const proof = await this.#proofs.get(before);
    username ??= proof?.document.username ?? null;
    if (username !== null)
      changes.push(this.#proofs.putting({ id: after, username, atMs: this.#parts.clock() }));
    return changes;
  }

  /**
   * Has a CPE that comes without its credentials be given new ones, for a day. Durable.
   * @param by  who says so, for the log
   * @returns false where it has never used any
   */
  async readmit(cpeid: CpeId, by?: string): Promise<boolean> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const proof = await this.#proofs.get(cpeid);
      if (proof === null) return false;
      const readmitUntilMs = this.#parts.clock() + READMISSION_MS;
      const readmitted = { ...proof.document, readmitUntilMs };
      if ((await this.#proofs.replace(readmitted, proof.revision)) === null) continue;
      if (by !== undefined) this.#parts.logger?.info('cpe.readmission', { cpeid, by });
      return true;
    }
    throw new Error('Somebody else keeps changing the same credentials');
  }

  /**
   * What a CPE is to be given to log in with: what it was given and has not used, as that may have reached it; else new ones, which are stored
   * before they are sent.
   * @returns null where its id is longer than a user name may be
   */
  async toGive(cpeid: CpeId): Promise<CpeLogin | null> {
    const [newest] = await this.#stored(cpeid);
    const username = newest?.id ?? (await this.#freeName(cpeid));
    const given = newest?.provenMs === undefined ? newest?.passwords[0] : undefined;
    if (given !== undefined) return { cpeid, username, password: this.#parts.secrets.open(given.sealed) };
    const made = { cpeid, username, password: randomBytes(PASSWORD_BYTES).toString('base64url') };
    if (problemIn(made) !== null) return null;
    await this.put([made]);
    return made;
  }

  /** What a CPE is called that goes on under another identity is that one's user name. */
  async #freeName(cpeid: CpeId): Promise<string> {
    const isTaken = (await this.#collection.get(cpeid)) !== null;
    return isTaken ? `${cpeid}.${randomBytes(NAME_BYTES).toString('hex')}` : cpeid;
  }

  /** What a CPE may log in with, the newest first. */
  async of(cpeid: CpeId): Promise<readonly ShownCredential[]> {
    return (await this.#stored(cpeid)).map(shownOf);
  }

  /** Every password that a CPE may log in with. */
  async passwordsOf(cpeid: CpeId): Promise<readonly string[]> {
    const { secrets } = this.#parts;
    return (await this.#stored(cpeid)).flatMap(({ passwords }) =>
      passwords.map(({ sealed }) => secrets.open(sealed)),
    );
  }

  /** The newest first. */
  async #stored(cpeid: CpeId): Promise<readonly CpeCredential[]> {
    const found: CpeCredential[] = [];
    for await (const { document } of this.#collection.scan({ index: 'cpeid', equals: [cpeid] }))
      found.push(document);
    return found.sort((a, b) => sinceMsOf(b) - sinceMsOf(a));
  }

  /**
   * Takes all credentials of a CPE away, durably: it may log in with the shared pair again.
   * @returns how many user names those were
   */
  async remove(cpeid: CpeId): Promise<number> {
    let removed = 0;
    for await (const { document } of this.#collection.scan({ index: 'cpeid', equals: [cpeid] }))
      if (await this.#collection.delete(document.id)) removed++;
    // Last: who stops in between leaves a CPE that nobody can speak for, not one that anybody can.
    await this.#proofs.delete(cpeid);
    return removed;
  }

  /**
   * By user name, ascending.
   * @param turn  when each page is read
   */
  async *scan(filter: CredentialFilter, turn?: Turn): AsyncGenerator<ShownCredential, void> {
    const { usernames, cpeid, prefix, after } = filter;
    const isAfter = (id: string) => after === undefined || compareText(id, after) > 0;
    if (usernames !== undefined) {
      for (const id of [...new Set(usernames)].filter(isAfter).sort(compareText)) {
        const found = await this.#collection.get(id);
        if (found !== null) yield shownOf(found.document);
      }
      return;
    }
    const fields = cpeid === undefined ? {} : { cpeid };
    const query =
      cpeid !== undefined
        ? ({ index: 'cpeid', equals: [cpeid] } as const)
        : prefix === undefined
          ? {}
          : { prefix };
    const cursor = after === undefined ? null : this.#collection.cursorAt(query, { ...fields, id: after });
    const from = cursor === null ? query : { ...query, after: cursor };
    for await (const { document } of this.#collection.scan(from, turn))
      if (isAfter(document.id)) yield shownOf(document);
  }

  /**
   * Takes user names away, durably, each by itself: a CPE that has none left may log in with the shared pair again.
   * @param by  who does, for the log
   * @returns how many there were
   */
  async removeNames(usernames: readonly string[], by: string): Promise<number> {
    let removed = 0;
    for (const username of usernames) {
      const found = await this.#collection.get(username);
      if (found === null || !(await this.#collection.delete(username))) continue;
      removed++;
      const { cpeid } = found.document;
      if ((await this.#stored(cpeid)).length === 0) await this.#proofs.delete(cpeid);
      this.#parts.logger?.info('cpe.credentials-removed', { cpeid, by });
    }
    return removed;
  }
}

/** Given to the same CPE later, which it may not have yet. */
function isNewer({ passwords, provenMs }: CpeCredential, { sinceMs }: SealedPassword): boolean {
  return provenMs === undefined && sinceMsOf({ passwords }) > sinceMs;
}

function formerlyOf(credential: CpeCredential | undefined): Pick<CpeCredential, 'formerly'> {
  return credential?.formerly === undefined ? {} : { formerly: credential.formerly };
}

function takenBy(cpeid: CpeId, index: number): CredentialError {
  return new CredentialError(`username is that of ${cpeid} already`, index);
}

function sinceMsOf({ passwords }: Pick<CpeCredential, 'passwords'>): number {
  return passwords[0]?.sinceMs ?? 0;
}

function shownOf(credential: CpeCredential): ShownCredential {
  const { id: username, cpeid, provenMs } = credential;
  return {
    ...formerlyOf(credential),
    username,
    cpeid,
    sinceMs: sinceMsOf(credential),
    provenMs: provenMs ?? null,
  };
}
