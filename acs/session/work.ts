import {
  type Clock,
  type CpeId,
  type Logger,
  type MonotonicClock,
  SECOND_MS,
  type Secrets,
  Seldom,
} from '../../common/index.js';
import type { Rules } from '../../rules/index.js';
import type { Change, Stored } from '../../store/index.js';
import type { CpeCredentials } from '../credentials/cpe-credentials.js';
import type { Caller, Identities, Identity } from '../credentials/identities.js';
import type { UrlMove } from '../device/connection-request-url.js';
import { ruledBy } from '../device/context.js';
import { type CpeIdentity, cpeidOf } from '../device/cpeid.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import type { FleetAddresses } from '../device/fleet-addresses.js';
import { isParameterName } from '../device/parameter-report.js';
import { treeOf } from '../device/parameter-store.js';
import { afterAnswer } from '../device/unread.js';
import { type Enrolling, type Enrolment, NOTHING_MORE } from '../enrolment/enrolment.js';
import type { NewCpes } from '../enrolment/new-cpes.js';
import {
  type Membership,
  type Session as MembershipSession,
  withMembershipDue,
} from '../membership/membership.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { ACS_FAULT, type EnvelopeStyle, type Inform, type Parameter } from '../soap/index.js';
import { matchKey } from '../upgrade/command-key.js';
import { repeatsOf, type Upgrade } from '../upgrade/upgrade.js';
import type { UpgradeStore } from '../upgrade/upgrade-store.js';
import { isWithdrawalDue } from '../upgrade/withdrawal.js';
import { SessionDecision, type StepRequest } from './decision.js';
import { Doubts } from './doubt.js';
import { awaitsVersion, SessionEvidence } from './evidence.js';
import { type LocateFile, locatingFor } from './file-location.js';
import { type InformOutcome, informed, ownCopy, type RefusedFields, withNamedFields } from './inform.js';
import { Provisioner, type Provisioning } from './provisioning.js';
import { SentSecrets } from './sent-secrets.js';
import type { Answer, Doubt, Query, SessionFacts } from './session.js';
import { Withdrawals } from './withdrawals.js';

export interface WorkParts {
  readonly devices: DeviceStore;
  /** Is told where sessions come from; without it nobody wants to know. */
  readonly fleetAddresses?: FleetAddresses;
  readonly upgrades: UpgradeStore;
  readonly rules: Rules;
  readonly identities: Identities;
  readonly credentials: CpeCredentials;
  readonly enrolment: Enrolment;
  readonly newCpes: NewCpes;
  readonly cpeIdentity: CpeIdentity;
  /** Says to which organization CPEs belong; without it they stay where they are. */
  readonly membership?: Membership;
  /** What CPEs log in as that have no credentials of their own; null: they are not asked. */
  readonly sharedUsername?: string | null;
  readonly locateFile: LocateFile;
  readonly secrets: Secrets;
  readonly provisioning: Provisioning;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
}

/** An Inform that cannot be accepted; answered with a CWMP fault. */
export class InformRefusedError extends Error {
  override readonly name = 'InformRefusedError';
  readonly faultCode = ACS_FAULT.invalidArguments;
}

/** As often as the log tells of what many clients do at once. */
const SELDOM_LOG_MS = 10 * SECOND_MS;

/** Carries out what a session asks for: each query is durable when its answer is there. */
export class SessionWork {
  readonly #parts: WorkParts;
  readonly #sent: SentSecrets;
  readonly #evidence: SessionEvidence;
  readonly #provisioner: Provisioner;
  readonly #withdrawals: Withdrawals;
  readonly #doubts: Doubts;
  readonly #decision: SessionDecision;
  readonly #seldomLog: Seldom;

  constructor(parts: WorkParts) {
    const locate = locatingFor(parts);
    this.#parts = parts;
    this.#sent = new SentSecrets({ ...parts, locate });
    this.#evidence = new SessionEvidence({ ...parts, sent: this.#sent });
    this.#provisioner = new Provisioner({ ...parts, sent: this.#sent });
    this.#withdrawals = new Withdrawals({ ...parts, sent: this.#sent });
    this.#doubts = new Doubts({ ...parts, locate });
    this.#decision = new SessionDecision({ ...parts, doubts: this.#doubts, locate });
    this.#seldomLog = new Seldom(SELDOM_LOG_MS, parts.monotonic);
  }

