import type { Device, Devices, Upgrade, Upgrades } from '../../acs/index.js';
import { type BatchId, type Clock, type CpeId, cutText } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { ImageLibrary } from '../../firmware/index.js';
import { organizationOf, type Rules } from '../../rules/index.js';
import type { Store } from '../../store/index.js';
import {
  BATCH_NAME_CHARACTERS_MAX,
  type Batch,
  BatchError,
  type Batches,
  type BatchTarget,
  type NewWhom,
} from '../batches/index.js';
import { isBusy } from '../builds/index.js';
import {
  hasOperationEnded,
  imageMeant,
  type Operation,
  type OperationImage,
  type OperationReason,
  type Operations,
  operationImageOf,
} from '../operations/index.js';
import type {
  CpeUpgrade,
  CpeUpgradeOrder,
  CpeUpgrades,
  CpeUpgradesNow,
  CpeUpgradesUnderWay,
  VerifiedUpgrade,
} from './cpe-upgrade.js';
import { failureOfOperation, failureOfUpgrade, stageOfOperation, stageOfUpgrade } from './stages.js';
import { CpeUpgradeStarts } from './starts.js';

/** What batches have had for a CPE is looked at from the newest on, so much of it: one for each batch that it was ever in. */
const OPERATIONS_LOOKED_AT_MAX = 200;
/** The same of its results, of which not every one is verified. */
const RESULTS_LOOKED_AT_MAX = 1_000;
/** The same of its results where it is asked what the CPE reported: of each its batch is read. */
const REPORTED_LOOKED_AT_MAX = 50;
/** Those that ended are looked for among the first: at most one of them runs. */
const ENDED_LOOKED_AT_MAX = 10;

export interface CpeUpgradesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly devices: Pick<Devices, 'get' | 'describe' | 'isWaiting'>;
  readonly upgrades: Pick<Upgrades, 'get' | 'scan'>;
  readonly operations: Pick<Operations, 'scan' | 'of'>;
  readonly batches: Pick<Batches, 'get' | 'create' | 'cancelWaiting'>;
  readonly rules: Pick<Rules, 'get' | 'foresee' | 'countKey'>;
  readonly images: Pick<ImageLibrary, 'get'>;
}

/**
 * Puts together what tells of the upgrades of single CPEs, and begins them.
 * @example const { waiting, running, ended } = await openCpeUpgrades(parts).now(cpeid)
 */
export function openCpeUpgrades(parts: CpeUpgradesParts): CpeUpgrades {
  return new StoredCpeUpgrades(parts);
}

/** What batches have for a CPE, as far as it tells where its upgrades are. */
interface OfBatches {
  readonly waiting: { readonly operation: Operation; readonly batch: Batch } | null;
  /** Newest by when they ended, whatever was sent of them. */
  readonly ended: readonly Operation[];
}

class StoredCpeUpgrades implements CpeUpgrades {
  readonly #parts: CpeUpgradesParts;
  readonly #starts: CpeUpgradeStarts;

  constructor(parts: CpeUpgradesParts) {
    this.#parts = parts;
    this.#starts = new CpeUpgradeStarts(parts);
  }

