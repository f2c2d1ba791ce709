import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { content, uimage, withMetadata } from '../firmware/formats/images.js';
import { ferry, temporaryDirectory } from './support.js';

async function withImage(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'openwrt.bin');
  await writeFile(file, withMetadata(content(10_000)));
  const run = (...args: readonly string[]) => ferry([...args, `--data-dir=${join(directory, 'data')}`]);
  return { directory, file, run };
}

test('image add tells what the file says, and warns of what was typed otherwise', async (t) => {
  const { file, run } = await withImage(t);
  const added = await run('image', 'add', file);
  t.is(added.exitCode, 0, added.stderr);
  t.deepEqual(added.stdout.split('\n').slice(1), [
    'Its format is fwtool-metadata.',
    'From the file: Version 23.05.3',
    'From the file: Hardware tplink_archer-c7-v5; CPEs are not held against it',
    'From the file: Boards tplink,archer-c7-v5',
    '',
  ]);
  const typed = ['--name=b.bin', '--software-version=22.03.1', '--boards=linksys,e8450; linksys,e8450-ubi'];
  const other = await run('image', 'add', file, ...typed);
  t.is(other.exitCode, 0, other.stderr);
  t.regex(
    other.stdout,
    /^Warning: softwareVersion was given as "22\.03\.1", but the file says "23\.05\.3" \(/m,
  );
  t.regex(
    other.stdout,
    /^Warning: boards were given as "linksys,e8450", "linksys,e8450-ubi", but the file is for /m,
  );
  const [second, first] = JSON.parse((await run('image', 'list', '--json')).stdout);
  t.like(second, { softwareVersion: '22.03.1', boards: ['linksys,e8450', 'linksys,e8450-ubi'] });
  t.is(second.warnings.length, 2);
  t.like(first, { fromFile: ['softwareVersion', 'hardwareVersion', 'boards'], formats: ['fwtool-metadata'] });
  const strict = await run('image', 'add', file, '--name=c.bin', '--software-version=1', '--strict-images');
  t.is(strict.exitCode, 1);
  t.regex(strict.stderr, /but the file says "23\.05\.3".*: correct it, or leave it out/);
});

test('image add refuses what is broken', async (t) => {
  const { directory, run } = await withImage(t);
  const broken = Buffer.from(uimage());
  broken.writeUInt8(broken.readUInt8(200) ^ 1, 200);
  await writeFile(join(directory, 'broken.bin'), broken);
  const { exitCode, stderr } = await run('image', 'add', join(directory, 'broken.bin'));
  t.is(exitCode, 1);
  t.regex(stderr, /^ferry: the file is broken: /m);
});

test('image sync carries what the files said, and asks them for nothing', async (t) => {
  const { directory, file, run } = await withImage(t);
  await run('image', 'add', file);
  await run('image', 'add', file, '--name=b.bin', '--software-version=22.03.1', '--boards=a,b');
  const from = `--from=${join(directory, 'data')}`;
  const to = join(directory, 'copy');
  const sync = () =>
    ferry(['image', 'sync', from, `--to=${to}`], { environment: { FERRY_STRICT_IMAGES: 'true' } });
  t.is((await sync()).stdout, 'Copied 2 images; there already: 0.\n');
  const listed = async (dataDir: string) =>
    JSON.parse((await ferry(['image', 'list', '--json', `--data-dir=${dataDir}`])).stdout).map(
      ({ contentFile: _, uploadedAtMs: __, ...image }: Record<string, unknown>) => image,
    );
  t.deepEqual(await listed(to), await listed(join(directory, 'data')));
  t.is((await sync()).stdout, 'Copied 0 images; there already: 2.\n');
});

test('rules test holds CPEs against the boards of images', async (t) => {
  const { directory } = await withImage(t);
  const rule = {
    id: 'r1',
    file: 'a.bin',
    condition: { productClass: 'HGW' },
    target: { softwareVersion: '2' },
  };
  await writeFile(join(directory, 'r1.json'), JSON.stringify(rule));
  const images = { 'a.bin': { boards: ['tplink,archer-c7-v5'] } };
  const cases = [
    ['another model', { modelName: 'linksys,e8450' }, 'image-does-not-fit', 'chosen'],
    [
      'another board',
      { parameters: { 'Device.DeviceInfo.X_ACME_Board': 'linksys,e8450' } },
      'chosen',
      'image-does-not-fit',
    ],
    [
      'the board',
      { modelName: 'x,y', parameters: { 'Device.DeviceInfo.X_ACME_Board': 'tplink,archer-c7-v5' } },
      'image-does-not-fit',
      'chosen',
    ],
  ] as const;
  for (const [at, options] of [
    [2, []],
    [3, ['--board-parameter=Device.DeviceInfo.X_ACME_Board']],
  ] as const) {
    const tests = cases.slice(at === 2 ? 0 : 1).map(([name, cpe, ...verdicts]) => {
      const verdict = verdicts[at - 2] ?? '';
      const decision = verdict === 'chosen' ? 'upgrade' : 'nothing';
      return { name, cpe, images, expect: { decision, verdicts: { r1: verdict } } };
    });
    await writeFile(join(directory, 'r1.test.json'), JSON.stringify({ cases: tests }));
    const { exitCode, stdout, stderr } = await ferry([
      'rules',
      'test',
      join(directory, 'r1.json'),
      ...options,
    ]);
    t.is(exitCode, 0, stdout + stderr);
  }
  const wrong = await ferry(['rules', 'test', join(directory, 'r1.json'), '--board-parameter=Board']);
  t.is(wrong.exitCode, 2);
  t.regex(wrong.stderr, /^ferry: --board-parameter must be the full name of a parameter/);
});
