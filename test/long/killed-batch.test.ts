import test, { type ExecutionContext } from 'ava';
import { DEVICES } from '../../acs/index.js';
import type { Installation } from '../../cli/installation.js';
import type { BatchId } from '../../common/index.js';
import { BATCHES, type Batch, OPERATIONS, type Operation, OperationStore } from '../../rollout/index.js';
import { RULE_COLLECTIONS, RULE_GATES, type RuleGate } from '../../rules/index.js';
import { temporaryDirectory } from '../cli/support.js';
import { uploadOf } from '../firmware/support.js';
import { ADMIN, nbiClient, until } from '../support/ferry.js';
import { FerryProcess, freePorts, type Ports } from '../support/ferry-process.js';
import { cpeidOf, deviceOf, openTestInstallation } from '../support/installation.js';

const IMAGE = 'hgw-2.0.0.bin';
/** A minute until its lease has run out, and the next round. */
const TAKEN_OVER_MS_MAX = 180_000;
const CPES = 5_000;

interface Killed {
  readonly installation: Installation;
  readonly dataDir: string;
  readonly ports: Ports;
  readonly ferry: FerryProcess;
}

async function start(t: ExecutionContext): Promise<Killed> {
  t.timeout(300_000);
  const dataDir = await temporaryDirectory(t);
  const installation = await openTestInstallation(dataDir);
  t.teardown(() => installation.close());
  const { store, images } = installation;
  await images.upload(uploadOf(IMAGE, Buffer.from(IMAGE), { metadata: { softwareVersion: '2.0.0' } }));
  const devices = store.collection(DEVICES);
  for (let from = 0; from < CPES; from += 1_000)
    await store.commit(
      Array.from({ length: 1_000 }, (_, index) => devices.putting(deviceOf(cpeidOf(from + index), null))),
    );
  const ports = await freePorts();
  const ferry = await FerryProcess.start(dataDir, ports);
  t.teardown(() => ferry.stop());
  return { installation, dataDir, ports, ferry };
}

async function again(t: ExecutionContext, { dataDir, ports }: Killed): Promise<void> {
  const ferry = await FerryProcess.start(dataDir, ports);
  t.teardown(() => ferry.stop());
}

async function onlyBatch({ installation: { store } }: Killed): Promise<Batch | null> {
  const { items } = await store.collection<Batch>(BATCHES).find({ limit: 1 });
  return items[0]?.document ?? null;
}

/** Once so many operations are there that it is in the middle of being made. */
function begun(at: Killed): Promise<Batch> {
  const operations = new OperationStore(at.installation.store);
  return until('some of it is written', async () => {
    const batch = await onlyBatch(at);
    return batch !== null && (await operations.counts(batch.id)).total > 0 ? batch : null;
  });
}

async function leftOf({ installation: { store } }: Killed, batch: BatchId): Promise<readonly string[]> {
  const left: string[] = [];
  for (const definition of [BATCHES, OPERATIONS, ...RULE_COLLECTIONS])
    for await (const { document } of store.collection(definition).scan({}))
      if (JSON.stringify(document).includes(batch)) left.push(`${definition.name} ${document.id}`);
  return left;
}

test.serial(
  'of a list whose server was killed while it came nothing is left, and none of its CPEs was ever sent anything',
  async (t) => {
    const at = await start(t);
    const lines = [JSON.stringify({ name: 'night', image: IMAGE })];
    for (let index = 0; index < 600; index++) lines.push(JSON.stringify({ cpeid: cpeidOf(index) }));
    // It stays open: whoever sends it has not come to the end.
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(`${lines.join('\n')}\n`)),
    });
    const authorization = `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`;
    const sending = fetch(`http://127.0.0.1:${at.ports.nbi}/v1/batches`, {
      method: 'POST',
      headers: { Authorization: authorization, 'Content-Type': 'application/x-ndjson' },
      body,
      duplex: 'half',
    } as RequestInit);
    const refused = t.throwsAsync(sending);
    const { id, phase } = await begun(at);
    t.is(phase, 'preparing');
    await at.ferry.kill();
    await refused;
    await again(t, at);
    await until('it is gone', async () => (await onlyBatch(at)) === null, TAKEN_OVER_MS_MAX);
    t.deepEqual(await leftOf(at, id), []);
  },
);

test.serial(
  'a batch of all whose server was killed while it was made is made to its end by the next',
  async (t) => {
    const at = await start(t);
    const nbi = nbiClient(`http://127.0.0.1:${at.ports.nbi}`);
    const { status } = await nbi('POST', '/v1/batches', { name: 'night', image: IMAGE, all: true });
    t.is(status, 201);
    const { id } = await begun(at);
    await at.ferry.kill();
    const operations = new OperationStore(at.installation.store);
    t.log(`killed with ${(await operations.counts(id)).total} of ${CPES} written`);
    await again(t, at);
    const made = async () => (await onlyBatch(at))?.phase === 'made';
    await until('it is made', made, TAKEN_OVER_MS_MAX);
    t.like(await operations.counts(id), { total: CPES, byState: { pending: CPES } });
    const rules = new Set<string>();
    const stored = at.installation.store.collection<Operation>(OPERATIONS);
    for await (const { document } of stored.scan({})) rules.add(document.ruleId ?? '');
    t.is(rules.size, CPES);
    const gate = await at.installation.store.collection<RuleGate>(RULE_GATES).get(`batch:${id}`);
    t.is(gate?.document.state, 'open');
  },
);
