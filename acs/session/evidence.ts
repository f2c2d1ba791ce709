import type { Clock, CommandKey, CpeId, Logger, ResultId } from '../../common/index.js';
import type { CpeCredentials } from '../credentials/cpe-credentials.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import type { AutonomousTransferComplete, FaultStruct } from '../soap/index.js';
import { urlDigestOf } from '../upgrade/beginning.js';
import {
  isProofOfKey,
  type KeyMatch,
  matchKey,
  type ReportMatch,
  resultIdOf,
  resultIdsIn,
} from '../upgrade/command-key.js';
import type { Evidence } from '../upgrade/life.js';
import { mayCorrect } from '../upgrade/marks.js';
import type { Upgrade } from '../upgrade/upgrade.js';
import type { UpgradeStore } from '../upgrade/upgrade-store.js';
import type { SentSecrets } from './sent-secrets.js';
import type { Query, SessionFacts } from './session.js';

/** Of the CPEs with one serial number so many are looked at: more of them is a default that says nothing. */
const NAMESAKES_MAX = 16;
/** The file types of TR-069 that are no firmware: `2 Web Content` and so on. */
const OTHER_FILE_TYPE = /^(?:[2-9]|\d{2,}) /;

export interface EvidenceParts {
  readonly devices: DeviceStore;
  readonly upgrades: UpgradeStore;
  readonly credentials: Pick<CpeCredentials, 'continuing'>;
  readonly sent: Pick<SentSecrets, 'masked' | 'maskedTexts'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a session shows of the upgrades of its CPE, told to them. */
export class SessionEvidence {
  readonly #parts: EvidenceParts;

  constructor(parts: EvidenceParts) {
    this.#parts = parts;
  }

  async transferComplete(
    message: { readonly commandKey: string; readonly fault: FaultStruct | null },
    facts: SessionFacts,
  ): Promise<void> {
    const { commandKey } = message;
    const { cpeid } = facts;
    const fault = await this.#masked(message.fault, facts, resultIdsIn(commandKey));
    const evidence: Report = { kind: 'transfer-complete', fault, version: facts.softwareVersion };
    // What the standard asks for comes first, and is as short a way as it can be.
    const id = resultIdOf(commandKey);
    if (id !== null && (await this.#parts.upgrades.learn(cpeid, id, evidence)) !== null) return;
    // Where the report lacks its key, the event that came with it may have it.
    const given = commandKey === '' ? (facts.transferKey ?? '') : commandKey;
    const found =
      (await this.#ofOwn(given, facts, evidence)) ?? (await this.#ofOther(given, facts, evidence));
    if (found !== null) {
      const fields = { cpeid, given: commandKey, commandKey: found.commandKey, by: found.by };
      this.#parts.logger.info('transfer-complete.matched', fields);
      return;
    }
    // It is answered all the same, or the CPE would report it again for ever.
    this.#parts.logger.warn('transfer-complete.unknown-command-key', { cpeid, commandKey });
  }

  /** What it says of a failure is stored, logged and shown. */
  async #masked(
    fault: FaultStruct | null,
    { cpeid }: Pick<SessionFacts, 'cpeid'>,
    ids: readonly ResultId[],
  ): Promise<FaultStruct | null> {
    return fault === null ? null : this.#parts.sent.masked(fault, cpeid, ids);
  }

  /** The upgrade that the CPE has under way, or heard last of, or an earlier one: whose key it is, but for how it is written. */
  async #ofOwn(given: string, { cpeid }: SessionFacts, evidence: Report): Promise<Matched | null> {
    const { devices, upgrades } = this.#parts;
    const device = (await devices.read(cpeid))?.document;
    if (device === undefined) return null;
    for (const id of new Set([...marksOf(device), ...resultIdsIn(given)])) {
      const upgrade = await upgrades.get(id);
      const match = upgrade === null ? null : matchKey(given, upgrade.commandKey);
      if (upgrade === null || match === null) continue;
      // Without a key it is the one whose word is awaited, and not one that has its result.
      if (match === 'empty' && id !== (device.inFlight ?? device.late)) continue;
      const told = await upgrades.learn(cpeid, id, withMatch(evidence, match));
      if (told !== null) return { commandKey: told.commandKey, by: match };
    }
    return null;
  }

  /**
   * The upgrade of another identity of this CPE. So much of its key must be there that nobody else can have it; and where that identity
   * has been proved, the session must have begun with its credentials.
   */
  async #ofOther(
    given: string,
    { cpeid, provenAs }: SessionFacts,
    evidence: Report,
  ): Promise<Matched | null> {
    const { upgrades, credentials, logger } = this.#parts;
    const entitled = (before: CpeId) => credentials.continuing(before, cpeid, provenAs);
    for await (const upgrade of this.#candidates(given, cpeid)) {
      const { commandKey } = upgrade;
      const match = matchKey(given, commandKey);
      if (match === null || !isProofOfKey(given, commandKey)) continue;
      const fault = await this.#masked(evidence.fault, { cpeid }, [upgrade.id]);
      const told = withMatch({ ...evidence, fault }, match);
      const outcome = await upgrades.continueAs(cpeid, upgrade.id, told, entitled);
      if ('upgrade' in outcome) return { commandKey, by: match };
      const { refused } = outcome;
      logger.warn('transfer-complete.not-of-this-cpe', { cpeid, owner: upgrade.cpeid, commandKey, refused });
    }
    return null;
  }

