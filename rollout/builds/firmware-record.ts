import type { CpeId, OperationId } from '../../common/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import type { OperationImage } from '../operations/index.js';

/**
 * What is kept of a CPE's firmware: which image it was given. In which build that stands, and so whether the CPE has a firmware at all, is
 * the library's to say: an image that goes takes the firmware of its CPEs with it, and nothing is to be told.
 */
export interface FirmwareRecord extends Document {
  readonly id: CpeId;
  /** Null: somebody has taken it away, and what the CPE reports gives it none. */
  readonly image: OperationImage | null;
  /** By which it is to be installed; null: the CPE reported that it runs it. */
  readonly operation: OperationId | null;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

export const DEVICE_FIRMWARES: CollectionDefinition = {
  name: 'device-firmwares',
  indexes: { list: ['createdAtMs'] },
};
