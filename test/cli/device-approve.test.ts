import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device, NAMED_CPES } from '../../acs/index.js';
import { cpeidOf, deviceOf, openTestInstallation } from '../support/installation.js';
import { ferry, temporaryDirectory } from './support.js';

/** CPEs 1 to 4, of which the last is enrolled. */
async function withFour(t: ExecutionContext) {
  const dataDir = await temporaryDirectory(t);
  const installation = await openTestInstallation(dataDir);
  for (let n = 1; n <= 4; n++) {
    const device: Device = {
      ...deviceOf(cpeidOf(n), null),
      ip: n < 3 ? '192.0.2.1' : '198.51.100.1',
      ...(n < 4 && { enrolment: 'waiting' }),
    };
    await installation.store.collection<Device>(DEVICES).put(device);
  }
  await installation.close();
  const device = (...args: readonly string[]) => ferry(['device', ...args, `--data-dir=${dataDir}`]);
  const waiting = async () => {
    const { stdout } = await device('list', '--waiting', '--json');
    return (JSON.parse(stdout) as { readonly id: string }[]).map(({ id }) => Number(id.slice(-1)));
  };
  /** A file beside the installation. */
  const file = async (text: string) => {
    const path = join(dataDir, 'ids');
    await writeFile(path, text);
    return path;
  };
  const named = async () => {
    const opened = await openTestInstallation(dataDir);
    const count = await opened.store.collection(NAMED_CPES).count();
    await opened.close();
    return count;
  };
  return { device, waiting, file, named };
}

test('device list --waiting lists those that wait, device approve --all-waiting enrols them, of one subnet or all', async (t) => {
  const { device, waiting } = await withFour(t);
  t.deepEqual(await waiting(), [1, 2, 3]);
  t.regex((await device('list')).stdout, /0000001 .*│ waits +│/);
  const ofSubnet = await device('approve', '--all-waiting', '--ip=192.0.2.0/24');
  t.like(ofSubnet, { exitCode: 0, stdout: 'Enrolled 2 CPEs.\n' });
  t.deepEqual(await waiting(), [3]);
  t.is((await device('approve', '--all-waiting')).stdout, 'Enrolled 1 CPE.\n');
  t.deepEqual(await waiting(), []);
});

test('device approve takes ids from a file, one a line or a column of CSV, and names those that are not heard of', async (t) => {
  const { device, waiting, file, named } = await withFour(t);
  const lines = await device('approve', `--from=${await file(`${cpeidOf(1)}\r\n\n${cpeidOf(4)}\n`)}`);
  t.is(lines.stdout, 'Enrolled 1 CPE.\n1 CPE enrolled already.\n', lines.stderr);
  const csv = await file(
    `\uFEFFplace,CpeId\n"Graz, 2",${cpeidOf(2)}\nWien,${cpeidOf(8)}\nWien,${cpeidOf(9)}\n`,
  );
  const columns = await device('approve', `--from=${csv}`);
  t.regex(columns.stdout, /^Enrolled 1 CPE\.\n2 CPEs not heard of yet: /, columns.stderr);
  t.deepEqual(await waiting(), [3]);
  t.is(await named(), 2);
});

test('of a file with a damaged line nothing is approved, and the line is named', async (t) => {
  const { device, waiting, file, named } = await withFour(t);
  for (const [text, message] of [
    [`${cpeidOf(1)}\nnot an id\n`, /ids, line 2: cpeid must be OUI-ProductClass-SerialNumber/],
    // Where CPEs are told apart by more than their serial numbers.
    [`${cpeidOf(1)}\nS1\n`, /ids, line 2: cpeid must be OUI-ProductClass-SerialNumber/],
    [`serial,place\n1,Graz\n`, /ids, line 1: has several fields, and none is called cpeid/],
    [`cpeid\n${cpeidOf(1)}\n"${cpeidOf(9)}\n`, /ids, line \d: is too long, or its quotes do not match/],
  ] as const) {
    const refused = await device('approve', `--from=${await file(text)}`);
    t.is(refused.exitCode, 1);
    t.regex(refused.stderr, message);
  }
  t.deepEqual(await waiting(), [1, 2, 3]);
  t.is(await named(), 0);
});

test('device approve says which are meant, or does nothing', async (t) => {
  const { device, waiting } = await withFour(t);
  for (const args of [
    [],
    [cpeidOf(1), '--all-waiting'],
    [cpeidOf(1), '--ip=192.0.2.1'],
    ['--all-waiting', '--ip=nowhere'],
    ['not an id'],
  ])
    t.is((await device('approve', ...args)).exitCode, 2, args.join(' '));
  t.deepEqual(await waiting(), [1, 2, 3]);
});
