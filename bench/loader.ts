import { join } from 'node:path';
import process from 'node:process';
import { DEVICES, type Device } from '../acs/device/device.js';
import { createLogger, systemClock } from '../common/index.js';
import { openRules } from '../rules/index.js';
import { openLmdbStore } from '../store/index.js';
import { serialOf } from './envelopes.js';
import { cpeidOf, fleetRule, pinnedRule } from './rule-bodies.js';

/** What to write into a data directory, and from which number to which. */
export interface Load {
  readonly kind: 'pinned' | 'fleet' | 'cpes';
  readonly from: number;
  readonly to: number;
}

const BATCH = 1_000;

const [dataDir = ''] = process.argv.slice(2);
const store = await openLmdbStore({ directory: join(dataDir, 'store') });
const rules = await openRules({
  store,
  clock: systemClock,
  logger: createLogger({ level: 'error', format: 'json' }),
  resolveFile: async () => ({}),
});
const devices = store.collection<Device>(DEVICES);

async function write({ kind, from, to }: Load): Promise<void> {
  const indexes = Array.from({ length: to - from }, (_, offset) => from + offset);
  if (kind === 'cpes') {
    await store.commit(indexes.map((index) => devices.putting(deviceOf(index))));
    return;
  }
  // At its target already: after one session that records so, a CPE's rule is done.
  const bodies = indexes.map((index) => (kind === 'pinned' ? pinnedRule(index, '1.0.0') : fleetRule(index)));
  await rules.put(bodies, { author: 'bench', onlyNew: false });
}

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

process.on('message', async ({ kind, from, to }: Load) => {
  for (let start = from; start < to; start += BATCH) {
    await write({ kind, from: start, to: Math.min(to, start + BATCH) });
    process.send?.({ done: Math.min(to, start + BATCH) });
  }
});
process.on('disconnect', async () => {
  await rules.close();
  await store.close();
});
process.send?.({ ready: true });
