import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { CLOCKS_APART_MS_MAX, DAY_MS, SECOND_MS, silentLogger } from '../../../common/index.js';
import { cpeidOf, deviceOf } from '../../support/installation.js';
import { storeOf } from '../../support/store.js';

const ID = cpeidOf(1);
const NOW_MS = Date.UTC(2026, 0, 1);

/** One CPE that is known, and whose last Inform was stored at that time. */
async function openDevices(t: ExecutionContext, lastInformMs: number) {
  const store = await storeOf(t);
  const clock = { nowMs: NOW_MS };
  const devices = new DeviceStore({ store, clock: () => clock.nowMs, logger: silentLogger });
  const documents = store.collection<Device>(DEVICES);
  await documents.put({ ...deviceOf(ID, null), lastInformMs, ip: '192.0.2.1' });
  return {
    devices,
    clock,
    /** An Inform with nothing new. */
    sight: (ip: string, lastEvents = ['2 PERIODIC']) =>
      devices.sighted(ID, { lastInformMs: clock.nowMs, ip, lastEvents }),
    /** What is known of it here, and what is stored. */
    async seen() {
      const known = await devices.get(ID);
      await devices.flush();
      const stored = (await documents.get(ID))?.document;
      return [known, stored].map((device) => [device?.lastInformMs, device?.ip]);
    },
    close: () => devices.close(),
  };
}

test('a CPE that is seen now is seen, also where a clock that was ahead had stored its last Inform', async (t) => {
  const at = await openDevices(t, NOW_MS + 2 * DAY_MS);
  at.sight('192.0.2.2');
  t.deepEqual(await at.seen(), Array(2).fill([NOW_MS, '192.0.2.2']));
  at.clock.nowMs += SECOND_MS;
  at.sight('192.0.2.3');
  t.deepEqual(await at.seen(), Array(2).fill([NOW_MS + SECOND_MS, '192.0.2.3']));
  await at.close();
});

test('an Inform that another node has stored since is later than what was seen here before, also where its clock is a little ahead', async (t) => {
  const laterMs = NOW_MS + CLOCKS_APART_MS_MAX;
  const at = await openDevices(t, laterMs);
  at.sight('192.0.2.2');
  t.deepEqual(await at.seen(), Array(2).fill([laterMs, '192.0.2.1']));
  await at.close();
});

test('what was seen while the clock was ahead does not outdo an Inform after it was set right', async (t) => {
  const at = await openDevices(t, NOW_MS - DAY_MS);
  at.clock.nowMs += 2 * DAY_MS;
  at.sight('192.0.2.2');
  at.clock.nowMs -= 2 * DAY_MS;
  await at.devices.change(ID, (stored) =>
    stored === null ? null : { device: { ...stored.document, lastInformMs: NOW_MS, ip: '192.0.2.3' } },
  );
  t.deepEqual(await at.seen(), Array(2).fill([NOW_MS, '192.0.2.3']));
  await at.close();
});
