import test, { type ExecutionContext } from 'ava';
import { UPGRADES, type Upgrade } from '../../acs/index.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  Barrier,
  cpeidOf,
  createCpe,
  IMAGE,
  introduce,
  NEW_VERSION,
  postRule,
  type Result,
  results,
  startHttpServer,
  startListener,
} from './simulated.js';

type Shown = Result & { readonly organization?: string };

async function add(t: ExecutionContext, { nbi }: TestFerry, slug: string, serials: readonly string[]) {
  const rules = serials.map((serialNumber) => ({ condition: { serialNumber } }));
  const { status, body } = await nbi('POST', '/v1/dyn/OrganizationStorage/.*', { name: slug, slug, rules });
  t.is(status, 200, JSON.stringify(body));
}

/** A file server from which nothing comes before the barrier is open. */
function startHeldFile(t: ExecutionContext, barrier: Barrier): Promise<string> {
  return startHttpServer(t, async (_request, response) => {
    await barrier.pass();
    response.end(IMAGE);
  });
}

/** CPEs, and whose results are shown to whoever asks for those of an organization; null: to the installation. */
async function shownTo({ nbi }: TestFerry, organization: string | null): Promise<readonly string[]> {
  const found = await results(nbi, organization === null ? '' : `organization=${organization}`);
  return found
    .map((each) => {
      const { cpeid, campaignid, result, organization: whose = 'nobody' } = each as Shown;
      return `${cpeid} ${campaignid} ${result.code} ${whose}`;
    })
    .sort();
}

test('the result of an upgrade belongs to the organization of its CPE when it began, and stays there when the CPE moves', async (t) => {
  const ferry = await startTestFerry(t);
  const { nbi } = ferry;
  await add(t, ferry, 'north', ['1', '3']);
  await add(t, ferry, 'south', []);
  const barrier = new Barrier();
  const url = await startHeldFile(t, barrier);
  const file = `${url}/hgw.bin`;
  const target = { softwareVersion: NEW_VERSION };
  const common = { enabled: true, automatic: true, file, target };
  const condition = { oui: '00A1B2' };
  await postRule(t, nbi, [
    { ...common, id: 'ALL', condition },
    { ...common, id: 'PINNED', condition: { cpeid: cpeidOf('3') } },
  ]);
  const listener = await startListener(t);
  const [moving, resting] = ['1', '2'].map((serial) => createCpe(t, ferry.urls.cwmp, serial, { listener }));
  const done = createCpe(t, ferry.urls.cwmp, '3', { listener, softwareVersion: NEW_VERSION });
  for (const cpe of [moving, resting, done]) cpe?.start();
  await until('two are under way, and one has nothing to do', async () => {
    const found = await results(nbi, '');
    return found.length === 3 && found.filter(({ status }) => !status).length === 2;
  });
  const moved = await nbi('PUT', `/v1/dyn/DeviceStorage/${cpeidOf('1')}`, { organization: 'south' });
  t.is(moved.status, 200);
  barrier.open();
  await until('all have ended', async () => (await results(nbi, 'status=false')).length === 0);
  const [ofMoving, ofResting, ofDone] = [
    `${cpeidOf('1')} ALL 200 north`,
    `${cpeidOf('2')} ALL 200 nobody`,
    `${cpeidOf('3')} PINNED 200 north`,
  ];
  t.deepEqual(await shownTo(ferry, null), [ofMoving, ofResting, ofDone]);
  t.deepEqual(await shownTo(ferry, 'north'), [ofMoving, ofDone]);
  t.deepEqual(await shownTo(ferry, 'south'), []);
  t.deepEqual(await shownTo(ferry, 'default'), [ofResting]);
  // The CPE itself is another's by now.
  const devices = await nbi('GET', '/v1/dyn/DeviceStorage/.*?organization=south');
  t.is((devices.body as { details: [{ id: string }] }).details[0].id, cpeidOf('1'));
});

test('where there is none but the default, nothing of organizations is kept with a result', async (t) => {
  const ferry = await startTestFerry(t);
  const barrier = new Barrier();
  barrier.open();
  const file = `${await startHeldFile(t, barrier)}/hgw.bin`;
  await postRule(t, ferry.nbi, {
    id: 'ALL',
    enabled: true,
    automatic: true,
    file,
    target: { softwareVersion: NEW_VERSION },
    condition: { oui: '00A1B2' },
  });
  const listener = await startListener(t);
  await introduce(ferry.nbi, createCpe(t, ferry.urls.cwmp, '1', { listener }));
  await until('it has ended', async () => (await results(ferry.nbi, 'status=true')).length === 1);
  const upgrades = ferry.installation.store.collection<Upgrade>(UPGRADES);
  for await (const { document } of upgrades.scan({})) {
    t.false('organization' in document);
    t.false('writtenCampaignid' in document);
  }
  for (const index of ['organization', 'organizationCampaign', 'writtenCampaign'])
    t.is(await upgrades.count({ index }), 0);
});
