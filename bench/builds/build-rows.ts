import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { postRules } from '../bulk-client.js';
import type { DecisionCosts } from '../decisions.js';
import { drive, type Measurement } from '../drive.js';
import { ownLogin } from '../logins.js';
import { call } from '../northbound.js';
import { processorMicroseconds } from '../processor-time.js';
import { cpeidOf, pinnedRule } from '../rule-bodies.js';
import { firstContact, periodicSession, upgrade } from '../sessions.js';
import { median } from '../statistics.js';
import { commandOf, neutralEnvironment, type TreeServer } from './tree-server.js';

/** Parts that a round of a row is measured in at most, the builds in turn: what the machine does to one part it does to its neighbour. */
export const BURSTS = 4;

/** How much of everything is done in a round. */
export interface Load {
  readonly sessions: number;
  readonly upgrades: number;
  readonly cpes: number;
  /** Stored for the rows that are about many rules. */
  readonly rules: number;
  readonly atATime: number;
}

/** One build in one round: a server that was started for it, and what that knows by now. */
export class Subject {
  readonly tree: string;
  readonly server: TreeServer;
  readonly load: Load;
  cpesKnown = 0;
  cpesUpgraded = 0;
  rulesStored = 0;
  hasImage = false;

  constructor(tree: string, server: TreeServer, load: Load) {
    this.tree = tree;
    this.server = server;
    this.load = load;
  }
}

/** A line of the comparison. Rows are measured in their order here, whichever are chosen. */
export interface Row {
  readonly name: string;
  readonly describe: string;
  /** What is printed: how many a second, or how long one takes. */
  readonly unit: '/s' | 'ms';
  /** Whether it is measured on a database too, where nobody says which rows. */
  readonly isOfDatabase: boolean;
  /** How many are measured in a round. */
  count(load: Load): number;
  /** Not counted: fills the store, and lets the server reach its optimised code. */
  prepare(subject: Subject): Promise<unknown>;
  /** The next so many. */
  measure(subject: Subject, count: number): Promise<Measurement>;
  /** Not counted: takes back what the rows after it must not meet. */
  finish?(subject: Subject): Promise<unknown>;
}

const FILE = 'bench.bin';
const UPGRADE_RULE = {
  id: 'BENCH',
  file: FILE,
  condition: { productClass: 'HGW' },
  executions: 1,
  priority: 1,
};
/** Part of the upgrades that are done before any is counted. */
const WARM_UPGRADES_SHARE = 0.5;
/** What is compiled with the first is compiled once; of so few that are counted it would be a tenth. */
const WARM_SEARCHES = 8;
const WARM_EXPLANATIONS = 40;
const MICROSECONDS_A_MILLISECOND = 1_000;

/** First contacts of CPEs that are not known yet. */
async function meet(subject: Subject, count: number): Promise<Measurement> {
  const { server, load, cpesKnown } = subject;
  const contact = (index: number) => firstContact(server.port, cpesKnown + index);
  subject.cpesKnown += count;
  return drive(server, count, load.atATime, contact);
}

async function makeKnown(subject: Subject, count: number): Promise<void> {
  if (subject.cpesKnown < count) await meet(subject, count - subject.cpesKnown);
}

function periodicSessions({ server, load }: Subject, count: number): Promise<Measurement> {
  return drive(server, count, load.atATime, (index) => periodicSession(server.port, index % load.cpes));
}

async function upgrades(subject: Subject, count: number): Promise<Measurement> {
  const { server, load, cpesUpgraded } = subject;
  subject.cpesUpgraded += count;
  return drive(server, count, load.atATime, (index) => upgrade(server.port, cpesUpgraded + index));
}

async function uploadImage(subject: Subject): Promise<void> {
  if (subject.hasImage) return;
  const body = { type: 'application/octet-stream', content: 'bench' };
  await call(subject.server.northbound, 'PUT', `/v1/images/${FILE}?softwareVersion=2.0.0`, body);
  subject.hasImage = true;
}

