import { randomBytes } from 'node:crypto';
import type { Clock, CpeId, Logger, Secrets } from '../../common/index.js';
import type { DownloadLocation } from '../../firmware/index.js';
import type { Decision, Rules } from '../../rules/index.js';
import type { Revision } from '../../store/index.js';
import { contextOf } from '../device/context.js';
import { cpeidOf } from '../device/cpeid.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import { unreadPaths } from '../device/unread.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import {
  ACS_FAULT,
  type FaultStruct,
  type Inform,
  type Parameter,
  type SetParameter,
} from '../soap/index.js';
import { repeatsOf, type Upgrade } from '../upgrade/upgrade.js';
import { resultIdOf, stateMsMaxOf, type UpgradeStore } from '../upgrade/upgrade-store.js';
import { Doubts, downloadOf } from './doubt.js';
import { informed, namedFields } from './inform.js';
import type { Answer, Doubt, DownloadNow, Query, SessionFacts } from './session.js';
import type { Claim } from './sessions.js';

/** Rules at target are recorded one by one; a lost race decides again. Both end long before this. */
const DECISION_ROUNDS_MAX = 20;
const ASKED_PATHS_MAX = 512;

/** Where a file is to be fetched from; null where the library does not hold it. */
export type LocateFile = (
  file: string,
  options: { readonly expiresAtMs: number; readonly cpeIp: string },
) => Promise<DownloadLocation | null>;

export interface Provisioning {
  /** 0 leaves the CPE's own setting alone. */
  readonly periodicInformSeconds: number;
  /** False for fleets whose connection-request credentials are set elsewhere. */
  readonly setCredentials: boolean;
}

export interface WorkParts {
  readonly devices: DeviceStore;
  readonly upgrades: UpgradeStore;
  readonly rules: Rules;
  readonly locateFile: LocateFile;
  readonly secrets: Secrets;
  readonly provisioning: Provisioning;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: AcsMetrics;
}

/** An Inform that cannot be accepted; answered with a CWMP fault. */
export class InformRefusedError extends Error {
  override readonly name = 'InformRefusedError';
  readonly faultCode = ACS_FAULT.invalidArguments;
}

/** Another request of the same session has taken the step; whatever this one would answer is void. */
export class StepTakenError extends Error {
  override readonly name = 'StepTakenError';
}

/** What a request brings along besides its session. */
export interface StepRequest {
  /** The client's address. */
  readonly ip: string;
  /** Belongs into the commit that reserves an upgrade, so that one request of several for the same step makes it. */
  readonly claim: () => Claim | null | Promise<Claim | null>;
}

/** Carries out what a session asks for: each query is durable when its answer is there. */
export class SessionWork {
  readonly #parts: WorkParts;
  readonly #doubts: Doubts;

