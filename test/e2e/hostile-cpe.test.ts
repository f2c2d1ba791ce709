import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { DEVICES } from '../../acs/device/device.js';
import type { CpeId } from '../../common/index.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { envelope, inform, RawCpe, rpcOf, textOf, transferComplete } from '../support/raw-cpe.js';

/** The proof that the server is well: another CPE's whole session. */
async function nextCpeIsServed(t: ExecutionContext, ferry: TestFerry): Promise<void> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.is(rpcOf((await cpe.post(inform({ serial: 'next' }))).body), 'InformResponse');
  cpe.close();
}

/** Such that it stays large when it is coded. */
function randomText(characters: number): string {
  return randomBytes(characters / 2).toString('hex');
}

const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<a/>', 'utf16le')]);
const bodies: readonly [
  title: string,
  body: string | Buffer,
  headers: Record<string, string>,
  status: number,
][] = [
  ['text that is no XML', 'hello', {}, 400],
  ['XML that ends too early', inform().slice(0, -20), {}, 400],
  ['XML that is no envelope', '<a/>', {}, 400],
  ['UTF-16 that is no envelope', utf16, {}, 400],
  ['bytes that are not in their charset', Buffer.from([0x3c, 0xff, 0xfe, 0xfd]), {}, 400],
  ['a body in a coding that is not decoded', inform(), { 'Content-Encoding': 'br' }, 415],
  ['a body that is coded twice', inform(), { 'Content-Encoding': 'deflate, gzip' }, 415],
  ['a body that is not coded as it says', Buffer.from('\x1f no gzip'), { 'Content-Encoding': 'gzip' }, 400],
  ['gzip that ends too early', gzipSync(inform()).subarray(0, -12), { 'Content-Encoding': 'gzip' }, 400],
  ['gzip of more than 1 MiB', gzipSync(randomText(1_100_000)), { 'Content-Encoding': 'gzip' }, 413],
  ['gzip of a hundred times its size', gzipSync('a'.repeat(1_000_000)), { 'Content-Encoding': 'gzip' }, 413],
  ['a DOCTYPE', `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>${inform()}`, {}, 400],
  [
    'an entity bomb',
    `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>${inform({ serial: '&b;' })}`,
    {},
    400,
  ],
  ['nesting 10,000 deep', envelope('<a>'.repeat(10_000) + '</a>'.repeat(10_000)), {}, 400],
  ['TransferComplete before Inform', transferComplete('x'), {}, 400],
  ['a cookie nobody was given', '', { Cookie: `ferry-session=${'0'.repeat(32)}` }, 400],
];

for (const [title, body, headers, status] of bodies) {
  test(`${title} gets HTTP ${status}, is logged, and the next CPE is served`, async (t) => {
    const ferry = await startTestFerry(t, { checksSchema: false });
    const cpe = new RawCpe(ferry.urls.cwmp);
    const answer = await cpe.post(body, headers);
    t.is(answer.status, status, answer.body);
    t.truthy(ferry.events.find(({ event }) => event === 'cwmp.rejected'));
    cpe.close();
    await nextCpeIsServed(t, ferry);
  });
}

// What measures the memory of this process comes before everything else in it.
test.serial('100 MB get HTTP 413 within bounded memory, announced by Content-Length or not', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const announced = await flood(ferry, 'Content-Length: 104857600', 1);
  t.regex(announced, /^HTTP\/1\.1 413 /);
  const beforeBytes = process.memoryUsage().rss;
  const chunked = await flood(ferry, 'Transfer-Encoding: chunked', 100);
  t.regex(chunked, /^HTTP\/1\.1 413 /);
  t.true(process.memoryUsage().rss - beforeBytes < 80 * 1024 * 1024);
  await nextCpeIsServed(t, ferry);
});