/** Each for one CPE, which is at its target: the first session says so, and from then on the rule is done. */
async function storeRules(subject: Subject, count: number): Promise<Measurement> {
  const { server, rulesStored } = subject;
  const bodies = Array.from({ length: count }, (_, index) => pinnedRule(rulesStored + index, '1.0.0'));
  subject.rulesStored += count;
  const request = await drive(server, 1, 1, () => postRules(server.northbound, bodies, () => {}));
  const { perSecond, cpuMicroseconds } = request;
  return { ...request, perSecond: perSecond * count, cpuMicroseconds: cpuMicroseconds / count };
}

async function makeStored(subject: Subject): Promise<void> {
  await makeKnown(subject, subject.load.cpes);
  await uploadImage(subject);
  const missing = subject.load.rules - subject.rulesStored;
  if (missing > 0) await storeRules(subject, missing);
}

function callMethod(
  { server }: Subject,
  count: number,
  name: string,
  bodyOf: (index: number) => object,
): Promise<Measurement> {
  return drive(server, count, 1, async (index) => {
    const body = { type: 'application/json', content: JSON.stringify(bodyOf(index)) };
    await call(server.northbound, 'POST', `/v1/method/${name}`, body);
  });
}

function matches(subject: Subject, count: number): Promise<Measurement> {
  return callMethod(subject, count, 'MatchDevices', () => ({ condition: { productClass: 'HGW' } }));
}

function explanations(subject: Subject, count: number): Promise<Measurement> {
  const { cpes } = subject.load;
  return callMethod(subject, count, 'ExplainRules', (index) => ({ cpe_id: cpeidOf(index % cpes) }));
}

/** Decisions that no rule is true for, in processes of their own on the server's store; with its organizations, where it has any. */
async function decisions({ tree, server, load }: Subject, count: number): Promise<Measurement> {
  const microseconds: number[] = [];
  for (let index = 0; index < count; index++) {
    const words = [server.dataDir, 'pinned', String(load.rules)];
    const child = fork(join(tree, 'dist', 'bench', 'decisions.js'), words, { env: neutralEnvironment() });
    const [[costs]] = await Promise.all([once(child, 'message'), once(child, 'exit')]);
    microseconds.push((costs as DecisionCosts).microseconds.none);
  }
  const each = median(microseconds);
  const eachMs = each / MICROSECONDS_A_MILLISECOND;
  return { perSecond: 1_000 / eachMs, p50Ms: eachMs, p99Ms: eachMs, cpuMicroseconds: each };
}

/** Processes, one after the other, that load what they need, print a line and end. */
function starts({ tree }: Subject, count: number): Promise<Measurement> {
  const waitedFor = { cpuMicroseconds: () => processorMicroseconds('self', 'ended children') };
  return drive(waitedFor, count, 1, async () => {
    const words = [commandOf(tree), '--version'];
    await promisify(execFile)(process.execPath, words, { env: neutralEnvironment() });
  });
}

/** So many that the start of the command is the smaller part. */
const LOGINS_A_FILE = 50_000;

