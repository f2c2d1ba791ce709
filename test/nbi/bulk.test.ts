import { once } from 'node:events';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { RuleId } from '../../common/index.js';
import { StoreError } from '../../store/index.js';
import { OPERATOR, ruleBody, startNbi, type TestNbi, until, VIEWER } from './support.js';

const RULES = '/v1/dyn/FirmwareStorage/.*';
const NDJSON = { 'Content-Type': 'application/x-ndjson' };
const ARRAY = { 'Content-Type': 'application/json', Accept: 'application/x-ndjson' };
const MESSAGE = 'response from FirmwareStorage';

type Line = Readonly<Record<string, unknown>>;

/** Posts a body and reads the report on it. */
async function load(
  nbi: TestNbi,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = NDJSON,
  path = RULES,
): Promise<readonly Line[]> {
  const reply = await nbi.call(path, { method: 'POST', body, headers });
  if (reply.status !== 200) throw new Error(`${reply.status}: ${JSON.stringify(reply.body)}`);
  return reportOf(reply.body);
}

function reportOf(body: unknown): readonly Line[] {
  const text = String(body);
  if (!text.endsWith('\n')) throw new Error(`No whole line at the end: ${text.slice(-100)}`);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

const rulesOf = (count: number, more: Readonly<Record<string, unknown>> = {}, from = 1) =>
  Array.from({ length: count }, (_, index) => ruleBody(`r${from + index}`, more));

const toLines = (bodies: readonly unknown[]) => bodies.map((body) => `${JSON.stringify(body)}\n`).join('');

async function idsOf(nbi: TestNbi): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id } of nbi.rules.scan({})) ids.push(id);
  return ids;
}

/** The lines that blame a rule, as `[number, code, field of the first problem]`. */
const blamed = (report: readonly Line[], unit: 'line' | 'item' = 'line') =>
  report
    .filter((line) => unit in line)
    .map((line) => [line[unit], line['code'], (line['details'] as Line[])[0]?.['field']]);

test.serial('NDJSON is stored by the thousand, and the report tells of each batch and sums up', async (t) => {
  const nbi = await startNbi(t);
  const body = toLines(rulesOf(5_000));
  const batches = [0, 1, 2, 3, 4].map((batch) => [batch * 1_000 + 1, batch * 1_000 + 1_000]);
  t.deepEqual(await load(nbi, body), [
    ...batches.map((lines) => ({ lines, code: 204, written: 1_000, unchanged: 0 })),
    { code: 204, message: MESSAGE, written: 5_000, unchanged: 0, refused: 0 },
  ]);
  t.is((await idsOf(nbi)).length, 5_000);
  const again = await load(nbi, body + toLines(rulesOf(1, { priority: 9 })));
  t.deepEqual(again.at(-1), { code: 204, message: MESSAGE, written: 1, unchanged: 5_000, refused: 0 });
  t.deepEqual(again.at(-2), { lines: [5_001, 5_001], code: 204, written: 1, unchanged: 0 });
  t.is(
    (await nbi.rules.get('r1' as RuleId))?.rule.priority,
    9,
    'the later of two in different batches stays',
  );
});

test.serial(
  'a batch with a bad line is not stored, each bad line is named, and the other batches are stored',
  async (t) => {
    const nbi = await startNbi(t);
    const bodies: unknown[] = rulesOf(2_200);
    bodies[1_499] = { ...ruleBody('bad'), priority: 'high', colour: 'red' };
    bodies[1_599] = ruleBody('r1101');
    const lines = toLines(bodies).split('\n');
    lines[1_299] = `{"id":"x",,}`;
    const report = await load(nbi, lines.join('\n'));
    t.deepEqual(blamed(report), [
      [1_300, 400, ''],
      [1_500, 400, 'colour'],
      [1_600, 400, 'id'],
    ]);
    const [, broken, invalid, duplicate] = report;
    t.like(broken, { details: [{ line: 1_300, column: 11 }] });
    t.regex(JSON.stringify(broken), /see line 1300, column 11/);
    t.like(invalid, { details: [{ field: 'colour' }, { field: 'priority' }] });
    t.false(JSON.stringify(invalid).includes('"item"'));
    t.regex(JSON.stringify(duplicate), /line 1101 has the same/);
    t.deepEqual(report.slice(-3), [
      { lines: [1_001, 2_000], code: 400, written: 0, unchanged: 0 },
      { lines: [2_001, 2_200], code: 204, written: 200, unchanged: 0 },
      { code: 207, message: MESSAGE, written: 1_200, unchanged: 0, refused: 1_000 },
    ]);
    const ids = new Set(await idsOf(nbi));
    t.is(ids.size, 1_200);
    t.true(ids.has('r1000') && ids.has('r2001') && !ids.has('r1001'));
  },
);

