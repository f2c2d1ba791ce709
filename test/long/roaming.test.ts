import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { IMAGE_NAME, OLD_VERSION, PRODUCT_CLASS, postRule, uploadImage } from '../e2e/simulated.js';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  cpeFault,
  downloadResponse,
  envelope,
  inform,
  parameterValues,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
  transferComplete,
} from '../support/raw-cpe.js';

const numRuns = Number(process.env['FERRY_PROPERTY_CASES'] ?? 30);
const NODES = 3;
const CONNECTIONS = NODES * 2;

/** What a CPE does next, and over which of its connections; two of them lead to each node. */
type Act = {
  readonly over: number;
  readonly does:
    | 'informs'
    | 'informs-without-cookie'
    | 'says-nothing'
    | 'answers'
    | 'answers-again'
    | 'refuses'
    | 'answers-what-nobody-asked'
    | 'reports-a-transfer'
    | 'asks-what-we-can';
};

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    over: fc.nat({ max: CONNECTIONS - 1 }),
    does: fc.oneof(
      { weight: 3, arbitrary: fc.constant('informs' as const) },
      { weight: 1, arbitrary: fc.constant('informs-without-cookie' as const) },
      { weight: 6, arbitrary: fc.constant('says-nothing' as const) },
      { weight: 6, arbitrary: fc.constant('answers' as const) },
      { weight: 1, arbitrary: fc.constant('answers-again' as const) },
      { weight: 1, arbitrary: fc.constant('refuses' as const) },
      { weight: 1, arbitrary: fc.constant('answers-what-nobody-asked' as const) },
      { weight: 2, arbitrary: fc.constant('reports-a-transfer' as const) },
      { weight: 1, arbitrary: fc.constant('asks-what-we-can' as const) },
    ),
  }),
  { minLength: 4, maxLength: 24 },
);

/** What has gone wrong before: a process that remembers a step from before the CPE went elsewhere counted a try, or undid an answer. */
const PINNED: readonly Act[][] = [
  [
    { over: 0, does: 'informs-without-cookie' },
    { over: 2, does: 'reports-a-transfer' },
    { over: 3, does: 'reports-a-transfer' },
    { over: 2, does: 'says-nothing' },
    { over: 0, does: 'says-nothing' },
    { over: 0, does: 'informs' },
    { over: 0, does: 'says-nothing' },
  ],
  [
    { over: 0, does: 'informs' },
    { over: 0, does: 'says-nothing' },
    { over: 2, does: 'answers' },
    { over: 0, does: 'answers' },
    { over: 0, does: 'informs' },
    { over: 0, does: 'says-nothing' },
  ],
];

const INFORM = { productClass: PRODUCT_CLASS, version: OLD_VERSION };
const QUEUE_ANSWER = cpeFault(9000, 'Method not supported');
const ANSWERS: Readonly<Record<string, string>> = {
  Download: downloadResponse(),
  SetParameterValues: SET_PARAMETER_VALUES_RESPONSE,
  GetParameterValues: parameterValues(INFORM),
  GetQueuedTransfers: QUEUE_ANSWER,
  GetAllQueuedTransfers: QUEUE_ANSWER,
};
const GET_RPC_METHODS = envelope('<cwmp:GetRPCMethods/>');
const NO_KEY = '0123456789abcdef0123456789abcdef';

/** A CPE at some servers, which sends one request at a time, and begins anew where one is refused. */
class Cpe {
  readonly #serial: string;
  readonly #connections: RawCpe[];
  #cookie: string | null = null;
  #asked = '';
  #answered: string | null = null;
  #commandKey = NO_KEY;
  #isRefused = false;
  /** Over which connection the session came to its end, with nothing left to be said; whoever says more says it there. */
  #overAt: number | null = null;

