import { inform, serialOf } from '../../envelopes.js';
import type { Attack, Target } from '../attack.js';
import {
  askers,
  authorization,
  exchange,
  type HeldOptions,
  head,
  hold,
  pipelineAndDrop,
  trickle,
} from '../sockets.js';
import { IMAGE, ROGUE } from '../stage-names.js';

const CONTENT = `/v1/images/${IMAGE}/content`;
const LIST = '/v1/dyn/FirmwareStorage/.*';
const XML = 'Content-Type: text/xml; charset=utf-8\r\n';
const CLOSE = 'Connection: close\r\n';

type PortOf = (target: Target) => number;
const cwmp: PortOf = ({ cwmpPort }) => cwmpPort;
const nbi: PortOf = ({ nbiPort }) => nbiPort;
const files: PortOf = ({ filePort }) => filePort;

/** Another than that of the CPEs, so that whoever has most makes room for them. */
const ELSEWHERE = '127.0.0.2';

interface HeldHow {
  readonly drip?: string;
  readonly reads?: boolean;
  readonly localAddress?: string;
}

/** Connections that send this once, then perhaps a byte now and then. */
function held(
  name: string,
  describe: string,
  portOf: PortOf,
  count: number,
  textOf: (target: Target) => string,
  { drip = '', reads = true, localAddress }: HeldHow = {},
): Attack {
  return {
    name,
    describe: `${count.toLocaleString('en')} ${describe}`,
    begin(target, tally) {
      const text = textOf(target);
      const options: HeldOptions = {
        port: portOf(target),
        count,
        reads,
        tally,
        ...(localAddress !== undefined && { localAddress }),
        use(socket) {
          socket.write(text);
          if (drip !== '') trickle(socket, drip, 2_000);
        },
      };
      hold(options);
    },
  };
}

/** As fast as it is answered, so many at a time, each on a connection of its own. */
function asked(
  name: string,
  describe: string,
  portOf: PortOf,
  count: number,
  partsOf: (target: Target, asker: number, turn: number) => readonly string[],
  everyMs = 0,
): Attack {
  return {
    name,
    describe: `${describe}, ${count.toLocaleString('en')} at a time`,
    begin(target, tally) {
      askers(count, tally, (asker, turn) => exchange(portOf(target), partsOf(target, asker, turn)), everyMs);
    },
  };
}

function pipelined(
  name: string,
  describe: string,
  portOf: PortOf,
  requestOf: (target: Target) => string,
): Attack {
  return {
    name,
    describe: `${describe}, 1,000 in one go on two connections, dropped`,
    begin(target, tally) {
      pipelineAndDrop(portOf(target), requestOf(target), { count: 1_000, connections: 2 }, tally);
    },
  };
}

const chunked = (type: string) => `Content-Type: ${type}\r\nTransfer-Encoding: chunked\r\n`;
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const rule = (id: string) => `{"id":"${id}","file":"${IMAGE}","condition":{"cpeid":"00A1B2-X-${id}"}}\n`;

/** 1 MiB with its envelope, all of it parameters that nobody has. */
function largeInform(serial: string): string {
  const more = Array.from(
    { length: 880 },
    (_, index) => [`X_MANY${index % 64}.P${index}`, 'v'.repeat(1_000)] as const,
  );
  return inform(serial, ['2 PERIODIC'], '1.0.0', { more });
}

const lengthOf = (body: string) => `Content-Length: ${Buffer.byteLength(body)}\r\n`;

const EXPENSIVE = JSON.stringify({
  rule: { id: 'X', file: IMAGE, condition: '$count([1..1000000].($ * 2)) = 1' },
  cpe_id: `00A1B2-HGW-${serialOf(0)}`,
});

