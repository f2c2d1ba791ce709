import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CPE_PROOFS, DEVICES, type Device, NAMED_CPES } from '../../acs/index.js';
import { cpeidOf, deviceOf, openTestInstallation } from '../support/installation.js';
import { ferry, temporaryDirectory } from './support.js';

/** CPEs 1 to 4, all of which wait: the first two are north's. */
async function withFour(t: ExecutionContext) {
  const dataDir = await temporaryDirectory(t);
  const installation = await openTestInstallation(dataDir);
  for (let n = 1; n <= 4; n++)
    await installation.store
      .collection<Device>(DEVICES)
      .put({ ...deviceOf(cpeidOf(n), null), enrolment: 'waiting' });
  for (const n of [1, 3])
    await installation.store
      .collection<{ id: string; username: string; atMs: number }>(CPE_PROOFS)
      .put({ id: cpeidOf(n), username: `${n}`, atMs: 1 });
  await installation.close();
  const command = (...args: readonly string[]) => ferry([...args, `--data-dir=${dataDir}`]);
  for (const slug of ['north', 'south']) t.is((await command('organization', 'add', slug)).exitCode, 0);
  for (const n of [1, 2]) t.is((await command('device', 'organization', cpeidOf(n), 'north')).exitCode, 0);
  t.is((await command('device', 'organization', cpeidOf(3), 'south')).exitCode, 0);
  const listed = async (...args: readonly string[]) => {
    const { stdout } = await command('device', 'list', '--json', ...args);
    return (JSON.parse(stdout) as { readonly id: string }[]).map(({ id }) => Number(id.slice(-1))).join();
  };
  const named = async () => {
    const opened = await openTestInstallation(dataDir);
    const count = await opened.store.collection(NAMED_CPES).count();
    await opened.close();
    return count;
  };
  const device = (...args: readonly string[]) => command('device', ...args);
  return { dataDir, device, listed, named };
}

test('device list, show and delete are about one organization’s CPEs with --organization', async (t) => {
  const { device, listed } = await withFour(t);
  t.is(await listed(), '1,2,3,4');
  t.is(await listed('--organization=north'), '1,2');
  t.is(await listed('--organization=default'), '4');
  t.is(await listed('--filter=organization=south'), '3');
  const nobody = await device('list', '--organization=nobody');
  t.like(nobody, {
    exitCode: 1,
    stderr: 'ferry: There is no organization nobody; ferry organization list shows them.\n',
  });
  const foreign = await device('show', cpeidOf(3), '--organization=north');
  t.like(foreign, { exitCode: 1, stderr: `ferry: No CPE ${cpeidOf(3)} is known.\n` });
  t.is((await device('show', cpeidOf(2), '--organization=north')).exitCode, 0);
  const none = await device('delete', cpeidOf(3), '--organization=north', '--yes');
  t.is(none.exitCode, 1);
  const deleted = await device('delete', '--all', '--organization=north', '--yes');
  t.like(deleted, { exitCode: 0, stdout: 'Deleted 2 CPEs.\n' });
  t.is(await listed(), '3,4');
});

test('device approve takes of an organization its known CPEs alone, and none where one is not', async (t) => {
  const { dataDir, device, listed, named } = await withFour(t);
  for (const other of [3, 9]) {
    const refused = await device('approve', cpeidOf(1), cpeidOf(other), '--organization=north');
    t.like(refused, { exitCode: 1, stderr: `ferry: No CPE ${cpeidOf(other)} is known in north.\n` });
    const file = join(dataDir, 'ids');
    await writeFile(file, `${cpeidOf(1)}\n${cpeidOf(other)}\n`);
    t.is((await device('approve', '--from', file, '--organization=north')).exitCode, 1);
  }
  t.is(await listed('--waiting'), '1,2,3,4');
  t.is(await named(), 0);
  const one = await device('approve', cpeidOf(1), '--organization=north');
  t.like(one, { exitCode: 0, stdout: 'Enrolled 1 CPE.\n' });
  const rest = await device('approve', '--all-waiting', '--organization=north');
  t.like(rest, { exitCode: 0, stdout: 'Enrolled 1 CPE.\n' });
  t.is(await listed('--waiting'), '3,4');
});

test('device readmit takes of an organization its CPEs alone', async (t) => {
  const { device } = await withFour(t);
  const foreign = await device('readmit', cpeidOf(3), '--organization=north');
  t.is(foreign.exitCode, 1);
  t.regex(foreign.stderr, /or does not belong to north/);
  t.is((await device('readmit', cpeidOf(1), '--organization=north')).exitCode, 0);
  t.is((await device('readmit', cpeidOf(3))).exitCode, 0);
});