test('a body in gzip or deflate is read, whatever the coding is called and whichever of the two deflates is meant', async (t) => {
  const ferry = await startTestFerry(t);
  const codings: readonly [coding: string, code: (text: string) => Buffer, isMended: boolean][] = [
    ['gzip', gzipSync, false],
    ['x-gzip', gzipSync, false],
    ['GZIP', gzipSync, false],
    ['deflate', deflateSync, false],
    ['deflate', deflateRawSync, false],
    ['gzip', deflateSync, true],
    ['deflate', gzipSync, true],
    ['gzip, identity', gzipSync, true],
    ['gzip', Buffer.from, true],
    ['Identity', Buffer.from, false],
    ['none', Buffer.from, true],
    ['utf-8', Buffer.from, true],
    ['identity, text/xml', Buffer.from, true],
  ];
  let mendedBefore = 0;
  for (const [index, [coding, code, isMended]] of codings.entries()) {
    const what = `${coding} ${index}`;
    const cpe = new RawCpe(ferry.urls.cwmp);
    const answer = await cpe.post(code(inform({ serial: `c${index}` })), { 'Content-Encoding': coding });
    t.is(rpcOf(answer.body), 'InformResponse', what);
    cpe.close();
    const { body } = await ferry.nbi('GET', '/metrics');
    const mended = Number(/^ferry_cwmp_mended_total\{kind="coding"\} (\d+)/m.exec(String(body))?.[1] ?? 0);
    t.is(mended > mendedBefore, isMended, what);
    mendedBefore = mended;
  }
  const { body } = await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*?limit=100');
  t.is((body as { details: unknown[] }).details.length, codings.length);
});

test('an empty request that says it is coded is an empty request', async (t) => {
  const ferry = await startTestFerry(t);
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform());
  t.is(rpcOf((await cpe.post('', { 'Content-Encoding': 'gzip' })).body), 'SetParameterValues');
  cpe.close();
});

test.serial(
  'bodies that inflate to a thousand times their size, and a thousand envelopes full of flaws, take no memory that stays',
  async (t) => {
    const ferry = await startTestFerry(t, { checksSchema: false });
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const flawed = `${inform().replace('Acme', '& \u0001'.repeat(10_000))}\0${'<'.repeat(500_000)}`;
    const round = async () => {
      const cpe = new RawCpe(ferry.urls.cwmp);
      t.is((await cpe.post(bomb, { 'Content-Encoding': 'gzip' })).status, 413);
      cpe.close();
      const other = new RawCpe(ferry.urls.cwmp);
      t.is(rpcOf((await other.post(flawed)).body), 'InformResponse');
      other.close();
      // What the trace of this test has kept is none of the server's.
      ferry.envelopes.length = 0;
    };
    await round();
    const beforeBytes = process.memoryUsage().rss;
    for (let n = 0; n < 20; n++) await round();
    t.true(process.memoryUsage().rss - beforeBytes < 80 * 1024 * 1024);
    await nextCpeIsServed(t, ferry);
  },
);

