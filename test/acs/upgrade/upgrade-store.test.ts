import test from 'ava';
import { Registry } from 'prom-client';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { UPGRADES, type Upgrade } from '../../../acs/upgrade/upgrade.js';
import { UpgradeStore } from '../../../acs/upgrade/upgrade-store.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../common/index.js';
import { openTestRules } from '../../rules/setup.js';
import { cpeidOf, deviceOf, upgradeOf } from '../../support/installation.js';

for (const [title, heardMs, state] of [
  ['an Inform since shows that its CPE is there: it is verified', -MINUTE_MS, 'verified'],
  ['an Inform stored by a clock that was ahead shows nothing: it is timed out', 2 * DAY_MS, 'timed-out'],
] as const) {
  test(`of an upgrade without a target, at the deadline after its transfer, ${title}`, async (t) => {
    const { store, rules, clock, logger } = await openTestRules(t);
    const now = () => clock.nowMs;
    const devices = new DeviceStore({ store, clock: now, logger });
    t.teardown(() => devices.close());
    const metrics = createAcsMetrics(new Registry(), () => 0);
    const upgrades = new UpgradeStore({ store, devices, rules, clock: now, logger, metrics });
    const cpeid = cpeidOf(10);
    const upgrade: Upgrade = {
      ...upgradeOf(cpeid, 10),
      state: 'transferred',
      targetVersion: null,
      startedAtMs: clock.nowMs - 3 * HOUR_MS,
      updatedAtMs: clock.nowMs - 2 * HOUR_MS,
      deadlineAtMs: clock.nowMs - 1,
    };
    await store.collection<Upgrade>(UPGRADES).put(upgrade);
    await store
      .collection<Device>(DEVICES)
      .put({ ...deviceOf(cpeid, upgrade), lastInformMs: clock.nowMs + heardMs });
    t.is(await upgrades.sweep(), 1);
    t.is((await upgrades.get(upgrade.id))?.state, state);
  });
}