  /** @param servers  where its connections lead to, one after the other */
  constructor(serial: string, servers: readonly TestFerry[]) {
    this.#serial = serial;
    this.#connections = Array.from({ length: CONNECTIONS }, (_, index) => {
      const server = servers[index % servers.length];
      if (server === undefined) throw new Error('There is no server');
      return new RawCpe(server.urls.cwmp);
    });
  }

  /** @returns what it is answered; null where it has nothing to do */
  async act({ over, does }: Act): Promise<string | null> {
    const begins = does === 'informs' || does === 'informs-without-cookie';
    const at = begins ? over : (this.#overAt ?? over);
    const connection = this.#connections[at];
    if (connection === undefined) throw new Error('There is no such connection');
    if (this.#isRefused && !begins) return null;
    if (does === 'informs-without-cookie') this.#cookie = null;
    const body = this.#bodyOf(does);
    if (body === null) return null;
    connection.cookie = this.#cookie;
    const answer = await connection.post(body);
    this.#cookie = connection.cookie;
    const rpc = rpcOf(answer.body);
    if (does === 'says-nothing' || does === 'answers' || does === 'refuses') this.#asked = rpc;
    if (rpc === 'Download') this.#commandKey = textOf(answer.body, 'CommandKey') ?? NO_KEY;
    this.#isRefused = answer.status === 400;
    if (begins) this.#overAt = null;
    if (answer.status === 204) this.#overAt = at;
    return `${answer.status} ${rpc}`;
  }

  #bodyOf(does: Act['does']): string | null {
    switch (does) {
      case 'informs':
      case 'informs-without-cookie':
        this.#asked = '';
        this.#answered = null;
        return inform({ ...INFORM, serial: this.#serial });
      case 'says-nothing':
        return '';
      case 'answers':
        this.#answered = ANSWERS[this.#asked] ?? null;
        return this.#answered;
      case 'answers-again':
        return this.#answered;
      case 'refuses':
        return this.#asked in ANSWERS ? cpeFault(9002, 'Internal error') : null;
      case 'answers-what-nobody-asked':
        return this.#asked === '' ? downloadResponse() : null;
      case 'reports-a-transfer':
        return transferComplete(this.#commandKey, [9010, 'Download failure']);
      case 'asks-what-we-can':
        return GET_RPC_METHODS;
      default:
        return does satisfies never;
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

async function startServers(t: ExecutionContext, proxied: boolean) {
  // It stands still, so that no session falls silent however slow the machine.
  const nowMs = Date.now();
  const trusted = proxied ? { trustedProxy: ['127.0.0.1'] } : {};
  const options = { clock: () => nowMs, checksSchema: false };
  const alone = await startTestFerry(t, { ...options, config: trusted });
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-roaming-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const config = { ...trusted, shareSessions: true };
  const nodes: TestFerry[] = [];
  for (let node = 0; node < NODES; node++)
    nodes.push(await startTestFerry(t, { ...options, dataDir, config }));
  for (const { nbi } of [alone, ...nodes.slice(0, 1)]) {
    await uploadImage(t, nbi);
    await postRule(t, nbi, { id: 'FLEET', file: IMAGE_NAME, condition: { productClass: PRODUCT_CLASS } });
  }
  return { alone, nodes };
}

for (const proxied of [false, true]) {
  test(`a CPE that goes from node to node and back is answered as by one that is alone, ${
    proxied ? 'behind a proxy' : 'over connections of its own'
  }`, async (t) => {
    const { alone, nodes } = await startServers(t, proxied);
    let serial = 0;
    const seen = new Set<string>();
    const law = fc.asyncProperty(acts, async (sequence) => {
      serial++;
      const [one, other] = [new Cpe(`${serial}`, [alone]), new Cpe(`${serial}`, nodes)];
      try {
        for (const act of sequence) {
          const expected = await one.act(act);
          const actual = await other.act(act);
          if (actual !== expected) throw new Error(`${JSON.stringify(act)}: ${actual}, not ${expected}`);
          seen.add(`${act.does}: ${expected}`);
        }
      } finally {
        one.close();
        other.close();
      }
    });
    const found = await fc.check(law, { numRuns, examples: PINNED.map((sequence) => [sequence]) });
    t.false(found.failed, `${JSON.stringify(found.counterexample)}: ${found.errorInstance}`);
    for (const each of ['says-nothing: 200 Download', 'answers: 204 ', 'answers-what-nobody-asked: 400 ']) {
      t.true(seen.has(each), `${each} was not among ${[...seen].sort().join(', ')}`);
    }
  });
}