  /**
   * @param facts  what the session knows of its CPE; null for the Inform that begins it
   * @throws InformRefusedError, NewCpeRefusedError, StepTakenError, StoreError
   */
  async perform(query: Query, facts: SessionFacts | null, request: StepRequest): Promise<Answer> {
    if (query.kind === 'record-inform') return this.#recordInform(query, request);
    if (facts === null) throw new Error(`A session without a CPE asked for ${query.kind}`);
    switch (query.kind) {
      case 'record-transfer-complete':
        await this.#evidence.transferComplete(query.transferComplete, facts);
        // It may have changed this CPE, or made it known as the same as another.
        facts.hand.device = null;
        return { to: query.kind };
      case 'record-autonomous-transfer':
        await this.#evidence.autonomousTransfer(query.transfer, facts);
        facts.hand.device = null;
        return { to: query.kind };
      case 'record-download':
        await this.#evidence.downloadAnswered(query, facts);
        return { to: query.kind };
      case 'record-withdrawal':
        await this.#withdrawals.answered(query, facts);
        facts.hand.device = null;
        return { to: query.kind };
      case 'record-queue': {
        const { question, commandKeys } = query;
        return {
          to: query.kind,
          next: await this.#doubts.answered(question, commandKeys, facts, request.ip),
        };
      }
      case 'record-parameters':
        await this.#recordParameters(query, facts, request.ip);
        return { to: query.kind };
      case 'record-provisioning':
        return {
          to: query.kind,
          next: await this.#provisioner.record(query.attempt, query.answer, facts),
        };
      case 'record-unreadable': {
        const { request: asked } = query;
        const [reason] = await this.#sent.maskedTexts([query.reason], facts.cpeid);
        this.#parts.logger.warn('session.answer-unreadable', { cpeid: facts.cpeid, request: asked, reason });
        return { to: query.kind };
      }
      case 'settle':
        return { to: 'settle', read: await this.#evidence.settle(facts) };
      case 'provision':
        return { to: 'provision', next: await this.#provisioner.begin(facts) };
      case 'withdraw':
        return { to: 'withdraw', cancel: await this.#withdrawals.next(facts) };
      case 'doubt':
        return { to: 'doubt', question: await this.#doubts.question(facts) };
      case 'decide':
        return { to: 'decide', decision: await this.#decision.decide(facts, request, query.queueKnown) };
      default:
        return query satisfies never;
    }
  }

  async #recordInform(
    query: Extract<Query, { kind: 'record-inform' }>,
    { ip, caller }: StepRequest,
  ): Promise<Answer> {
    const { inform, style } = query;
    const { devices, logger } = this.#parts;
    const cpeid = cpeidOf(inform.deviceId, this.#parts.cpeIdentity);
    if (cpeid === null) throw new InformRefusedError('DeviceId is too long for an identity');
    const bootstrap = inform.events.some(({ eventCode }) => eventCode === '0 BOOTSTRAP');
    if (caller === null) throw new Error('An Inform begins a session, and nobody was asked who sent it');
    // First of all: whoever is of another vendor must not have the credentials that its namesake has lost.
    if (this.#parts.cpeIdentity === 'serial')
      this.#refuseSecondOui(await devices.read(cpeid), inform, { ip, caller });
    const identity = await this.#parts.identities.of(caller, cpeid, {
      ip,
      bootstrap,
      serialNumber: inform.deviceId.serialNumber,
    });
    if (identity === 'lost' || identity === 'readmitted')
      return this.#credentialsLost(cpeid, { style, ip, isReadmitted: identity === 'readmitted' });
    const nowMs = this.#parts.clock();
    const found = await devices.read(cpeid);
    // Who has proved who it is has not been invented, nor who was another until an upgrade and has proved to be that.
    const isReal = caller.kind === 'own';
    if (found === null && !isReal) this.#parts.newCpes.take(ip);
    const asked = this.#enrolling(found, cpeid, isReal);
    let enrolling = asked instanceof Promise ? await asked : asked;
    const from = { ip, style, nowMs, isProven: identity === 'proven', isWaiting: enrolling === null };
    let outcome = informed(found?.document ?? null, cpeid, inform, from);
    const { membership } = this.#parts;
    const sessionOf = (its: InformOutcome) => this.#membershipSession(its, inform, { ip, caller, nowMs });
    const asking = membership?.of(found?.document ?? null, outcome.device, sessionOf(outcome)) ?? null;
    const placement = asking instanceof Promise ? await asking : asking;
    const mustBeDurable = outcome.mustBeDurable || placement !== null;
    if (mustBeDurable) {
      let before: Device | null = null;
      let isAgain = false;
      await devices.change(cpeid, async (stored) => {
        before = stored?.document ?? null;
        this.#refuseSecondOui(stored, inform, { ip, caller });
        enrolling = await this.#enrolling(stored, cpeid, isReal);
        const isWaiting = enrolling === null;
        outcome = informed(before, cpeid, inform, { ...from, isWaiting });
        let others: readonly Change[] = enrolling ?? NOTHING_MORE;
        if (membership !== undefined) {
          const hasMoved = isAgain || stored?.revision !== found?.revision;
          isAgain = true;
          const asked = hasMoved ? 'afresh' : placement;
          const placed = await membership.placing(before, outcome.device, sessionOf(outcome), asked);
          outcome = { ...outcome, device: placed.device };
          if (placed.with.length > 0) others = [...others, ...placed.with];
        }
        if (isWaiting || !outcome.parametersChanged) return { device: outcome.device, with: others };
        const { device, changes } = await this.#takingParameters(outcome.device, inform.parameters, {
          afresh: outcome.bootstrap,
          nowMs,
        });
        outcome = { ...outcome, device };
        return { device, with: others.length === 0 ? changes : [...changes, ...others] };
      });
      this.#tellCut(found?.document ?? null, outcome.device);
      membership?.tell(outcome.device, before);
    } else {
      devices.sighted(cpeid, { lastInformMs: nowMs, ip, lastEvents: outcome.device.lastEvents });
    }
    const { device, boot, requested, reportedVersion, firstContact } = outcome;
    const { provisioning } = device;
    if (provisioning === 'failed' && found?.document.provisioning !== 'failed')
      logger.warn('cpe.not-provisioned', { cpeid, provisioning });
    this.#tellRefused(cpeid, outcome.refused);
    this.#tellMoved(cpeid, outcome.moved, ip);
    if (enrolling !== null) {
      if (firstContact) logger.info('cpe.registered', { cpeid, ip, softwareVersion: reportedVersion });
      if (found?.document.enrolment !== undefined) logger.info('cpe.enrolled', { cpeid });
      this.#parts.fleetAddresses?.seen(device, ip);
    }
    devices.arrivals.announce(cpeid);
    logger.debug('session.informed', { cpeid, ip, events: device.lastEvents, requested });
    if (enrolling === null) {
      if (firstContact) this.#tellWaiting(cpeid, ip);
      const facts = { ...factsOfHeld(cpeid, style), isWaiting: true } as const;
      return { to: 'record-inform', facts, settle: false, provision: false };
    }
    const upgrade = device.inFlight === undefined ? null : await this.#parts.upgrades.get(device.inFlight);
    const applying = upgrade?.state === 'transferred';
    const events = device.lastEvents;
    // Where nothing but the sighting changed the decision is made on what was just read; a reservation checks that it has not moved.
    const hand = { device: mustBeDurable || device.inFlight !== undefined ? null : found };
    const doubt = upgrade?.state === 'sent' ? doubtOf(upgrade, inform) : null;
    const shown = { events, boot, softwareVersion: reportedVersion, transferKey: transferKeyOf(inform) };
    const facts = { cpeid, ...shownOf(caller, identity), style, ...shown, requested, applying, doubt, hand };
    return {
      to: 'record-inform',
      facts,
      settle: awaitsVersion(device, reportedVersion, nowMs),
      provision: provisioning === 'due',
      ...(upgrade !== null && isWithdrawalDue(upgrade) && { withdraw: true }),
    };
  }

  /**
   * Where the serial number alone tells CPEs apart, one of another vendor is another CPE: what is known of the first must not become its. Of one
   * that waits to be enrolled nothing is, as anybody can say a serial number; and whoever logs in as the first is that.
   * @throws InformRefusedError
   */
  #refuseSecondOui(
    stored: Stored<Device> | null,
    { deviceId: { oui } }: Inform,
    { ip, caller }: { readonly ip: string; readonly caller: Caller },
  ): void {
    if (this.#parts.cpeIdentity !== 'serial' || stored === null) return;
    const { id: cpeid, oui: known, enrolment } = stored.document;
    if (enrolment !== undefined || known.toUpperCase() === oui.toUpperCase()) return;
    if (caller.kind === 'own' && caller.cpeid === cpeid) return;
    this.#parts.metrics.secondOuis.inc();
    const omitted = this.#seldomLog.admit('second-oui');
    if (omitted !== null)
      this.#parts.logger.error('cpe.second-oui', { cpeid, oui, known, ip, ...(omitted > 0 && { omitted }) });
    throw new InformRefusedError(`The serial number ${cpeid} is known of the OUI ${known}`);
  }

  #membershipSession(
    { mustBeDurable: differs, bootstrap, device }: InformOutcome,
    { parameters }: Inform,
    from: { readonly ip: string; readonly caller: Caller; readonly nowMs: number },
  ): MembershipSession {
    const { devices, sharedUsername = null } = this.#parts;
    const { ip, caller, nowMs } = from;
    return {
      ip,
      username: caller.kind === 'own' ? caller.username : caller.kind === 'shared' ? sharedUsername : null,
      nowMs,
      differs,
      readParameters: async (subtrees) => {
        const known = bootstrap ? {} : await devices.parameterStore.flat(device.id, subtrees);
        const told = parameters.filter(({ name }) => isParameterName(name));
        return treeOf({ ...known, ...Object.fromEntries(told.map(({ name, value }) => [name, value])) });
      },
    };
  }

  /** Of those that are enrolled, which is nearly all, it is not asked. */
  #enrolling(
    stored: Stored<Device> | null,
    cpeid: CpeId,
    isReal: boolean,
  ): Enrolling | null | Promise<Enrolling | null> {
    if (stored !== null && stored.document.enrolment === undefined) return NOTHING_MORE;
    return this.#parts.enrolment.enrolling(cpeid, isReal);
  }

