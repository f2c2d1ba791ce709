import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ferry, temporaryDirectory } from './support.js';

async function installation(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  const image = join(directory, 'a.bin');
  await writeFile(image, 'content');
  const on = (name: string) => {
    const ended = async (exitCode: number, args: readonly string[]) => {
      const result = await ferry([...args, `--data-dir=${join(directory, name)}`]);
      t.is(result.exitCode, exitCode, `${args.join(' ')}: ${result.stderr}`);
      return result;
    };
    return {
      run: async (...args: readonly string[]) => (await ended(0, args)).stdout,
      refused: async (...args: readonly string[]) => (await ended(1, args)).stderr,
    };
  };
  return { directory, image, on, ...on('data') };
}

const json = (text: string) => JSON.parse(text);

test('ferry image category and ferry image build add, list, show, rename and remove', async (t) => {
  const { run, refused, image } = await installation(t);
  t.regex(
    await run('image', 'category', 'add', 'Gateways', '--product-family=Example', '--product-model=HGW'),
    /^Added Gateways, [0-9a-f-]{36}\.\n$/,
  );
  t.regex(await refused('image', 'category', 'add', 'Gateways'), /there is a category Gateways already/);
  await run('image', 'category', 'rename', 'Gateways', 'Home gateways');
  t.regex(await refused('image', 'build', 'add', 'Gateways', '2.0.0'), /There is no category Gateways;/);
  await run('image', 'build', 'add', 'Home gateways', '2.0.0', '--changelog=Faster');
  const build = 'Home gateways/2.0.0';
  t.regex(await refused('image', 'add', image, `--build=${build}x`, '--type=A'), /There is no build/);
  await run('image', 'add', image, `--build=${build}`, '--type=A', '--software-version=2.0.0-r1');
  const other = ['image', 'add', image, '--name=b.bin', `--build=${build}`] as const;
  t.regex(await refused(...other, '--type=A'), /the build has a\.bin for A already/);
  t.regex(await run('image', 'build', 'show', build), /2\.0\.0-r1.*Faster.*A +│ a\.bin/s);
  const shown = json(await run('image', 'build', 'show', build, '--json'));
  t.like(shown, { version: '2.0.0', targetVersion: '2.0.0-r1', images: [{ type: 'A', name: 'a.bin' }] });
  t.is(json(await run('image', 'build', 'list', 'Home gateways', '--json')).length, 1);
  t.regex(await run('image', 'build', 'list'), /Home gateways +│ 2\.0\.0 /);
  t.regex(await run('image', 'category', 'list'), /Home gateways +│ shared +│ Example +│ HGW +│ 1 /);
  t.like(json(await run('image', 'list', '--json'))[0], { build: shown.id, type: 'A' });
  t.regex(await refused('image', 'category', 'remove', 'Home gateways'), /one without builds/);
  t.regex(await refused('image', 'build', 'remove', shown.id), /one without images/);
  await run('image', 'category', 'remove', 'Home gateways', '--with-images');
  t.regex(await run('image', 'list'), /No images yet/);
  t.regex(await run('image', 'build', 'list'), /No builds yet/);
  t.regex(await run('image', 'category', 'list'), /No categories yet/);
});

test('an organization has categories of its own, and removes nothing that is shared', async (t) => {
  const { run, refused, image } = await installation(t);
  await run('image', 'category', 'add', 'Gateways');
  await run('image', 'build', 'add', 'Gateways', '1');
  await run('image', 'add', image, '--build=Gateways/1', '--type=A');
  await run('organization', 'add', 'north');
  const north = '--organization=north';
  t.is(json(await run('image', 'build', 'list', '--json', north)).length, 1);
  t.regex(
    await refused('image', 'build', 'remove', 'Gateways/1', '--with-images', north),
    /a build that there is/,
  );
  t.regex(
    await refused('image', 'category', 'remove', 'Gateways', '--with-images', north),
    /a category that there is/,
  );
  await run('image', 'category', 'add', 'Gateways', north);
  await run('image', 'build', 'add', 'Gateways', '1', north);
  t.is(json(await run('image', 'build', 'show', 'Gateways/1', '--json', north)).organization, 'north');
  t.is(json(await run('image', 'build', 'show', 'Gateways/1', '--json')).organization, undefined);
  await run('image', 'build', 'remove', 'Gateways/1', '--with-images', north);
  t.is(json(await run('image', 'list', '--json')).length, 1);
});

test('ferry image sync copies an image into no build that another organization has there', async (t) => {
  const { run, on, directory, image } = await installation(t);
  const north = '--organization=north';
  // The first of all makes the data directory, which organizations do not.
  await run('image', 'category', 'add', 'Shared');
  await run('organization', 'add', 'north');
  await run('image', 'category', 'add', 'Gateways', north);
  await run('image', 'build', 'add', 'Gateways', '1', north);
  await run('image', 'add', image, '--build=Gateways/1', '--type=A', north);
  const file = join(directory, 'rest.backup');
  await run('backup', file, '--no-images');
  const [from, to] = [join(directory, 'data'), join(directory, 'rest')];
  const rest = (...args: readonly string[]) =>
    on('rest').run(...args, `--secret-file=${join(from, 'secret.key')}`);
  await rest('restore', file);
  await rest('organization', 'rename', 'north', '--to=old');
  await rest('organization', 'add', 'north');
  const { exitCode, stderr } = await ferry(['image', 'sync', `--from=${from}`, `--to=${to}`]);
  t.is(exitCode, 0, stderr);
  const [copied] = json(await rest('image', 'list', '--json'));
  t.is(copied.organization, 'north');
  t.is(copied.build, undefined);
});

test('a backup brings builds, places and numbers back; without images they wait for ferry image sync', async (t) => {
  const { run, on, directory, image } = await installation(t);
  await run('image', 'category', 'add', 'Gateways', '--product-family=Example');
  await run('image', 'build', 'add', 'Gateways', '1', '--os=HGW 1');
  await run('image', 'add', image, '--build=Gateways/1', '--type=A');
  const seen = async ({ run: asked }: Pick<ReturnType<typeof on>, 'run'>) => ({
    categories: json(await asked('image', 'category', 'list', '--json')),
    builds: json(await asked('image', 'build', 'list', '--json')),
    images: json(await asked('image', 'list', '--json')).map(
      ({ number, build, type }: Readonly<Record<string, unknown>>) => ({ number, build, type }),
    ),
  });
  const before = await seen({ run });
  t.regex(String(before.images[0].number), /^\d{9}$/);
  const key = `--secret-file=${join(directory, 'data', 'secret.key')}`;
  for (const [name, ...options] of [['whole'], ['rest', '--no-images']] as const) {
    const file = join(directory, `${name}.backup`);
    await run('backup', file, ...options);
    const restored = on(name);
    await restored.run('restore', file, key);
    if (name === 'rest') {
      t.deepEqual((await seen({ run: (...args) => restored.run(...args, key) })).images, []);
      const [from, to] = [join(directory, 'data'), join(directory, name)];
      t.is((await ferry(['image', 'sync', `--from=${from}`, `--to=${to}`])).exitCode, 0);
    }
    t.deepEqual(await seen({ run: (...args) => restored.run(...args, key) }), before, name);
  }
});