test.serial(
  'lines may end in CRLF or not at all, begin with a byte order mark, and be blank; their numbers are those of an editor',
  async (t) => {
    const nbi = await startNbi(t);
    const [a, b, c] = ['a', 'b', 'c'].map((id) => JSON.stringify(ruleBody(id)));
    const report = await load(nbi, `\ufeff${a}\r\n\r\n\n  ${b}\t\n\n${c}`);
    t.deepEqual(report[0], { lines: [1, 6], code: 204, written: 3, unchanged: 0 });
    t.deepEqual((await idsOf(nbi)).toSorted(), ['a', 'b', 'c']);
  },
);

test.serial('whatever a line holds that is no rule is a problem of that line', async (t) => {
  const nbi = await startNbi(t, { limits: { recordBytesMax: 2_000 } });
  const bad: [string | Buffer, RegExp][] = [
    [Buffer.from('{"id":"\xff"}', 'latin1'), /UTF-8/],
    ['{"__proto__":{}}', /__proto__/],
    ['{"id":"a","id":"b"}', /every key once/],
    ['[{"id":"a"}]', /"found":|expected/],
    ['null', /expected/],
    ['"text"', /expected/],
    ['{"id":"a"} {"id":"b"}', /JSON/],
    ['\u0000', /JSON/],
    ['['.repeat(500), /32 levels/],
    [JSON.stringify(ruleBody('long', { description: 'x'.repeat(2_000) })), /at most 2000 bytes/],
    [JSON.stringify(ruleBody('\ud800')), /Unicode/],
  ];
  const good = JSON.stringify(ruleBody('good'));
  const body = Buffer.concat(
    [good, ...bad.map(([line]) => line)].map((line) => Buffer.concat([Buffer.from(line), Buffer.from('\n')])),
  );
  const report = await load(nbi, body);
  t.deepEqual(
    blamed(report).map(([line, code]) => [line, code]),
    bad.map((_, index) => [index + 2, 400]),
  );
  for (const [index, [, pattern]] of bad.entries()) t.regex(JSON.stringify(report[index]), pattern);
  t.like(report.at(-1), { code: 400, written: 0, refused: bad.length + 1 });
  t.deepEqual(await idsOf(nbi), []);
});

test.serial(
  'a body without any rule, of another type, or by who may not is refused as a whole',
  async (t) => {
    const nbi = await startNbi(t);
    const status = async (
      headers: Readonly<Record<string, string>>,
      body: string,
      path = RULES,
      as = OPERATOR,
    ) => (await nbi.call(path, { method: 'POST', body, headers, as })).status;
    const line = toLines([ruleBody('a')]);
    t.is(await status(NDJSON, ''), 400);
    t.is(await status(NDJSON, '\n \r\n'), 400);
    t.is(await status({ 'Content-Type': 'application/x-ndjson; charset=latin1' }, line), 415);
    t.is(await status({ ...NDJSON, 'Content-Encoding': 'gzip' }, line), 415);
    t.is(await status({ 'Content-Type': 'text/plain', Accept: 'application/x-ndjson' }, line), 415);
    t.is(await status(NDJSON, line, `${RULES}?all=true`), 400);
    t.is(await status({ ...NDJSON, 'If-None-Match': '"x"' }, line), 400);
    t.is(await status(NDJSON, line, RULES, VIEWER), 403);
    t.deepEqual(await idsOf(nbi), []);
  },
);

test.serial(
  'ids are held to the pattern in the path, and to being new where that is asked for',
  async (t) => {
    const nbi = await startNbi(t);
    const report = await load(
      nbi,
      toLines(['UP_1', 'x'].map((id) => ruleBody(id))),
      NDJSON,
      `${RULES.slice(0, -2)}UP_.*`,
    );
    t.deepEqual(blamed(report), [[2, 400, 'id']]);
    await load(nbi, toLines([ruleBody('r1500')]));
    const conflict = await load(nbi, toLines(rulesOf(2_100)), { ...NDJSON, 'If-None-Match': '*' });
    t.deepEqual(blamed(conflict), [[1_500, 409, 'id']]);
    t.like(conflict[2], { lines: [1_001, 2_000], code: 409, written: 0 });
    t.like(conflict.at(-1), { code: 207, written: 1_100, refused: 1_000 });
  },
);

