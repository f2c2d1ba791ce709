import { randomBytes } from 'node:crypto';
import {
  type Clock,
  type CpeId,
  compareText,
  type Logger,
  SECOND_MS,
  type Secrets,
  stillHolds,
  type Turn,
} from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import type { Organization, OrganizationDirectory } from '../../organizations/index.js';
import { type Change, type Collection, type Store, untilCommitted } from '../../store/index.js';
import type { CpeIdentity } from '../device/cpeid.js';
import { Owners } from '../device/owners.js';
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
import { type Given, toldGiven, toldRemoved } from './told-credentials.js';

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
  /** Of this process, where it has one already. */
  readonly directory?: OrganizationDirectory;
  /** Tells who has changed credentials, where somebody has said so. */
  readonly logger?: Logger;
  /** By what CPEs are told apart; by OUI, product class and serial number unless told. */
  readonly cpeIdentity?: CpeIdentity;
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
  readonly #events: EventLog;
  readonly #owners: Owners;

  constructor(parts: CpeCredentialsParts) {
    this.#parts = parts;
    this.#collection = parts.store.collection<CpeCredential>(CPE_AUTH);
    this.#proofs = parts.store.collection<CpeProof>(CPE_PROOFS);
    this.#events = new EventLog(parts);
    this.#owners = new Owners(parts);
  }

  /** What is wrong with credentials, naming the field and not its value; null where nothing is. */
  problemIn(login: CpeLogin): string | null {
    return problemIn(login, this.#parts.cpeIdentity ?? 'oui');
  }

  /**
   * Stores credentials, all or none, durably. What a CPE had before stays right until it has used these.
   * @param logins  at most {@link CREDENTIALS_A_BATCH_MAX}; of those with the same user name the last counts
   * @param by  who gives them, for the log of events, and out of which file; null: Ferry itself
   * @throws CredentialError for the first that cannot be taken: malformed, or its user name is another CPE's
   * @throws StoreError
   */
  async put(logins: readonly CpeLogin[], by: Actor | null, file?: string): Promise<PutOutcome> {
    const byName = new Map<string, { readonly login: CpeLogin; readonly index: number }>();
    for (const [index, login] of logins.entries()) {
      const problem = this.problemIn(login);
      if (problem !== null) throw new CredentialError(problem, index);
      const before = byName.get(login.username);
      if (before !== undefined && before.login.cpeid !== login.cpeid)
        throw takenBy(before.login.cpeid, index);
      byName.set(login.username, { login, index });
    }
    const distinct = [...byName.values()];
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const found = await this.#collection.getMany(distinct.map(({ login }) => login.username));
      const given = distinct.flatMap(({ login, index }, at): readonly Given[] => {
        const before = found[at] ?? null;
        const after = this.#after(login, index, before?.document ?? null);
        return after === null ? [] : [{ before, after }];
      });
      const outcome = { stored: given.length, unchanged: logins.length - given.length };
      if (given.length === 0) return outcome;
      const changes = given.map(({ before, after }) =>
        before === null
          ? this.#collection.inserting(after)
          : this.#collection.replacing(after, before.revision),
      );
      if (by !== null) changes.push(...(await this.#notingGiven(given, by, file)));
      if (!(await this.#parts.store.commit(changes)).committed) continue;
      if (by !== null) this.#tellSet(logins, outcome, by.name);
      return outcome;
    }
    throw new Error('Somebody else keeps changing the same credentials');
  }

  async #notingGiven(given: readonly Given[], by: Actor, file: string | undefined): Promise<Change[]> {
    const organizations = await this.#owners.of(given.map(({ after }) => after.cpeid));
    return toldGiven(given, organizations, file).map((told) => this.#events.noting({ ...told, by }));
  }

  #tellSet(logins: readonly CpeLogin[], { stored }: PutOutcome, by: string): void {
    const [only, ...others] = logins;
    const cpeid = others.length === 0 ? only?.cpeid : undefined;
    this.#parts.logger?.info('cpe.credentials-set', { by, stored, ...(cpeid !== undefined && { cpeid }) });
  }

  /** @returns null where it is so already */
  #after(login: CpeLogin, index: number, found: CpeCredential | null): CpeCredential | null {
    const { secrets, clock } = this.#parts;
    const { username: id, password } = login;
    // Whoever means an identity that it had before means the same CPE.
    const isFormer = found?.formerly?.includes(login.cpeid) === true;
    const cpeid = isFormer ? found.cpeid : login.cpeid;
    if (found !== null && found.cpeid !== cpeid) throw takenBy(found.cpeid, index);
    const before = found?.passwords ?? [];
    if (before[0] !== undefined && secrets.open(before[0].sealed) === password) return null;
    const newest = { sealed: secrets.seal(password), sinceMs: clock() };
    // Of two that the CPE may not have yet the older is of no use: it has the proven one, or is given this.
    const kept = found?.provenMs === undefined && before.length > 1 ? before.slice(1) : before;
    return {
      ...formerlyOf(found ?? undefined),
      id,
      cpeid,
      passwords: [newest, ...kept].slice(0, PASSWORDS_MAX),
    };
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
   * @param by  who says so, for the log of events
   * @param organization  to which it must belong; null: to any
   * @returns false where it has never used any, or does not belong there
   */
  async readmit(cpeid: CpeId, by: Actor, organization: Organization | null = null): Promise<boolean> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const proof = await this.#proofs.get(cpeid);
      const stays = organization === null ? null : await this.#owners.requiring(cpeid, organization);
      if (proof === null || (organization !== null && stays === null)) return false;
      const [owner = null] = organization === null ? await this.#owners.of([cpeid]) : [organization.id];
      const readmitUntilMs = this.#parts.clock() + READMISSION_MS;
      const readmitted = { ...proof.document, readmitUntilMs };
      const { committed } = await this.#parts.store.commit([
        this.#proofs.replacing(readmitted, proof.revision),
        ...(stays === null ? [] : [stays]),
        this.#events.noting({
          action: 'readmitted',
          subject: 'device',
          subjectId: cpeid,
          organization: owner,
          by,
          after: { readmittedUntil: Math.floor(readmitUntilMs / SECOND_MS) },
        }),
      ]);
      if (!committed) continue;
      this.#parts.logger?.info('cpe.readmission', { cpeid, by: by.name });
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
    if (this.problemIn(made) !== null) return null;
    await this.put([made], null);
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
   * @param by  who does, for the log of events
   * @returns how many user names those were
   */
  async remove(cpeid: CpeId, by: Actor): Promise<number> {
    let removed = 0;
    // As a rule there is one.
    for (const { id } of await this.#stored(cpeid)) if (await this.#removeName(id, by)) removed++;
    await this.#removeProofAlone(cpeid, by);
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
   * @param by  who does, for the log of events
   * @returns how many there were
   */
  async removeNames(usernames: readonly string[], by: Actor): Promise<number> {
    let removed = 0;
    for (const username of usernames) {
      const found = await this.#collection.get(username);
      if (found === null || !(await this.#removeName(username, by))) continue;
      removed++;
      await this.#removeProofAlone(found.document.cpeid, by);
    }
    return removed;
  }

  /** Where two have taken the last two user names away at once neither was the last. */
  async #removeProofAlone(cpeid: CpeId, by: Actor): Promise<void> {
    const proof = await this.#proofs.get(cpeid);
    if (proof === null || (await this.#stored(cpeid)).length > 0) return;
    const { username } = proof.document;
    const [organization = null] = await this.#owners.of([cpeid]);
    await this.#parts.store.commit([
      this.#proofs.deleting(cpeid, proof.revision),
      this.#events.noting({
        action: 'removed',
        subject: 'cpe-credentials',
        subjectId: username,
        organization,
        by,
        before: { username, cpeid, proven: true },
      }),
    ]);
  }

  /** With the last that a CPE has goes the proof that it has used one: in the same commit, so that nobody is let in, or kept out, in between. */
  #removeName(username: string, by: Actor): Promise<boolean> {
    return untilCommitted(`The credentials ${username}`, async () => {
      const found = await this.#collection.get(username);
      if (found === null) return false;
      const { cpeid } = found.document;
      const isLast = (await this.#stored(cpeid)).length === 1;
      const proof = isLast ? await this.#proofs.get(cpeid) : null;
      const [organization = null] = await this.#owners.of([cpeid]);
      const { committed } = await this.#parts.store.commit([
        this.#collection.deleting(username, found.revision),
        ...(proof === null ? [] : [this.#proofs.deleting(cpeid, proof.revision)]),
        this.#events.noting({ by, ...toldRemoved(found.document, organization) }),
      ]);
      if (!committed) return undefined;
      this.#parts.logger?.info('cpe.credentials-removed', { cpeid, by: by.name });
      return true;
    });
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
