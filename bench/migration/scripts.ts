import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { asked, type Northbound } from '../northbound.js';
import { cpeidOf } from '../rule-bodies.js';

/** What a script sends. */
interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** So many pages are followed by X-Next-After. */
  readonly pages?: number;
}

/** What it was answered, as far as a script looks at it. */
export interface Answer {
  readonly call: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: number;
  readonly sha256: string;
  /** How the body begins, for whoever looks for a difference. */
  readonly beginning: string;
}

const NDJSON = { Accept: 'application/x-ndjson' };
const RULES = '/v1/dyn/FirmwareStorage';
const RESULTS = '/v1/dyn/FirmwareResultStorage';
const DEVICES = '/v1/dyn/DeviceStorage';
const METHOD = '/v1/method';
const [FIRST, SECOND, LAST] = [cpeidOf(0), cpeidOf(1), cpeidOf(99)];
const OWN_RULE = { id: 'MIGRATED', file: 'bench.bin', condition: { cpeid: FIRST }, priority: 9 };
const NOW = '2026-11-01T02:30:00Z';

/** What scripts read, of every storage and method. */
const READING: readonly Call[] = [
  { method: 'GET', path: `${RULES}/.*`, headers: NDJSON },
  { method: 'GET', path: `${RULES}/.*?limit=500`, pages: 20 },
  { method: 'GET', path: `${RULES}/.*?limit=100&sort=id`, pages: 3 },
  { method: 'GET', path: `${RULES}/PIN_${FIRST}` },
  { method: 'GET', path: `${RULES}/PIN_00A1B2-HGW-.*?limit=50&sort=-priority`, pages: 2 },
  { method: 'GET', path: `${RULES}/.*?cpeid=${SECOND}` },
  { method: 'GET', path: `${RULES}/.*?campaignid=BENCH` },
  { method: 'GET', path: `${RULES}/.*?enabled=false` },
  { method: 'GET', path: `${RULES}/NO_SUCH_RULE` },
  { method: 'GET', path: `${DEVICES}/.*`, headers: NDJSON },
  { method: 'GET', path: `${DEVICES}/.*?limit=500`, pages: 20 },
  { method: 'GET', path: `${DEVICES}/${LAST}?parameters=true` },
  { method: 'GET', path: `${DEVICES}/.*?softwareVersion=2.0.0` },
  { method: 'GET', path: `${DEVICES}/.*?limit=20&sort=-softwareVersion`, pages: 2 },
  { method: 'GET', path: `${DEVICES}/NOBODY` },
  { method: 'GET', path: `${RESULTS}/.*` },
  { method: 'GET', path: `${RESULTS}/.*?id=BENCH&limit=10`, pages: 3 },
  { method: 'GET', path: `${RESULTS}/.*?cpeid=${FIRST}` },
  { method: 'GET', path: `${RESULTS}/.*?status=true&sort=cpeid&limit=25`, pages: 2 },
  { method: 'GET', path: '/v1/images' },
  { method: 'GET', path: '/v1/images/bench.bin' },
  { method: 'GET', path: '/v1/images/bench.bin/content' },
  { method: 'GET', path: `${METHOD}/FreezeUpgrades` },
  { method: 'POST', path: `${METHOD}/ExplainRules`, json: { cpe_id: FIRST, now: NOW } },
  { method: 'POST', path: `${METHOD}/ExplainRules`, json: { cpe_id: LAST, now: NOW, limit: 5 } },
  { method: 'POST', path: `${METHOD}/ExplainRules`, json: { cpe_id: 'NOBODY' } },
  { method: 'POST', path: `${METHOD}/MatchDevices`, json: { rule_id: `PIN_${SECOND}`, now: NOW } },
  { method: 'POST', path: `${METHOD}/SendCNR`, json: { search_options: { cpe_id: 'NOBODY' } } },
];

/** What they change, and what they see of it then. */
const CHANGING: readonly Call[] = [
  { method: 'POST', path: `${RULES}/.*`, json: OWN_RULE },
  { method: 'POST', path: `${RULES}/.*`, json: OWN_RULE },
  { method: 'POST', path: `${RULES}/.*`, headers: { 'If-None-Match': '*' }, json: OWN_RULE },
  { method: 'POST', path: `${RULES}/.*`, json: { ...OWN_RULE, priority: 'high' } },
  { method: 'GET', path: `${RULES}/MIGRATED` },
  { method: 'PUT', path: `${RULES}/MIGRATED`, json: { enabled: false } },
  { method: 'PUT', path: `${RULES}/PIN_${SECOND}`, json: { description: 'changed' } },
  { method: 'GET', path: `${RULES}/.*?limit=3`, pages: 2 },
  { method: 'POST', path: `${METHOD}/RestartRule`, json: { id: 'BENCH' } },
  { method: 'POST', path: `${METHOD}/RestartRule`, json: { id: 'NO_SUCH_RULE' } },
  { method: 'POST', path: `${METHOD}/FreezeUpgrades`, json: { frozen: true, reason: 'as a trial' } },
  { method: 'POST', path: `${METHOD}/ExplainRules`, json: { cpe_id: LAST, now: NOW, rules: ['BENCH'] } },
  { method: 'POST', path: `${METHOD}/FreezeUpgrades`, json: { frozen: false } },
  { method: 'DELETE', path: `${RULES}/MIGRATED` },
  { method: 'DELETE', path: `${RULES}/MIGRATED` },
  { method: 'DELETE', path: `${RULES}/.*` },
  { method: 'DELETE', path: `${RESULTS}/.*?id=BENCH` },
  { method: 'DELETE', path: `${DEVICES}/${LAST}?dryRun=true` },
  { method: 'DELETE', path: `${DEVICES}/${LAST}` },
  { method: 'GET', path: `${DEVICES}/${LAST}` },
  { method: 'DELETE', path: '/v1/images/bench.bin' },
];

/** Asks all of it, in order. */
export async function answersOf(at: Northbound, onAnswer: () => void): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const call of [...READING, ...CHANGING]) {
    let { path, pages = 1 } = call;
    for (; pages > 0; pages--) {
      const answer = await answered(at, { ...call, path });
      answers.push(answer);
      onAnswer();
      const after = answer.headers['x-next-after'];
      if (after === undefined) break;
      path = `${call.path}&after=${after}`;
    }
  }
  return answers;
}

const BEGINNING_CHARACTERS = 2_000;
/** When somebody froze the upgrades: it is another time in each run. */
const SINCE = /"since":\d+|frozen since [0-9TZ:.-]+/g;

async function answered(at: Northbound, { method, path, headers = {}, json }: Call): Promise<Answer> {
  const body = json === undefined ? undefined : JSON.stringify(json);
  const request = asked(at, method, path, {
    ...headers,
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', resolve);
  });
  request.end(body);
  const { statusCode: status = 0, headers: told } = await response;
  const hash = createHash('sha256');
  let [bytes, beginning] = [0, ''];
  for await (const chunk of await response) {
    const text = String(chunk).replace(SINCE, 'SINCE');
    hash.update(text);
    bytes += text.length;
    if (beginning.length < BEGINNING_CHARACTERS) beginning += text;
  }
  return {
    call: `${method} ${path}${body === undefined ? '' : ` ${body}`}`,
    status,
    headers: {
      'content-type': told['content-type'],
      link: told['link']?.toString(),
      'x-next-after': told['x-next-after']?.toString(),
    },
    bytes,
    sha256: hash.digest('hex'),
    beginning: beginning.slice(0, BEGINNING_CHARACTERS),
  };
}