  /** Whoever has the shared pair can say as much, so nothing else of what is known changes by it. */
  async #credentialsLost(
    cpeid: CpeId,
    {
      style,
      ip,
      isReadmitted,
    }: { readonly style: EnvelopeStyle; readonly ip: string; readonly isReadmitted: boolean },
  ): Promise<Answer> {
    const { devices, logger, clock } = this.#parts;
    let isNews = false;
    await devices.change(cpeid, async (stored) => {
      isNews = stored !== null && stored.document.credentialsLostMs === undefined;
      return stored === null || !isNews
        ? null
        : { device: { ...stored.document, credentialsLostMs: clock() } };
    });
    if (isNews) logger.error('cpe.credentials-lost', { cpeid, ip });
    const facts = { ...factsOfHeld(cpeid, style), isLost: true } as const;
    return { to: 'record-inform', facts, settle: false, provision: isReadmitted };
  }

  /** Whoever invents CPEs invents many: those that wait are in DeviceStorage. */
  #tellWaiting(cpeid: CpeId, ip: string): void {
    const omitted = this.#seldomLog.admit('waiting');
    if (omitted === null) return;
    this.#parts.logger.warn('cpe.waits-to-be-enrolled', { cpeid, ip, ...(omitted > 0 && { omitted }) });
  }

  #tellRefused(cpeid: CpeId, refused: RefusedFields): void {
    for (const [field, reason] of Object.entries(refused))
      this.#parts.logger.warn('cpe.value-refused', { cpeid, field, reason });
  }

  /** Where providers change addresses every night a whole fleet moves at once; of each device its document says when. */
  #tellMoved(cpeid: CpeId, moved: UrlMove | null, ip: string): void {
    const omitted = moved === null ? null : this.#seldomLog.admit('moved');
    if (omitted === null) return;
    this.#parts.logger.info('cpe.connection-request-moved', { cpeid, ...moved, ip, omitted });
  }

  #takingParameters(
    device: Device,
    reported: readonly Parameter[],
    taking: { readonly afresh: boolean; readonly nowMs: number },
  ) {
    const { devices, rules } = this.#parts;
    const named = async () => {
      const { organization } = ruledBy(device, await devices.organizations());
      return rules.parametersNamed({ cpeid: device.id, serialNumber: device.serialNumber }, organization);
    };
    return devices.parameterStore.taking(device, reported, { ...taking, named });
  }

  /** Once for each change of what is missing. */
  #tellCut(before: Device | null, { id: cpeid, parametersCut: cut }: Device): void {
    const known = before?.parametersCut;
    if (cut === undefined || cut.subtrees.join() === known?.subtrees.join()) return;
    this.#parts.logger.warn('cpe.parameters-cut', {
      cpeid,
      subtrees: cut.subtrees.join(','),
      bytes: cut.bytes,
    });
  }

  async #recordParameters(
    { parameters, settled, failed }: Extract<Query, { kind: 'record-parameters' }>,
    facts: SessionFacts,
    ip: string,
  ): Promise<void> {
    const { devices } = this.#parts;
    let version: string | null = null;
    let refused: RefusedFields = {};
    let moved: UrlMove | null = null;
    let before: Device | null = null;
    const changed = await devices.change(facts.cpeid, async (stored) => {
      if (stored === null) return null;
      before = stored.document;
      const nowMs = this.#parts.clock();
      const told = withNamedFields(stored.document, parameters, stored.document.root, nowMs);
      version = told.reportedVersion;
      refused = told.refused;
      moved = told.moved;
      const answered = afterAnswer(told.device, { settled, failed, nowMs });
      const taken = await this.#takingParameters(answered, parameters, { afresh: false, nowMs });
      return { device: withMembershipDue(taken.device), with: taken.changes };
    });
    this.#tellRefused(facts.cpeid, refused);
    this.#tellMoved(facts.cpeid, moved, ip);
    if (changed !== null) this.#tellCut(before, changed.device);
    if (changed === null || version === null) return;
    // What the Inform lacked, as if it had had it.
    await this.#evidence.judge(changed.device, { ...facts, softwareVersion: version });
  }
}

