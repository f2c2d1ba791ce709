import type { Devices } from '../acs/index.js';
import type { OrganizationsNow } from '../organizations/index.js';
import type { Batches, Operations } from '../rollout/index.js';
import type { Arguments } from './command.js';
import type { Io } from './io.js';

/** What commands of batches work on. */
export interface OpenedBatches {
  readonly batches: Batches;
  readonly operations: Operations;
  readonly devices: Pick<Devices, 'count'>;
  readonly organizations: OrganizationsNow;
}

export async function withBatches(
  _args: Arguments,
  _io: Io,
  _run: (opened: OpenedBatches) => Promise<void>,
): Promise<void> {}
