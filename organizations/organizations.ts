import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger, OrganizationId } from '../common/index.js';
import { type Actor, EventLog } from '../events/index.js';
import { type Change, type Collection, type Store, type Stored, untilCommitted } from '../store/index.js';
import type { OrganizationDirectory } from './directory.js';
import { NameEndings } from './name-endings.js';
import {
  DEFAULT_ORDER,
  DEFAULT_SLUG,
  type MembershipRule,
  ORGANIZATION_SLUGS,
  ORGANIZATION_STATE,
  ORGANIZATIONS,
  ORGANIZATIONS_MAX,
  type Organization,
  type OrganizationDocument,
  type OrganizationFields,
  RULES_BYTES_MAX,
  RULES_IN_ALL_MAX,
  type SlugDocument,
  STATE_ID,
  type StateDocument,
} from './organization.js';
import { OrganizationError, type OrganizationErrorCode } from './organization-error.js';
import { notFound, requiringOrganization } from './requiring.js';
import type { Belonging, OrganizationUsers } from './uses.js';
import { type CheckCondition, checkedFields } from './validation.js';

type JsonObject = Readonly<Record<string, unknown>>;

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export interface OrganizationsParts {
  readonly store: Store;
  readonly directory: OrganizationDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly checkCondition: CheckCondition;
  /** What belongs to those that are not the default, but for users. */
  readonly belongings: readonly Belonging[];
  readonly users: OrganizationUsers;
}

/** The organizations of an installation: OrganizationStorage. Every change is one commit, and its event is in it. */
export class Organizations {
  readonly directory: OrganizationDirectory;
  readonly #parts: OrganizationsParts;
  readonly #events: EventLog;
  readonly #organizations: Collection<OrganizationDocument>;
  readonly #slugs: Collection<SlugDocument>;
  readonly #state: Collection<StateDocument>;
  readonly #endings: NameEndings;

  constructor(parts: OrganizationsParts) {
    const { store, clock, directory } = parts;
    this.directory = directory;
    this.#parts = parts;
    this.#events = new EventLog({ store, clock });
    this.#organizations = store.collection<OrganizationDocument>(ORGANIZATIONS);
    this.#slugs = store.collection<SlugDocument>(ORGANIZATION_SLUGS);
    this.#state = store.collection<StateDocument>(ORGANIZATION_STATE);
    this.#endings = new NameEndings(store);
  }

  /** All, in the order in which their rules are looked at; the default is made where there is none yet. @throws StoreError */
  async list(): Promise<readonly Organization[]> {
    await this.#ensureDefault();
    return (await this.directory.latest()).all;
  }

  /** By its slug or id. @throws OrganizationError `not-found`. @throws StoreError */
  async find(slugOrId: string): Promise<Organization> {
    await this.#ensureDefault();
    const found = (await this.directory.latest()).find(slugOrId);
    if (found === null) throw notFound(slugOrId);
    return found;
  }

  /**
   * @param said  by OrganizationFields, as it came from outside; an `id` may be said too
   * @throws OrganizationError `invalid`, `slug-taken`, `slug-in-names`, `id-taken`, `too-many`
   * @throws StoreError
   */
  async add({ id = randomUUID(), ...said }: JsonObject, by: Actor): Promise<Organization> {
    if (typeof id !== 'string' || !UUID_V4.test(id))
      throw refused('invalid', 'id', 'a UUID (version 4) in small letters; left out, one is made');
    const fields = checkedFields(said, null, this.#parts.checkCondition);
    await this.#ensureDefault();
    const document = this.#documentOf(id as OrganizationId, fields, false);
    await untilCommitted(`The organization ${fields.slug}`, async () => {
      const outcome = await this.#parts.store.commit([
        this.#organizations.inserting(document),
        ...(await this.#takingSlug(document)),
        this.#counting({ organizations: 1, ...sizeOf(fields.rules) }),
        this.#events.noting({ ...happening('added', document, by), after: { ...fields } }),
      ]);
      if (outcome.committed) return true;
      if (isOfNames(outcome.refused)) return undefined;
      throw await this.#refusedBy(outcome.refused, document);
    });
    await this.directory.latest();
    this.#parts.logger.info('organizations.added', { slug: document.slug, id, by: by.name });
    return document;
  }

