import { type Logger, MINUTE_MS, type MonotonicClock, Seldom } from '../../common/index.js';
import {
  type CheckCondition,
  OrganizationError,
  type Organizations,
  type OrganizationsNow,
} from '../../organizations/index.js';
import type { Condition, ParameterTree, StandingConditions, Subtrees } from '../../rules/index.js';
import type { Change } from '../../store/index.js';
import { contextOf } from '../device/context.js';
import type { Device, Placement } from '../device/device.js';
import { MembershipRules } from './membership-rules.js';

/** As often as the log tells of a condition that fails: a fleet meets it many times a second. */
const FAILURE_LOG_MS = MINUTE_MS;

/** An organization that is deactivated between two looks is seen so at the next one. */
const TRIES_MAX = 3;
const NOTHING: readonly Change[] = [];

/** What a session has shown of its CPE beside what the Inform says. */
export interface Session {
  readonly ip: string;
  readonly username: string | null;
  readonly nowMs: number;
  /** The Inform differs from the last one in what is kept of it. */
  readonly differs: boolean;
  readonly readParameters: (subtrees?: Subtrees) => Promise<ParameterTree>;
}

export interface MembershipParts {
  readonly organizations: Organizations;
  readonly conditions: StandingConditions;
  readonly logger: Logger;
  readonly monotonic: MonotonicClock;
}

