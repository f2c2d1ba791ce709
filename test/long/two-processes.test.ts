import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { EnvelopeObserver } from '../../cpe-sim/index.js';
import {
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  introduce,
  OLD_VERSION,
  outcomes,
  PRODUCT_CLASS,
  postRule,
  results,
  SUCCESS,
  startListener,
  uploadImage,
} from '../e2e/simulated.js';
import { holdToSchemas } from '../support/cwmp-schema.js';
import { nbiClient, type TestFerry } from '../support/ferry.js';
import { FerryProcess, freePorts } from '../support/ferry-process.js';
import {
  downloadResponse,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';

/** One of two processes that serve the same data directory at ports of their own. */
interface Node {
  readonly process: FerryProcess;
  readonly cwmp: string;
  readonly nbi: TestFerry['nbi'];
  /** To be told of every envelope that comes to it or from it. */
  readonly onEnvelope: EnvelopeObserver;
}

async function startPair(t: ExecutionContext): Promise<readonly [Node, Node]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-pair-'));
  // Teardowns run last first: the directory goes when both processes have ended.
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const onEnvelope = holdToSchemas(t);
  const start = async (): Promise<Node> => {
    const ports = await freePorts();
    const process = await FerryProcess.start(dataDir, ports);
    t.teardown(async () => {
      if (!t.passed) t.log(process.log);
      await process.stop();
    });
    return {
      process,
      cwmp: `http://127.0.0.1:${ports.cwmp}/`,
      nbi: nbiClient(`http://127.0.0.1:${ports.nbi}`),
      onEnvelope,
    };
  };
  return [await start(), await start()];
}

const RPCS_MAX = 10;

/** A session from Inform to the first empty answer. @returns how many Downloads it brought */
async function session({ cwmp, onEnvelope }: Node, serial: string): Promise<number> {
  const cpe = new RawCpe(cwmp);
  const post = async (envelope: string) => {
    onEnvelope('sent', envelope);
    const answer = await cpe.post(envelope);
    // A POST refused by HTTP's own means, such as one of a session that another has taken over, is answered in words.
    if (answer.status === 200) onEnvelope('received', answer.body);
    return answer;
  };
  let downloads = 0;
  await post(inform({ serial, productClass: PRODUCT_CLASS, version: OLD_VERSION }));
  let answer = await post('');
  for (let rpcs = 0; answer.status === 200 && rpcs < RPCS_MAX; rpcs++) {
    const isDownload = rpcOf(answer.body) === 'Download';
    if (isDownload) downloads++;
    answer = await post(isDownload ? downloadResponse() : SET_PARAMETER_VALUES_RESPONSE);
  }
  cpe.close();
  return downloads;
}

const FLEET_RULE = { id: 'FLEET', file: IMAGE_NAME, condition: { productClass: PRODUCT_CLASS } };

test.serial(
  'a rule and an image that one process was given are in force in the other’s next session',
  async (t) => {
    const [first, second] = await startPair(t);
    await uploadImage(t, first.nbi);
    t.is(await session(second, '1'), 0);
    await postRule(t, first.nbi, FLEET_RULE);
    const cpe = createCpe(t, second.cwmp, '2', { onEnvelope: second.onEnvelope });
    cpe.start();
    await once(cpe.events, 'transfer-complete-sent');
    t.deepEqual(await outcomes(first.nbi, cpeidOf('2')), [`200 ${SUCCESS}`]);
    t.is(await session(second, '1'), 1);
    t.is((await first.nbi('PUT', '/v1/dyn/FirmwareStorage/FLEET', { enabled: false })).status, 200);
    t.is(await session(second, '3'), 0);
  },
);

test.serial(
  'the emergency brake pulled at one process stops the other, and is released for both',
  async (t) => {
    const [first, second] = await startPair(t);
    await uploadImage(t, first.nbi);
    await postRule(t, first.nbi, FLEET_RULE);
    const freeze = (node: Node, frozen: boolean) => node.nbi('POST', '/v1/method/FreezeUpgrades', { frozen });
    t.is((await freeze(first, true)).status, 200);
    t.is(await session(second, '1'), 0);
    t.is(await session(first, '1'), 0);
    t.is((await freeze(second, false)).status, 200);
    t.is(await session(first, '1'), 1);
    t.is(await session(second, '2'), 1);
  },
);