  /**
   * Changes fields of one.
   * @throws OrganizationError `invalid`, `not-found`, `slug-taken`, `slug-in-names`, `too-many`, `is-default` (it cannot be deactivated)
   * @throws StoreError
   */
  async change(id: OrganizationId, said: JsonObject, by: Actor): Promise<Organization> {
    await this.#ensureDefault();
    const changed = await untilCommitted(`The organization ${id}`, async () => {
      const { document: before, revision } = await this.#stored(id);
      const fields = checkedFields(said, fieldsOf(before), this.#parts.checkCondition);
      if (before.isDefault && !fields.active)
        throw refused(
          'is-default',
          'active',
          'true: CPEs that belong to no other organization belong to this one',
        );
      if (isDeepStrictEqual(fields, fieldsOf(before))) return before;
      const after = { ...before, ...fields };
      const outcome = await this.#parts.store.commit([
        this.#organizations.replacing(after, revision),
        ...(after.slug === before.slug
          ? []
          : [this.#slugs.deleting(before.slug), ...(await this.#takingSlug(after))]),
        this.#counting(difference(sizeOf(before.rules), sizeOf(after.rules))),
        this.#events.noting({
          ...happening('changed', after, by),
          before: { ...fieldsOf(before) },
          after: { ...fields },
        }),
      ]);
      if (outcome.committed) {
        this.#parts.logger.info('organizations.changed', { slug: after.slug, id, by: by.name });
        return after;
      }
      if (outcome.refused.collection === ORGANIZATIONS.name || isOfNames(outcome.refused)) return undefined;
      throw await this.#refusedBy(outcome.refused, after);
    });
    await this.directory.latest();
    return changed;
  }

  /**
   * All as they would be after {@link change}, which is not made.
   * @throws OrganizationError as that, but for what only the store can refuse
   */
  async wouldBe(id: OrganizationId, said: JsonObject): Promise<readonly Organization[]> {
    const all = await this.list();
    return all.map((each) =>
      each.id === id ? { ...each, ...checkedFields(said, fieldsOf(each), this.#parts.checkCondition) } : each,
    );
  }

  /**
   * Removes one that nothing belongs to. While that is looked at it is not active, so that nothing comes to belong to it meanwhile: whoever makes
   * something of it requires that it is as it was.
   * @throws OrganizationError `not-found`, `is-default`, and the code of what belongs to it
   * @throws StoreError
   */
  async remove(id: OrganizationId, by: Actor): Promise<void> {
    const { document } = await this.#stored(id);
    if (document.isDefault)
      throw refused('is-default', 'isDefault', 'false: the default organization stays; it can be renamed');
    await this.#requireUnused(document);
    let wasActive = false;
    await untilCommitted(`The organization ${id}`, async () => {
      if ((await this.#stored(id)).document.active) {
        await this.change(id, { active: false }, by);
        wasActive = true;
      }
      const { document: before, revision } = await this.#stored(id);
      // Others may activate it at any time; then what was looked at says nothing.
      if (before.active) return undefined;
      try {
        await this.#requireUnused(before);
      } catch (error) {
        if (wasActive) await this.change(id, { active: true }, by);
        throw error;
      }
      const { rules, rulesBytes } = sizeOf(before.rules);
      const outcome = await this.#parts.store.commit([
        this.#organizations.deleting(id, revision),
        this.#slugs.deleting(before.slug),
        this.#counting({ organizations: -1, rules: -rules, rulesBytes: -rulesBytes }),
        this.#events.noting({ ...happening('removed', before, by), before: { ...fieldsOf(before) } }),
      ]);
      return outcome.committed ? true : undefined;
    });
    await this.directory.latest();
    this.#parts.logger.info('organizations.removed', { slug: document.slug, id, by: by.name });
  }

  /** For a commit that makes something belong to one: refused unless that is active still. @throws OrganizationError `not-found`, `not-active` */
  async requiring(id: OrganizationId): Promise<Change> {
    return (await requiringOrganization(this.#parts.store, id)).isThere;
  }

  /** @throws OrganizationError the code of what belongs to it */
  async #requireUnused({ id, slug }: Organization): Promise<void> {
    const { belongings, users } = this.#parts;
    for (const each of [...belongings, users]) {
      if (!(await each.isAnyOf(id))) continue;
      const { code, what, remedy } = each;
      throw refused(
        code,
        'organization',
        `one without ${what}: deactivate ${slug} instead, or ${remedy} first`,
      );
    }
  }

  /** What the commit needs by which it comes to have its slug. @throws OrganizationError `slug-in-names` */
  async #takingSlug({ id, slug }: Organization): Promise<readonly Change[]> {
    const taking = this.#slugs.inserting({ id: slug, organization: id });
    // Of one that is taken the store says so.
    if ((await this.#slugs.get(slug)) !== null) return [taking];
    const noMoreNames = await this.#endings.requiringNoMore(slug);
    if (await this.#parts.users.haveEnding(slug, id))
      throw refused(
        'slug-in-names',
        'slug',
        `another: names of users that are not of this organization end in @${slug}`,
      );
    return [taking, noMoreNames];
  }

  /** @throws OrganizationError `not-found` */
  async #stored(id: OrganizationId): Promise<Stored<OrganizationDocument>> {
    const stored = await this.#organizations.get(id);
    if (stored === null) throw notFound(id);
    return stored;
  }

  #documentOf(id: OrganizationId, fields: OrganizationFields, isDefault: boolean): OrganizationDocument {
    return { id, ...fields, isDefault, createdAtMs: this.#parts.clock() };
  }

  #counting(add: Partial<Counts>): Change {
    const counts = { generation: 1, ...add };
    return this.#state.counting(STATE_ID, counts, {
      organizations: ORGANIZATIONS_MAX,
      rules: RULES_IN_ALL_MAX,
      rulesBytes: RULES_BYTES_MAX,
    });
  }

  async #refusedBy({ collection }: Change, { slug, id }: Organization): Promise<OrganizationError> {
    if (collection === ORGANIZATION_SLUGS.name)
      return refused('slug-taken', 'slug', `another: there is an organization ${slug} already`);
    if (collection === ORGANIZATIONS.name)
      return refused('id-taken', 'id', `another: there is an organization ${id} already`);
    const state = (await this.#state.get(STATE_ID))?.document;
    if (state !== undefined && state.organizations >= ORGANIZATIONS_MAX)
      return refused('too-many', '', `at most ${ORGANIZATIONS_MAX} organizations`);
    return refused(
      'too-many',
      'rules',
      `at most ${RULES_IN_ALL_MAX} rules of all organizations together, and ${RULES_BYTES_MAX} bytes of them`,
    );
  }

  async #ensureDefault(): Promise<void> {
    if ((await this.#state.get(STATE_ID)) !== null) return;
    const fields = { name: DEFAULT_SLUG, slug: DEFAULT_SLUG, active: true, order: DEFAULT_ORDER, rules: [] };
    const document = this.#documentOf(randomUUID() as OrganizationId, fields, true);
    // Refused where another process is first: then it is there.
    await this.#parts.store.commit([
      this.#state.inserting({
        id: STATE_ID,
        generation: 1,
        defaultId: document.id,
        organizations: 1,
        ...sizeOf([]),
      }),
      this.#organizations.inserting(document),
      this.#slugs.inserting({ id: document.slug, organization: document.id }),
      this.#events.noting({ ...happening('added', document, null), after: { ...fields } }),
    ]);
  }
}

type Counts = Pick<StateDocument, 'organizations' | 'rules' | 'rulesBytes'>;

function sizeOf(rules: readonly MembershipRule[]): Pick<Counts, 'rules' | 'rulesBytes'> {
  return { rules: rules.length, rulesBytes: Buffer.byteLength(JSON.stringify(rules)) };
}

function difference(before: ReturnType<typeof sizeOf>, after: ReturnType<typeof sizeOf>) {
  return { rules: after.rules - before.rules, rulesBytes: after.rulesBytes - before.rulesBytes };
}

function fieldsOf({ name, slug, active, order, rules }: Organization): OrganizationFields {
  return { name, slug, active, order, rules };
}

function happening(action: string, { id }: Organization, by: Actor | null) {
  return { action, subject: 'organization', subjectId: id, organization: id, by } as const;
}

function refused(code: OrganizationErrorCode, field: string, expected: string): OrganizationError {
  return new OrganizationError(code, [{ field, code, expected }]);
}

/** Somebody has come to have a name meanwhile. */
function isOfNames({ collection, kind }: Change): boolean {
  return collection === ORGANIZATION_SLUGS.name && kind === 'require';
}
