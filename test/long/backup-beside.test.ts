import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device, UPGRADES, type Upgrade } from '../../acs/index.js';
import { builtInModel, Fleet } from '../../cpe-sim/index.js';
import { CAMPAIGN_SHARES, type CampaignShare, shareId } from '../../rules/index.js';
import { contentOf } from '../cli/backup/compare.js';
import { ferry, temporaryDirectory } from '../cli/support.js';
import { IMAGE_NAME, OLD_VERSION, PRODUCT_CLASS, postRule, uploadImage } from '../e2e/simulated.js';
import { startTestFerry, until } from '../support/ferry.js';
import { openTestInstallation } from '../support/installation.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';

const CPES = 12;
/** So that every CPE has one upgrade after another while backups are taken. */
const RULES = 100;
const BACKUPS = 3;

async function besideUpgrades(t: ExecutionContext, options: { readonly store?: string }): Promise<void> {
  t.timeout(5 * 60_000);
  const server = await startTestFerry(t, { config: { periodicInformSeconds: 1, ...options } });
  await uploadImage(t, server.nbi);
  await postRule(
    t,
    server.nbi,
    Array.from({ length: RULES }, (_, at) => ({
      id: `R${at}`,
      file: IMAGE_NAME,
      condition: { productClass: PRODUCT_CLASS },
      force: true,
      limits: { concurrent: CPES },
    })),
  );
  const fleet = new Fleet({
    acsUrl: server.urls.cwmp,
    dataModel: builtInModel('tr181'),
    count: CPES,
    oui: '00A1B2',
    productClass: PRODUCT_CLASS,
    serialPrefix: 'b',
    softwareVersion: OLD_VERSION,
    rebootMs: 50,
    retryMs: 50,
    downloadResumeMs: 50,
  });
  t.teardown(() => fleet.stop());
  await fleet.start();
  const args = ['--data-dir', server.dataDir, ...(options.store ? ['--store', options.store] : [])];
  const directory = await temporaryDirectory(t);
  let file = '';
  let underWay = 0;
  for (let taken = 0; taken < BACKUPS || underWay === 0; taken++) {
    const transfers = () => fleet.summary().transfers.ok;
    const before = transfers();
    await until('upgrades go on', () => transfers() > before);
    file = join(directory, `b${taken}`);
    const ended = await ferry(['backup', file, ...args]);
    t.is(ended.exitCode, 0, ended.stderr);
    underWay += agreed(t, contentOf(await readFile(file)));
  }
  await fleet.stop();
  await server.close();

  const to = join(directory, 'to');
  const key = join(directory, 'key');
  await copyFile(join(server.dataDir, 'secret.key'), key);
  const restored = await ferry(['restore', file, `--data-dir=${to}`, `--secret-file=${key}`]);
  t.is(restored.exitCode, 0, restored.stderr);
  t.regex(restored.stdout, /Upgrades are frozen/);
  await countsAgree(t, to, key);
}

/** Holds every device to its upgrades in a backup. @returns how many are under way */
function agreed(t: ExecutionContext, content: ReturnType<typeof contentOf>): number {
  const of = <T>(collection: string) =>
    [...content].filter(([key]) => key.startsWith(`${collection}/`)).map(([, document]) => document as T);
  const devices = of<Device & { id: string }>(DEVICES.name);
  t.is(devices.length, CPES);
  const marked = devices.flatMap(({ id, inFlight }) => (inFlight === undefined ? [] : [`${id} ${inFlight}`]));
  const running = of<Upgrade>(UPGRADES.name).filter(({ status }) => !status);
  t.deepEqual(running.map(({ cpeid, id }) => `${cpeid} ${id}`).sort(), marked.sort());
  for (const { id, counts } of devices) {
    const started = Object.values(counts).reduce((sum, count) => sum + count.started, 0);
    const known = of<Upgrade>(UPGRADES.name).filter(({ cpeid }) => cpeid === id).length;
    // Results that began while the upgrades were read may be missing; none is there that the device knows nothing of.
    t.true(known <= started, `${id}: ${known} results of ${started} upgrades`);
  }
  return running.length;
}

async function countsAgree(t: ExecutionContext, dataDir: string, secretFile: string): Promise<void> {
  const { store, close } = await openTestInstallation(dataDir, { secretFile });
  t.teardown(close);
  const running = new Map<string, number>();
  for await (const { document } of store.collection<Upgrade>(UPGRADES).scan({})) {
    const id = shareId(document.countKey, document.share ?? 0);
    if (!document.status) running.set(id, (running.get(id) ?? 0) + 1);
  }
  for await (const { document } of store.collection<CampaignShare>(CAMPAIGN_SHARES).scan({})) {
    t.is(document.running ?? 0, running.get(document.id) ?? 0, document.id);
  }
}

test('a backup beside a server whose CPEs are being upgraded has each CPE as one with its upgrades', (t) =>
  besideUpgrades(t, {}));

const url = mongodbUrl();
if (url !== null) {
  test('the same on MongoDB, restored onto disk', (t) =>
    besideUpgrades(t, { store: urlOfDatabase(url, testDatabase(t, url)) }));
}
