import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device, PARAMETERS } from '../../acs/index.js';
import { HOUR_MS } from '../../common/index.js';
import type { Store } from '../../store/index.js';
import { startTestFerry } from '../support/ferry.js';
import { cpeidOf, deviceOf, openTestInstallation, upgradeOf } from '../support/installation.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { inform, RawCpe } from '../support/raw-cpe.js';
import { ferry, temporaryDirectory } from './support.js';

const FIRST_MS = Date.UTC(2026, 0, 1);

/** CPEs 1 to 5, heard of an hour apart, with a data model each; the last has an upgrade under way. */
async function putFive(store: Store): Promise<void> {
  for (let n = 1; n <= 5; n++) {
    const cpeid = cpeidOf(n);
    const device: Device = {
      ...deviceOf(cpeid, n === 5 ? upgradeOf(cpeid, 10) : null),
      lastInformMs: FIRST_MS + n * HOUR_MS,
      ip: n < 3 ? '192.0.2.1' : '192.0.2.2',
    };
    await store.collection<Device>(DEVICES).put(device);
    const parameters = { id: `${cpeid}/Device.DeviceInfo`, values: { 'Device.DeviceInfo.UpTime': n } };
    await store.collection<typeof parameters>(PARAMETERS).put(parameters);
  }
}

async function withFive(t: ExecutionContext, given: Record<string, unknown> = {}): Promise<string> {
  const dataDir = await temporaryDirectory(t);
  const installation = await openTestInstallation(dataDir, given);
  await putFive(installation.store);
  await installation.close();
  return dataDir;
}

/** `ferry device` on those five, with short words for their ids. */
function commandOn(...where: readonly string[]) {
  const device = (...args: readonly string[]) => ferry(['device', ...args, ...where]);
  const left = async () => {
    const { stdout } = await device('list', '--json');
    return (JSON.parse(stdout) as { readonly id: string }[]).map(({ id }) => Number(id.slice(-1)));
  };
  return { device, left };
}

test('device list shows the CPEs that filters select, device show one of them with its data model', async (t) => {
  const { device, left } = commandOn(`--data-dir=${await withFive(t)}`);
  t.deepEqual(await left(), [1, 2, 3, 4, 5]);
  const listed = await device('list', '--filter=ip=192.0.2.2', '--limit=2');
  t.is(listed.exitCode, 0, listed.stderr);
  t.regex(listed.stdout, /00A1B2-HGW-0000003 .*│ 1\.0\.0 .*│ 192\.0\.2\.2 │ 2026-01-01T03:00:00Z │/);
  t.regex(listed.stdout, /and more; --limit lists more/);
  t.notRegex(listed.stdout, /0000005/);
  t.regex((await device('list', '--filter=upgrade=null', '--filter=ip=192.0.2.3')).stdout, /^No such CPE/);
  const shown = await device('show', cpeidOf(1), '--json', '--parameters');
  t.like(JSON.parse(shown.stdout), {
    id: cpeidOf(1),
    lastInform: (FIRST_MS + HOUR_MS) / 1_000,
    parameters: { 'Device.DeviceInfo.UpTime': 1 },
  });
  const text = (await device('show', cpeidOf(1))).stdout;
  t.regex(text, /│ lastInform +│ 2026-01-01T01:00:00Z +│/);
  t.notRegex(text, /UpTime/);
  t.is((await device('show', cpeidOf(9))).exitCode, 1);
});

test('device delete says which are meant, or does nothing', async (t) => {
  const { device, left } = commandOn(`--data-dir=${await withFive(t)}`);
  const refused: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['delete', '--yes'], 2, /say which: ids, --filter, or --all/],
    [
      ['delete', '--yes', '--filter=lastInform<yesterday'],
      2,
      /^ferry: --filter: lastInform<: expected epoch seconds/,
    ],
    [['delete', '--yes', '--filter=nope=1'], 2, /^ferry: --filter: nope: expected no such field/],
    [['delete', '--yes', cpeidOf(9)], 1, /^ferry: No such CPE is known: nothing was deleted/],
    [['delete', cpeidOf(1)], 2, /^ferry: Say --yes to delete them, or --dry-run/],
    [['delete', '--all', '--yes'], 1, /^ferry: Nothing was deleted. One of them has an upgrade under way/],
    [['delete', cpeidOf(1), cpeidOf(5), '--yes'], 1, /upgrade=null/],
  ];
  for (const [args, exitCode, words] of refused) {
    const ended = await device(...args);
    t.is(ended.exitCode, exitCode, args.join(' '));
    t.regex(ended.stderr, words);
    t.is(ended.stdout, '');
  }
  const dry = await device('delete', '--all', '--dry-run');
  t.deepEqual([dry.exitCode, dry.stdout], [0, '5 CPEs would be deleted.\n']);
  t.regex(dry.stderr, /^One of them has an upgrade under way/);
  t.deepEqual(await left(), [1, 2, 3, 4, 5]);
});

const mongo = mongodbUrl();
define('the embedded store', async (t) => [`--data-dir=${await withFive(t)}`]);
if (mongo !== null) {
  define('MongoDB', async (t) => {
    const store = urlOfDatabase(mongo, testDatabase(t, mongo));
    const dataDir = await withFive(t, { store });
    return [`--data-dir=${dataDir}`, `--store=${store}`];
  });
}

function define(engine: string, five: (t: ExecutionContext) => Promise<readonly string[]>): void {
  test(`device delete deletes what ids and filters select, on ${engine}`, async (t) => {
    const { device, left } = commandOn(...(await five(t)));
    const dry = await device('delete', '--dry-run', '--json', '--filter=lastInform<=2026-01-01T02:00:00Z');
    t.deepEqual(JSON.parse(dry.stdout), { devices: 2, upgrading: 0, deleted: 0 });
    const one = await device('delete', cpeidOf(1), cpeidOf(3), '--filter=ip=192.0.2.1', '--yes');
    t.deepEqual([one.exitCode, one.stdout], [0, 'Deleted 1 CPE.\n'], one.stderr);
    t.deepEqual(await left(), [2, 3, 4, 5]);
    const more = await device('delete', '--filter=upgrade=null', '--yes', '--json');
    t.deepEqual(JSON.parse(more.stdout), { devices: 3, upgrading: 0, deleted: 3 });
    t.deepEqual(await left(), [5]);
  });
}

test('a CPE that is deleted beside a running server is not brought back by what that has seen, but by its next Inform', async (t) => {
  const served = await startTestFerry(t, { config: { allowAnonymousCpe: true } });
  const { device } = commandOn(`--data-dir=${served.dataDir}`);
  const call = async () => {
    const cpe = new RawCpe(served.urls.cwmp);
    t.is((await cpe.post(inform({}))).status, 200);
    cpe.close();
  };
  await call();
  // Nothing new: it only says that the CPE was seen.
  await call();
  const known = async () => {
    const { body } = await served.nbi('GET', '/v1/dyn/DeviceStorage/.*');
    const { details } = body as { details: '' | { readonly id: string; readonly registered: number }[] };
    return details === '' ? [] : details;
  };
  const [before] = await known();
  const ended = await device('delete', String(before?.id), '--yes');
  t.is(ended.exitCode, 0, ended.stderr);
  t.deepEqual(await known(), []);
  await call();
  t.deepEqual(
    (await known()).map(({ id }) => id),
    [String(before?.id)],
  );
  t.is(served.events.filter(({ event }) => event === 'cpe.registered').length, 2);
});
