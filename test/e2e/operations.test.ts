import test from 'ava';
import type { BatchId, CpeId } from '../../common/index.js';
import { OPERATIONS, type Operation, type OperationCounts } from '../../rollout/index.js';
import { BY } from '../support/actor.js';
import { startTestFerry, until } from '../support/ferry.js';
import {
  commandKeys,
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  introduce,
  NEW_VERSION,
  uploadImage,
} from './simulated.js';

/** What CPEs do, and what becomes of their operations. */
const CPES = [
  { serial: 'good', faults: [], told: 'verified' },
  { serial: 'better', faults: [], told: 'verified' },
  { serial: 'fails', faults: ['transfer:9010'], told: 'failed: fault-9010' },
  { serial: 'refuses', faults: ['refuse:9001'], told: 'failed: fault-9001' },
  { serial: 'stays', faults: ['early-complete', 'old-version'], told: 'failed: old-version' },
  { serial: 'busy', faults: ['refuse:9004'], told: 'pending' },
  { serial: 'there', faults: [], told: 'verified', softwareVersion: NEW_VERSION },
] as const;

test('what becomes of CPEs of a batch is counted as it is at every poll, and told for what each has failed', async (t) => {
  const ferry = await startTestFerry(t, { config: { periodicInformSeconds: 1 } });
  await uploadImage(t, ferry.nbi);
  const cpes = CPES.map(({ serial, faults, ...options }) =>
    createCpe(t, ferry.urls.cwmp, serial, { faults, ...options }),
  );
  for (const cpe of cpes) await introduce(ferry.nbi, cpe);
  const { batches, operations } = ferry.upgrading;
  const batch = await batches.create(
    {
      name: 'all of them',
      what: { image: IMAGE_NAME },
      whom: { kind: 'list', cpeids: CPES.map(({ serial }) => cpeidOf(serial)) },
    },
    BY,
  );
  const polled: OperationCounts[] = [];
  await until('nothing is left but what is busy', async () => {
    const counts = await operations.counts(batch.id);
    polled.push(counts);
    const { pending, running } = counts.byState;
    const busy = await operations.of(batch.id as BatchId, cpeidOf('busy') as CpeId);
    return running === 0 && pending === 1 && busy?.attempts === 1;
  });
  for (const { total, byState } of polled) {
    t.is(total, CPES.length);
    t.is(
      Object.values(byState).reduce((sum, count) => sum + count, 0),
      CPES.length,
    );
  }
  for (const { serial, told } of CPES) {
    const operation = await operations.of(batch.id, cpeidOf(serial) as CpeId);
    const { state, reason } = operation ?? {};
    t.is(reason === undefined ? state : `${state}: ${reason}`, told, serial);
    t.is(operation?.attempts, serial === 'there' ? 0 : 1);
  }
  for (const [at, cpe] of cpes.entries())
    t.is(commandKeys(cpe).length, CPES[at]?.serial === 'there' ? 0 : 1, CPES[at]?.serial);
  t.deepEqual((await operations.counts(batch.id)).byReason, {
    'fault-9001': 1,
    'fault-9010': 1,
    'old-version': 1,
  });
  // Each names the result of its upgrade.
  const stored = ferry.installation.store.collection<Operation>(OPERATIONS);
  for await (const { document } of stored.scan({ index: 'batch', equals: [batch.id] })) {
    const result = document.resultId === undefined ? null : await ferry.acs.upgrades.get(document.resultId);
    t.is(result?.cpeid, document.cpeid);
    t.deepEqual(result?.owner, { kind: 'batch', id: batch.id });
  }
});
