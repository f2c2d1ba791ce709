import test from 'ava';
import fc from 'fast-check';
import {
  type AnswerHead,
  AnswerHeadReader,
  HEAD_BYTES_MAX,
  UnreadableAnswerError,
} from '../../../acs/connection-request/answer-head.js';

type Outcome = AnswerHead | 'waits' | 'nothing' | 'unreadable';

/** What a reader makes of these pieces, and then of their end, if they end. */
function readAll(pieces: readonly Buffer[], ends: boolean, before: { bodyBytesLeft: number } | null = null) {
  const reader = new AnswerHeadReader(before);
  try {
    for (const [index, piece] of pieces.entries()) {
      const head = reader.read(piece);
      // What is announced of the body is the same, however much of it came with the head.
      if (head !== null) {
        const behind = pieces.slice(index + 1).reduce((sum, { length }) => sum + length, 0);
        return { ...head, bodyBytesLeft: Math.max(0, head.bodyBytesLeft - behind) };
      }
    }
    return ends ? (reader.end() ?? 'nothing') : 'waits';
  } catch (error) {
    if (error instanceof UnreadableAnswerError) return 'unreadable';
    throw error;
  }
}

function read(text: string, ends = false, before: { bodyBytesLeft: number } | null = null): Outcome {
  return readAll([Buffer.from(text, 'latin1')], ends, before);
}

function statusOf(outcome: Outcome): number | string {
  return typeof outcome === 'string' ? outcome : outcome.status;
}

const CHALLENGE = 'Digest realm="gate", qop="auth", nonce="a1b2"';

test('a status other than 401 is known when its line is there, whatever else is wrong', (t) => {
  const answers: Readonly<Record<string, number>> = {
    'HTTP/1.1 200 OK\r\n': 200,
    'HTTP/1.1 200 OK\n': 200,
    'HTTP/1.1 200 OK\r\r\n': 200,
    'HTTP/1.0 204\r\n': 204,
    'http/1.1 200 ok\n': 200,
    'HTTP/1.1  200  OK\r\n': 200,
    'HTTP/1.1\t200\r\n': 200,
    'HTTP/1 200 OK\r\n': 200,
    'HTTP 200 OK\r\n': 200,
    'HTTP/1.1 200\0\r\n': 200,
    '\r\n\n  HTTP/1.1 200 OK\r\n': 200,
    '\0\0HTTP/1.1 200 OK\r\n': 200,
    'starting the session\nHTTP/1.1 200 OK\r\n': 200,
    'HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\n': 503,
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0  \r\n\r\n': 200,
    'HTTP/1.1 200 OK\r\nContent-Length: many\r\nContent-Length: 5\r\n\r\n': 200,
    'HTTP/1.1 101 Switching Protocols\r\n': 101,
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\n': 302,
  };
  for (const [answer, status] of Object.entries(answers)) {
    t.is(statusOf(read(answer)), status, JSON.stringify(answer));
  }
});

test('where the CPE closes, what has come decides', (t) => {
  t.is(statusOf(read('HTTP/1.1 200 OK', true)), 200);
  t.is(statusOf(read('HTTP/1.1 401 Unauthorized\nDate: x', true)), 401);
  t.like(read(`HTTP/1.1 401 Unauthorized\nWWW-Authenticate: ${CHALLENGE}`, true), {
    challenges: [CHALLENGE],
    staysOpen: 'no',
  });
  t.is(read('', true), 'nothing');
  t.is(read('\r\n \0\r\n', true), 'nothing');
  t.is(read('<html>not today</html>', true), 'unreadable');
  t.is(read('HTTP/1.1 20', true), 'unreadable');
  t.is(read('HTTP/1.1 2000 OK\r\n', true), 'unreadable');
});

test('of a 401 the head is awaited, and its challenges are read in whatever form', (t) => {
  t.is(read(`HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${CHALLENGE}\r\n`), 'waits');
  const forms = [
    `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${CHALLENGE}\r\n\r\n`,
    `HTTP/1.1 401\nwww-authenticate:${CHALLENGE}\n\n`,
    `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate : \t${CHALLENGE}   \r\n\r\n`,
    `HTTP/1.1 401 Unauthorized\r\n  WWW-Authenticate: ${CHALLENGE}\r\n \r\n`,
    `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate:\r\n Digest realm="gate",\r\n\tqop="auth",\r\n   nonce="a1b2"\r\n\r\n`,
    `HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Digest realm="gate",\n qop="auth",\n nonce="a1b2"\n\n<html>\n\n`,
    `HTTP/1.1 401 Unauthorized\r\nServer: \x01box\r\nno header at all\r\nWWW-Authenticate: ${CHALLENGE}\r\nContent-Length: 9\r\nContent-Length: 7\r\n\r\n`,
  ];
  for (const form of forms) {
    t.like(read(form), { status: 401, challenges: [CHALLENGE], bodyBytesLeft: 0 }, JSON.stringify(form));
  }
  t.like(
    read(
      'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Digest nonce="n"\r\n\r\n',
    ),
    { challenges: ['Basic realm="a"', 'Digest nonce="n"'] },
  );
});

