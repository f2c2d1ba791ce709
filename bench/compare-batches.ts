import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { tableText } from '../cli/io.js';
import { postRules } from './bulk-client.js';
import { writeCpes } from './children.js';
import { drive, type Measurement, northboundOf, ServerProcess } from './drive.js';
import { answerOf, asked, call } from './northbound.js';
import { cpeidOf, pinnedRule } from './rule-bodies.js';
import { periodicSession } from './sessions.js';
import { median } from './statistics.js';

export interface BatchOptions {
  readonly rounds: number;
  /** CPEs that are known, and in the batch. */
  readonly cpes: number;
  readonly sessions: number;
  readonly atATime: number;
}

const SMALL = 10;
const READS_IN_ROUND = 500;
/** More than these come to no session: each of them comes several times. */
const CPES_IN_SESSIONS_MAX = 1_000;
const LOOK_EVERY_MS = 20;
const CHUNK_CHARACTERS = 64 * 1_024;
const BATCHES = '/v1/batches';
const JSON_TYPE = 'application/json';

const STARTED_RATIO_MIN = 0.5;
const READ_RATIO_MAX = 2;
const SESSIONS_RATIO_MIN = 0.9;

/** Nothing of it is sent, and its rules are looked at in every session. */
const BATCH = {
  name: 'bench',
  image: 'bench.bin',
  wakePerSecond: 0,
  notBefore: '2999-01-01T00:00:00Z',
};

interface Figures {
  /** Rules, and CPEs of batches, stored a second. */
  readonly rules: number[];
  readonly ofList: number[];
  readonly ofAll: number[];
  readonly readSmall: Measurement[];
  readonly readLarge: Measurement[];
  readonly without: Measurement[];
  readonly withBatch: Measurement[];
}

/**
 * Starts a batch over all known CPEs, and stores as many pinned rules, each on a server of its own that knows the same CPEs; reads the progress
 * of that batch and of a small one; and has periodic sessions of its CPEs, with it and on a server without. @returns the tables
 */
export async function compareBatches(options: BatchOptions): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-bench-batches-'));
  const figures: Figures = {
    rules: [],
    ofList: [],
    ofAll: [],
    readSmall: [],
    readLarge: [],
    without: [],
    withBatch: [],
  };
  try {
    const known = join(directory, 'known');
    // What is in the directory of an installation but for its CPEs is made by the first server on it.
    await (await ServerProcess.start('./ferry-server.js', [known])).stop();
    await writeCpes(known, options.cpes);
    const without = await ServerProcess.start('./ferry-server.js', [known]);
    await sessionsOf(without, options);
    for (let round = 0; round < options.rounds; round++) await measure(without, directory, options, figures);
    await without.stop();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return report(options.cpes, figures);
}

/** One round, with servers that have nothing but the CPEs. */
async function measure(
  without: ServerProcess,
  directory: string,
  options: BatchOptions,
  figures: Figures,
): Promise<void> {
  const { cpes } = options;
  const withRules = await startCopy(directory, 'rules');
  figures.rules.push(await rateOf(cpes, () => postRules(northboundOf(withRules), rules(cpes), () => {})));
  await withRules.stop();
  const ofAll = await startCopy(directory, 'all');
  figures.ofAll.push(await rateOf(cpes, () => makeOfAll(ofAll)));
  await ofAll.stop();
  const server = await startCopy(directory, 'list');
  let large = '';
  figures.ofList.push(
    await rateOf(cpes, async () => {
      large = await makeOfList(server, cpes);
    }),
  );
  const small = await makeOfList(server, SMALL);
  const reads = (id: string) =>
    drive(
      server,
      READS_IN_ROUND,
      1,
      async () => void (await call(northboundOf(server), 'GET', `${BATCHES}/${id}`)),
    );
  // Not counted: it reaches its optimised code.
  await reads(small);
  figures.readSmall.push(await reads(small));
  figures.readLarge.push(await reads(large));
  await sessionsOf(server, options);
  figures.without.push(await sessionsOf(without, options));
  figures.withBatch.push(await sessionsOf(server, options));
  await server.stop();
  for (const name of ['rules', 'all', 'list'])
    await rm(join(directory, name), { recursive: true, force: true });
}

async function startCopy(directory: string, name: string): Promise<ServerProcess> {
  await cp(join(directory, 'known'), join(directory, name), { recursive: true });
  return ServerProcess.start('./ferry-server.js', [join(directory, name)]);
}