/** Of a CPE that is told nothing nothing is looked at that it says. */
function factsOfHeld(cpeid: CpeId, style: EnvelopeStyle): SessionFacts {
  return {
    cpeid,
    style,
    events: [],
    boot: false,
    softwareVersion: null,
    requested: false,
    applying: false,
    transferKey: null,
    doubt: null,
    hand: { device: null },
  };
}

/** What a session has shown of who its CPE is. */
function shownOf(
  caller: Caller,
  identity: Exclude<Identity, 'lost' | 'readmitted'>,
): Pick<SessionFacts, 'isProven' | 'provenAs'> {
  if (identity === 'proven') return PROVEN;
  return caller.kind === 'own' ? { provenAs: caller.cpeid } : UNPROVEN;
}

const PROVEN = { isProven: true } as const;
const UNPROVEN = {};

function doubtOf(upgrade: Upgrade, { events }: Inform): Doubt {
  const announced = events.some(
    ({ eventCode, commandKey }) =>
      isDownloadEvent(eventCode) && matchKey(commandKey, upgrade.commandKey) !== null,
  );
  return { upgradeId: upgrade.id, repeats: repeatsOf(upgrade), announced };
}

function isDownloadEvent(eventCode: string): boolean {
  return eventCode.toLowerCase() === 'm download';
}

/** In memory of its own, as it lives as long as the session. */
function transferKeyOf({ events }: Inform): string | null {
  const named = events.filter(({ eventCode, commandKey }) => commandKey !== '' && isDownloadEvent(eventCode));
  const [only, ...more] = named;
  // Of several, nobody knows which one a report without a key is of.
  return only === undefined || more.length > 0 ? null : ownCopy(only.commandKey);
}
