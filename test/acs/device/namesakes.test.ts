import test from 'ava';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { cpeGoingBy, namesakesIn } from '../../../acs/device/namesakes.js';
import { type CpeId, type OrganizationId, silentLogger, systemClock } from '../../../common/index.js';
import { deviceOf } from '../../support/installation.js';
import { haveOrganizations } from '../../support/organizations-there.js';
import { storeOf } from '../../support/store.js';

const NORTH = '11111111-1111-4111-8111-111111111111' as OrganizationId;
const SOUTH = '22222222-2222-4222-8222-222222222222' as OrganizationId;

test('a serial number is another’s too where one of the same organization is known that goes by it now and is enrolled', async (t) => {
  const store = await storeOf(t);
  await haveOrganizations(store, NORTH, SOUTH);
  const devices = new DeviceStore({ store, clock: systemClock, logger: silentLogger });
  t.teardown(() => devices.close());
  const put = (id: string, more: Partial<Device>) =>
    store.collection<Device>(DEVICES).put({ ...deviceOf(id as CpeId, null), ...more });
  const namesakes = namesakesIn(store);
  const others = (serialNumber: string, organization?: string) =>
    namesakes({
      cpeid: 'A-H-1' as CpeId,
      serialNumber,
      ...(organization !== undefined && { organization }),
    });
  await put('A-H-1', { serialNumber: '1', organization: { id: NORTH, by: 'hand' } });
  t.deepEqual(await others('1'), []);
  await put('B-H-1', { serialNumber: '1', organization: { id: SOUTH, by: 'hand' } });
  t.deepEqual(await others('1'), ['B-H-1' as CpeId]);
  t.deepEqual(await others('1', NORTH), []);
  t.deepEqual(await others('1', SOUTH), ['B-H-1' as CpeId]);
  await put('C-H-1', { serialNumber: '1', organization: { id: NORTH, by: 'hand' }, enrolment: 'waiting' });
  await put('D-H-1', {
    serialNumber: '1',
    organization: { id: NORTH, by: 'hand' },
    supersededBy: 'A-H-1' as CpeId,
  });
  t.deepEqual(await others('1', NORTH), []);
  // What one has as its serial number may be another's cpeid.
  await put('E-2', { serialNumber: '2', organization: { id: NORTH, by: 'hand' } });
  t.deepEqual(await others('E-2', NORTH), ['E-2' as CpeId]);
  t.deepEqual(await others('\ud800'), []);
  for (let number = 0; number < 9; number++) await put(`F-${number}`, { serialNumber: '3' });
  t.is((await others('3')).length, 5);

  const going = async (name: string, organization?: string) =>
    (await cpeGoingBy(devices, name, organization))?.id ?? null;
  t.is(await going('A-H-1', NORTH), 'A-H-1' as CpeId);
  t.is(await going('1', SOUTH), 'B-H-1' as CpeId);
  t.is(await going('1', NORTH), 'A-H-1' as CpeId);
  t.is(await going('9', undefined), null);
  t.is(await going('\ud800', undefined), null);
});
