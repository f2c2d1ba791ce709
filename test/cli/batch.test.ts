import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../acs/index.js';
import { batchText } from '../../cli/commands/batch/report.js';
import type { BatchId, CpeId } from '../../common/index.js';
import { OrganizationsNow } from '../../organizations/index.js';
import { BATCHES, type Batch, type Progress } from '../../rollout/index.js';
import { cpeidOf, deviceOf, openTestInstallation, populate } from '../support/installation.js';
import { type Ended, ferry, serve, temporaryDirectory } from './support.js';

/** An installation with the image a.bin and so many CPEs, and commands on it. No server runs. */
async function start(t: ExecutionContext, cpes: number) {
  const dataDir = await temporaryDirectory(t);
  const installation = await openTestInstallation(dataDir);
  await populate(installation, 0);
  const devices = installation.store.collection<Device>(DEVICES);
  await installation.store.commit(
    Array.from({ length: cpes }, (_, at) => devices.putting(deviceOf(cpeidOf(at + 1), null))),
  );
  await installation.close();
  const batch = (...args: readonly string[]): Promise<Ended> =>
    ferry(['batch', ...args, `--data-dir=${dataDir}`]);
  const file = async (text: string) => {
    const path = join(dataDir, 'cpes');
    await writeFile(path, text);
    return path;
  };
  const create = async (...args: readonly string[]) => {
    const made = await batch('create', '--name=Berlin', '--image=a.bin', '--json', ...args);
    t.is(made.exitCode, 0, made.stderr);
    return JSON.parse(made.stdout) as {
      readonly id: string;
      readonly state: string;
      readonly progress: Progress;
    };
  };
  return { dataDir, batch, file, create };
}

test('batch create makes one of a file, of standard input, of all or by condition, and says what became of whom', async (t) => {
  const { dataDir, batch, file, create } = await start(t, 4);
  const path = await file(`place,cpeid\nGraz,${cpeidOf(1)}\nWien,${cpeidOf(2)}\nWien,nobody\n`);
  const said = await batch('create', '--name=Berlin', '--image=a.bin', `--cpes=${path}`);
  t.is(said.exitCode, 0, said.stderr);
  t.regex(said.stdout, /^Made Berlin, [0-9a-f-]{36}\nidle: 3 CPEs, 2 pending, 1 skipped\n/);
  t.regex(said.stdout, /unknown-device +│ 1 +│ no such device is known +│ nobody/);
  t.regex(said.stderr, /^Making: /m);
  t.regex(said.stdout, /^ferry batch watch [0-9a-f-]{36} shows how it goes on\.$/m);

  const input = `${cpeidOf(1)}\n${cpeidOf(4)}\n`;
  const piped = await ferry(
    ['batch', 'create', '--name=In', '--image=a.bin', '--cpes=-', '--json', `--data-dir=${dataDir}`],
    { input },
  );
  t.is((JSON.parse(piped.stdout) as { progress: Progress }).progress.byState.pending, 2, piped.stderr);
  const all = await create('--all', '--priority=7', '--wake-per-second=0', '--once');
  t.like(all, { state: 'idle', priority: 7, wakePerSecond: 0, persistent: false });
  t.is(all.progress.byState.pending, 4);
  t.like(await create('--all', '--note=At night'), { through: 'batches', note: 'At night' });
  const late = await create('--all', '--not-before=2999-01-01T02:00:00+01:00');
  t.is(late.state, 'scheduled');
  t.like(await create('--condition={"productClass":"HGW"}', '--total=5', '--concurrent=2'), {
    whom: { kind: 'condition', condition: { productClass: 'HGW' } },
    limits: { total: 5, concurrent: 2 },
  });
  t.like(await create('--condition=productClass = "HGW"'), { whom: { condition: 'productClass = "HGW"' } });
});