/** Sends up to so many MiB and gives the first of what is answered. */
function flood(ferry: TestFerry, header: string, mebibytes: number): Promise<string> {
  const { hostname, port } = new URL(ferry.urls.cwmp);
  const mebibyte = Buffer.alloc(1024 * 1024, 'a');
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname);
    let left = mebibytes;
    let answer = '';
    const more = () => {
      while (left-- > 0) {
        const chunk = header.startsWith('Transfer')
          ? Buffer.concat([Buffer.from('100000\r\n'), mebibyte, Buffer.from('\r\n')])
          : mebibyte;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.on('drain', more);
    // The server may close while we still send; what counts is what it said before.
    socket.on('error', () => {});
    socket.on('close', () =>
      answer === '' ? reject(new Error('closed without an answer')) : resolve(answer),
    );
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n${header}\r\n\r\n`);
    more();
  });
}

test('an RPC that nobody knows gets CWMP fault 8000 and the session goes on', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform());
  const answer = await cpe.post(envelope('<cwmp:MakeCoffee/>', { id: '77' }));
  t.is(answer.status, 200);
  t.is(textOf(answer.body, 'FaultCode'), '8000');
  t.is(textOf(answer.body, 'ID'), '77');
  t.is(rpcOf((await cpe.post('')).body), 'SetParameterValues');
  cpe.close();
});

test('an Inform without a serial number gets CWMP fault 8003 that names the field', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const cpe = new RawCpe(ferry.urls.cwmp);
  const answer = await cpe.post(inform().replace('<SerialNumber>1</SerialNumber>', ''));
  t.is(textOf(answer.body, 'FaultCode'), '8003');
  t.regex(answer.body, /SerialNumber/);
  cpe.close();
});

test('an identity that no cpeid can carry gets CWMP fault 8003', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const cpe = new RawCpe(ferry.urls.cwmp);
  const long = 'é'.repeat(64);
  const answer = await cpe.post(inform({ serial: long, productClass: long }));
  t.is(textOf(answer.body, 'FaultCode'), '8003');
  cpe.close();
});

test('the cookie of another session is refused on a connection that carries one of its own', async (t) => {
  const ferry = await startTestFerry(t);
  const [victim, thief] = [new RawCpe(ferry.urls.cwmp), new RawCpe(ferry.urls.cwmp)];
  await victim.post(inform({ serial: 'victim' }));
  await thief.post(inform({ serial: 'thief' }));
  const answer = await thief.post('', { Cookie: victim.cookie ?? '' });
  t.is(answer.status, 400);
  t.is(rpcOf((await victim.post('')).body), 'SetParameterValues');
  victim.close();
  thief.close();
});

test('a session is carried by its cookie to another connection', async (t) => {
  const ferry = await startTestFerry(t);
  const [first, second] = [new RawCpe(ferry.urls.cwmp), new RawCpe(ferry.urls.cwmp)];
  await first.post(inform());
  second.cookie = first.cookie;
  t.is(rpcOf((await second.post('')).body), 'SetParameterValues');
  first.close();
  second.close();
});

test('a CPE that keeps no cookie is known by its connection', async (t) => {
  const ferry = await startTestFerry(t);
  const cpe = new RawCpe(ferry.urls.cwmp);
  cpe.keepsCookie = false;
  await cpe.post(inform());
  t.is(rpcOf((await cpe.post('')).body), 'SetParameterValues');
  cpe.close();
});

test('behind a trusted proxy only the cookie counts, as connections are shared between CPEs', async (t) => {
  const ferry = await startTestFerry(t, { config: { trustedProxy: ['127.0.0.1'] } });
  const proxy = new RawCpe(ferry.urls.cwmp);
  proxy.keepsCookie = false;
  const from = (address: string) => ({ 'X-Forwarded-For': address });
  const first = await proxy.post(inform({ serial: 'a' }), from('192.0.2.1'));
  const second = await proxy.post(inform({ serial: 'b' }), from('192.0.2.99, "192.0.2.2:4711"'));
  t.is((await proxy.post('')).status, 204);
  for (const answer of [first, second]) {
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    t.is(rpcOf((await proxy.post('', { Cookie: cookie })).body), 'SetParameterValues');
  }
  proxy.close();
  const devices = await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*?sort=id');
  t.deepEqual(
    (devices.body as { details: { ip: string }[] }).details.map(({ ip }) => ip),
    ['192.0.2.1', '192.0.2.2'],
  );
});

test('CPEs must present the configured credentials, and only then', async (t) => {
  const ferry = await startTestFerry(t, { config: { allowAnonymousCpe: false, cpeAuth: 'home:secret' } });
  const cpe = new RawCpe(ferry.urls.cwmp);
  const refused = await cpe.post(inform());
  t.is(refused.status, 401);
  t.regex(refused.headers['www-authenticate'] ?? '', /, Basic realm="Ferry CWMP"$/);
  const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  t.is((await cpe.post(inform(), basic('home:wrong'))).status, 401);
  t.is(rpcOf((await cpe.post(inform(), basic('home:secret'))).body), 'InformResponse');
  t.is((await cpe.post(inform())).status, 401, 'the session on this connection does not vouch for the next');
  cpe.close();
});

test('CPEs that hold back the end of a body take none of the places where requests are worked on', async (t) => {
  const ferry = await startTestFerry(t, { acsOptions: { requestsMax: 3 }, checksSchema: false });
  let come = 0;
  ferry.acs.cwmp.server.on('request', () => come++);
  const { port } = new URL(ferry.urls.cwmp);
  for (let n = 0; n < 20; n++) {
    const socket = net.connect(Number(port), '127.0.0.1').on('error', () => {});
    t.teardown(() => socket.destroy());
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<');
  }
  await until('all have come', () => come === 20);
  await nextCpeIsServed(t, ferry);
});

test('a session that falls silent expires, and its memory with it', async (t) => {
  const ferry = await startTestFerry(t, { acsOptions: { sessionIdleMsMax: 1 } });
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.is(rpcOf((await cpe.post(inform())).body), 'InformResponse');
  await until('the session expires', () => ferry.events.some(({ event }) => event === 'session.expired'));
  t.is(await ferry.acs.cwmp.openSessions, 0);
  t.is((await cpe.post('')).status, 400);
  cpe.close();
});

test('without credentials nothing is read or decoded: a malformed body gets 401, not 400', async (t) => {
  const ferry = await startTestFerry(t, {
    checksSchema: false,
    config: { allowAnonymousCpe: false, cpeAuth: 'home:secret' },
  });
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.is((await cpe.post('<a')).status, 401);
  t.is((await cpe.post('')).status, 401);
  t.deepEqual(ferry.envelopes, []);
  cpe.close();
});

test('texts that end in the middle of a character are kept, and the CPE is not locked out', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const long = `${'x'.repeat(255)}😀`;
  const cpe = new RawCpe(ferry.urls.cwmp);
  const answer = await cpe.post(inform({ version: long }).replace('>Acme<', `>${long}<`));
  t.is(rpcOf(answer.body), 'InformResponse');
  cpe.close();
  const { body } = await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*');
  const [device] = (body as { details: { softwareVersion?: string; manufacturer: string }[] }).details;
  t.is(device?.manufacturer, 'x'.repeat(255));
  t.is(device?.softwareVersion, undefined, 'what is compared is not cut');
});

test('a parameter named like something every object has does not get into the device document', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const cpe = new RawCpe(ferry.urls.cwmp);
  const parameters = { Deviceconstructor: 'a', Device__proto__: 'b', 'Device.__proto__.x': 'c' };
  t.is(rpcOf((await cpe.post(inform({ parameters }))).body), 'InformResponse');
  cpe.close();
  const device = await ferry.installation.store.collection<{ id: string }>(DEVICES).get('00A1B2-HGW-1');
  t.deepEqual(
    Object.keys(device?.document ?? {}).filter((name) => !/^[a-zA-Z]+$/.test(name)),
    [],
  );
});

test('what is kept of a data model is bounded, and a CPE that reports more is served all the same', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const cpe = new RawCpe(ferry.urls.cwmp);
  const value = 'v'.repeat(1_024);
  for (let round = 0; round < 8; round++) {
    const parameters: Record<string, string> = {};
    for (let n = 0; n < 300; n++) parameters[`Device.Many.p${round}_${n}`] = value;
    for (let n = 0; n < 20; n++) parameters[`Device.Sub${round}_${n}.x`] = 'y';
    t.is(rpcOf((await cpe.post(inform({ parameters }))).body), 'InformResponse');
  }
  cpe.close();
  const names = Object.keys(await ferry.acs.devices.parameters('00A1B2-HGW-1' as CpeId));
  t.is(names.filter((name) => name.startsWith('Device.Many.')).length, 1_000);
  t.true(new Set(names.map((name) => name.split('.')[1])).size <= 64);
});

test('a CPE that answers a connection request by changing the protocol, or by nothing, does not hold up SendCNR', async (t) => {
  const answers = [
    ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', 502, 60],
    ['', 504, 1],
  ] as const;
  for (const [index, [answer, code, connectionRequestSeconds]] of answers.entries()) {
    const ferry = await startTestFerry(t, { checksSchema: false, config: { connectionRequestSeconds } });
    const server = net.createServer((socket) =>
      socket.on('error', () => {}).on('data', () => socket.end(answer)),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const cpe = new RawCpe(ferry.urls.cwmp);
    const url = `http://127.0.0.1:${port}/cr`;
    await cpe.post(
      inform({ serial: `u${index}`, parameters: { 'Device.ManagementServer.ConnectionRequestURL': url } }),
    );
    cpe.close();
    const sent = await ferry.nbi('POST', '/v1/method/SendCNR', {
      search_options: { serialNumber: `u${index}` },
    });
    t.is(sent.status, code);
    server.close();
  }
});

test('a value that changes its type, or grows beyond what is kept, does not leave the old one standing', async (t) => {
  const ferry = await startTestFerry(t);
  const cpe = new RawCpe(ferry.urls.cwmp);
  const known = async () => (await ferry.acs.devices.parameters('00A1B2-HGW-1' as CpeId))['Device.X.Y'];
  await cpe.post(inform({ parameters: { 'Device.X.Y': '1' } }));
  t.is(await known(), '1');
  const asText = inform({ parameters: { 'Device.X.Y': '1' } });
  await cpe.post(
    asText.replace(
      'Device.X.Y</Name><Value xsi:type="xsd:string"',
      'Device.X.Y</Name><Value xsi:type="xsd:unsignedInt"',
    ),
  );
  t.is(await known(), 1);
  await cpe.post(inform({ parameters: { 'Device.X.Y': 'z'.repeat(2_000) } }));
  t.is(await known(), `${'z'.repeat(1_024)} …`);
  cpe.close();
});