test.serial('an array is stored by the thousand too, where its sender takes NDJSON', async (t) => {
  const nbi = await startNbi(t, { limits: { bodyBytesMax: 1_000, itemsMax: 10 } });
  const bodies: unknown[] = rulesOf(2_200, { description: 'a "quoted", [bracketed] \\ text' });
  const spaced = JSON.stringify(bodies, null, 2);
  t.like(await nbi.call(RULES, { method: 'POST', json: bodies }), { status: 413 });
  t.deepEqual(await load(nbi, spaced, ARRAY), [
    { items: [0, 999], code: 204, written: 1_000, unchanged: 0 },
    { items: [1_000, 1_999], code: 204, written: 1_000, unchanged: 0 },
    { items: [2_000, 2_199], code: 204, written: 200, unchanged: 0 },
    { code: 204, message: MESSAGE, written: 2_200, unchanged: 0, refused: 0 },
  ]);
  bodies[1_500] = 5;
  const report = await load(nbi, JSON.stringify(bodies), ARRAY);
  t.deepEqual(blamed(report, 'item'), [[1_500, 400, '']]);
  t.like(report.at(-1), { code: 207, unchanged: 1_200, refused: 1_000 });
});

test.serial(
  'an array that breaks off, or goes on behind its end, is stored up to the batch that does',
  async (t) => {
    const nbi = await startNbi(t);
    const whole = JSON.stringify(rulesOf(1_500));
    const cut = await load(nbi, whole.slice(0, -1), ARRAY);
    t.deepEqual(cut.slice(0, 1), [{ items: [0, 999], code: 204, written: 1_000, unchanged: 0 }]);
    t.like(cut.at(-1), { code: 400, written: 1_000 });
    t.regex(JSON.stringify(cut.at(-1)), /it ends before its \]/);
    t.is((await idsOf(nbi)).length, 1_000);
    for (const body of ['', '{}', '[]', 'x[1]', `${JSON.stringify(rulesOf(1))}]`, '[1']) {
      const { status } = await nbi.call(RULES, { method: 'POST', body, headers: ARRAY });
      t.is(status, 400, body);
    }
    t.like(await load(nbi, `[${JSON.stringify(ruleBody('a'))},]`, ARRAY).then((report) => report.at(-1)), {
      code: 400,
    });
  },
);

test.serial('what GET gives as NDJSON can be posted again as it is, and changes nothing', async (t) => {
  const nbi = await startNbi(t);
  await load(nbi, toLines(rulesOf(1_200, { limits: { total: 5 }, description: '😀 é' })));
  const { body } = await nbi.call(RULES, { headers: { Accept: 'application/x-ndjson' } });
  const report = await load(nbi, body as Uint8Array);
  t.deepEqual(report.at(-1), { code: 204, message: MESSAGE, written: 0, unchanged: 1_200, refused: 0 });
});

