import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import * as images from '../firmware/formats/images.js';
import { ferry, temporaryDirectory } from './support.js';

test('ferry image inspect tells what a file says of itself without any installation, and fails where it is broken', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'hgw.bin');
  const inspect = (...words: readonly string[]) => ferry(['image', 'inspect', path, ...words]);
  await writeFile(path, images.withMetadata(images.sysupgradeTar()));
  const { exitCode, stdout } = await inspect();
  t.is(exitCode, 0);
  t.regex(stdout, /fwtool-metadata: its checksums are right\nsysupgrade-tar: its checksums are right/);
  t.regex(stdout, /Version\s+│ 23\.05\.3/);
  const json = JSON.parse((await inspect('--json')).stdout);
  t.like(json, {
    file: path,
    findings: [{ format: 'fwtool-metadata' }, { format: 'sysupgrade-tar' }],
    facts: { boards: { value: ['tplink,archer-c7-v5'], from: 'supported_devices in the metadata' } },
    broken: [],
  });
  t.regex(json.sha256, /^[0-9a-f]{64}$/);

  const broken = images.fit(true);
  broken[broken.length - 5] = ~(broken.at(-5) ?? 0);
  await writeFile(path, broken);
  const failed = await inspect();
  t.is(failed.exitCode, 1);
  t.regex(failed.stderr, /hgw\.bin is broken: the crc32 of \/images\/kernel-1 is not that of its data/);

  const members = Array.from({ length: 100 }, (_, at) => `sysupgrade-x/${at}`);
  await writeFile(path, images.tar(members.map((name) => ({ name, content: Buffer.from(name) }))));
  const long = await inspect();
  t.is(long.exitCode, 0);
  t.regex(long.stdout, /^Not all of it was read: the tar has more than 64 members: .* are not read\.$/m);

  await writeFile(path, 'none that is known');
  t.regex((await inspect()).stdout, /of no format that Ferry knows/);
  t.regex((await ferry(['image', 'inspect', join(directory, 'none')])).stderr, /cannot be read/);
});
