import { join } from 'node:path';
import process from 'node:process';
import { DEVICES, type Device } from '../acs/device/device.js';
import { openLmdbStore } from '../store/index.js';
import { serialOf } from './envelopes.js';
import { cpeidOf } from './rule-bodies.js';

/** Makes so many CPEs known in a data directory, as if each had been in a session once: `cpe-loader.js DIR COUNT`. */
const BATCH = 1_000;

const [dataDir = '', countText = ''] = process.argv.slice(2);
const count = Number(countText);
const store = await openLmdbStore({ directory: join(dataDir, 'store') });
const devices = store.collection<Device>(DEVICES);

function deviceOf(index: number): Device {
  const nowMs = Date.now();
  return {
    id: cpeidOf(index) as Device['id'],
    manufacturer: 'Acme Networks',
    oui: '00A1B2',
    productClass: 'HGW',
    serialNumber: serialOf(index),
    softwareVersion: '1.0.0',
    hardwareVersion: 'HGW-7490-rev3',
    root: 'InternetGatewayDevice',
    namespace: 'urn:dslforum-org:cwmp-1-0',
    ip: '127.0.0.1',
    connectionRequestUrl: `http://10.20.30.40:7547/${serialOf(index)}/cr`,
    provisioning: 'done',
    registeredMs: nowMs,
    lastInformMs: nowMs,
    lastEvents: ['2 PERIODIC'],
    tags: [],
    counts: {},
    informDigest: '',
  };
}

for (let done = 0; done < count; ) {
  const batch = Array.from({ length: Math.min(BATCH, count - done) }, (_, index) => deviceOf(done + index));
  await store.commit(batch.map((device) => devices.putting(device)));
  done += batch.length;
  process.send?.(done);
}
await store.close();
process.disconnect?.();