/** `ferry cpe-auth import` into an installation that holds none: lines a second, in CSV. */
async function importLogins({ tree }: Subject, count: number): Promise<Measurement> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-bench-import-'));
  try {
    const file = join(directory, 'cpes.csv');
    const lines = Array.from({ length: LOGINS_A_FILE }, (_, cpe) => {
      const { username, password } = ownLogin(cpe);
      return `${cpeidOf(cpe)},${username},${password}\n`;
    });
    await writeFile(file, `cpeid,username,password\n${lines.join('')}`);
    const waitedFor = { cpuMicroseconds: () => processorMicroseconds('self', 'ended children') };
    const imports = await drive(waitedFor, count, 1, async (index) => {
      const words = [
        commandOf(tree),
        'cpe-auth',
        'import',
        file,
        `--data-dir=${join(directory, `data-${index}`)}`,
      ];
      await promisify(execFile)(process.execPath, words, { env: neutralEnvironment() });
    });
    const { perSecond, cpuMicroseconds } = imports;
    return {
      ...imports,
      perSecond: perSecond * LOGINS_A_FILE,
      cpuMicroseconds: cpuMicroseconds / LOGINS_A_FILE,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export const ROWS: readonly Row[] = [
  {
    name: 'first-contact',
    describe: 'first contacts of CPEs, with SetParameterValues',
    unit: '/s',
    isOfDatabase: true,
    count: ({ upgrades }) => upgrades,
    prepare: (subject) => makeKnown(subject, subject.load.cpes),
    measure: meet,
  },
  {
    name: 'periodic',
    describe: 'periodic sessions of known CPEs, without rules',
    unit: '/s',
    isOfDatabase: true,
    count: ({ sessions }) => sessions,
    async prepare(subject) {
      await makeKnown(subject, subject.load.cpes);
      await periodicSessions(subject, subject.load.sessions);
    },
    measure: periodicSessions,
  },
  {
    name: 'upgrade',
    describe: 'whole upgrades of known CPEs, two sessions each',
    unit: '/s',
    isOfDatabase: true,
    count: ({ upgrades }) => upgrades,
    async prepare(subject) {
      const warmUp = Math.ceil(subject.load.upgrades * WARM_UPGRADES_SHARE);
      // Bursts are rounded up.
      await makeKnown(subject, warmUp + subject.load.upgrades + BURSTS);
      await uploadImage(subject);
      await postRules(subject.server.northbound, [UPGRADE_RULE], () => {});
      await upgrades(subject, warmUp);
    },
    measure: upgrades,
    finish: ({ server }) => call(server.northbound, 'DELETE', `/v1/dyn/FirmwareStorage/${UPGRADE_RULE.id}`),
  },
  {
    name: 'bulk-rules',
    describe: 'rules stored by requests in NDJSON',
    unit: '/s',
    isOfDatabase: false,
    count: ({ rules }) => rules,
    prepare: uploadImage,
    measure: storeRules,
  },
  {
    name: 'periodic-rules',
    describe: 'periodic sessions of known CPEs, with all those rules stored',
    unit: '/s',
    isOfDatabase: false,
    count: ({ sessions }) => sessions,
    async prepare(subject) {
      await makeStored(subject);
      await periodicSessions(subject, subject.load.sessions);
    },
    measure: periodicSessions,
  },
  {
    name: 'decide',
    describe: 'decisions for CPEs that no rule is true for, with all those rules stored',
    unit: '/s',
    isOfDatabase: false,
    count: () => BURSTS,
    prepare: makeStored,
    measure: decisions,
  },
  {
    name: 'match',
    describe: 'MatchDevices of a condition, over all known CPEs',
    unit: '/s',
    isOfDatabase: false,
    count: () => 8,
    async prepare(subject) {
      await makeKnown(subject, subject.load.cpes);
      await matches(subject, WARM_SEARCHES);
    },
    measure: matches,
  },
  {
    name: 'explain',
    describe: 'ExplainRules of a known CPE, with all those rules stored',
    unit: '/s',
    isOfDatabase: false,
    count: () => 40,
    async prepare(subject) {
      await makeStored(subject);
      await explanations(subject, WARM_EXPLANATIONS);
    },
    measure: explanations,
  },
  {
    name: 'import-logins',
    describe: 'credentials of single CPEs that ferry cpe-auth import stores from CSV',
    unit: '/s',
    isOfDatabase: false,
    count: () => 1,
    prepare: async () => {},
    measure: importLogins,
  },
  {
    name: 'start',
    describe: 'start of a command (ferry --version), in milliseconds',
    unit: 'ms',
    isOfDatabase: false,
    count: () => 2,
    prepare: async () => {},
    measure: starts,
  },
];