test('what cannot be made is said, with option or line, and nothing of it is left', async (t) => {
  const { batch, file } = await start(t, 2);
  const all = ['--name=x', '--image=a.bin', '--all'];
  const cases: readonly (readonly [exitCode: number, message: RegExp, args: readonly string[]])[] = [
    [2, /--name is needed/, ['--image=a.bin', '--all']],
    [2, /say what to send: --image, or --build/, ['--name=x', '--all']],
    [2, /say what to send/, [...all, '--build=b']],
    [2, /say for whom/, ['--name=x', '--image=a.bin']],
    [2, /say for whom/, [...all, '--condition=true']],
    [1, /--image must be the name of an image that there is/, ['--name=x', '--image=no.bin', '--all']],
    [1, /--not-before must be /, [...all, '--not-before=tomorrow']],
    [1, /--not-after must be a time that is not over/, [...all, '--not-after=2020-01-01T00:00:00Z']],
    [1, /--wake-per-second must be /, [...all, '--wake-per-second=-1']],
    [1, /--concurrent, --total and --stop-after-failures must be left out: /, [...all, '--total=5']],
    [
      1,
      /--concurrent must be /,
      ['--name=x', '--image=a.bin', '--condition={"productClass":"HGW"}', '--concurrent=0'],
    ],
    [1, /--total must be /, ['--name=x', '--image=a.bin', '--condition={"productClass":"HGW"}', '--total=0']],
    [1, /--condition must be /, ['--name=x', '--image=a.bin', '--condition=1 +']],
    [1, /There is no organization nowhere/, [...all, '--organization=nowhere']],
    [
      1,
      /cpes, line 2: cpeid must be the id of a CPE/,
      [...all.slice(0, 2), `--cpes=${await file(`a\n${'x'.repeat(600)}`)}`],
    ],
    [1, /missing cannot be read/, [...all.slice(0, 2), '--cpes=missing']],
  ];
  for (const [exitCode, message, args] of cases) {
    const ended = await batch('create', ...args);
    t.is(ended.exitCode, exitCode, `${args.join(' ')} ${ended.stderr}`);
    t.regex(ended.stderr, message);
  }
  t.regex((await batch('list')).stdout, /^No such batches/);
  t.regex((await batch('show', 'none')).stderr, /There is no batch none; ferry batch list shows them\./);
});

test('batches are listed, shown with their CPEs, cancelled, tried again and deleted', async (t) => {
  const { batch, create, file } = await start(t, 3);
  const { id } = await create(`--cpes=${await file([1, 2, 3].map(cpeidOf).join('\n'))}`);
  await create('--all', '--not-before=2999-01-01T00:00:00Z');
  t.regex(
    (await batch('list')).stdout,
    /Berlin +│ a\.bin +│ scheduled +│ 0\/3.*Berlin +│ a\.bin +│ idle +│ 0\/3/s,
  );
  const idle = JSON.parse((await batch('list', '--state=idle', '--json')).stdout) as { id: string }[];
  t.deepEqual(
    idle.map((each) => each.id),
    [id],
  );
  t.regex((await batch('list', '--limit=1')).stdout, /There are more/);
  const shown = (await batch('show', id)).stdout;
  t.regex(shown, new RegExp(`id +│ ${id}`));
  t.regex(shown, /to +│ the CPEs that were named.*^idle: 3 CPEs, 3 pending$/ms);

  const one = await batch('cancel', id, `--cpe=${cpeidOf(2)}`);
  t.is(one.stdout, `Cancelled for ${cpeidOf(2)}.\n`, one.stderr);
  t.regex((await batch('cancel', id, `--cpe=${cpeidOf(2)}`)).stderr, /one that has not ended/);
  t.regex((await batch('cancel', id, '--cpe=nobody')).stderr, /There is no such CPE in this batch/);
  const cancelled = JSON.parse(
    (await batch('operations', id, '--state=cancelled', '--json')).stdout,
  ) as object;
  t.like(cancelled, { cpeid: cpeidOf(2), reason: 'withdrawn' });
  const log = (await batch('operations', id, `--cpe=${cpeidOf(2)}`)).stdout;
  t.regex(log, /│ cancelled │.*What happened.*waits for the device/s);
  t.is((await batch('retry', id, '--reason=fault-9010')).stdout, '0 CPEs wait again.\n');
  t.is((await batch('retry', id, `--cpe=${cpeidOf(2)}`)).stdout, '1 CPE waits again.\n');

  t.is(
    (await batch('cancel', id)).stdout,
    'Cancelled Berlin: nothing more of it is sent.\n3 CPEs, 3 cancelled\n',
    'all of it is withdrawn when the command ends',
  );
  const watched = await batch('watch', id);
  t.is(watched.exitCode, 1);
  t.regex(watched.stdout, /^cancelled: 3 CPEs, 3 cancelled\n.*withdrawn/s);
  t.regex(watched.stderr, /The batch ended as cancelled\./);
  t.is((await batch('retry', id)).stdout, '3 CPEs wait again.\n');
  t.is((await batch('delete', id)).stdout, 'Deleted Berlin.\n');
  t.is((await batch('show', id)).exitCode, 1);
  t.regex((await batch('delete', id)).stderr, /There is no batch/);
});