/** How many of so many were done in a second. */
async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (count * 1_000) / (performance.now() - beganMs);
}

function* rules(count: number): Generator<object> {
  for (let index = 0; index < count; index++) yield pinnedRule(index, '2.0.0');
}

function* lines(count: number): Generator<string> {
  let chunk = `${JSON.stringify(BATCH)}\n`;
  for (let index = 0; index < count; index++) {
    chunk += `"${cpeidOf(index)}"\n`;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

/** @returns its id, once it is made */
async function makeOfList(server: ServerProcess, count: number): Promise<string> {
  const headers = { 'Content-Type': 'application/x-ndjson' };
  const request = asked(northboundOf(server), 'POST', BATCHES, headers);
  const answered = answerOf(request);
  await pipeline(Readable.from(lines(count)), request);
  const { id, pending } = madeOf(await text(await answered));
  if (pending !== count) throw new Error(`Of ${count} CPEs ${pending} wait`);
  return id;
}

async function makeOfAll(server: ServerProcess): Promise<void> {
  const content = JSON.stringify({ ...BATCH, all: true });
  const at = northboundOf(server);
  const { id } = madeOf(await call(at, 'POST', BATCHES, { type: JSON_TYPE, content }));
  while (madeOf(await call(at, 'GET', `${BATCHES}/${id}`)).state === 'preparing') await delay(LOOK_EVERY_MS);
}

function madeOf(answer: string): { readonly id: string; readonly state: string; readonly pending: number } {
  const { details } = JSON.parse(answer) as {
    readonly details: {
      readonly id: string;
      readonly state: string;
      readonly progress: { readonly pending: number };
    };
  };
  return { id: details.id, state: details.state, pending: details.progress.pending };
}

function sessionsOf(server: ServerProcess, { sessions, atATime, cpes }: BatchOptions): Promise<Measurement> {
  const come = Math.min(cpes, CPES_IN_SESSIONS_MAX);
  return drive(server, sessions, atATime, (index) => periodicSession(server.port, index % come));
}

function report(cpes: number, figures: Figures): string {
  const { rules, ofList, ofAll, readSmall, readLarge, without, withBatch } = figures;
  const ratios = (some: readonly number[], others: readonly number[]) =>
    median(some.map((each, round) => each / (others[round] ?? Number.NaN))).toFixed(2);
  const rate = (all: readonly number[]) => Math.round(median(all)).toString();
  const p50s = (all: readonly Measurement[]) => all.map(({ p50Ms }) => p50Ms);
  const speeds = (all: readonly Measurement[]) => all.map(({ perSecond }) => perSecond);
  const columns = process.stdout.columns ?? 120;
  const started = tableText(
    [`Over ${cpes} known CPEs`, 'a second', 'ratio', 'budget'],
    [
      ['pinned rules as NDJSON', rate(rules), '1', ''],
      ['a batch of a list as NDJSON', rate(ofList), ratios(ofList, rules), `≥ ${STARTED_RATIO_MIN}`],
      ['a batch of all', rate(ofAll), ratios(ofAll, rules), `≥ ${STARTED_RATIO_MIN}`],
    ],
    columns,
  );
  const read = tableText(
    ['Progress of a batch of', 'p50 ms', 'p99 ms', 'ratio', 'budget'],
    [
      [SMALL, readSmall, '1', ''] as const,
      [cpes, readLarge, ratios(p50s(readLarge), p50s(readSmall)), `≤ ${READ_RATIO_MAX}`] as const,
    ].map(([of, all, ratio, budget]) => [
      String(of),
      median(p50s(all)).toFixed(2),
      median(all.map(({ p99Ms }) => p99Ms)).toFixed(2),
      ratio,
      budget,
    ]),
    columns,
  );
  const sessions = tableText(
    ['Periodic sessions', 'a second', 'server µs each', 'ratio', 'budget'],
    [
      ['without a batch', without, '1', ''] as const,
      [
        'of CPEs of the batch',
        withBatch,
        ratios(speeds(withBatch), speeds(without)),
        `≥ ${SESSIONS_RATIO_MIN}`,
      ] as const,
    ].map(([what, all, ratio, budget]) => [
      what,
      rate(speeds(all)),
      rate(all.map(({ cpuMicroseconds }) => cpuMicroseconds)),
      ratio,
      budget,
    ]),
    columns,
  );
  return `${started}\n${read}\n${sessions}`;
}
