import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device, FleetAddresses } from '../../../acs/index.js';
import { type CpeId, DAY_MS, subnetList } from '../../../common/index.js';
import type { Store } from '../../../store/index.js';
import { storeOf } from '../../support/store.js';

const NOW_MS = Date.UTC(2026, 0, 31);
const KNOWN_MS = NOW_MS - DAY_MS;
const NEW_MS = KNOWN_MS + 1;
const [HERE, THERE] = ['192.0.2.1', '198.51.100.1'];

async function open(t: ExecutionContext, { shared = [] }: { readonly shared?: readonly string[] } = {}) {
  const store = await storeOf(t);
  const make = () => new FleetAddresses({ store, clock: () => NOW_MS, shared: subnetList(shared) });
  return { store, make, addresses: make() };
}

function seen(
  addresses: FleetAddresses,
  ip: string,
  count: number,
  { registeredMs = KNOWN_MS, prefix = ip }: { registeredMs?: number; prefix?: string } = {},
): void {
  for (let index = 0; index < count; index++)
    addresses.seen({ id: `00A1B2-${prefix}-${index}` as CpeId, registeredMs }, ip);
}

const put = (store: Store, id: string, ip: string, registeredMs: number) =>
  store.collection<Device>(DEVICES).put({ id, ip, registeredMs } as Device);

test('an address with nine tenths of the CPEs is the fleet’s, and one with fewer is not', async (t) => {
  const { addresses } = await open(t);
  seen(addresses, HERE, 9_500);
  seen(addresses, THERE, 500);
  t.true(await addresses.isShared(HERE));
  t.false(await addresses.isShared(THERE));
  seen(addresses, THERE, 1_900, { prefix: HERE });
  t.false(await addresses.isShared(HERE), 'CPEs that have moved are where they are now');
});

test('where nobody has been seen, and of a single CPE, an address is the fleet’s', async (t) => {
  const { addresses } = await open(t);
  t.true(await addresses.isShared(HERE));
  seen(addresses, HERE, 1, { registeredMs: NEW_MS });
  t.true(await addresses.isShared(HERE));
  t.false(await addresses.isShared(THERE));
});

test('CPEs that were not known a day ago count only where there are no others, and displace none', async (t) => {
  const { addresses } = await open(t);
  seen(addresses, HERE, 1);
  seen(addresses, THERE, 20_000, { registeredMs: NEW_MS });
  t.true(await addresses.isShared(HERE));
  t.false(await addresses.isShared(THERE));
  const young = (await open(t)).addresses;
  seen(young, THERE, 20_000, { registeredMs: NEW_MS });
  t.true(await young.isShared(THERE));
});

test('of IPv6 an address is its /64', async (t) => {
  const { addresses } = await open(t);
  for (let host = 1; host <= 100; host++) seen(addresses, `2001:db8:0:1::${host.toString(16)}`, 1);
  t.true(await addresses.isShared('2001:db8:0:1:ffff::1'));
  t.false(await addresses.isShared('2001:db8:0:2::1'));
});

test('what a process has not seen itself it reads from the store, and believes what it has seen before that', async (t) => {
  const { store, make } = await open(t);
  for (let index = 0; index < 20; index++) await put(store, `00A1B2-HGW-${index}`, HERE, KNOWN_MS);
  for (let index = 0; index < 60; index++) await put(store, `00A1B2-NEW-${index}`, THERE, NEW_MS);
  const started = make();
  t.true(await started.isShared(HERE));
  t.false(await started.isShared(THERE));
  const moved = make();
  for (let index = 0; index < 20; index++)
    moved.seen({ id: `00A1B2-HGW-${index}` as CpeId, registeredMs: KNOWN_MS }, THERE);
  t.true(await moved.isShared(THERE));
  t.false(await moved.isShared(HERE));
});

test('subnets that many share are so whoever is there', async (t) => {
  const { addresses } = await open(t, { shared: ['198.51.100.0/24', '2001:db8::/32'] });
  seen(addresses, HERE, 100);
  for (const address of [HERE, THERE, '2001:db8:5::1', '::ffff:198.51.100.7'])
    t.true(await addresses.isShared(address), address);
  for (const address of ['198.51.101.1', '2001:db9::1']) t.false(await addresses.isShared(address), address);
});
