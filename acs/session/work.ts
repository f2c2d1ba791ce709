import type { Clock, CpeId, Logger, Secrets } from '../../common/index.js';
import type { Rules } from '../../rules/index.js';
import { cpeidOf } from '../device/cpeid.js';
import type { DeviceStore } from '../device/device-store.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { ACS_FAULT, type Inform, type Parameter } from '../soap/index.js';
import { repeatsOf, type Upgrade } from '../upgrade/upgrade.js';
import type { UpgradeStore } from '../upgrade/upgrade-store.js';
import { SessionDecision, type StepRequest } from './decision.js';
import { Doubts } from './doubt.js';
import { SessionEvidence } from './evidence.js';
import { type LocateFile, locatingFor } from './file-location.js';
import { informed, namedFields } from './inform.js';
import { Provisioner, type Provisioning } from './provisioning.js';
import type { Answer, Doubt, Query, SessionFacts } from './session.js';

const ASKED_PATHS_MAX = 512;

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

/** Carries out what a session asks for: each query is durable when its answer is there. */
export class SessionWork {
  readonly #parts: WorkParts;
  readonly #evidence: SessionEvidence;
  readonly #provisioner: Provisioner;
  readonly #doubts: Doubts;
  readonly #decision: SessionDecision;

  constructor(parts: WorkParts) {
    const locate = locatingFor(parts);
    this.#parts = parts;
    this.#evidence = new SessionEvidence(parts);
    this.#provisioner = new Provisioner(parts);
    this.#doubts = new Doubts({ ...parts, locate });
    this.#decision = new SessionDecision({ ...parts, doubts: this.#doubts, locate });
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
        await this.#evidence.transferComplete(query.transferComplete, facts);
        return { to: query.kind };
      case 'record-download':
        await this.#evidence.downloadAnswered(query, facts);
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
        await this.#provisioner.record(query.fault, facts.cpeid);
        return { to: query.kind };
      case 'settle':
        return { to: 'settle', read: await this.#evidence.settle(facts) };
      case 'provision':
        return { to: 'provision', parameters: await this.#provisioner.parameters(facts.cpeid) };
      case 'doubt':
        return { to: 'doubt', question: await this.#doubts.question(facts) };
      case 'decide':
        return { to: 'decide', decision: await this.#decision.decide(facts, request, query.queueKnown) };
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
    devices.arrivals.announce(cpeid);
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
    await this.#evidence.judge(changed.device, { ...facts, softwareVersion: version });
  }
}

function doubtOf(upgrade: Upgrade, { events }: Inform): Doubt {
  const announced = events.some(
    ({ eventCode, commandKey }) => eventCode === 'M Download' && commandKey === upgrade.commandKey,
  );
  return { upgradeId: upgrade.id, repeats: repeatsOf(upgrade), announced };
}
