import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { SimulatedCpe } from '../../cpe-sim/index.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  introduce,
  outcomes,
  PRODUCT_CLASS,
  postRule,
  requestSession,
  results,
  SUCCESS,
  startListener,
  uploadImage,
} from './simulated.js';

interface Served {
  readonly ferry: TestFerry;
  readonly cpe: SimulatedCpe;
  /** Puts a file in place, as deployments do, and waits until the server says what has become of it. */
  deploy(
    name: string,
    content: unknown,
  ): Promise<{ event: string; fields: Readonly<Record<string, unknown>> }>;
}

/** A Ferry that serves a directory of rule files, with an image, and a CPE that has registered. */
async function serve(t: ExecutionContext): Promise<Served> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-rules-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const ferry = await startTestFerry(t, { config: { rulesDir: directory } });
  await uploadImage(t, ferry.nbi);
  const cpe = createCpe(t, ferry.urls.cwmp, '1', {
    listener: await startListener(t),
    faults: ['refuse:9001:1'],
  });
  await introduce(ferry.nbi, cpe);
  const reports = () => ferry.events.filter(({ event }) => /^rules\.file(s-applied|-broken)$/.test(event));
  return {
    ferry,
    cpe,
    async deploy(name, content) {
      const before = reports().length;
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      await writeFile(join(directory, `${name}.new`), text);
      await rename(join(directory, `${name}.new`), join(directory, name));
      return until(`${name} is read`, () => reports()[before]);
    },
  };
}

const RULE = {
  id: 'FROM_FILE',
  file: IMAGE_NAME,
  condition: { productClass: PRODUCT_CLASS },
  executions: 2,
  retry: { afterMinutes: 0.000_01 },
};

async function rules({ ferry }: Served): Promise<Record<string, unknown>[]> {
  const { status, body } = await ferry.nbi('GET', '/v1/dyn/FirmwareStorage/.*?sort=id');
  return status === 200 ? (body as { details: Record<string, unknown>[] }).details : [];
}

test('a rule file that appears upgrades its CPEs from their next session on', async (t) => {
  const served = await serve(t);
  const { ferry, cpe } = served;
  await requestSession(t, ferry.nbi, cpe);
  t.is(cpe.downloads.length, 0);
  t.like(await served.deploy('hgw.json', { ...RULE, executions: 1 }), {
    event: 'rules.files-applied',
    fields: { files: 1, rules: 1 },
  });
  t.like((await rules(served))[0], { id: 'FROM_FILE', author: 'file:hgw.json', enabled: true });
  await requestSession(t, ferry.nbi, cpe);
  t.is(cpe.downloads.length, 1);
  // Raising a number in a file is the same campaign: what has happened stays counted.
  await served.deploy('hgw.json', [RULE]);
  const reported = once(cpe.events, 'transfer-complete-sent');
  await requestSession(t, ferry.nbi, cpe);
  await reported;
  t.deepEqual(await outcomes(ferry.nbi, cpeidOf('1')), [
    '500 Upgrade has failed with FaultCode 9001. FaultString: Request denied',
    `200 ${SUCCESS}`,
  ]);
});

test('a broken rule file changes nothing that runs, and says where it is broken', async (t) => {
  const served = await serve(t);
  const { ferry, cpe } = served;
  await served.deploy('good.json', RULE);
  const before = await rules(served);
  const other = { ...RULE, id: 'OTHER', priority: 9 };
  t.is((await ferry.nbi('GET', '/healthz')).status, 200);

  const broken = await served.deploy(
    'bad.json',
    `[\n  ${JSON.stringify(other)},\n  { "id": "X", "file": }\n]`,
  );
  t.like(broken, { event: 'rules.file-broken', fields: { file: 'bad.json', line: 3, column: 24 } });
  t.deepEqual(await rules(served), before, 'also of its sound half nothing is taken');
  t.like(
    await ferry.nbi('GET', '/healthz'),
    { status: 200, body: { status: 'ok', parts: { ruleFiles: 'degraded' } } },
    'someone should look at it, but CPEs are served',
  );

  const wrong = await served.deploy('bad.json', `[${JSON.stringify({ ...other, prioritty: 3 })}]`);
  t.like(wrong, { event: 'rules.file-broken', fields: { file: 'bad.json', field: 'prioritty', line: 1 } });
  t.deepEqual(await rules(served), before);
  await requestSession(t, ferry.nbi, cpe);
  const [result] = await results(ferry.nbi, `cpeid=${cpeidOf('1')}`);
  t.like(result, { campaignid: 'FROM_FILE' }, 'the rules that run go on');

  t.like(await served.deploy('bad.json', other), { fields: { files: 2, rules: 2 } });
  t.deepEqual(
    (await rules(served)).map(({ id }) => id),
    ['FROM_FILE', 'OTHER'],
  );
  t.like(await ferry.nbi('GET', '/healthz'), { status: 200, body: { parts: { ruleFiles: 'ok' } } });
});

test('a rule from a file can be switched through the API, and is otherwise the file’s', async (t) => {
  const served = await serve(t);
  const { ferry, cpe } = served;
  const { nbi } = ferry;
  await served.deploy('hgw.json', RULE);
  const [before] = await rules(served);
  const path = '/v1/dyn/FirmwareStorage/FROM_FILE';
  t.is((await nbi('PUT', path, { priority: 5 })).status, 409);
  t.is((await nbi('PUT', path, { enabled: false, priority: 5 })).status, 409);
  t.is((await nbi('POST', '/v1/dyn/FirmwareStorage/.*', { ...RULE, priority: 5 })).status, 409);
  t.is((await nbi('DELETE', path)).status, 409);
  t.deepEqual(await rules(served), [before]);

  t.is((await nbi('PUT', path, { enabled: false })).status, 200);
  t.deepEqual(await rules(served), [{ ...before, enabled: false }]);
  await requestSession(t, nbi, cpe);
  t.is(cpe.downloads.length, 0);
  await served.deploy('hgw.json', { ...RULE, description: 'edited' });
  await requestSession(t, nbi, cpe);
  t.is(cpe.downloads.length, 0, 'off for as long as the API says so, whatever else is edited in the file');
  t.is((await nbi('PUT', path, { enabled: true })).status, 200);
  await requestSession(t, nbi, cpe);
  t.is(cpe.downloads.length, 1);
});

test('a rule whose file no longer has it is switched off, and comes back with what it had counted', async (t) => {
  const served = await serve(t);
  const { ferry, cpe } = served;
  await served.deploy('hgw.json', [{ ...RULE, executions: 1 }]);
  await requestSession(t, ferry.nbi, cpe);
  t.is(cpe.downloads.length, 1);
  await served.deploy('hgw.json', []);
  t.like((await rules(served))[0], { id: 'FROM_FILE', enabled: false });
  await served.deploy('hgw.json', [{ ...RULE, executions: 1 }]);
  await requestSession(t, ferry.nbi, cpe);
  t.is(cpe.downloads.length, 1, 'its one execution is used up');
});

test('a file cannot take over a rule of the API', async (t) => {
  const served = await serve(t);
  await postRule(t, served.ferry.nbi, { ...RULE, description: 'of the API' });
  const refused = await served.deploy('hgw.json', RULE);
  t.like(refused, { event: 'rules.file-broken', fields: { file: 'hgw.json', field: 'id', code: 'taken' } });
  t.like((await rules(served))[0], { description: 'of the API' });
});