/** To which organization the CPE of a session belongs, where nobody has said so by hand: by the first rule that holds. */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #failureLog: Seldom;
  #rules: MembershipRules | null = null;
  #compiling: { readonly of: OrganizationsNow; readonly rules: Promise<MembershipRules> } | null = null;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#failureLog = new Seldom(FAILURE_LOG_MS, parts.monotonic);
  }

  /**
   * Where there is no organization but the default this is nothing at all, and where nothing has changed that a rule may look at, not more than
   * to see that.
   * @param before  as it is stored; null: it is new
   * @param device  as its Inform makes it
   * @returns what is to be stored of it; null: what is stored already
   * @throws StoreError
   */
  of(before: Device | null, device: Device, session: Session): Placement | null | Promise<Placement | null> {
    const now = this.#parts.organizations.directory.current();
    if (now instanceof Promise) return now.then((known) => this.#among(known, before, device, session));
    return this.#among(now, before, device, session);
  }

  /** The same by organizations that are read anew. */
  async #afresh(before: Device | null, device: Device, session: Session): Promise<Placement | null> {
    return this.#among(await this.#parts.organizations.directory.latest(), before, device, session);
  }

  #among(now: OrganizationsNow, before: Device | null, device: Device, session: Session) {
    if (now.isAlone || now.byDefault === null || before?.organization?.by === 'hand') return null;
    if (this.#rules?.organizations === now) return this.#placed(this.#rules, before, device, session);
    return this.#compiled(now).then((rules) => this.#placed(rules, before, device, session));
  }

  #compiled(now: OrganizationsNow): Promise<MembershipRules> {
    if (this.#compiling?.of === now) return this.#compiling.rules;
    const rules = MembershipRules.of(now, {
      conditions: this.#parts.conditions,
      onFailure: ({ organization: { slug }, rule, cpeid, reason }) => {
        const omitted = this.#failureLog.admit(`${slug} ${rule}`);
        if (omitted !== null)
          this.#parts.logger.warn('organizations.condition-error', {
            organization: slug,
            rule,
            cpeid,
            reason,
          });
      },
    })
      .then((compiled) => {
        this.#rules = compiled;
        return compiled;
      })
      .finally(() => {
        this.#compiling = null;
      });
    this.#compiling = { of: now, rules };
    return rules;
  }

  #placed(
    rules: MembershipRules,
    before: Device | null,
    device: Device,
    session: Session,
  ): Placement | null | Promise<Placement | null> {
    const { organization } = before ?? {};
    const { generation } = rules.organizations;
    const username = rules.readUsernames ? session.username : null;
    const isAsBefore =
      organization?.at === generation &&
      !session.differs &&
      !rules.readsAlwaysNew &&
      before?.ip === session.ip &&
      organization.username === (username ?? undefined);
    return isAsBefore ? null : this.#look(rules, organization, device, session, username);
  }

  async #look(
    rules: MembershipRules,
    stored: Placement | undefined,
    device: Device,
    { ip, username, nowMs, readParameters }: Session,
    kept: string | null,
  ): Promise<Placement | null> {
    const { organizations } = rules;
    const events = device.lastEvents;
    // What organization it belongs to is what is asked: whoever would look at it sees none.
    const { organization: _, ...context } = contextOf(device, { events, ip, nowMs, organizations });
    const found = await rules.first({ ip, username, context, readParameters });
    const id = (found ?? organizations.byDefault)?.id;
    if (id === undefined) return null;
    const placement: Placement = {
      id,
      by: found === null ? 'default' : 'rule',
      at: organizations.generation,
      ...(kept !== null && { username: kept }),
    };
    return isSame(stored, placement) ? null : placement;
  }

  /**
   * The device as it is to be stored, and what goes into the same commit, which is refused unless the organization is still there and active.
   * @param placement  what {@link of} has said; `afresh` where the device, or anything else that was looked at, has moved since
   * @throws StoreError
   */
  async placing(
    before: Device | null,
    device: Device,
    session: Session,
    placement: Placement | null | 'afresh',
  ): Promise<{ readonly device: Device; readonly with: readonly Change[] }> {
    let next = placement === 'afresh' ? await this.#afresh(before, device, session) : placement;
    for (let tries = 0; next !== null && tries < TRIES_MAX; tries++) {
      const changes = await this.#requiring(before, next);
      if (changes !== null) return { device: { ...device, organization: next }, with: changes };
      next = await this.#afresh(before, device, session);
    }
    return { device, with: NOTHING };
  }

  /** Null where the organization has just been deactivated or removed. */
  async #requiring(before: Device | null, { id, by }: Placement): Promise<readonly Change[] | null> {
    if (by !== 'rule' || before?.organization?.id === id) return NOTHING;
    try {
      return [await this.#parts.organizations.requiring(id)];
    } catch (error) {
      if (error instanceof OrganizationError) return null;
      throw error;
    }
  }

  /** To be told once it is stored. */
  tell({ id: cpeid, organization }: Device, before: Device | null): void {
    const known = this.#parts.organizations.directory.known;
    const [is, was] = [known.of(organization), known.of(before?.organization)];
    if (is === null || is === was) return;
    this.#parts.logger.info('cpe.organization', {
      cpeid,
      organization: is.slug,
      ...(before !== null && { before: was?.slug }),
      by: organization?.by,
    });
  }
}

/** A device after something was learnt of it outside of an Inform: what rules look at may have changed, and they are looked at in the next session. */
export function withMembershipDue(device: Device): Device {
  const { organization } = device;
  if (organization?.at === undefined) return device;
  const { at: _, ...rest } = organization;
  return { ...device, organization: rest };
}

function isSame(stored: Placement | undefined, placement: Placement): boolean {
  return (
    stored?.id === placement.id &&
    stored.by === placement.by &&
    stored.at === placement.at &&
    stored.username === placement.username
  );
}

/** The check of conditions of membership rules: a rule's, and that they do not ask for what they are to say. */
export function membershipConditionCheck(conditions: StandingConditions): CheckCondition {
  return (condition) => {
    const problems = conditions.problems(condition);
    if (problems.length > 0) return problems;
    // It has just passed as one.
    return conditions.reads(condition as Condition).names.has('organization') ? [ASKS_ITSELF] : [];
  };
}

const ASKS_ITSELF = {
  field: 'condition',
  code: 'reads-organization',
  expected: 'a condition that does not read "organization": that is what it says of a CPE; use other fields',
};
