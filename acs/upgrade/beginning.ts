import { hash, randomUUID } from 'node:crypto';
import { MINUTE_MS, type ResultId } from '../../common/index.js';
import type { DownloadLocation } from '../../firmware/index.js';
import {
  DEFAULT_DEADLINES,
  type Decision,
  organizationOf,
  type StoredRule,
  writtenId,
} from '../../rules/index.js';
import type { Device } from '../device/device.js';
import { commandKeyOf } from './command-key.js';
import type { Upgrade } from './upgrade.js';
import { RUNNING } from './words.js';

export type UpgradeDecision = Extract<Decision, { kind: 'upgrade' }>;
export type AtTargetDecision = Extract<Decision, { kind: 'at-target' }>;
export type UnfitDecision = Extract<Decision, { kind: 'unfit' }>;

export function stateMsMaxOf(rule: StoredRule): Upgrade['stateMsMax'] {
  const deadlines = { ...DEFAULT_DEADLINES, ...rule.deadlines };
  return {
    sent: deadlines.sentMinutes * MINUTE_MS,
    accepted: deadlines.acceptedMinutes * MINUTE_MS,
    transferred: deadlines.transferredMinutes * MINUTE_MS,
  };
}

/** As a URL may be a key to the file, only this is kept of it. */
export function urlDigestOf(url: string): string {
  return hash('sha256', url, 'base64url');
}

/**
 * The upgrade that a decision begins.
 * @param location  what its Download will be sent with
 */
export function upgradeSent(
  device: Device,
  decision: UpgradeDecision,
  location: Pick<DownloadLocation, 'url' | 'fileType'>,
  nowMs: number,
): Upgrade {
  const stateMsMax = stateMsMaxOf(decision.rule);
  return {
    ...newUpgrade(device, decision),
    fileType: location.fileType,
    ...(decision.imageSha256 !== undefined && { imageSha256: decision.imageSha256 }),
    share: decision.share,
    ...(decision.addressBucket !== undefined && { addressBucket: decision.addressBucket }),
    urlDigest: urlDigestOf(location.url),
    state: 'sent',
    status: false,
    result: RUNNING.sent,
    startedAtMs: nowMs,
    updatedAtMs: nowMs,
    deadlineAtMs: nowMs + stateMsMax.sent,
    stateMsMax,
  };
}

/** The upgrade of a CPE that is at its target already: it is born verified. */
export function upgradeAtTarget(device: Device, decision: AtTargetDecision, nowMs: number): Upgrade {
  return {
    ...newUpgrade(device, decision),
    state: 'verified',
    status: true,
    result: { code: 200, message: `already at target version ${decision.targetVersion}` },
    startedAtMs: nowMs,
    updatedAtMs: nowMs,
    stateMsMax: stateMsMaxOf(decision.rule),
  };
}

function newUpgrade(device: Device, decision: UpgradeDecision | AtTargetDecision) {
  const id = randomUUID() as ResultId;
  const { rule } = decision;
  const campaignid = rule.id;
  return {
    id,
    commandKey: commandKeyOf(id),
    cpeid: device.id,
    campaignid,
    ...(organizationOf(campaignid) !== undefined && { writtenCampaignid: writtenId(campaignid) }),
    ...(rule.owner !== undefined && { owner: rule.owner }),
    ...(device.organization !== undefined && { organization: device.organization.id }),
    countKey: decision.countKey,
    ruleDescription: rule.description,
    file: rule.file,
    targetVersion: decision.targetVersion,
    ...(decision.isTargetRead && { isTargetRead: true as const }),
    fromVersion: device.softwareVersion ?? null,
  };
}
