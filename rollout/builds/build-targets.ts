import type { Clock, Turn } from '../../common/index.js';
import type { Build } from '../../firmware/index.js';
import type { Collection } from '../../store/index.js';
import type { BatchTarget, BuildDevices, BuildTargets } from '../batches/index.js';
import { type OperationImage, type Operations, operationIdOf } from '../operations/index.js';
import { type BuildWalk, inPortions, type WalkedDevice } from './build-walk.js';
import { isBusy } from './busy.js';
import type { FirmwareRecord } from './firmware-record.js';

export interface BuildTargetsParts {
  readonly walk: BuildWalk;
  readonly records: Collection<FirmwareRecord>;
  readonly operations: Pick<Operations, 'scan'>;
  readonly clock: Clock;
}

/** The devices of builds for batches: each is given its firmware in the commit by which its operation comes to be. */
export class WalkedTargets implements BuildTargets {
  readonly #parts: BuildTargetsParts;

  constructor(parts: BuildTargetsParts) {
    this.#parts = parts;
  }

  async *targetsOf(build: Build, devices: BuildDevices, turn?: Turn): AsyncGenerator<BatchTarget, void> {
    const { within, firmwareless } = devices;
    const isMeant = ({ kind }: WalkedDevice) => firmwareless || kind === 'firmware';
    for await (const portion of inPortions(this.#parts.walk.walk(build, within, turn), isMeant)) {
      const targets = portion.map((each) =>
        each.image === null ? null : this.#target(each, each.image, devices),
      );
      for (const target of await Promise.all(targets)) if (target !== null) yield target;
    }
  }

  async #target(walked: WalkedDevice, image: OperationImage, { batch }: BuildDevices): Promise<BatchTarget> {
    const { device, stored } = walked;
    const { records } = this.#parts;
    const { id: cpeid } = device;
    const nowMs = this.#parts.clock();
    const had = walked.kind === 'firmware' ? walked.firmware.createdAtMs : nowMs;
    const given: FirmwareRecord = {
      id: cpeid,
      image,
      operation: operationIdOf(batch, cpeid),
      createdAtMs: had,
      modifiedAtMs: nowMs,
    };
    // Asked after the record was read: whoever gives it something later than this moves the record, and this is refused.
    const busy = await isBusy(this.#parts.operations, device, batch);
    const along = [stored === null ? records.inserting(given) : records.replacing(given, stored.revision)];
    return { cpeid, image, along, ...(busy && { skipped: 'already-under-way' }) };
  }
}