/** A POST whose body is written by hand. */
function open(t: ExecutionContext, nbi: TestNbi): { socket: Socket; received: () => string } {
  const socket = connect(Number(new URL(nbi.url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  // A connection that the server has given up may well be reset under our writes.
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  const authorization = `Basic ${Buffer.from(OPERATOR).toString('base64')}`;
  socket.write(
    `POST ${RULES} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  return { socket, received: () => text };
}

const chunked = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

test.serial('the report comes while the body is still being sent', async (t) => {
  const nbi = await startNbi(t);
  const { socket, received } = open(t, nbi);
  socket.write(chunked(toLines(rulesOf(1_000))));
  await until(() => received().includes('"written":1000'));
  socket.write(chunked(toLines(rulesOf(10, {}, 2_000))) + chunked(''));
  await until(() => received().includes('"written":1010'));
  t.pass();
});

test.serial(
  'of a client that goes away in the middle whole batches are stored, and no part of one',
  async (t) => {
    const nbi = await startNbi(t);
    const { socket, received } = open(t, nbi);
    socket.write(chunked(toLines(rulesOf(2_500))));
    await until(() => received().includes('[1001,2000]'));
    socket.destroy();
    await until(() =>
      nbi.log.some(({ event, fields }) => event === 'nbi.request' && fields['status'] === 'aborted'),
    );
    t.is((await idsOf(nbi)).length, 2_000);
    t.deepEqual(
      nbi.log.filter(({ event }) => event === 'nbi.failed'),
      [],
    );
  },
);

test.serial('a client that falls silent is told, and let go', async (t) => {
  const nbi = await startNbi(t, { limits: { bodyMsMax: 300 } });
  const early = open(t, nbi);
  early.socket.write(chunked(toLines(rulesOf(10))));
  await once(early.socket, 'close');
  t.regex(early.received(), /^HTTP\/1\.1 408 /);
  const late = open(t, nbi);
  late.socket.write(chunked(toLines(rulesOf(1_001))));
  await once(late.socket, 'close');
  t.regex(late.received(), /^HTTP\/1\.1 200 [\s\S]*\[1,1000\][\s\S]*"code":408,[^\n]*"written":1000/);
  t.is((await idsOf(nbi)).length, 1_000);
});

test.serial('a body is read no faster than its rules are stored', async (t) => {
  const nbi = await startNbi(t);
  const { commit } = nbi.store;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  t.teardown(() => release());
  let commits = 0;
  nbi.store.commit = async (changes) => {
    // The sweep of deadlines, say, may come at any time.
    if (changes.length < 1_000) return commit.call(nbi.store, changes);
    commits++;
    await held;
    return commit.call(nbi.store, changes);
  };
  let serverSocket: Socket | undefined;
  nbi.server.once('connection', (socket: Socket) => {
    serverSocket = socket;
  });
  const { socket, received } = open(t, nbi);
  const batch = chunked(toLines(rulesOf(1_000, { description: 'x'.repeat(1_000) })));
  const total = 10;
  for (let sent = 0; sent < total; sent++) socket.write(batch);
  await until(() => commits === 1);
  // At rest when nothing was read between many looks.
  let restful = 0;
  let before = -1;
  await until(() => {
    const read = serverSocket?.bytesRead ?? 0;
    restful = read === before ? restful + 1 : 0;
    before = read;
    return restful > 20;
  });
  t.true(before < 3 * batch.length, `${before} bytes were read for the first batch of ${batch.length}`);
  t.is(commits, 1);
  release();
  socket.write(chunked(''));
  await until(() => received().includes('"refused":0'));
  t.true(received().includes(`"written":1000,"unchanged":${(total - 1) * 1_000}`));
});

test.serial('a client that reads nothing before it has sent everything is served all the same', async (t) => {
  const nbi = await startNbi(t, { limits: { reportedProblemsMax: 1_000_000 } });
  let serverSocket: Socket | undefined;
  nbi.server.once('connection', (socket: Socket) => {
    // As if the client's buffers, and ours, were full of the report from the start.
    socket.cork();
    serverSocket = socket;
  });
  const { commit } = nbi.store;
  let committed = false;
  let goOn: () => void = () => {};
  // The end of an answer lets everything out; it is not to come before the test has looked.
  const looked = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  t.teardown(() => goOn());
  nbi.store.commit = async (changes) => {
    const outcome = await commit.call(nbi.store, changes);
    if (changes.length < 1_000) return outcome;
    committed = true;
    await looked;
    return outcome;
  };
  const { socket, received } = open(t, nbi);
  socket.write(chunked('{"\n'.repeat(4_000)) + chunked(toLines(rulesOf(1_000))) + chunked(''));
  await until(() => committed);
  t.is(received(), '');
  goOn();
  serverSocket?.uncork();
  await until(() => received().includes('"refused":4000'));
});

test.serial('a body with too many problems is read no further, and its connection goes on', async (t) => {
  const nbi = await startNbi(t, { limits: { reportedProblemsMax: 30 } });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const request = async (body: string): Promise<string> => {
    const outgoing = http.request(nbi.url + RULES, {
      method: 'POST',
      agent,
      auth: OPERATOR,
      headers: NDJSON,
    });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return text;
  };
  const bodies: unknown[] = rulesOf(5_000);
  for (let line = 1_100; line < 1_140; line++) bodies[line] = {};
  const report = reportOf(await request(toLines(bodies)));
  t.like(report.at(-1), { code: 400, written: 1_000, refused: 1_000 });
  t.regex(JSON.stringify(report.at(-1)), /no more was read of this body/);
  t.is((await idsOf(nbi)).length, 1_000);
  t.like(reportOf(await request(toLines(rulesOf(2)))).at(-1), { code: 204 });
});

test.serial(
  'a store that fails in the middle ends the report with its code; what was stored stays',
  async (t) => {
    const nbi = await startNbi(t);
    const { commit } = nbi.store;
    let commits = 0;
    nbi.store.commit = async (changes) => {
      if (changes.length >= 1_000 && ++commits > 2) throw new StoreError('no-space', 'full');
      return commit.call(nbi.store, changes);
    };
    const report = await load(nbi, toLines(rulesOf(5_000)));
    t.like(report.at(-1), { code: 507, written: 2_000, refused: 0 });
    t.is(report.length, 3);
    nbi.store.commit = async () => {
      throw new Error('a bug');
    };
    await t.throwsAsync(load(nbi, toLines(rulesOf(1, { priority: 3 }))), { message: /^500/ });
  },
);

test('a batch that the store cannot hold is refused like any other; what comes after it is stored', async (t) => {
  const nbi = await startNbi(t);
  const { commit } = nbi.store;
  let commits = 0;
  nbi.store.commit = async (changes) => {
    if (changes.length >= 1_000 && ++commits === 2) throw new StoreError('bad-document', 'r1001: too large');
    return commit.call(nbi.store, changes);
  };
  const report = await load(nbi, toLines(rulesOf(3_000)));
  t.like(report[1], { line: 1_001, code: 400 });
  t.like(report[2], { lines: [1_001, 2_000], code: 400, written: 0 });
  t.like(report.at(-1), { code: 207, written: 2_000, refused: 1_000 });
});
