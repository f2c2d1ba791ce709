import { setImmediate as nextTurn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { CPE_AUTH, CPE_PROOFS } from '../../acs/credentials/credential.js';
import type { ParameterDocument } from '../../acs/device/device.js';
import { CpeCredentials, DEVICES, type Device, PARAMETERS, UPGRADES, type Upgrade } from '../../acs/index.js';
import type { Installation } from '../../cli/installation.js';
import { systemClock } from '../../common/index.js';
import { FerryCommand, ferry, temporaryDirectory } from '../cli/support.js';
import { BY } from '../support/actor.js';
import { nbiClient, until } from '../support/ferry.js';
import { FerryProcess, freePorts } from '../support/ferry-process.js';
import { cpeidOf, deviceOf, openTestInstallation, upgradeOf } from '../support/installation.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';

const SUBTREES = ['Device.DeviceInfo', 'Device.ManagementServer', 'Device.WiFi'];
/** Each tenth has credentials of its own, that it has used. */
const WITH_CREDENTIALS = 10;
const BATCH = 100;

interface Killed {
  readonly dataDir: string;
  readonly installation: Installation;
  readonly cpes: number;
  /** What a command or a server is given besides. */
  readonly where: readonly string[];
}

const mongo = mongodbUrl();
define('the embedded store', 500);
if (mongo !== null) define('MongoDB', 200, (t) => urlOfDatabase(mongo, testDatabase(t, mongo)));

function define(engine: string, cpes: number, storeOf: (t: ExecutionContext) => string | null = () => null) {
  const start = async (t: ExecutionContext): Promise<Killed> => {
    t.timeout(240_000);
    const dataDir = await temporaryDirectory(t);
    const store = storeOf(t);
    const installation = await openTestInstallation(dataDir, store === null ? {} : { store });
    t.teardown(() => installation.close());
    await putMany(installation, cpes);
    return { dataDir, installation, cpes, where: store === null ? [] : [`--store=${store}`] };
  };

  test.serial(
    `of CPEs whose deletion by a command was killed each is whole or wholly gone, and the command goes on, on ${engine}`,
    async (t) => {
      const at = await start(t);
      const words = ['device', 'delete', '--all', '--json', `--data-dir=${at.dataDir}`, ...at.where];
      const command = new FerryCommand([...words, '--yes']);
      t.teardown(async () => {
        command.kill('SIGKILL');
        await command.ended;
      });
      await fewerThan(at, cpes);
      command.kill('SIGKILL');
      const killed = await command.ended;
      await writtenAnew(at);
      const left = await wholeOrGone(t, at);
      t.log(`killed with ${left} of ${cpes} left`);
      if (left > 0) t.is(killed.signal, 'SIGKILL', killed.stderr);

      const dry = await ferry([...words, '--dry-run']);
      t.deepEqual(JSON.parse(dry.stdout), { devices: left, upgrading: 0, deleted: 0 }, dry.stderr);
      const again = await ferry([...words, '--yes']);
      if (left > 0) t.deepEqual(JSON.parse(again.stdout), { devices: left, upgrading: 0, deleted: left });
      t.is(again.exitCode, left > 0 ? 0 : 1, again.stderr);
      t.is(await wholeOrGone(t, at), 0);
    },
  );

  test.serial(
    `of CPEs whose deletion by HTTP was killed with the server each is whole or wholly gone after its restart, and the same call goes on, on ${engine}`,
    async (t) => {
      const at = await start(t);
      const ports = await freePorts();
      let server: FerryProcess | null = null;
      t.teardown(async () => server?.kill());
      server = await FerryProcess.start(at.dataDir, ports, at.where);
      const nbi = nbiClient(`http://127.0.0.1:${ports.nbi}`);
      const path = '/v1/dyn/DeviceStorage/.*?productClass=HGW';
      const cut = nbi('DELETE', path).then(
        ({ status }) => status,
        () => null,
      );
      await fewerThan(at, cpes);
      await server.kill();
      const status = await cut;
      await writtenAnew(at);
      const left = await wholeOrGone(t, at);
      t.log(`killed with ${left} of ${cpes} left`);
      t.true(status === null || left === 0, 'nothing is answered before it is done');

      server = await FerryProcess.start(at.dataDir, ports, at.where);
      t.is(await wholeOrGone(t, at), left);
      const known = async () =>
        Number(/^ferry_cpes_known (\d+)$/m.exec(String((await nbi('GET', '/metrics')).body))?.[1]);
      await until('the server counts those that are left', async () => (await known()) === left);
      const counted = await nbi('DELETE', `${path}&dryRun=true`);
      if (left > 0) t.like(counted.body, { details: { devices: left, upgrading: 0 } });
      t.is((await nbi('DELETE', path)).status, left > 0 ? 200 : 404);
      t.is((await nbi('DELETE', path)).status, 404);
      t.is(await wholeOrGone(t, at), 0);
      await server.stop();
    },
  );
}

const devicesOf = ({ installation }: Pick<Killed, 'installation'>) =>
  installation.store.collection<Device>(DEVICES);

const WAITED_MS_MAX = 120_000;

/** Resolves as soon as one of them has gone: looks without a pause, so that who is killed then is in the middle of it. */
async function fewerThan(at: Killed, cpes: number): Promise<void> {
  const devices = devicesOf(at);
  const deadlineMs = performance.now() + WAITED_MS_MAX;
  while ((await devices.count()) >= cpes) {
    if (performance.now() > deadlineMs) throw new Error('in vain it was waited for the first to go');
    await nextTurn();
  }
}

/**
 * Writes something else. What was written when its process was killed LMDB shows from the next write on only, if it shows it at all
 * (findings/lmdb-commit-of-a-killed-writer.sh).
 */
async function writtenAnew({ installation }: Killed): Promise<void> {
  await installation.store.collection({ name: 'test-writes', indexes: {} }).put({ id: 'written' });
}

/** CPEs with a data model and a result each. */
async function putMany({ store, secrets }: Installation, cpes: number): Promise<void> {
  const credentials = new CpeCredentials({ store, secrets, clock: systemClock });
  const parameters = store.collection<ParameterDocument>(PARAMETERS);
  const nowMs = systemClock();
  for (let from = 0; from < cpes; from += BATCH) {
    const cpeids = Array.from({ length: BATCH }, (_, index) => cpeidOf(from + index));
    const changes = cpeids.flatMap((cpeid, index) => [
      store.collection<Device>(DEVICES).putting(deviceOf(cpeid, null)),
      ...SUBTREES.map((subtree) =>
        parameters.putting({ id: `${cpeid}/${subtree}`, values: { [`${subtree}.Name`]: from + index } }),
      ),
      store.collection<Upgrade>(UPGRADES).putting({
        // Of those whose number ends in 1 all have ended; recently, as old ones are purged.
        ...upgradeOf(cpeid, (from + index) * 10 + 1),
        startedAtMs: nowMs,
        updatedAtMs: nowMs,
      }),
    ]);
    await store.commit(changes);
    const own = cpeids.filter((_, index) => index % WITH_CREDENTIALS === 0);
    await credentials.put(
      own.map((cpeid) => ({ cpeid, username: cpeid, password: 'secret' })),
      BY,
    );
    for (const cpeid of own) await credentials.used(cpeid, 'secret');
  }
}

/**
 * Holds the store to it that of each CPE there is everything, by id and by every index, or nothing; what outlives it is there of all.
 * @returns how many there are
 */
async function wholeOrGone(t: ExecutionContext, at: Killed): Promise<number> {
  const { store } = at.installation;
  const idsOf = async (query: Parameters<ReturnType<typeof devicesOf>['scan']>[0]) => {
    const ids: string[] = [];
    for await (const { document } of devicesOf(at).scan(query)) ids.push(document.id);
    return ids.sort();
  };
  const ids = await idsOf({});
  t.deepEqual(await idsOf({ index: 'registered' }), ids);
  for (const tag of ['x', 'y']) t.deepEqual(await idsOf({ index: 'tags', equals: [tag] }), ids);
  t.deepEqual(await idsOf({ index: 'serialNumber' }), ids);
  t.is(await devicesOf(at).count(), ids.length);

  const parameters = store.collection<ParameterDocument>(PARAMETERS);
  const reported: string[] = [];
  for await (const { document } of parameters.scan({})) reported.push(document.id);
  t.deepEqual(reported.sort(), ids.flatMap((id) => SUBTREES.map((subtree) => `${id}/${subtree}`)).sort());
  t.is(await parameters.count(), reported.length);

  t.is(await store.collection(UPGRADES).count(), at.cpes, 'results stay');
  for (const kept of [CPE_AUTH, CPE_PROOFS])
    t.is(await store.collection(kept).count(), at.cpes / WITH_CREDENTIALS, `${kept.name} stay`);
  return ids.length;
}