  async now(cpeid: CpeId): Promise<CpeUpgradesNow> {
    const device = await this.#parts.devices.get(cpeid);
    const [running, ofBatches, last] = await Promise.all([
      this.#running(device),
      this.#ofBatches(cpeid),
      this.#lastEnded(cpeid, device),
    ]);
    const ended = await this.#ended(last, ofBatches.ended);
    if (ofBatches.waiting !== null) {
      const { operation, batch } = ofBatches.waiting;
      return { waiting: await this.#ofOperation(operation, batch), running, ended };
    }
    // While one runs no session asks the rules.
    const isAsked = device !== null && running === null;
    return { waiting: isAsked ? await this.#waitingOfRules(cpeid) : null, running, ended };
  }

  async underWay(cpeid: CpeId): Promise<CpeUpgradesUnderWay> {
    const { devices, operations, batches } = this.#parts;
    const running = await this.#running(await devices.get(cpeid));
    for await (const operation of operations.scan({ cpeid, states: ['pending'] })) {
      const batch = await batches.get(operation.batch);
      if (batch?.phase === 'made') return { waiting: await this.#ofOperation(operation, batch), running };
    }
    return { waiting: null, running };
  }

  async verified(cpeid: CpeId, limit: number): Promise<readonly VerifiedUpgrade[]> {
    const device = await this.#parts.devices.get(cpeid);
    const found: VerifiedUpgrade[] = [];
    let looks = RESULTS_LOOKED_AT_MAX;
    for (const identity of identitiesOf(cpeid, device)) {
      for await (const upgrade of this.#parts.upgrades.scan({ cpeids: [identity] })) {
        if (found.length >= limit || looks-- <= 0) return found;
        if (upgrade.state === 'verified' && wasSent(upgrade))
          found.push({
            version: versionOf(upgrade),
            reported: upgrade.concludedFrom ?? null,
            fromVersion: upgrade.fromVersion,
            atMs: upgrade.updatedAtMs,
          });
      }
    }
    return found;
  }

  async reported(cpeid: CpeId, images: ReadonlySet<number>): Promise<ReadonlyMap<number, string>> {
    const device = await this.#parts.devices.get(cpeid);
    const found = new Map<number, string>();
    let looks = REPORTED_LOOKED_AT_MAX;
    for (const identity of identitiesOf(cpeid, device)) {
      for await (const upgrade of this.#parts.upgrades.scan({ cpeids: [identity] })) {
        if (found.size >= images.size || looks-- <= 0) return found;
        const { state, concludedFrom } = upgrade;
        if (state !== 'verified' || concludedFrom === undefined || !wasSent(upgrade)) continue;
        const { image } = await this.#ofUpgrade(upgrade);
        if (image !== null && images.has(image.number) && !found.has(image.number))
          found.set(image.number, concludedFrom);
      }
    }
    return found;
  }

  async start(order: CpeUpgradeOrder, by: Actor): Promise<Batch> {
    const { cpeids, image, through, note, organization } = order;
    const [first = ''] = cpeids;
    const whom = cpeids.length === 1 ? first : `${cpeids.length} devices`;
    await this.#starts.forget();
    return this.#parts.batches.create(
      {
        name: cutText(`${image} for ${whom}`, BATCH_NAME_CHARACTERS_MAX),
        what: { image },
        whom: await this.#whom(order),
        persistent: true,
        listed: false,
        through,
        ...(note !== undefined && { note }),
        ...(organization !== undefined && { organization }),
      },
      by,
    );
  }

  async #whom(order: CpeUpgradeOrder): Promise<NewWhom> {
    const { cpeids, image, imageNumber, organization, along, unlessUnderWay = false } = order;
    if (along === undefined && !unlessUnderWay) return { kind: 'list', cpeids };
    const meant = await imageMeant(this.#parts.images, { file: image, organization });
    if (meant === null || (imageNumber !== undefined && meant.number !== imageNumber))
      throw new BatchError('no-image', 'image', 'the name of an image that there is');
    const target = (cpeid: CpeId, batch: BatchId) => this.#target(cpeid, meant, order, batch);
    return {
      kind: 'targets',
      async *targets(batch) {
        for (const cpeid of cpeids) yield await target(cpeid, batch);
      },
    };
  }

  async #target(
    cpeid: CpeId,
    image: OperationImage,
    { along, unlessUnderWay = false }: CpeUpgradeOrder,
    batch: BatchId,
  ): Promise<BatchTarget> {
    const read = await this.#starts.read(cpeid);
    // Only now: whoever begins one later than this has what was read moved.
    const skipped = unlessUnderWay ? await this.#whyNot(cpeid, batch) : null;
    const brought = [...(along?.(batch) ?? []), this.#starts.beginning(cpeid, batch, read)];
    return { cpeid, image, along: brought, ...(skipped !== null && { skipped }) };
  }

  async #whyNot(cpeid: CpeId, batch: BatchId): Promise<OperationReason | null> {
    const { devices, operations } = this.#parts;
    const device = await devices.get(cpeid);
    if (device === null) return 'unknown-device';
    if (devices.isWaiting(device)) return 'not-enrolled';
    return (await isBusy(operations, device, batch)) ? 'already-under-way' : null;
  }

  async withdraw(
    { batch: id, operation, through }: Pick<CpeUpgrade, 'batch' | 'operation' | 'through'>,
    by: Actor,
  ): Promise<boolean> {
    if (id === null || operation === null || through === null) return false;
    const batch = await this.#parts.batches.get(id);
    if (batch?.through !== through) return false;
    return this.#parts.batches.cancelWaiting(operation, by);
  }

  async #running(device: Device | null): Promise<CpeUpgrade | null> {
    if (device?.inFlight === undefined) return null;
    const upgrade = await this.#parts.upgrades.get(device.inFlight);
    return upgrade === null || upgrade.status ? null : this.#ofUpgrade(upgrade);
  }

