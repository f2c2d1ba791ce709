import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeImage, type SimulatedCpe } from '../../cpe-sim/index.js';
import { openLmdbStore } from '../../store/index.js';
import { openTestRules } from '../rules/setup.js';
import { BY } from '../support/actor.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { cpeidOf, createCpe, introduce, OLD_VERSION, outcomes, PRODUCT_CLASS } from './simulated.js';

const FILE = 'hgw.bin';
const ONLY_NORTH = 'north.bin';

function imageOf(softwareVersion: string): Buffer {
  return makeImage({ softwareVersion, productClass: PRODUCT_CLASS, sizeBytes: 16 * 1024 });
}

async function upload(
  { nbi }: TestFerry,
  name: string,
  version: string,
  organization?: string,
): Promise<number> {
  const whose = organization === undefined ? '' : `&organization=${organization}`;
  const path = `/v1/images/${name}?softwareVersion=${version}${whose}`;
  return (await nbi('PUT', path, new Uint8Array(imageOf(version)))).status;
}

async function add({ nbi }: TestFerry, slug: string): Promise<string> {
  const { body } = await nbi('POST', '/v1/dyn/OrganizationStorage/.*', { name: slug, slug });
  return (body as { readonly details: readonly [{ readonly id: string }] }).details[0].id;
}

/** A CPE that belongs to an organization. */
async function introduceIn(
  t: ExecutionContext,
  { nbi, urls }: TestFerry,
  serial: string,
  slug: string,
): Promise<SimulatedCpe> {
  const cpe = createCpe(t, urls.cwmp, serial);
  await introduce(nbi, cpe);
  const { status } = await nbi('PUT', `/v1/dyn/DeviceStorage/${cpeidOf(serial)}`, { organization: slug });
  t.is(status, 200);
  return cpe;
}

for (const [how, fileAuth, pathTo] of [
  ['by token', '', (image: string) => new RegExp(`/t/[\\w-]{28}/${image}$`)],
  ['by credentials', 'files:a file password', (image: string) => new RegExp(`/files/${image}$`)],
] as const) {
  test(`CPEs of two organizations fetch ${how} what the same name means to each`, async (t) => {
    const ferry = await startTestFerry(t, { config: { periodicInformSeconds: 1, fileAuth } });
    const [north, south] = [await add(ferry, 'north'), await add(ferry, 'south')];
    t.is(await upload(ferry, FILE, '3.0.0'), 201);
    t.is(await upload(ferry, FILE, '2.0.0', 'north'), 201);
    t.is(await upload(ferry, ONLY_NORTH, '4.0.0', 'north'), 201);
    const cpes = {
      north: await introduceIn(t, ferry, '1', 'north'),
      south: await introduceIn(t, ferry, '2', 'south'),
    };
    const store = await openLmdbStore({ directory: join(ferry.dataDir, 'store') });
    t.teardown(() => store.close());
    const { rules } = await openTestRules(t, store);
    const rule = { condition: { productClass: PRODUCT_CLASS }, enabled: true, automatic: true };
    const post = (organization: string, ...bodies: readonly object[]) =>
      rules.put(
        bodies.map((body) => ({ ...rule, ...body })),
        { by: BY, onlyNew: true, organization },
      );
    // What north has is missing to south: so its next rule is.
    await post(
      south,
      { id: 'FIRST', file: ONLY_NORTH, priority: 2 },
      { id: 'SECOND', file: `${ferry.urls.files}/files/${north}/${FILE}`, priority: 2 },
      { id: 'UPGRADE', file: FILE, priority: 1 },
    );
    await post(north, { id: 'UPGRADE', file: FILE, priority: 1 });
    for (const [serial, version] of [
      ['1', '2.0.0'],
      ['2', '3.0.0'],
    ] as const) {
      const succeeded = `200 Upgrade has succeeded: software version ${version}, before ${OLD_VERSION}`;
      await until(`CPE ${serial} runs ${version}`, async () =>
        (await outcomes(ferry.nbi, cpeidOf(serial))).includes(succeeded),
      );
      t.deepEqual(await outcomes(ferry.nbi, cpeidOf(serial)), [succeeded]);
    }
    t.regex(cpes.north.downloads[0]?.url ?? '', pathTo(`${north}/${FILE}`));
    t.regex(cpes.south.downloads[0]?.url ?? '', pathTo(FILE));
  });
}
