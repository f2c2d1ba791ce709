import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { sizeText, tableText } from '../cli/io.js';
import { progressBar } from '../cli/progress.js';
import { listRules, postRules } from './bulk-client.js';
import { ended, forked, writeCpes } from './children.js';
import type { DecisionCosts } from './decisions.js';
import { drive, type Measurement, northboundOf, ServerProcess } from './drive.js';
import { fleetRule, pinnedRule } from './rule-bodies.js';
import { firstContact, periodicSession } from './sessions.js';
import { median } from './statistics.js';

const PINNED = [1, 1_000, 10_000, 100_000, 1_000_000];
const FLEET = [10, 1_000, 10_000];
const COLUMNS = 150;
/** Of a decision, by kind of rule (microseconds). */
const BUDGETS = { pinned: 20, fleet: 50 };

export interface RuleOptions {
  readonly pinnedMax: number;
  readonly rounds: number;
  readonly sessions: number;
  readonly cpes: number;
  readonly atATime: number;
}

/** What rules cost: deciding, memory, starting, and sessions over sockets. @returns the tables */
export async function compareRules(options: RuleOptions): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-bench-rules-'));
  try {
    const fleet = await decisions(join(directory, 'fleet'), 'fleet', FLEET);
    const dataDir = join(directory, 'pinned');
    const pinned = await decisions(
      dataDir,
      'pinned',
      PINNED.filter((count) => count <= options.pinnedMax),
    );
    const sessions = await overSockets(dataDir, options);
    const posted = `Posted as NDJSON: ${pinned.perSecond} pinned and ${fleet.perSecond} fleet rules a second (≥ 5000)`;
    return `${decisionTable([...pinned.rows, ...fleet.rows])}\n${sessions}\n${posted}`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface DecisionRow {
  readonly kind: 'pinned' | 'fleet';
  readonly count: number;
  readonly costs: DecisionCosts;
}

/** Grows one store, and measures it in a new process at each size. */
async function decisions(
  dataDir: string,
  kind: 'pinned' | 'fleet',
  counts: readonly number[],
): Promise<{ readonly rows: readonly DecisionRow[]; readonly perSecond: number }> {
  const rows: DecisionRow[] = [];
  let [from, loadingMs] = [0, 0];
  for (const count of counts) {
    loadingMs += await post(dataDir, kind, from, count);
    from = count;
    const child = forked('./decisions.js', [dataDir, kind, String(count)]);
    rows.push({ kind, count, costs: await messageOf<DecisionCosts>(child) });
    await ended(child);
  }
  return { rows, perSecond: Math.round((from * 1_000) / loadingMs) };
}

/** Posts rules to a server on that data directory. @returns how long that took, without starting the server */
async function post(dataDir: string, kind: 'pinned' | 'fleet', from: number, to: number): Promise<number> {
  const server = await ServerProcess.start('./ferry-server.js', [dataDir]);
  const bar = progressBar(process, { title: `Posting ${kind} rules`, total: to, unit: 'items' });
  const before = performance.now();
  await postRules(northboundOf(server), bodiesOf(kind, from, to), (stored) => bar.at(from + stored));
  const tookMs = performance.now() - before;
  bar.stop();
  await server.stop();
  return tookMs;
}

function* bodiesOf(kind: 'pinned' | 'fleet', from: number, to: number): Generator<object> {
  // Pinned ones are at their target: after one session that records so, a CPE's rule is done.
  for (let index = from; index < to; index++) {
    yield kind === 'pinned' ? pinnedRule(index, '1.0.0') : fleetRule(index);
  }
}

function decisionTable(rows: readonly DecisionRow[]): string {
  const head = [
    'Rules',
    'none true µs',
    'done µs',
    'upgrade µs',
    'budget',
    'each by jsonata µs',
    'jsonata ÷ Ferry',
    'RssAnon',
    'first decision ms',
  ];
  return tableText(
    head,
    rows.map(({ kind, count, costs }) => {
      const { microseconds, jsonataMicroseconds, jsonataRules } = costs;
      return [
        `${count} ${kind}`,
        microseconds.none.toFixed(1),
        microseconds.done.toFixed(1),
        microseconds.upgrade.toFixed(1),
        `≤ ${BUDGETS[kind]}`,
        `${jsonataMicroseconds.toFixed(0)}${jsonataRules < count ? ` (from ${jsonataRules})` : ''}`,
        (jsonataMicroseconds / microseconds.upgrade).toFixed(1),
        sizeText(costs.rssAnonBytes),
        costs.openMs.toFixed(0),
      ];
    }),
    COLUMNS,
  );
}

/** Sessions a second with all the pinned rules, and as many known CPEs, against none; and what that server takes. */
async function overSockets(dataDir: string, options: RuleOptions): Promise<string> {
  const { rounds, cpes, atATime, pinnedMax } = options;
  await writeCpes(dataDir, pinnedMax);
  const empty = await ServerProcess.start('./ferry-server.js');
  const startedMs = performance.now();
  const full = await ServerProcess.start('./ferry-server.js', [dataDir]);
  const startMs = performance.now() - startedMs;
  const atStart = await full.rssAnonBytes();
  for (const server of [empty, full]) {
    await drive(server, cpes, atATime, (index) => firstContact(server.port, index));
  }
  const periodic = (server: ServerProcess) =>
    drive(server, options.sessions, atATime, (index) => periodicSession(server.port, index % cpes));
  const [without, withRules]: [Measurement[], Measurement[]] = [[], []];
  for (const server of [empty, full]) await periodic(server);
  for (let index = 0; index < rounds; index++) {
    without.push(await periodic(empty));
    withRules.push(await periodic(full));
  }
  const afterSessions = await full.rssAnonBytes();
  const before = performance.now();
  const listed = await listRules(northboundOf(full));
  const listedPerSecond = Math.round((listed * 1_000) / (performance.now() - before));
  const afterList = await full.rssAnonBytes();
  for (const server of [empty, full]) await server.stop();
  const ratio = median(withRules.map(({ perSecond }, index) => perSecond / (without[index]?.perSecond ?? 0)));
  const row = (name: string, all: readonly Measurement[], last: readonly string[]) => [
    name,
    Math.round(median(all.map(({ perSecond }) => perSecond))).toString(),
    Math.round(median(all.map(({ cpuMicroseconds }) => cpuMicroseconds))).toString(),
    ...last,
  ];
  return tableText(
    [
      'Ferry with',
      'sessions per second',
      'server µs each',
      'ratio (≥ 0.8)',
      'RssAnon (≤ 400 MB)',
      'start (≤ 5 s)',
    ],
    [
      row('no rules', without, ['1', '', '']),
      row(`${pinnedMax} pinned rules and CPEs`, withRules, [
        ratio.toFixed(2),
        `${sizeText(atStart)} at start, ${sizeText(afterSessions)} after sessions, ${sizeText(afterList)} after listing all ${listed} rules (${listedPerSecond}/s)`,
        `${(startMs / 1_000).toFixed(2)} s`,
      ]),
    ],
    COLUMNS,
  );
}

function messageOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T));
    child.once('exit', (code) => reject(new Error(`${child.spawnargs[1]} ended with code ${code}`)));
  });
}
