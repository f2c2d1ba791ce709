import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { builtInModel, Fleet, makeImage } from '../../cpe-sim/index.js';
import { commandKeyOfResult } from '../support/command-key.js';
import { holdToSchemas } from '../support/cwmp-schema.js';
import { nbiClient, type TestFerry, until } from '../support/ferry.js';
import { FerryProcess, freePorts } from '../support/ferry-process.js';

const EXECUTIONS = 1;
const IMAGE = makeImage({ softwareVersion: '2.0.0', productClass: 'HGW', sizeBytes: 64 * 1024 });

interface Result {
  readonly id: string;
  readonly cpeid: string;
  readonly status: boolean;
  readonly result: { readonly code: number; readonly message: string };
}

/**
 * A fleet upgrade during which the server is killed with SIGKILL once and started again on the same directory and ports. Afterwards all that
 * was acknowledged is there, every upgrade has ended without waiting for the deadline of an answer, no CPE got more Downloads than its
 * rule allows (the same one again counts once), and all that was said either way keeps to the schemas.
 *
 * @param killAfterMs  counted from the first rule that is posted
 */
export async function killRound(t: ExecutionContext, count: number, killAfterMs: number): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-kill-'));
  const ports = await freePorts();
  let ferry = await FerryProcess.start(dataDir, ports);
  const nbi = nbiClient(`http://127.0.0.1:${ports.nbi}`);
  const commandKeys = new Map<string, string[]>();
  const fleet = new Fleet({
    acsUrl: `http://127.0.0.1:${ports.cwmp}/`,
    dataModel: builtInModel('tr181'),
    count,
    oui: '00A1B2',
    productClass: 'HGW',
    serialPrefix: 'K',
    softwareVersion: '1.0.0',
    rebootMs: 100,
    retryMs: 50,
    downloadResumeMs: 50,
    rampMs: 800,
    periodicIntervalMs: 1_000,
    onEnvelope: holdToSchemas(t),
  });
  fleet.events.on('download', ({ identity, commandKey }) => {
    const serial = identity.serialNumber;
    commandKeys.set(serial, [...(commandKeys.get(serial) ?? []), commandKey]);
  });
  try {
    const uploaded = await nbi('PUT', '/v1/images/k.bin?softwareVersion=2.0.0', new Uint8Array(IMAGE));
    t.true(uploaded.status < 300);
    await fleet.start();
    const killed = delay(killAfterMs).then(() => ferry.kill());
    const acknowledged: string[] = [];
    const seenEnded = new Set<string>();
    const posting = postRules(nbi, count, acknowledged);
    const watching = watchResults(nbi, seenEnded, killed);
    await killed;
    ferry = await FerryProcess.start(dataDir, ports);
    await Promise.all([posting, watching]);
    t.is(acknowledged.length, count);

    const results = await until(
      'every CPE has a result and every result is final',
      async () => {
        const all = await list<Result>(nbi, '/v1/dyn/FirmwareResultStorage/.*');
        return all.length >= count && all.every(({ status }) => status) && all;
      },
      60_000,
    );
    const rules = await list<{ id: string }>(nbi, '/v1/dyn/FirmwareStorage/.*');
    t.deepEqual(rules.map(({ id }) => id).sort(), acknowledged.sort(), 'every acknowledged rule is there');
    const image = await nbi('GET', '/v1/images/k.bin');
    t.is(
      (image.body as { details: { sha256: string } }).details.sha256,
      createHash('sha256').update(IMAGE).digest('hex'),
    );
    for (const id of seenEnded)
      t.true(
        results.some((result) => result.id === id),
        'a result seen before the kill is there',
      );
    for (const [serial, all] of commandKeys) {
      const keys = [...new Set(all)];
      t.true(keys.length <= EXECUTIONS, `CPE ${serial} got ${keys.length} Downloads: ${keys.join()}`);
      const own = results
        .filter(({ cpeid }) => cpeid.endsWith(serial))
        .map(({ id }) => commandKeyOfResult(id));
      for (const key of keys) t.true(own.includes(key), `the Download ${key} has a result`);
    }
    const devices = await list<{ upgrade: string | null }>(nbi, '/v1/dyn/DeviceStorage/.*');
    t.is(devices.length, count);
    t.true(
      devices.every(({ upgrade }) => upgrade === null),
      'no upgrade is left in flight',
    );
    const messages = results.map(({ result }) => result.message);
    t.deepEqual(
      messages.filter((message) => message.includes('did not answer the Download')),
      [],
      'whoever was left in doubt was asked',
    );
    const verified = results.filter(({ result }) => result.code === 200).length;
    const repeated = messages.filter((message) => message.includes('sent again')).length;
    t.log(
      `killed after ${Math.round(killAfterMs)} ms: ${verified} of ${count} verified, ${repeated} had their Download sent again`,
    );
  } finally {
    await fleet.stop();
    await ferry.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

type Nbi = TestFerry['nbi'];

/** One rule after the other, each tried again until it is acknowledged. */
async function postRules(nbi: Nbi, count: number, acknowledged: string[]): Promise<void> {
  for (let index = 1; index <= count; index++) {
    const cpeid = `00A1B2-HGW-K${String(index).padStart(6, '0')}`;
    const rule = {
      id: `UPGRADE_${cpeid}`,
      file: 'k.bin',
      condition: { cpeid },
      executions: EXECUTIONS,
      // Of an answer to a Download: longer than the round.
      deadlines: { sentMinutes: 10, acceptedMinutes: 0.2, transferredMinutes: 0.1 },
    };
    await until('the rule is acknowledged', async () => {
      const answer = await nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule).catch(() => null);
      return answer?.status === 200;
    });
    acknowledged.push(rule.id);
  }
}

/** Notes which results were final before the kill. */
async function watchResults(nbi: Nbi, ended: Set<string>, killed: Promise<void>): Promise<void> {
  let isKilled = false;
  void killed.then(() => {
    isKilled = true;
  });
  while (!isKilled) {
    const all = await list<Result>(nbi, '/v1/dyn/FirmwareResultStorage/.*').catch(() => []);
    for (const { id, status } of all) if (status) ended.add(id);
    await delay(20);
  }
}

async function list<T>(nbi: Nbi, path: string): Promise<T[]> {
  const answer = await nbi('GET', path);
  return answer.status === 200 ? (answer.body as { details: T[] }).details : [];
}
