import test, { type ExecutionContext } from 'ava';
import { ADMIN, startTestFerry, type TestFerry } from '../support/ferry.js';
import { inform, RawCpe, rpcOf } from '../support/raw-cpe.js';
import { sendRaw, statusesOf } from '../support/raw-socket.js';

type Listener = 'cwmp' | 'nbi' | 'files';
const LISTENERS: readonly Listener[] = ['cwmp', 'nbi', 'files'];

async function knows(ferry: TestFerry, serial: string): Promise<boolean> {
  const answer = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/.*?serialNumber=${serial}`);
  return answer.status === 200;
}

async function figure(ferry: TestFerry, sample: string): Promise<number> {
  const { body } = await ferry.nbi('GET', '/metrics');
  const line = String(body)
    .split('\n')
    .find((text) => text.startsWith(`${sample} `));
  return Number(line?.split(' ')[1] ?? 0);
}

/** An Inform as RFC 2616 allows it and later HTTP does not. */
const OF_RFC_2616: Readonly<Record<string, (body: string) => string>> = {
  'a folded header': (body) =>
    `POST / HTTP/1.1\r\nHost: x\r\nUser-Agent: box\r\n (v1)\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  'a folded header that is read': (body) =>
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml;\r\n\tcharset=utf-8\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  'line feeds alone': (body) =>
    `POST / HTTP/1.1\nHost: x\nConnection: close\nContent-Length: ${body.length}\n\n${body}`,
  'blanks after the size of a chunk': (body) =>
    `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}   \r\n${body}\r\n0 \r\n\r\n`,
  'no Host': (body) =>
    `POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  'a control character in a header that nobody reads': (body) =>
    `POST / HTTP/1.1\r\nHost: x\r\nUser-Agent: box\x02\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
};
/** These leave their trace as http.refused; the rest as what the listener itself refuses. */
const REFUSED_BY_NODE = Object.keys(OF_RFC_2616).filter((what) => what !== 'no Host');

/** What llhttp 8, which the first Node.js 20 have, refuses whatever it is told. */
const BEYOND_LLHTTP_8 = 'blanks after the size of a chunk';
const isLlhttp8 = process.versions['llhttp']?.startsWith('8.') ?? false;

test('HTTP as RFC 2616 has it is read on the CWMP listener', async (t) => {
  const ferry = await startTestFerry(t);
  for (const [index, [what, write]] of Object.entries(OF_RFC_2616).entries()) {
    const received = await sendRaw(ferry.urls.cwmp, write(inform({ serial: `old${index}` })));
    if (isLlhttp8 && what === BEYOND_LLHTTP_8) {
      t.deepEqual(statusesOf(received), [400], what);
      t.is(await figure(ferry, 'ferry_http_refused_total{listener="cwmp",reason="malformed"}'), 1);
      continue;
    }
    t.deepEqual(statusesOf(received), [200], what);
    t.is(rpcOf(received), 'InformResponse', what);
    t.true(await knows(ferry, `old${index}`), what);
  }
});

test('where a proxy is trusted it is refused with a trace, as the proxy and Ferry must see the same requests', async (t) => {
  const ferry = await startTestFerry(t, { config: { trustedProxy: ['192.0.2.0/24'] }, checksSchema: false });
  for (const [index, [what, write]] of Object.entries(OF_RFC_2616).entries()) {
    const received = await sendRaw(ferry.urls.cwmp, write(inform({ serial: `old${index}` })));
    t.is(statusesOf(received)[0], 400, what);
    t.false(await knows(ferry, `old${index}`), what);
  }
  t.is(await figure(ferry, 'ferry_cwmp_rejected_total{reason="http"}'), 1);
  t.is(
    await figure(ferry, 'ferry_http_refused_total{listener="cwmp",reason="malformed"}'),
    REFUSED_BY_NODE.length,
  );
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform());
  t.is((await cpe.post('\r\n')).status, 400, 'a blank body');
  cpe.close();
});

test('a body of white space alone counts as an empty one', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  for (const [index, blank] of ['\r\n', ' ', '\n\n\t ', '\r\n'.repeat(1_000)].entries()) {
    const cpe = new RawCpe(ferry.urls.cwmp);
    await cpe.post(inform({ serial: `blank${index}` }));
    t.is(rpcOf((await cpe.post(blank)).body), 'SetParameterValues', JSON.stringify(blank.slice(0, 8)));
    cpe.close();
  }
  t.is(await figure(ferry, 'ferry_cwmp_mended_total{kind="blank-body"}'), 4);
});

/** A request that its listener serves, with headers in place of a body's. */
function served(listener: Listener, ferry: TestFerry, headers: string, body: string): string {
  const authorization = Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64');
  const path = listener === 'nbi' ? '/v1/dyn/DeviceStorage/.*' : '/files/none';
  const start = listener === 'cwmp' ? 'POST /' : `GET ${path}`;
  const { host } = new URL(ferry.urls[listener]);
  return `${start} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Basic ${authorization}\r\n${headers}\r\n${body}`;
}

const SECOND = 'GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const TWO_ENDS: Readonly<Record<string, readonly [headers: string, body: string]>> = {
  'Content-Length before Transfer-Encoding': [
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    '0\r\n\r\n',
  ],
  'Transfer-Encoding before Content-Length': [
    'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n',
    '0\r\n\r\n',
  ],
  'two lengths': ['Content-Length: 5\r\nContent-Length: 6\r\n', '0\r\n\r\n'],
  'two lengths in one header': ['Content-Length: 5, 6\r\n', '0\r\n\r\n'],
};
const NO_KNOWN_END: typeof TWO_ENDS = {
  'another coding than chunked': ['Transfer-Encoding: identity\r\n', ''],
  'chunked and then another': ['Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'],
};