  async #ofBatches(cpeid: CpeId): Promise<OfBatches> {
    let waiting: OfBatches['waiting'] = null;
    const ended: Operation[] = [];
    let looks = OPERATIONS_LOOKED_AT_MAX;
    for await (const operation of this.#parts.operations.scan({ cpeid })) {
      if (looks-- <= 0) break;
      // Of one that stands for another the other tells.
      if (operation.reason === 'duplicate') continue;
      if (hasOperationEnded(operation)) ended.push(operation);
      if (operation.state !== 'pending' || waiting !== null) continue;
      const batch = await this.#parts.batches.get(operation.batch);
      if (batch?.phase === 'made') waiting = { operation, batch };
    }
    return { waiting, ended: ended.sort((one, other) => other.updatedAtMs - one.updatedAtMs) };
  }

  /** What the rules would send it, by what is known of it. */
  async #waitingOfRules(cpeid: CpeId): Promise<CpeUpgrade | null> {
    const { devices, rules, clock } = this.#parts;
    const described = await devices.describe(cpeid, { nowMs: clock() });
    if (described === null || described.isWaiting === true || described.inFlight !== null) return null;
    const foreseen = await rules.foresee(described.input);
    if (foreseen === null) return null;
    const { rule, targetVersion } = foreseen;
    const batch = rule.owner === undefined ? null : (rule.owner.id as BatchId);
    const operation = batch === null ? null : await this.#parts.operations.of(batch, cpeid);
    // One that a condition made is begun again only where it has failed.
    if (operation !== null && operation.state !== 'failed' && operation.state !== 'timed-out') return null;
    const through = batch === null ? null : ((await this.#parts.batches.get(batch))?.through ?? null);
    return {
      cpeid,
      stage: 'waiting',
      image: await this.#imageNamed(rule.file, rule.organization),
      file: rule.file,
      targetVersion,
      ruleId: rule.id,
      batch,
      operation: operation?.id ?? null,
      through,
      resultId: null,
      sinceMs: rule.createdAtMs,
      changedAtMs: rule.updatedAtMs,
      failure: null,
    };
  }

  async #lastEnded(cpeid: CpeId, device: Device | null): Promise<Upgrade | null> {
    let last: Upgrade | null = null;
    for (const identity of identitiesOf(cpeid, device)) {
      let looks = ENDED_LOOKED_AT_MAX;
      for await (const upgrade of this.#parts.upgrades.scan({ cpeids: [identity] })) {
        if (looks-- <= 0) break;
        if (!upgrade.status) continue;
        if (last === null || upgrade.updatedAtMs > last.updatedAtMs) last = upgrade;
        break;
      }
    }
    return last;
  }

  /** The one that ended last, by its result or by what its batch has of it, whichever is newer. */
  async #ended(last: Upgrade | null, ended: readonly Operation[]): Promise<CpeUpgrade | null> {
    for (const operation of ended) {
      if (last !== null && operation.updatedAtMs < last.updatedAtMs) break;
      const isOfLast = operation.resultId !== undefined && operation.resultId === last?.id;
      // Ended as its upgrade did: that tells more.
      if (isOfLast && operation.updatedAtMs === last.updatedAtMs && operation.state === last.state) break;
      const batch = await this.#parts.batches.get(operation.batch);
      // One that is being removed nobody sees any more.
      if (batch !== null) return this.#ofOperation(operation, batch);
    }
    return last === null ? null : this.#ofUpgrade(last);
  }

  async #ofUpgrade(upgrade: Upgrade): Promise<CpeUpgrade> {
    const { operations, batches } = this.#parts;
    const id = upgrade.owner === undefined ? null : (upgrade.owner.id as BatchId);
    const batch = id === null ? null : await batches.get(id);
    const operation = id === null ? null : await operations.of(id, upgrade.cpeid);
    return {
      cpeid: upgrade.cpeid,
      stage: stageOfUpgrade(upgrade),
      image: operation?.image ?? (await this.#imageSent(upgrade)),
      file: upgrade.file,
      targetVersion: upgrade.targetVersion,
      ruleId: upgrade.campaignid,
      batch: id,
      operation: operation?.id ?? null,
      through: batch?.through ?? null,
      resultId: upgrade.id,
      sinceMs: upgrade.startedAtMs,
      changedAtMs: upgrade.updatedAtMs,
      failure: failureOfUpgrade(upgrade),
    };
  }

  async #ofOperation(operation: Operation, batch: Batch): Promise<CpeUpgrade> {
    const { cpeid, image, ruleId = null } = operation;
    const stage = stageOfOperation(operation);
    return {
      cpeid,
      stage,
      image,
      file: image?.name ?? '',
      targetVersion: await this.#targetOf(operation),
      ruleId,
      batch: batch.id,
      operation: operation.id,
      through: batch.through ?? null,
      resultId: null,
      sinceMs: operation.createdAtMs,
      changedAtMs: operation.updatedAtMs,
      failure: stage === 'waiting' ? null : failureOfOperation(operation),
    };
  }

  /** What the CPE is to report: as the rule says, else the image; null where that is gone, or says nothing. */
  async #targetOf({ ruleId, image }: Operation): Promise<string | null> {
    const { rules, images } = this.#parts;
    const stored = ruleId === undefined ? null : await rules.get(ruleId);
    const said = stored?.rule.target?.softwareVersion;
    if (said !== undefined || image === null) return said ?? null;
    const found = await images.get(image.name, image.organization);
    return found?.number === image.number ? (found.softwareVersion ?? null) : null;
  }

  /** The image that an upgrade sends; null where its name means another by now. */
  async #imageSent({ file, campaignid, imageSha256 }: Upgrade): Promise<OperationImage | null> {
    if (isElsewhere(file)) return null;
    const image = await this.#parts.images.get(file, organizationOf(campaignid));
    if (image === null || (imageSha256 !== undefined && image.sha256 !== imageSha256)) return null;
    return operationImageOf(image);
  }

  async #imageNamed(file: string, organization: string | undefined): Promise<OperationImage | null> {
    const image = isElsewhere(file) ? null : await this.#parts.images.get(file, organization);
    return image === null ? null : operationImageOf(image);
  }
}

/** A URL, and no name of an image. */
function isElsewhere(file: string): boolean {
  return file.includes('://');
}

/** Also what it was known as before it came back from an upgrade under another identity. */
function identitiesOf(cpeid: CpeId, device: Device | null): readonly CpeId[] {
  return device?.supersedes === undefined ? [cpeid] : [cpeid, device.supersedes];
}

/** What a CPE was found to run already nobody has sent. */
function wasSent({ share, fileType }: Upgrade): boolean {
  return share !== undefined || fileType !== undefined;
}

/** What it ran before it ran perhaps no more. */
function versionOf({ targetVersion, concludedFrom }: Upgrade): string | null {
  return targetVersion ?? concludedFrom ?? null;
}
