import type { Device } from '../../acs/index.js';
import { DAY_MS, SECOND_MS } from '../../common/index.js';
import type { JsonObject } from '../http/index.js';
import { type Products, productOfDevice } from './products.js';
import type { FileProgress } from './progress.js';
import { versionNumbers } from './version-numbers.js';

/** A CPE that was heard of within it is online: all inform at least once a day. */
const ONLINE_MS = DAY_MS;
/** The one group that there is. */
export const EVERYTHING = 0;

const INTEGER = { type: 'integer' } as const;
const STRING = { type: 'string' } as const;
export const DEVICE_SCHEMA = {
  type: 'object',
  properties: {
    'catalog-id': { ...INTEGER, description: 'The group: always 0.' },
    sn: { ...STRING, description: 'The serial number.' },
    cpeid: { ...STRING, description: 'What stands for the device where others have its serial number.' },
    module: { ...INTEGER, description: 'The number of its family, which is its manufacturer.' },
    'dev-warning': { ...INTEGER, description: 'Always 0.' },
    'is-everyone': { ...INTEGER, description: 'Always 1.' },
    users: { type: 'array', items: STRING, maxItems: 0, description: 'Always empty.' },
    'apply-date': { ...INTEGER, description: 'When it came first, in epoch seconds.' },
    'online-date': {
      ...INTEGER,
      description: 'When it was heard of last, in epoch seconds; 0 where that is more than a day ago.',
    },
    'is-upload-file': { ...INTEGER, description: '1 while an upgrade runs.' },
    'upload-file-pos': { ...INTEGER, description: 'In per cent.' },
    status: {
      type: 'object',
      properties: {
        name: STRING,
        'product-id': { ...INTEGER, description: 'The number of its model.' },
        'module-name': { ...STRING, description: 'Its model: ModelName, else ProductClass.' },
        'hardware-ver': STRING,
        'marjor-ver': INTEGER,
        'minor-ver': INTEGER,
        'build-number': INTEGER,
        version: { ...STRING, description: 'As the device reports it.' },
      },
    },
  },
} as const;

/** As the API shows a CPE. */
export function deviceView(
  device: Device,
  progress: FileProgress,
  products: Products,
  nowMs: number,
): JsonObject {
  const { id, serialNumber, softwareVersion = '', registeredMs, lastInformMs } = device;
  const { family, model, hardware } = productOfDevice(device);
  const isOnline = nowMs - lastInformMs <= ONLINE_MS;
  return {
    'catalog-id': EVERYTHING,
    sn: serialNumber,
    cpeid: id,
    module: products.numberOf('family', family),
    'dev-warning': 0,
    'is-everyone': 1,
    users: [],
    'apply-date': Math.floor(registeredMs / SECOND_MS),
    'online-date': isOnline ? Math.floor(lastInformMs / SECOND_MS) : 0,
    ...progress,
    status: {
      name: serialNumber,
      'product-id': products.numberOf('model', model),
      'module-name': model,
      'hardware-ver': hardware,
      ...versionNumbers(softwareVersion),
      version: softwareVersion,
    },
  };
}