  /** Upgrades that the key names, then those of the CPEs with this one's serial number. */
  async *#candidates(given: string, cpeid: SessionFacts['cpeid']): AsyncGenerator<Upgrade, void> {
    const { devices, upgrades } = this.#parts;
    const seen = new Set<string>();
    for (const id of resultIdsIn(given)) {
      seen.add(id);
      const upgrade = await upgrades.get(id);
      if (upgrade !== null) yield upgrade;
    }
    const own = (await devices.read(cpeid))?.document;
    if (given === '' || own === undefined) return;
    let namesakes = 0;
    for await (const device of devices.scan({ serialNumbers: [own.serialNumber] })) {
      if (++namesakes > NAMESAKES_MAX) return;
      for (const id of device.id === cpeid ? [] : marksOf(device)) {
        const upgrade = seen.has(id) ? null : await upgrades.get(id);
        if (upgrade !== null) yield upgrade;
      }
    }
  }

  /**
   * A transfer that the CPE says nobody asked for (TR-069 A.3.3.3). Some say so of what they were sent: it is the upgrade's under way
   * where it came from just that URL.
   */
  async autonomousTransfer(message: AutonomousTransferComplete, facts: SessionFacts): Promise<void> {
    const { devices, upgrades, sent, clock, logger } = this.#parts;
    const { cpeid } = facts;
    const { isDownload, fileType, transferUrl } = message;
    const fault = await this.#masked(message.fault, facts, []);
    const [targetFileName = ''] = await sent.maskedTexts([message.targetFileName], cpeid);
    const { faultCode, faultString } = fault ?? { faultCode: 0, faultString: '' };
    // A URL may hold a password, or be a key to the file: neither is stored or logged.
    const transfer = { isDownload, fileType, targetFileName, faultCode, faultString };
    const changed = await devices.change(cpeid, (stored) =>
      stored === null
        ? null
        : { device: { ...stored.document, autonomousTransfer: { atMs: clock(), ...transfer } } },
    );
    const id = changed?.device.inFlight ?? changed?.device.late;
    const upgrade = id === undefined ? null : await upgrades.get(id);
    const isOurs =
      isDownload && !OTHER_FILE_TYPE.test(fileType) && upgrade?.urlDigest === urlDigestOf(transferUrl);
    const matched = isOurs ? upgrade?.commandKey : undefined;
    logger.info('transfer.autonomous', { cpeid, ...transfer, commandKey: matched });
    if (upgrade === null || !isOurs) return;
    const version = facts.softwareVersion;
    await upgrades.learn(cpeid, upgrade.id, { kind: 'transfer-complete', fault, version, matchedBy: 'url' });
  }

  async downloadAnswered(
    { upgradeId, repeats, outcome }: Extract<Query, { kind: 'record-download' }>,
    facts: SessionFacts,
  ): Promise<void> {
    const { upgrades, sent } = this.#parts;
    const { cpeid } = facts;
    const evidence: Evidence =
      typeof outcome === 'number'
        ? { kind: 'download-response', status: outcome }
        : { kind: 'download-fault', fault: await sent.masked(outcome, cpeid, [upgradeId]), repeats };
    await upgrades.learn(cpeid, upgradeId, evidence);
  }

  /** @returns what must be read first of the CPE: its version, where it matters and its Inform lacked it */
  async settle(facts: SessionFacts): Promise<readonly string[]> {
    const device = (await this.#parts.devices.read(facts.cpeid))?.document;
    if (device === undefined || !awaitsVersion(device, facts.softwareVersion, this.#parts.clock())) return [];
    if (facts.softwareVersion === null) return [`${device.root}.DeviceInfo.SoftwareVersion`];
    await this.judge(device, facts);
    return [];
  }

  /** Tells the upgrades that wait for word of this CPE what the session has shown. */
  async judge(device: Device, { cpeid, boot, applying, softwareVersion }: SessionFacts): Promise<void> {
    for (const id of [device.inFlight, device.late]) {
      if (id === undefined) continue;
      const version = softwareVersion;
      await this.#parts.upgrades.learn(cpeid, id, { kind: 'quiet', boot, applying, version });
    }
    const { concluded, softwareVersion: version = null } = device;
    if (concluded === undefined || !mayCorrect(device, this.#parts.clock())) return;
    // What the device reports now, not what an older session of it began with.
    await this.#parts.upgrades.learn(cpeid, concluded.id, { kind: 'quiet', boot, applying, version });
  }
}

/**
 * Whether the version that a CPE shows says something of its upgrades. One that has failed by its version is asked for it where its
 * Inform lacked it; one that has succeeded is not.
 */
export function awaitsVersion(device: Device, reported: string | null, nowMs: number): boolean {
  const { inFlight, late, concluded } = device;
  if (inFlight !== undefined || late !== undefined) return true;
  if (reported !== null) return mayCorrect(device, nowMs);
  return concluded !== undefined && concluded.untilMs === undefined;
}

type Report = Extract<Evidence, { kind: 'transfer-complete' }>;

/** An upgrade that a report was found to be of. */
interface Matched {
  readonly commandKey: CommandKey;
  readonly by: KeyMatch;
}

function withMatch(evidence: Report, match: KeyMatch): Report {
  const matchedBy: ReportMatch | null = match === 'exact' ? null : match;
  return matchedBy === null ? evidence : { ...evidence, matchedBy };
}

function marksOf({ inFlight, late, concluded }: Device) {
  return [...new Set([inFlight, late, concluded?.id].filter((id) => id !== undefined))];
}