/** What the review did not try; measured only where it is asked for. */
export const SIBLINGS: readonly Attack[] = [
  held(
    'upload-stalled',
    'uploads of images in chunks by an operator that stall',
    nbi,
    500,
    ({ operator }) =>
      head('PUT', '/v1/images/stalled.bin', authorization(operator) + chunked('application/octet-stream')) +
      chunk('x'),
  ),
  held(
    'upload-dripping',
    'such uploads that send a byte now and then',
    nbi,
    500,
    ({ operator }) =>
      head(
        'PUT',
        '/v1/images/stalled.bin?softwareVersion=2',
        authorization(operator) + chunked('application/octet-stream'),
      ) + chunk('x'),
    { drip: chunk('x') },
  ),
  held(
    'ndjson-stalled',
    'NDJSON streams of an operator that stall after a rule',
    nbi,
    1_000,
    ({ operator }) =>
      head('POST', LIST, authorization(operator) + chunked('application/x-ndjson')) + chunk(rule('STALL')),
  ),
  held(
    'ndjson-dripping',
    'such streams that send a line now and then',
    nbi,
    1_000,
    ({ operator }) =>
      head('POST', LIST, authorization(operator) + chunked('application/x-ndjson')) + chunk(rule('DRIP')),
    { drip: chunk(rule('DRIP')) },
  ),
  held(
    'continue',
    'requests of a viewer that wait for 100 Continue and send no body',
    nbi,
    1_000,
    ({ viewer }) =>
      head(
        'POST',
        '/v1/method/ExplainRules',
        `${authorization(viewer)}Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 20\r\n`,
      ),
  ),
  held('upgrade-websocket', 'requests to go on in WebSocket, without log-in', nbi, 2_000, () =>
    head(
      'GET',
      '/v1/openapi.json',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
    ),
  ),
  held('upgrade-h2c', 'requests to go on in HTTP/2, without log-in, to the CWMP port', cwmp, 2_000, () =>
    head(
      'POST',
      '/',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 0\r\n',
    ),
  ),
  held(
    'heads-nbi',
    'heads that never end on the northbound port',
    nbi,
    2_000,
    () => 'GET / HTTP/1.1\r\nHost: a\r\n',
    { drip: 'X-A: b\r\n' },
  ),
  held(
    'heads-cwmp',
    'heads that never end on the CWMP port',
    cwmp,
    2_000,
    () => 'POST / HTTP/1.1\r\nHost: a\r\n',
    { drip: 'X-A: b\r\n' },
  ),
  held(
    'heads-files',
    'heads that never end on the file port',
    files,
    3_900,
    () => 'GET / HTTP/1.1\r\nHost: a\r\n',
    { drip: 'X-A: b\r\n' },
  ),
  held('silent-cwmp', 'connections to the CWMP port that say nothing', cwmp, 4_000, () => ''),
  held(
    'cwmp-stalled',
    // More than are worked on at a time.
    'Informs from an address of its own whose body stalls',
    cwmp,
    4_500,
    () =>
      head('POST', '/', `${XML}Content-Length: 2400\r\n`) +
      inform('STALL1', ['2 PERIODIC'], '1').slice(0, 500),
    { localAddress: ELSEWHERE },
  ),
  held(
    'cwmp-dripping',
    'Informs whose body goes on by a byte now and then',
    cwmp,
    2_000,
    () =>
      head('POST', '/', `${XML}Content-Length: 2400\r\n`) +
      inform('STALL1', ['2 PERIODIC'], '1').slice(0, 500),
    { drip: ' ' },
  ),
  held(
    'cwmp-large-stalled',
    'bodies of 1 MiB that stall at their last byte',
    cwmp,
    200,
    () => head('POST', '/', `${XML}Content-Length: 1048576\r\n`) + ' '.repeat(1_048_575),
  ),
  held('cwmp-open', 'sessions of as many CPEs that stop after the Inform', cwmp, 2_000, () => {
    const body = inform(serialOf(ROGUE + 1 + Math.floor(Math.random() * 5_000)), ['2 PERIODIC'], '1.0.0');
    return head('POST', '/', XML + lengthOf(body)) + body;
  }),
  {
    name: 'half-downloads',
    describe:
      'As many downloads as there may be by one token from an address of its own of which nothing is read',
    begin({ filePort: port, fileConnections: count, downloadPath }, tally) {
      const request = head('GET', downloadPath);
      hold({
        port,
        count,
        localAddress: ELSEWHERE,
        reads: false,
        tally,
        use: (socket) => socket.write(request),
      });
    },
  },
  held(
    'unread-metrics',
    'GETs of /metrics and more by a viewer who reads nothing, 20 in one go',
    nbi,
    100,
    ({ viewer }) => head('GET', '/metrics', authorization(viewer)).repeat(20),
    { reads: false },
  ),
  held(
    'unread-list',
    'lists as NDJSON by a viewer who reads nothing',
    nbi,
    500,
    ({ viewer }) => head('GET', LIST, `${authorization(viewer)}Accept: application/x-ndjson\r\n`),
    { reads: false },
  ),
  pipelined('head-pipeline', 'HEADs of an image by token', files, ({ downloadPath }) =>
    head('HEAD', downloadPath),
  ),
  pipelined('head-content', 'HEADs of an image by a viewer', nbi, ({ viewer }) =>
    head('HEAD', CONTENT, authorization(viewer)),
  ),
  pipelined('options-pipeline', 'OPTIONS without log-in', nbi, () =>
    head('OPTIONS', '/v1/dyn/FirmwareStorage/.*'),
  ),
  pipelined('list-pipeline', 'lists of all rules by a viewer', nbi, ({ viewer }) =>
    head('GET', LIST, authorization(viewer)),
  ),
  pipelined('health-pipeline', 'GETs of /healthz without log-in', nbi, () => head('GET', '/healthz')),
  pipelined('cwmp-pipeline', 'Informs of one CPE', cwmp, () => {
    const body = inform(serialOf(ROGUE + 1), ['2 PERIODIC'], '1.0.0');
    return head('POST', '/', XML + lengthOf(body)) + body;
  }),
  pipelined('range-pipeline', 'GETs of ranges of an image by token', files, ({ downloadPath }) =>
    head('GET', downloadPath, 'Range: bytes=0-0,2-2,4-4\r\n'),
  ),
  asked('connections-cwmp', 'Connections to the CWMP port that ask for / and end', cwmp, 50, () => [
    head('GET', '/', CLOSE),
  ]),
  asked(
    'connections-nbi',
    'Connections to the northbound port that ask without log-in and end',
    nbi,
    50,
    () => [head('GET', '/v1/method/FreezeUpgrades', CLOSE)],
  ),
  asked('connections-files', 'Connections to the file port with a token that is none', files, 50, () => [
    head('GET', '/t/0123/bench.bin', CLOSE),
  ]),
  asked('health', 'GETs of /healthz without log-in', nbi, 50, () => [head('GET', '/healthz', CLOSE)]),
  asked('openapi', 'GETs of /v1/openapi.json that are read', nbi, 20, () => [
    head('GET', '/v1/openapi.json', CLOSE),
  ]),
  asked('metrics', 'GETs of /metrics by a viewer', nbi, 50, ({ viewer }) => [
    head('GET', '/metrics', authorization(viewer) + CLOSE),
  ]),
  asked('regexp-lists', 'Lists by a costly pattern over ids by a viewer', nbi, 50, ({ viewer }) => [
    head(
      'GET',
      `/v1/dyn/FirmwareStorage/${encodeURIComponent('(.*[0-9]){30}x')}`,
      authorization(viewer) + CLOSE,
    ),
  ]),
  asked('sorted-lists', 'Lists sorted by priority, a page each, by a viewer', nbi, 50, ({ viewer }) => [
    head('GET', `${LIST}?sort=-priority&limit=1000`, authorization(viewer) + CLOSE),
  ]),
  asked('device-lists', 'Lists of CPEs with their parameters by a viewer', nbi, 50, ({ viewer }) => [
    head('GET', '/v1/dyn/DeviceStorage/.*?parameters=true', authorization(viewer) + CLOSE),
  ]),
  asked('explain', 'ExplainRules of a rule that costs much, by a viewer', nbi, 8, ({ viewer }) => [
    head(
      'POST',
      '/v1/method/ExplainRules',
      `${authorization(viewer)}Content-Type: application/json\r\n${lengthOf(EXPENSIVE)}${CLOSE}`,
    ),
    EXPENSIVE,
  ]),
  asked('match', 'MatchDevices of a rule that costs much, by a viewer', nbi, 4, ({ viewer }) => {
    const body = JSON.stringify({ condition: '$count([1..1000000].($ * 2)) = 1' });
    return [
      head(
        'POST',
        '/v1/method/MatchDevices',
        `${authorization(viewer)}Content-Type: application/json\r\n${lengthOf(body)}${CLOSE}`,
      ),
      body,
    ];
  }),
  asked('freezes', 'FreezeUpgrades by an operator', nbi, 20, ({ operator }, asker) => {
    const body = JSON.stringify({ frozen: asker % 2 === 0, reason: 'r'.repeat(1_000) });
    return [
      head(
        'POST',
        '/v1/method/FreezeUpgrades',
        `${authorization(operator)}Content-Type: application/json\r\n${lengthOf(body)}${CLOSE}`,
      ),
      body,
    ];
  }),
  asked('large-informs', 'Informs of 1 MiB of one CPE that all differ', cwmp, 8, (_, asker, turn) => {
    const body = largeInform(serialOf(ROGUE + 1)).replace('P0<', `P${asker}${turn}<`);
    return [head('POST', '/', `${XML}${lengthOf(body)}${CLOSE}`), body];
  }),
  asked('many-cpes', 'Informs of CPEs that nobody knows', cwmp, 20, (_, asker, turn) => {
    const body = inform(`NEW${asker}T${turn}`, ['0 BOOTSTRAP'], '1.0.0');
    return [head('POST', '/', `${XML}${lengthOf(body)}${CLOSE}`), body];
  }),
  asked('one-cpe', 'Informs of one CPE, each on a connection of its own', cwmp, 20, () => {
    const body = inform(serialOf(ROGUE + 1), ['2 PERIODIC'], '1.0.0');
    return [head('POST', '/', `${XML}${lengthOf(body)}${CLOSE}`), body];
  }),
];
