import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { UPGRADES, type Upgrade } from '../../acs/index.js';
import { DAY_MS } from '../../common/index.js';
import { LEASES, type LeaseDocument } from '../../store/index.js';
import { startTestFerry, until } from '../support/ferry.js';
import { openTestInstallation } from '../support/installation.js';
import {
  downloadResponse,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';
import { cpeidOf, IMAGE_NAME, outcomes, postRule, uploadImage } from './simulated.js';

test('after a power cut of a server whose clock was days ahead everything goes on: rule files, deadlines, sessions, health', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-ahead-'));
  const rulesDir = await mkdtemp(join(tmpdir(), 'ferry-ahead-rules-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  t.teardown(() => rm(rulesDir, { recursive: true, force: true }));
  const left = await openTestInstallation(dataDir);
  const leases = left.store.collection<LeaseDocument>(LEASES);
  const untilMs = Date.now() + 2 * DAY_MS;
  for (const id of ['upgrades', 'waking', 'rule-files', 'cwmp-sessions']) {
    await leases.put({ id, holder: 'one that was killed', untilMs });
  }
  await left.close();

  await writeFile(
    join(rulesDir, 'a.json'),
    JSON.stringify({ id: 'FROM_FILE', file: IMAGE_NAME, condition: { tags: 'no' } }),
  );
  const ferry = await startTestFerry(t, {
    dataDir,
    config: { rulesDir, shareSessions: true },
    acsOptions: { sweepIntervalMs: 50 },
    checksSchema: false,
  });
  const { nbi } = ferry;
  t.like(await nbi('GET', '/v1/dyn/FirmwareStorage/FROM_FILE'), { status: 200 });
  t.false(ferry.events.some(({ event }) => event === 'rules.files-standby'));

  // An upgrade that began while the clock was ahead, with little time left to it.
  await uploadImage(t, nbi);
  await postRule(t, nbi, { id: 'R', file: IMAGE_NAME, condition: { serialNumber: '1' }, enabled: true });
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => cpe.close());
  await cpe.post(inform({ serial: '1' }));
  let answer = await cpe.post('');
  for (let asked = 0; rpcOf(answer.body) !== 'Download' && asked < 5; asked++) {
    answer = await cpe.post(rpcOf(answer.body) === 'SetParameterValues' ? SET_PARAMETER_VALUES_RESPONSE : '');
  }
  t.is(rpcOf(answer.body), 'Download');
  await cpe.post(downloadResponse(1));
  const upgrades = ferry.installation.store.collection<Upgrade>(UPGRADES);
  const { items } = await upgrades.find({ limit: 1 });
  const [running] = items;
  if (running === undefined) throw new Error('no upgrade is stored');
  const stateMsMax = { ...running.document.stateMsMax, accepted: 200 };
  await upgrades.put({ ...running.document, stateMsMax, deadlineAtMs: Date.now() - 1 });
  await until('its deadline is noticed', async () =>
    (await outcomes(nbi, cpeidOf('1'))).some((outcome) => outcome.startsWith('408')),
  );
  t.like(await nbi('GET', '/healthz'), {
    status: 200,
    body: {
      status: 'ok',
      parts: {
        store: 'ok',
        ruleFiles: 'ok',
        sweep: 'ok',
        waking: 'ok',
        sessionExpiry: 'ok',
        purge: 'ok',
        imageCleaning: 'ok',
        process: 'ok',
      },
    },
  });
  t.like(await nbi('GET', '/readyz'), { status: 200, body: { status: 'ok' } });
  t.like(await nbi('GET', '/livez'), { status: 200, body: { status: 'ok' } });
  const metrics = String((await nbi('GET', '/metrics')).body);
  for (const duty of ['sweep', 'waking', 'ruleFiles', 'sessionExpiry', 'purge', 'imageCleaning']) {
    t.regex(metrics, new RegExp(`^ferry_duty_age_seconds\\{duty="${duty}"\\} [0-9.]+$`, 'm'));
  }
  t.regex(metrics, /^ferry_disk_free_bytes [0-9.e+]+$/m);
});
