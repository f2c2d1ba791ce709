import type { UpgraderVersion } from '../../../firmware/index.js';
import type { Operation } from '../../../rollout/index.js';
import { type Field, timeText } from '../manners/index.js';
import type { UpgradeContext } from './context.js';
import type { ImageIds } from './image-ids.js';
import { operationStatus, operationStatuses, progressOf } from './statuses.js';

const CANCELLED = 'Upgrade operation has been cancelled by user';

/** The fields of an operation. @param isOfDevice  in lists of one device they lack when it was made */
export function operationFields(version: UpgraderVersion, isOfDevice = false): readonly Field[] {
  const choices = operationStatuses(version).map((value) => ({ value, label: value }));
  return [
    { name: 'id', kind: 'id', readOnly: true },
    { name: 'device', kind: 'reference', readOnly: true },
    { name: 'image', kind: 'reference', readOnly: true, mayBeNull: true },
    { name: 'status', kind: 'choice', readOnly: true, choices },
    { name: 'log', kind: 'string', readOnly: true },
    ...(version === '1.2' ? [] : [{ name: 'progress', kind: 'integer', readOnly: true } as const]),
    { name: 'modified', kind: 'time', readOnly: true },
    ...(isOfDevice ? [] : [{ name: 'created', kind: 'time', readOnly: true } as const]),
  ];
}

export type OperationViewParts = Pick<UpgradeContext, 'deviceIds' | 'upgrades' | 'options'> & {
  readonly imageIds: ImageIds;
};

/** As the API shows it. */
export async function operationView(
  { deviceIds, upgrades, imageIds, options: { version } }: OperationViewParts,
  operation: Operation,
  isOfDevice = false,
): Promise<Readonly<Record<string, unknown>>> {
  const { id, cpeid, image, state, createdAtMs, updatedAtMs } = operation;
  return {
    id,
    device: deviceIds.idOf(cpeid),
    image: await imageIds.idOf(image),
    status: operationStatus(state, version),
    log: logOf(operation, version),
    ...(version !== '1.2' && { progress: await progress(upgrades, operation) }),
    modified: timeText(updatedAtMs),
    ...(!isOfDevice && { created: timeText(createdAtMs) }),
  };
}

function logOf({ log, state, reason }: Operation, version: UpgraderVersion): string {
  const lines = log.map(({ text }) => text);
  if (version !== '1.2' && state === 'cancelled' && reason === 'withdrawn') lines.push(CANCELLED);
  return lines.join('\n');
}

/** How far it is, by the upgrade that runs for it or ran last. */
export async function progress(upgrades: UpgradeContext['upgrades'], operation: Operation): Promise<number> {
  const { state, resultId } = operation;
  const goesByUpgrade = state !== 'verified' && state !== 'pending' && resultId !== undefined;
  return progressOf(operation, goesByUpgrade ? await upgrades.get(resultId) : null);
}
