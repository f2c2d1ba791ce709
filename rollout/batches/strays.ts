import type { Device, Devices } from '../../acs/index.js';
import type { MonotonicClock, OperationId, Turn } from '../../common/index.js';
import { belongsTo, type OrganizationsNow } from '../../organizations/index.js';
import type { Stored } from '../../store/index.js';
import { failedFor, type Operation, type OperationReason } from '../operations/index.js';
import type { Batch } from './batch.js';
import type { Hold } from './hold.js';
import { Passes } from './passes.js';
import { type WithdrawingParts, withdrawPortion } from './withdrawing.js';

export interface StraysParts extends WithdrawingParts {
  readonly devices: Pick<Devices, 'scan' | 'organizations'>;
  readonly monotonic: MonotonicClock;
  readonly hold: (batch: Batch) => Promise<Hold | null>;
  readonly turn: Turn;
}

interface Why {
  readonly reason: Extract<OperationReason, 'device-gone' | 'other-organization'>;
  readonly detail?: string;
}

/** Ends what waits for CPEs that will never come for it: that are known no more, go by another name, or were moved to another organization. */
export class Strays {
  readonly #parts: StraysParts;
  readonly #passes: Passes<readonly [Batch, readonly Stored<Operation>[]]>;

  constructor(parts: StraysParts) {
    this.#parts = parts;
    this.#passes = new Passes({
      monotonic: parts.monotonic,
      walk: () => this.#waiting(),
      look: ([batch, portion]) => this.#look(batch, portion),
    });
  }

  /** Looks at the next portions of all that waits, for about a second. */
  advance(): Promise<void> {
    return this.#passes.advance();
  }

  /** Looks at all that waits, from the first. */
  async all(): Promise<void> {
    for await (const [batch, portion] of this.#waiting()) await this.#look(batch, portion);
  }

  async *#waiting(): AsyncGenerator<readonly [Batch, readonly Stored<Operation>[]]> {
    const { kept, turn } = this.#parts;
    for await (const { document } of kept.inPhase('made', turn))
      for await (const portion of kept.portions({ batch: document.id, state: 'pending' }, turn))
        yield [document, portion];
  }

  async #look(batch: Batch, portion: readonly Stored<Operation>[]): Promise<void> {
    const { devices, turn } = this.#parts;
    const known = new Map<string, Device>();
    const ids = portion.map(({ document }) => document.cpeid);
    for await (const device of devices.scan({ ids }, turn)) known.set(device.id, device);
    const organizations = await devices.organizations();
    const reasons = new Map<OperationId, Why>();
    for (const { document } of portion) {
      const why = whyNever(batch, known.get(document.cpeid), organizations);
      if (why !== null) reasons.set(document.id, why);
    }
    if (reasons.size === 0) return;
    const hold = await this.#parts.hold(batch);
    if (hold === null) return;
    try {
      const strays = portion.filter(({ document }) => reasons.has(document.id));
      await withdrawPortion(
        this.#parts,
        batch,
        strays,
        (operation, nowMs) => after(operation, reasons, nowMs),
        hold,
      );
    } finally {
      await hold.release();
    }
  }
}

function after(operation: Operation, reasons: ReadonlyMap<OperationId, Why>, nowMs: number): Operation {
  const why = reasons.get(operation.id);
  return why === undefined ? operation : failedFor(operation, why.reason, nowMs, why.detail);
}

function whyNever(batch: Batch, device: Device | undefined, organizations: OrganizationsNow): Why | null {
  if (device === undefined) return { reason: 'device-gone' };
  if (device.supersededBy !== undefined)
    return { reason: 'device-gone', detail: `the device goes on as ${device.supersededBy}` };
  const organization = batch.organization === undefined ? null : organizations.get(batch.organization);
  if (organization === null || belongsTo(organization, device.organization?.id)) return null;
  return { reason: 'other-organization' };
}
