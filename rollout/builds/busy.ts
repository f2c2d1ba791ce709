import type { Device } from '../../acs/index.js';
import type { BatchId } from '../../common/index.js';
import type { OperationState, Operations } from '../operations/index.js';

const UNDER_WAY: readonly OperationState[] = ['pending', 'running'];

/** Whether an upgrade of a CPE is under way, or an operation of a batch other than this one waits for it. */
export async function isBusy(
  operations: Pick<Operations, 'scan'>,
  { id: cpeid, inFlight }: Pick<Device, 'id' | 'inFlight'>,
  batch: BatchId,
): Promise<boolean> {
  if (inFlight !== undefined) return true;
  for await (const operation of operations.scan({ cpeid, states: UNDER_WAY }))
    if (operation.batch !== batch) return true;
  return false;
}