test.serial('many sessions of one CPE at both processes at once get one Download between them', async (t) => {
  const pair = await startPair(t);
  const [first, second] = pair;
  await uploadImage(t, first.nbi);
  await postRule(t, first.nbi, { id: 'ONE', file: IMAGE_NAME, condition: { cpeid: cpeidOf('1') } });
  const downloads = await Promise.all(
    Array.from({ length: 20 }, (_, index) => session(index % 2 === 0 ? first : second, '1')),
  );
  t.is(sum(downloads), 1);
  for (const { nbi } of pair) t.is((await results(nbi, `cpeid=${cpeidOf('1')}`)).length, 1);
});

test.serial('limits.total holds exactly across both processes', async (t) => {
  const [first, second] = await startPair(t);
  await uploadImage(t, first.nbi);
  await postRule(t, first.nbi, { ...FLEET_RULE, limits: { total: 7 } });
  const serials = Array.from({ length: 30 }, (_, index) => `${index}`);
  const downloads = await Promise.all(
    serials.map((serial, index) => session(index % 2 === 0 ? first : second, serial)),
  );
  t.is(sum(downloads), 7);
  t.is((await results(second.nbi, 'campaignid=FLEET')).length, 7);
  t.is((await second.nbi('PUT', '/v1/dyn/FirmwareStorage/FLEET', { limits: { total: 9 } })).status, 200);
  const more = await Promise.all(
    serials.map((serial, index) => session(index % 2 === 0 ? second : first, serial)),
  );
  t.is(sum(more), 2);
});

test.serial('of two processes one wakes the CPEs of an open window, each of them once', async (t) => {
  const [first, second] = await startPair(t);
  await uploadImage(t, first.nbi);
  const listener = await startListener(t);
  const cpes = ['1', '2', '3', '4', '5', '6'].map((serial, index) => {
    const { cwmp, onEnvelope } = index % 2 === 0 ? first : second;
    return createCpe(t, cwmp, serial, { listener, onEnvelope });
  });
  for (const cpe of cpes) await introduce(first.nbi, cpe);
  const window = { cron: '* * * * *', durationMinutes: 5, wakePerSecond: 50 };
  const reported = Promise.all(cpes.map((cpe) => once(cpe.events, 'transfer-complete-sent')));
  await postRule(t, second.nbi, { ...FLEET_RULE, window });
  await reported;
  const woken = await Promise.all(
    [first, second].map(async ({ nbi }) => {
      const metrics = (await nbi('GET', '/metrics')).body as string;
      return Number(/^ferry_wakes_total\{code="200"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
    }),
  );
  t.deepEqual(
    woken.sort((a, b) => a - b),
    [0, cpes.length],
  );
});

test.serial(
  'a process that is killed takes nothing with it: its CPEs’ upgrades end at the other',
  async (t) => {
    const [first, second] = await startPair(t);
    await uploadImage(t, first.nbi);
    await postRule(t, first.nbi, FLEET_RULE);
    const cpe = createCpe(t, first.cwmp, '1', { rebootMs: 300, onEnvelope: first.onEnvelope });
    const reported = once(cpe.events, 'transfer-complete-sent');
    cpe.start();
    await once(cpe.events, 'reboot');
    cpe.parameters.set('Device.ManagementServer.URL', second.cwmp);
    await first.process.kill();
    await reported;
    t.deepEqual(await outcomes(second.nbi, cpeidOf('1')), [`200 ${SUCCESS}`]);

    await postRule(t, second.nbi, { ...FLEET_RULE, id: 'SINCE', priority: 2 });
    const next = createCpe(t, second.cwmp, '2', { onEnvelope: second.onEnvelope });
    next.start();
    await once(next.events, 'transfer-complete-sent');
    t.like((await results(second.nbi, `cpeid=${cpeidOf('2')}`))[0], {
      campaignid: 'SINCE',
      result: { code: 200 },
    });
    t.is((await second.nbi('PUT', '/v1/dyn/FirmwareStorage/SINCE', { enabled: false })).status, 200);
    t.is(await session(second, '1'), 0);
  },
);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