test('a batch whose time is over is not tried again, whatever options are given', async (t) => {
  const { dataDir, batch, create } = await start(t, 1);
  const { id } = await create('--all', '--not-after=2999-01-01T00:00:00Z');
  const { store, close } = await openTestInstallation(dataDir);
  const batches = store.collection<Batch>(BATCHES);
  const stored = await batches.get(id);
  if (stored !== null) await batches.put({ ...stored.document, notAfter: '2020-01-01T00:00:00Z' });
  await close();
  const ended = await batch('retry', id);
  t.is(ended.exitCode, 1);
  t.regex(ended.stderr, /This needs a batch whose time is not over: make a new one\./);
});

test('batch watch ends with the batch, and with 0 where it was a success', async (t) => {
  const { batch, create } = await start(t, 0);
  const { id, state } = await create('--all');
  t.is(state, 'success', 'there is nobody');
  const watched = await batch('watch', id, '--json');
  t.is(watched.exitCode, 0, watched.stderr);
  t.like(JSON.parse(watched.stdout) as object, { id, state: 'success' });
});

test('what a command makes and cancels a server beside it shows at once', async (t) => {
  const { dataDir, batch, create } = await start(t, 2);
  const server = await serve(t, dataDir, [], { environment: { FERRY_ADMIN_PASSWORD: 'a test password' } });
  const { id } = await create('--all', '--wake-per-second=0');
  const get = async () => {
    const response = await fetch(`${server.urls.nbi}/v1/batches/${id}`, {
      headers: { Authorization: `Basic ${Buffer.from('op:a test password').toString('base64')}` },
    });
    return ((await response.json()) as { details: { state: string; progress: { cancelled: number } } })
      .details;
  };
  t.is((await get()).state, 'idle');
  t.is((await batch('cancel', id)).exitCode, 0);
  t.is((await get()).state, 'cancelled');
});

test('a batch reads well in 80 columns, whatever it is called', (t) => {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const batch: Batch = {
    id: '00000000-0000-4000-8000-000000000000' as BatchId,
    name: 'The gateways of Berlin, of which there are a great many, in their houses \u001b[31m',
    what: { image: 'hgw-2.0.0.bin' },
    whom: { kind: 'condition', condition: { productClass: 'HGW', 'tags.0': 'a long text of its own' } },
    persistent: true,
    limits: { total: 5, concurrent: 100_000, stopAfterFailures: 10_000 },
    priority: 0,
    wakePerSecond: 10,
    options: {},
    phase: 'made',
    through: 'firmware-slots',
    note: 'Said\nin lines, one of which is far longer than there are columns to show it in\r\n\u001b[31m',
    by: 'admin',
    createdAtMs: 0,
    updatedAtMs: 0,
  };
  const cpeid = '00A1B2-Residential%20Gateway-000000000000000001' as CpeId;
  const progress: Progress = {
    state: 'in-progress',
    total: 1_000_000,
    byState: {
      pending: 100_000,
      running: 100_000,
      verified: 700_000,
      failed: 50_000,
      'timed-out': 10_000,
      cancelled: 0,
      skipped: 40_000,
    },
    byReason: { 'fault-9010': 50_000, 'not-heard-of': 10_000, 'other-version': 40_000, duplicate: 0 },
    examples: { 'fault-9010': [cpeid], 'not-heard-of': [cpeid, cpeid], 'other-version': [] },
  };
  const text = batchText(batch, progress, new OrganizationsNow(0, []), { stdout });
  for (const line of text.split('\n')) t.true(line.length <= 80, line);
  t.false(text.includes('\u001b[31m'), 'a name cannot steer the terminal');
  t.false(text.includes('duplicate'));
});
