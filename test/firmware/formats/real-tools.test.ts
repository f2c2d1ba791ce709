import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { Inspection } from '../../../firmware/formats/inspection.js';
import { temporaryDirectory } from '../../cli/support.js';
import { isProgram } from '../../support/is-program.js';
import { content } from './images.js';

/** Files as U-Boot's and squashfs's own tools write them. */

const run = promisify(execFile);
const isRequired = process.env['FERRY_REQUIRE_IMAGE_TOOLS'] !== undefined;

async function directoryFor(t: ExecutionContext, program: string): Promise<string | null> {
  const places = (process.env['PATH'] ?? '').split(':');
  if (!isRequired && !places.some((place) => isProgram(join(place, program)))) {
    t.log(`skipped: there is no ${program}`);
    t.pass();
    return null;
  }
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'kernel'), content(300_001));
  return directory;
}

async function inspected(path: string) {
  const inspection = new Inspection();
  inspection.update(await readFile(path));
  return inspection.end();
}

test('mkimage writes a uImage whose header and data are right', async (t) => {
  const directory = await directoryFor(t, 'mkimage');
  if (directory === null) return;
  const words = '-A mips -O linux -T kernel -C lzma -a 0x80060000 -e 0x80060000 -d kernel'.split(' ');
  await run('mkimage', [...words, '-n', 'Vendor HGW 3.1.4', 'image'], { cwd: directory });
  const found = await inspected(join(directory, 'image'));
  t.like(found.findings, [{ format: 'uimage', checksum: 'right', broken: [] }]);
  t.is(found.facts.version?.value, '3.1.4');
});

const SOURCE = `/dts-v1/;
/ {
  description = "Vendor firmware 5.0.2"; #address-cells = <1>;
  images {
    kernel-1 {
      description = "kernel"; data = /incbin/("kernel"); type = "kernel"; arch = "arm64"; os = "linux";
      compression = "none"; load = <0x40000000>; entry = <0x40000000>;
      hash-1 { algo = "crc32"; }; hash-2 { algo = "sha256"; };
    };
    fdt-1 {
      description = "fdt"; data = [00 11 22 33]; type = "flat_dt"; arch = "arm64"; compression = "none";
      hash-1 { algo = "sha1"; };
    };
  };
  configurations {
    default = "c1";
    c1 { description = "x"; kernel = "kernel-1"; fdt = "fdt-1"; compatible = "vendor,board-a", "vendor,board"; };
  };
};
`;

for (const [title, words] of [
  ['its data within', []],
  ['its data behind it', ['-E']],
  ['its data at a place of its own', ['-E', '-p', '0x2000']],
] as const) {
  test(`mkimage writes a FIT with ${title}, whose hashes are right`, async (t) => {
    const directory = await directoryFor(t, 'mkimage');
    if (directory === null) return;
    await writeFile(join(directory, 'source'), SOURCE);
    await run('mkimage', [...words, '-f', 'source', 'image'], { cwd: directory });
    const path = join(directory, 'image');
    const found = await inspected(path);
    t.like(found.findings, [{ format: 'fit', checksum: 'right', broken: [] }]);
    t.deepEqual(found.facts.boards?.value, ['vendor,board-a', 'vendor,board']);
    t.is(found.facts.version?.value, '5.0.2');
    const bytes = await readFile(path);
    const kernelAt = bytes.indexOf(content(300_001).subarray(0, 64));
    bytes[kernelAt + 100_000] = ~(bytes[kernelAt + 100_000] ?? 0);
    await writeFile(path, bytes);
    t.deepEqual((await inspected(path)).broken, [
      'the crc32 of /images/kernel-1 is not that of its data',
      'the sha256 of /images/kernel-1 is not that of its data',
    ]);
  });
}

test('mksquashfs writes a squashfs, which is known, and broken where it is cut', async (t) => {
  const directory = await directoryFor(t, 'mksquashfs');
  if (directory === null) return;
  await mkdir(join(directory, 'root'));
  await writeFile(join(directory, 'root', 'file'), content(50_000));
  await run('mksquashfs', ['root', 'image', '-noappend'], { cwd: directory });
  const path = join(directory, 'image');
  t.like(await inspected(path), { findings: [{ format: 'squashfs' }], broken: [] });
  await writeFile(path, (await readFile(path)).subarray(0, 20_000));
  t.regex((await inspected(path)).broken.join(), /the squashfs tells of \d+ bytes, and there are 20000/);
});