test('control characters in a challenge become blanks, as what is said goes back in a header', (t) => {
  const head = read('HTTP/1.1 401 x\nWWW-Authenticate: Digest realm="a\rX: y\0", nonce="n"\n\n');
  t.deepEqual(typeof head === 'string' ? head : head.challenges, ['Digest realm="a X: y ", nonce="n"']);
});

test('the connection stays open where the CPE says so, or HTTP/1.1 does and the CPE nothing else', (t) => {
  const stays = (head: string) => {
    const outcome = read(`${head}\r\nWWW-Authenticate: Basic\r\n\r\n`);
    return typeof outcome === 'string' ? outcome : outcome.staysOpen;
  };
  t.is(stays('HTTP/1.1 401 x'), 'unsaid');
  t.is(stays('HTTP/1.1 401 x\r\nConnection: Keep-Alive'), 'said');
  t.is(stays('HTTP/1.1 401 x\r\nConnection: close'), 'no');
  t.is(stays('HTTP/1.1 401 x\r\nConnection: keep-alive\r\nConnection: TE, Close'), 'no');
  t.is(stays('HTTP/1.0 401 x'), 'no');
  t.is(stays('HTTP/1.0 401 x\r\nConnection: keep-alive'), 'said');
});

test('the answer behind the body of another is found, whether the body is as long as was announced or not', (t) => {
  const OK = 'HTTP/1.1 200 OK\r\n';
  const answers: readonly (readonly [bodyBytesLeft: number, text: string, outcome: number | string])[] = [
    [0, OK, 200],
    [12, `Unauthorized${OK}`, 200],
    [12, `Unauthorized\r\n${OK}`, 200],
    [2, OK, 200],
    [0, `<html>HTTP/1.1 401 Unauthorized</html>\r\n${OK}`, 200],
    [0, `<title>401</title>${OK}`, 200],
    [0, `2  \r\nno\r\n0   \r\n\r\n${OK}`, 200],
    [12, 'Unauthorized', 'waits'],
  ];
  for (const [bodyBytesLeft, text, outcome] of answers) {
    t.is(statusOf(read(text, false, { bodyBytesLeft })), outcome, JSON.stringify(text));
  }
  t.is(read('Unauthorized', true, { bodyBytesLeft: 0 }), 'nothing', 'the rest of a body is no answer');
  t.is(read('HT', true, { bodyBytesLeft: 12 }), 'nothing');
});

test('bounds: what has no status within them is unreadable, and a 401 is what was read of it', (t) => {
  t.is(read('x'.repeat(HEAD_BYTES_MAX - 1)), 'waits');
  t.is(read('x'.repeat(HEAD_BYTES_MAX)), 'unreadable');
  t.is(read('x\n'.repeat(1_000)), 'unreadable');
  const many = read(`HTTP/1.1 401 x\r\n${'WWW-Authenticate: Digest nonce="n"\r\n'.repeat(1_000)}`);
  t.is(typeof many === 'string' ? many : many.challenges.length, 16);
  const long = read(`HTTP/1.1 401 x\r\nWWW-Authenticate: Digest nonce="${'n'.repeat(HEAD_BYTES_MAX)}"\r\n`);
  t.true(typeof long !== 'string' && (long.challenges[0]?.length ?? 0) <= 8 * 1024);
});

/** Pieces of answers, right and wrong, in any order. */
const fragment = fc.constantFrom(
  ...['HTTP/1.1 401 Unauthorized', 'HTTP/1.1 200 OK', 'HTTP/1.1 100 Continue', 'http 503', 'HTTP/'],
  ...['WWW-Authenticate: Digest nonce="n"', 'Connection: close', 'Content-Length: 12', 'Unauthorized'],
  ...['\r\n', '\n', '\r', ' ', '\t', '\0', '\r\n\r\n', '\n\n', '<title>', 'H', 'x'.repeat(9_000)],
);
const answer = fc.array(fragment, { maxLength: 30 }).map((parts) => Buffer.from(parts.join(''), 'latin1'));
const before = fc.option(fc.record({ bodyBytesLeft: fc.constantFrom(0, 2, 12, 70_000) }));

test('however an answer is cut into pieces, it is read alike', (t) => {
  fc.assert(
    fc.property(
      answer,
      before,
      fc.boolean(),
      fc.array(fc.nat(), { maxLength: 12 }),
      (bytes, follows, ends, cuts) => {
        const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
          (a, b) => a - b,
        );
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        t.deepEqual(readAll(pieces, ends, follows), readAll([bytes], ends, follows));
        const single = [...bytes.subarray(0, 400)].map((byte) => Buffer.from([byte]));
        t.deepEqual(
          readAll(single, ends, follows),
          readAll([bytes.subarray(0, 400)], ends, follows),
          'a byte at a time',
        );
      },
    ),
    { numRuns: Number(process.env['FERRY_PROPERTY_CASES'] ?? 500) },
  );
});

test('any bytes are read to an outcome, and a status once known does not change by what follows', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), answer, (noise, more) => {
      const outcome = readAll([Buffer.from(noise)], true);
      t.truthy(outcome);
      const first = readAll([more], false);
      if (typeof first !== 'string') {
        t.is(statusOf(readAll([more, Buffer.from(noise)], true)), first.status);
      }
    }),
    { numRuns: Number(process.env['FERRY_PROPERTY_CASES'] ?? 500) },
  );
});
