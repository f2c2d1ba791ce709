import test, { type ExecutionContext } from 'ava';
import { Registry } from 'prom-client';
import { DEVICES, type Device, type DeviceFilter } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { UPGRADES, type Upgrade, type UpgradeFilter } from '../../../acs/upgrade/upgrade.js';
import { UpgradeStore } from '../../../acs/upgrade/upgrade-store.js';
import { type CpeId, type OrganizationId, type RuleId, silentLogger } from '../../../common/index.js';
import { ruleIdIn } from '../../../rules/index.js';
import {
  type CollectionDefinition,
  openLmdbStore,
  openMongoStore,
  type Store,
} from '../../../store/index.js';
import { openTestRules, temporaryDirectory } from '../../rules/setup.js';
import { cpeidOf, deviceOf, upgradeOf } from '../../support/installation.js';
import { mongodbUrl, testDatabase } from '../../support/mongodb.js';

const NORTH = 'north' as OrganizationId;
const SOUTH = 'south' as OrganizationId;
const R = 'R' as RuleId;

/** As versions before organizations had them. */
const WITHOUT: CollectionDefinition = {
  name: UPGRADES.name,
  indexes: Object.fromEntries(
    Object.entries(UPGRADES.indexes).filter(([name]) => !/organization|written/.test(name)),
  ),
};

function resultOf(index: number, more: Partial<Upgrade>): Upgrade {
  return { ...upgradeOf(cpeidOf(index), index), campaignid: R, ...more };
}

/** What all engines must find, on a store that holds results of an earlier version. */
async function findsByOrganization(t: ExecutionContext, open: () => Promise<Store>): Promise<void> {
  const before = await open();
  const old = before.collection<Upgrade>(WITHOUT);
  for (const index of [1, 4]) await old.put(resultOf(index, {}));
  // By a later version, whose collection was opened by an earlier one at the time.
  await old.put(resultOf(2, { organization: NORTH }));
  await before.close();
  const store = await open();
  t.teardown(() => store.close());
  const { rules, logger } = await openTestRules(t, store);
  const devices = new DeviceStore({ store, clock: Date.now, logger });
  t.teardown(() => devices.close());
  const metrics = createAcsMetrics(new Registry(), () => 0);
  const upgrades = new UpgradeStore({ store, devices, rules, clock: Date.now, logger, metrics });
  const collection = store.collection<Upgrade>(UPGRADES);
  for (const [index, organization] of [
    [3, SOUTH],
    [5, NORTH],
    [6, SOUTH],
    [7, NORTH],
  ] as const)
    await collection.put(
      resultOf(index, {
        organization,
        ...(index > 5 && { campaignid: ruleIdIn(organization, 'R'), writtenCampaignid: 'R' }),
      }),
    );
  const found = async (filter: UpgradeFilter) => {
    const indexes: number[] = [];
    for await (const { id } of upgrades.scan(filter)) indexes.push(Number(id.slice(0, 8)));
    return indexes;
  };
  t.deepEqual(await found({}), [7, 6, 5, 4, 3, 2, 1]);
  t.deepEqual(await found({ organization: NORTH }), [7, 5, 2]);
  t.deepEqual(await found({ organization: NORTH, campaignids: [R] }), [5, 2]);
  t.deepEqual(await found({ organization: NORTH, campaignids: [ruleIdIn(NORTH, 'R')] }), [7]);
  t.deepEqual(await found({ organization: NORTH, campaignids: [ruleIdIn(SOUTH, 'R')] }), []);
  t.deepEqual(await found({ writtenCampaignids: ['R'] }), [7, 6]);
  t.deepEqual(await found({ campaignids: [R] }), [5, 4, 3, 2, 1]);
  // A page goes on behind any place, also one that is another's.
  for (const index of [1, 2, 3, 4, 5, 6, 7]) {
    const { id, startedAtMs } = resultOf(index, {});
    const after = { id, startedAtMs };
    t.deepEqual(
      await found({ organization: NORTH, after }),
      [7, 5, 2].filter((each) => each < index),
    );
    t.deepEqual(
      await found({ writtenCampaignids: ['R'], after }),
      [7, 6].filter((each) => each < index),
    );
  }
  t.is(await collection.count({ index: 'organization' }), 5);
  t.is(await collection.count({ index: 'writtenCampaign' }), 2);
}

/** What all engines must find of an organization's CPEs by how their ids begin. */
async function findsByBeginning(t: ExecutionContext, store: Store): Promise<void> {
  t.teardown(() => store.close());
  const devices = new DeviceStore({ store, clock: Date.now, logger: silentLogger });
  t.teardown(() => devices.close());
  const collection = store.collection<Device>(DEVICES);
  const ids = ['A', 'A-1', 'A-2', 'A-2-1', 'A-2-1é', 'A-3', 'B'] as CpeId[];
  for (const [index, id] of ids.entries())
    for (const [organization, suffix] of [
      [NORTH, ''],
      [SOUTH, index % 2 === 0 ? 'x' : ''],
    ] as const)
      if (organization === NORTH || suffix !== '')
        await collection.put({
          ...deviceOf(`${id}${suffix}` as CpeId, null),
          organization: { id: organization, by: 'hand' },
        });
  const found = async (filter: DeviceFilter) => {
    const all: string[] = [];
    for await (const { id } of devices.scan({ organization: NORTH, ...filter })) all.push(id);
    return all;
  };
  t.deepEqual(await found({}), ids);
  for (const idPrefix of [...ids, 'A-2-', 'A-2-1é-', 'C', '', 'x'.repeat(600)])
    for (const after of [undefined, ...ids, '0', 'A-2-0', 'Z'])
      t.deepEqual(
        await found({ idPrefix, ...(after !== undefined && { after }) }),
        ids.filter((id) => id.startsWith(idPrefix) && (after === undefined || id > after)),
        `${idPrefix} after ${after}`,
      );
}

test('on LMDB results are found by organization, also those that were there before the indexes', async (t) => {
  const directory = await temporaryDirectory(t);
  await findsByOrganization(t, () => openLmdbStore({ directory }));
});

test('on LMDB an organization’s CPEs are found by how their ids begin', async (t) => {
  await findsByBeginning(t, await openLmdbStore({ directory: await temporaryDirectory(t) }));
});

const url = mongodbUrl();
if (url !== null) {
  test.serial('on MongoDB results are found by organization, also those from before', async (t) => {
    const database = testDatabase(t, url);
    await findsByOrganization(t, () => openMongoStore({ url, database, timeoutMs: 60_000, indexWaitMs: 0 }));
  });

  test.serial('on MongoDB an organization’s CPEs are found by how their ids begin', async (t) => {
    await findsByBeginning(
      t,
      await openMongoStore({ url, database: testDatabase(t, url), timeoutMs: 60_000 }),
    );
  });
}