async function refusesTwoEnds(t: ExecutionContext, ferry: TestFerry, listener: Listener): Promise<void> {
  const cases = Object.entries({ ...TWO_ENDS, ...NO_KNOWN_END });
  for (const [what, [headers, body]] of cases) {
    const received = await sendRaw(ferry.urls[listener], served(listener, ferry, headers, body + SECOND));
    const statuses = statusesOf(received);
    // Where only the end is not known node lets a handler answer the head, and then closes.
    if (what in TWO_ENDS) t.is(statuses[0], 400, `${listener}: ${what}`);
    t.is(statuses.length, 1, `${listener}: ${what}: nothing behind it is served`);
  }
  const byNode = await figure(ferry, `ferry_http_refused_total{listener="${listener}",reason="framing"}`);
  const byUs = listener === 'cwmp' ? await figure(ferry, 'ferry_cwmp_rejected_total{reason="http"}') : 0;
  t.true(byNode + byUs >= cases.length, `${listener}: each leaves a trace`);
}

test('a message whose end is said twice, or in no known way, is refused on every listener, and nothing behind it is served', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  for (const listener of LISTENERS) {
    t.true(
      statusesOf(await sendRaw(ferry.urls[listener], served(listener, ferry, 'Connection: close\r\n', '')))
        .length === 1,
    );
    await refusesTwoEnds(t, ferry, listener);
  }
});

test('so it is on the CWMP listener behind a trusted proxy', async (t) => {
  const ferry = await startTestFerry(t, { config: { trustedProxy: ['192.0.2.0/24'] }, checksSchema: false });
  await refusesTwoEnds(t, ferry, 'cwmp');
});

test('what RFC 2616 does not allow either is refused on the CWMP listener, with a trace', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const cases = {
    'a blank before the colon': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\nhi',
    'a NUL in a header': 'POST / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n',
    'a carriage return in a header': 'POST / HTTP/1.1\r\nHost: x\r\nX: a\rY: b\r\nContent-Length: 0\r\n\r\n',
    'a version there is not': 'POST / HTTP/9.9\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    'chunked twice':
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a chunk without a size': 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n',
    'a name with a blank': 'POST / HTTP/1.1\r\nHost: x\r\nA B: c\r\nContent-Length: 0\r\n\r\n',
  };
  for (const [what, bytes] of Object.entries(cases)) {
    const before = ferry.events.length;
    t.deepEqual(statusesOf(await sendRaw(ferry.urls.cwmp, bytes)), [400], what);
    const [traced] = ferry.events
      .slice(before)
      .filter(({ event }) => /^(cwmp\.rejected|http\.refused)$/.test(event));
    const figures = await ferry.nbi('GET', '/metrics');
    t.true(
      traced !== undefined || /ferry_http_refused_total\{listener="cwmp"/.test(String(figures.body)),
      what,
    );
  }
});

test('a request behind the last one of its connection is not worked on', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const post = (body: string, more = '') =>
    `POST / HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
  const both = post(inform({ serial: 'one' }), 'Connection: close\r\n') + post(inform({ serial: 'two' }));
  t.deepEqual(statusesOf(await sendRaw(ferry.urls.cwmp, both)), [200]);
  t.true(await knows(ferry, 'one'));
  t.false(await knows(ferry, 'two'));
});

test('pipelined requests are answered in turn as ever', async (t) => {
  const ferry = await startTestFerry(t);
  const post = (body: string, more = '') =>
    `POST / HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
  const both = post(inform({ serial: 'one' })) + post(inform({ serial: 'two' }), 'Connection: close\r\n');
  t.deepEqual(statusesOf(await sendRaw(ferry.urls.cwmp, both)), [200, 200]);
});

test('what node refuses by itself leaves a trace and a count on every listener', async (t) => {
  const ferry = await startTestFerry(t);
  for (const listener of LISTENERS) {
    await sendRaw(ferry.urls[listener], 'post / HTTP/1.1\r\nHost: x\r\n\r\n');
    await sendRaw(ferry.urls[listener], `POST / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`);
    for (const reason of ['malformed', 'headers-too-large']) {
      t.is(await figure(ferry, `ferry_http_refused_total{listener="${listener}",reason="${reason}"}`), 1);
      t.truthy(
        ferry.events.find(
          ({ event, fields }) =>
            event === 'http.refused' && fields['listener'] === listener && fields['reason'] === reason,
        ),
      );
    }
  }
});

test('HTTP stays strict on the northbound and file listeners', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  for (const listener of ['nbi', 'files'] as const) {
    for (const [what, write] of Object.entries(OF_RFC_2616)) {
      const received = await sendRaw(ferry.urls[listener], write('x'));
      t.true(statusesOf(received).includes(400) || what.includes('chunk'), `${listener}: ${what}`);
    }
    const refused = await figure(
      ferry,
      `ferry_http_refused_total{listener="${listener}",reason="malformed"}`,
    );
    t.is(refused, REFUSED_BY_NODE.length, listener);
    t.is(await figure(ferry, `ferry_http_refused_total{listener="${listener}",reason="no-host"}`), 1);
  }
});
