import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import test from 'ava';
import { DEVICES, type Device, UPGRADES, type Upgrade } from '../../../acs/index.js';
import { type BatchId, systemClock } from '../../../common/index.js';
import { BATCHES, type Batch, OperationLedger, OperationStore } from '../../../rollout/index.js';
import { RULE_GATES, RULES, type RuleGate, type StoredRule } from '../../../rules/index.js';
import { cpe, device, pending, pinnedRule, upgradeBy } from '../../rollout/operations/support.js';
import { openTestInstallation } from '../../support/installation.js';
import { ferry, temporaryDirectory } from '../support.js';

test('operations of batches are restored as far as their upgrades had come, and counted anew', async (t) => {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'from');
  const from = await openTestInstallation(dataDir);
  const { store, images } = from;
  const id = randomUUID() as BatchId;
  const nowMs = Date.now();
  const batch: Batch = {
    id,
    name: 'all of them',
    what: { image: 'a.bin' },
    whom: { kind: 'list' },
    persistent: true,
    priority: 0,
    wakePerSecond: 0,
    options: {},
    phase: 'made',
    by: 'op',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  const ledger = new OperationLedger({ store, clock: systemClock, images });
  const rules = store.collection<StoredRule>(RULES);
  const upgrades = store.collection<Upgrade>(UPGRADES);
  const cpes = [0, 1, 2, 3].map(cpe);
  await store.commit([
    store.collection<Batch>(BATCHES).inserting(batch),
    store.collection<RuleGate>(RULE_GATES).inserting({ id: `batch:${id}`, state: 'open' }),
    ...cpes.slice(1).map((cpeid) => rules.inserting(pinnedRule(id, cpeid))),
    ...ledger.adding(cpes.map((cpeid) => pending(id, cpeid))),
  ]);
  // As where they begin after the operations were read, and one of them has ended by then.
  for (const [cpeid, over] of [
    [cpe(1), {}],
    [cpe(2), { state: 'failed', status: true, fault: 9010 }],
  ] as const) {
    const upgrade = upgradeBy(pinnedRule(id, cpeid), cpeid, nowMs + 1, { share: 0, ...over });
    await store.commit([
      upgrades.inserting(upgrade),
      store
        .collection<Device>(DEVICES)
        .inserting({ ...device(cpeid), ...(!upgrade.status && { inFlight: upgrade.id }) }),
    ]);
  }
  await from.close();
  const file = join(directory, 'backup');
  t.is((await ferry(['backup', file, `--data-dir=${dataDir}`, '--include-key'])).exitCode, 0);
  const to = join(directory, 'to');
  t.is((await ferry(['restore', file, `--data-dir=${to}`])).exitCode, 0);
  const target = await openTestInstallation(to);
  t.teardown(() => target.close());
  const operations = new OperationStore(target.store);
  t.deepEqual(await operations.counts(id), {
    total: 4,
    byState: { pending: 1, running: 1, verified: 0, failed: 2, 'timed-out': 0, cancelled: 0, skipped: 0 },
    byReason: { 'fault-9010': 1, 'rule-gone': 1 },
  });
  t.is((await operations.of(id, cpe(0)))?.reason, 'rule-gone');
  t.is((await operations.of(id, cpe(3)))?.state, 'pending');
});