  constructor(parts: WorkParts) {
    this.#parts = parts;
    this.#doubts = new Doubts({
      ...parts,
      locate: ({ file, stateMsMax }, ip) => this.#locate(file, stateMsMax, ip),
    });
  }

  /**
   * @param facts  what the session knows of its CPE; null for the Inform that begins it
   * @throws InformRefusedError, StepTakenError, StoreError
   */
  async perform(query: Query, facts: SessionFacts | null, request: StepRequest): Promise<Answer> {
    if (query.kind === 'record-inform') return this.#recordInform(query, request.ip);
    if (facts === null) throw new Error(`A session without a CPE asked for ${query.kind}`);
    switch (query.kind) {
      case 'record-transfer-complete':
        await this.#recordTransferComplete(query.transferComplete, facts);
        return { to: query.kind };
      case 'record-download':
        await this.#recordDownload(query, facts);
        return { to: query.kind };
      case 'record-queue': {
        const { question, commandKeys } = query;
        return {
          to: query.kind,
          next: await this.#doubts.answered(question, commandKeys, facts, request.ip),
        };
      }
      case 'record-parameters':
        await this.#recordParameters(query.asked, query.parameters, facts);
        return { to: query.kind };
      case 'record-provisioning':
        await this.#recordProvisioning(query.fault, facts.cpeid);
        return { to: query.kind };
      case 'settle':
        return { to: 'settle', read: await this.#settle(facts) };
      case 'provision':
        return { to: 'provision', parameters: await this.#provision(facts.cpeid) };
      case 'doubt':
        return { to: 'doubt', question: await this.#doubts.question(facts) };
      case 'decide':
        return { to: 'decide', decision: await this.#decide(facts, request, query.queueKnown) };
      default:
        return query satisfies never;
    }
  }

  async #recordInform(query: Extract<Query, { kind: 'record-inform' }>, ip: string): Promise<Answer> {
    const { inform, style } = query;
    const { devices, logger } = this.#parts;
    const cpeid = cpeidOf(inform.deviceId);
    if (cpeid === null) throw new InformRefusedError('DeviceId is too long for an identity');
    const nowMs = this.#parts.clock();
    const found = await devices.read(cpeid);
    let outcome = informed(found?.document ?? null, cpeid, inform, { ip, style, nowMs });
    if (outcome.mustBeDurable) {
      await devices.change(cpeid, async (stored) => {
        outcome = informed(stored?.document ?? null, cpeid, inform, { ip, style, nowMs });
        return { device: outcome.device, with: await this.#parameterChanges(cpeid, inform, outcome) };
      });
    } else {
      devices.sighted(cpeid, { lastInformMs: nowMs, ip, lastEvents: outcome.device.lastEvents });
    }
    const { device, boot, requested, reportedVersion, firstContact } = outcome;
    if (firstContact) logger.info('cpe.registered', { cpeid, ip, softwareVersion: reportedVersion });
    logger.debug('session.informed', { cpeid, ip, events: device.lastEvents, requested });
    const upgrade = device.inFlight === undefined ? null : await this.#parts.upgrades.get(device.inFlight);
    const applying = upgrade?.state === 'transferred';
    const events = device.lastEvents;
    // Where nothing but the sighting changed the decision is made on what was just read; a reservation checks that it has not moved.
    const hand = { device: outcome.mustBeDurable || device.inFlight !== undefined ? null : found };
    const doubt = upgrade?.state === 'sent' ? doubtOf(upgrade, inform) : null;
    const shown = { events, boot, softwareVersion: reportedVersion };
    const facts = { cpeid, style, ...shown, requested, applying, doubt, hand };
    return {
      to: 'record-inform',
      facts,
      settle: device.inFlight !== undefined || device.late !== undefined,
      provision: device.provisioning === 'due',
    };
  }

  #parameterChanges(cpeid: CpeId, inform: Inform, outcome: ReturnType<typeof informed>) {
    if (!outcome.parametersChanged) return [];
    const { parameterStore } = this.#parts.devices;
    return outcome.bootstrap
      ? parameterStore.replacingAll(cpeid, inform.parameters)
      : parameterStore.merging(cpeid, inform.parameters);
  }

  async #recordTransferComplete(
    message: { readonly commandKey: string; readonly fault: FaultStruct | null },
    facts: SessionFacts,
  ): Promise<void> {
    const id = resultIdOf(message.commandKey);
    const upgrade =
      id === null
        ? null
        : await this.#parts.upgrades.learn(facts.cpeid, id, {
            kind: 'transfer-complete',
            fault: message.fault,
            version: facts.softwareVersion,
          });
    // It is answered all the same, or the CPE would report it again for ever.
    if (upgrade === null) {
      this.#parts.logger.warn('transfer-complete.unknown-command-key', {
        cpeid: facts.cpeid,
        commandKey: message.commandKey,
      });
    }
  }

  async #recordDownload(
    { upgradeId, repeats, outcome }: Extract<Query, { kind: 'record-download' }>,
    facts: SessionFacts,
  ): Promise<void> {
    await this.#parts.upgrades.learn(
      facts.cpeid,
      upgradeId,
      typeof outcome === 'number'
        ? { kind: 'download-response', status: outcome }
        : { kind: 'download-fault', fault: outcome, repeats },
    );
  }

  async #recordParameters(
    asked: readonly string[],
    parameters: readonly Parameter[],
    facts: SessionFacts,
  ): Promise<void> {
    const { devices } = this.#parts;
    let version: string | undefined;
    const changed = await devices.change(facts.cpeid, async (stored) => {
      if (stored === null) return null;
      const device = stored.document;
      const named = namedFields(parameters, device.root);
      version = named.softwareVersion;
      const askedPaths = [...new Set([...(device.askedPaths ?? []), ...asked])].slice(-ASKED_PATHS_MAX);
      return {
        device: { ...device, ...named, askedPaths },
        with: await devices.parameterStore.merging(facts.cpeid, parameters),
      };
    });
    if (changed === null || version === undefined) return;
    // What the Inform lacked, as if it had had it.
    await this.#judge(changed.device, { ...facts, softwareVersion: version });
  }

  async #recordProvisioning(fault: FaultStruct | null, cpeid: CpeId): Promise<void> {
    if (fault !== null) this.#parts.logger.warn('cpe.provisioning-refused', { cpeid, ...fault });
    else this.#parts.logger.info('cpe.provisioned', { cpeid });
    await this.#parts.devices.change(cpeid, (stored) => {
      if (stored === null) return null;
      const { connectionRequestAuth, ...device } = stored.document;
      return {
        device: {
          ...device,
          provisioning: fault === null ? 'done' : 'refused',
          ...(connectionRequestAuth !== undefined && {
            connectionRequestAuth: { ...connectionRequestAuth, confirmed: fault === null },
          }),
        },
      };
    });
  }

  async #settle(facts: SessionFacts): Promise<readonly string[]> {
    const device = (await this.#parts.devices.read(facts.cpeid))?.document;
    if (device === undefined) return [];
    if (device.inFlight === undefined && device.late === undefined) return [];
    if (facts.softwareVersion === null) return [`${device.root}.DeviceInfo.SoftwareVersion`];
    await this.#judge(device, facts);
    return [];
  }

  /** Tells the upgrades that wait for word of this CPE what the session has shown. */
  async #judge(device: Device, { cpeid, boot, applying, softwareVersion }: SessionFacts): Promise<void> {
    for (const id of [device.inFlight, device.late]) {
      if (id === undefined) continue;
      await this.#parts.upgrades.learn(cpeid, id, {
        kind: 'quiet',
        boot,
        applying,
        version: softwareVersion,
      });
    }
  }

  /** First contact or factory reset: connection-request credentials of its own and the periodic Inform (design section 5). */
  async #provision(cpeid: CpeId): Promise<readonly SetParameter[]> {
    const { devices, provisioning, secrets } = this.#parts;
    const parameters: SetParameter[] = [];
    await devices.change(cpeid, (stored) => {
      parameters.length = 0;
      if (stored === null) return null;
      const device = stored.document;
      const server = `${device.root}.ManagementServer`;
      if (provisioning.periodicInformSeconds > 0) {
        parameters.push(
          { name: `${server}.PeriodicInformEnable`, value: '1', xsdType: 'boolean' },
          {
            name: `${server}.PeriodicInformInterval`,
            value: String(provisioning.periodicInformSeconds),
            xsdType: 'unsignedInt',
          },
        );
      }
      if (!provisioning.setCredentials) return null;
      // Credentials that may have reached the CPE already are sent again, not replaced.
      const known = device.connectionRequestAuth;
      const password = known && !known.confirmed ? secrets.open(known.sealedPassword) : randomToken(18);
      const username = known && !known.confirmed ? known.username : `ferry-${randomToken(9)}`;
      parameters.push(
        { name: `${server}.ConnectionRequestUsername`, value: username, xsdType: 'string' },
        { name: `${server}.ConnectionRequestPassword`, value: password, xsdType: 'string' },
      );
      const connectionRequestAuth = { username, sealedPassword: secrets.seal(password), confirmed: false };
      return { device: { ...device, connectionRequestAuth } };
    });
    return parameters;
  }

  /** Decides and reserves. A reservation that was refused because something moved meanwhile is decided again. */
  async #decide(
    facts: SessionFacts,
    request: StepRequest,
    queueKnown: boolean,
  ): Promise<Extract<Answer, { to: 'decide' }>['decision']> {
    const { devices } = this.#parts;
    const { ip } = request;
    for (let round = 0; round < DECISION_ROUNDS_MAX; round++) {
      const stored = facts.hand.device ?? (await devices.read(facts.cpeid));
      facts.hand.device = null;
      if (stored === null || stored.document.inFlight !== undefined) return { kind: 'nothing' };
      const device = stored.document;
      const decision = await this.#parts.rules.decide({
        context: contextOf(device, { events: facts.events, ip, nowMs: this.#parts.clock() }),
        readParameters: () => devices.parameterStore.tree(facts.cpeid),
        unread: (paths) => unreadPaths(device, devices.parameterStore, paths),
        counts: device.counts,
        requested: facts.requested,
        afresh: round > 0,
      });
      switch (decision.kind) {
        case 'frozen':
        case 'nothing':
          return { kind: 'nothing' };
        case 'read':
          return decision;
        case 'at-target': {
          const recorded = this.#parts.upgrades.recordingAtTarget(device, decision);
          await devices.commit(recorded.device, stored.revision, recorded.with);
          continue;
        }
        case 'upgrade': {
          const question = queueKnown ? null : this.#doubts.questionBefore(device, facts);
          if (question !== null) return { kind: 'ask-queue', question };
          const reserved = await this.#reserve({ device, revision: stored.revision }, decision, request);
          if (reserved !== null) return reserved;
          continue;
        }
        default:
          return decision satisfies never;
      }
    }
    this.#parts.logger.warn('session.undecided', { cpeid: facts.cpeid, rounds: DECISION_ROUNDS_MAX });
    return { kind: 'nothing' };
  }

  async #reserve(
    at: { readonly device: Device; readonly revision: Revision },
    decision: Extract<Decision, { kind: 'upgrade' }>,
    { ip: cpeIp, claim }: StepRequest,
  ): Promise<DownloadNow | null> {
    const { devices, upgrades } = this.#parts;
    const location = await this.#locate(decision.rule.file, stateMsMaxOf(decision.rule), cpeIp);
    // The image went between decision and reservation; the next round sees that it is missing.
    if (location === null) return null;
    const reserved = upgrades.reserving(at.device, decision);
    const claiming = await claim();
    const others = claiming === null ? reserved.with : [...reserved.with, claiming.change];
    const outcome = await devices.commit(reserved.device, at.revision, others);
    if (!outcome.committed) {
      if (outcome.refused.collection === claiming?.change.collection)
        throw new StepTakenError('The step is taken');
      return null;
    }
    const claimedAt = outcome.revisions.at(-1);
    if (claimedAt !== undefined && claimedAt !== null) claiming?.made(claimedAt);
    upgrades.announce(reserved.upgrade);
    const { id, commandKey } = reserved.upgrade;
    return { kind: 'download', download: downloadOf(commandKey, location), upgradeId: id, repeats: 0 };
  }

  /** Where the file is to be had for as long as the CPE may take to accept and fetch it. */
  #locate(
    file: string,
    { sent, accepted }: Upgrade['stateMsMax'],
    cpeIp: string,
  ): Promise<DownloadLocation | null> {
    return this.#parts.locateFile(file, { expiresAtMs: this.#parts.clock() + sent + accepted, cpeIp });
  }
}

function doubtOf(upgrade: Upgrade, { events }: Inform): Doubt {
  const announced = events.some(
    ({ eventCode, commandKey }) => eventCode === 'M Download' && commandKey === upgrade.commandKey,
  );
  return { upgradeId: upgrade.id, repeats: repeatsOf(upgrade), announced };
}

function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
