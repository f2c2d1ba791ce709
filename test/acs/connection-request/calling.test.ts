import test, { type ExecutionContext } from 'ava';
import { until } from '../../support/ferry.js';
import {
  type Act,
  type Asked,
  closing,
  isRight,
  LOGIN,
  leaving,
  OK,
  openTestCalls,
  refusing,
  unauthorized,
} from './setup.js';

const D = 'Digest realm="gate"';

/** Calls once and waits for the end. */
async function call(t: ExecutionContext, act: (asked: Asked) => Act, options = {}, known = {}) {
  const calls = await openTestCalls(t, act, { comingMsMax: 1, ...options }, known);
  const { code, message } = await calls.send();
  return { ...calls, code, message, requests: calls.cpe.asked.length };
}

const FLAWED: Readonly<Record<string, Act>> = {
  'LF only, no blank line, then closed (tr069agent)': closing('HTTP/1.1 200 OK\nDate: x\nContent-Length: 0'),
  'status line only, left open': leaving('HTTP/1.1 200 OK\r\n'),
  'chunks with padded sizes (ESPAsyncWebServer)': closing(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2  \r\nOK\r\n0   \r\n\r\n',
  ),
  'Content-Length and chunks': closing(
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
  'two lengths': closing('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n'),
  'more body than announced': closing('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nOK'),
  'a body that never comes': leaving('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'),
  'a last chunk that never comes': leaving(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n',
  ),
  'neither a length nor an end': leaving('HTTP/1.1 204 No Content\r\nServer: box\r\n\r\n'),
  'a control character, and a blank before a colon': closing(
    'http/1.0 200\r\nServer : \x01box\r\nContent-Length : x\r\n\r\n',
  ),
  '202 Accepted': closing('HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n'),
};

for (const [what, act] of Object.entries(FLAWED)) {
  test(`a CPE that has consented is called once, however flawed its answer: ${what}`, async (t) => {
    const { code, requests } = await call(t, () => act);
    t.deepEqual({ code, requests }, { code: 200, requests: 1 });
  });
}

const FINAL: Readonly<Record<string, readonly [Act, RegExp]>> = {
  'HTTP 404': [closing('HTTP/1.1 404 Not Found\n\n'), /HTTP 404/],
  'a redirect, which is not followed': [
    leaving('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n'),
    /HTTP 302/,
  ],
  'another protocol': [leaving('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'), /HTTP 101/],
  'something that is no HTTP': [closing('SSH-2.0-dropbear\r\n'), /not HTTP/],
  'more than is read': [leaving('x'.repeat(100_000)), /not HTTP/],
};

for (const [what, [act, expected]] of Object.entries(FINAL)) {
  test(`a CPE that has answered is not called again: ${what}`, async (t) => {
    const { code, message, requests, cpe } = await call(t, () => act);
    t.deepEqual({ code, requests, connections: cpe.connections }, { code: 502, requests: 1, connections: 1 });
    t.regex(message, expected);
  });
}

test('503 is asked again, until the CPE is free', async (t) => {
  let asked = 0;
  const { code, requests } = await call(t, () =>
    ++asked === 1 ? closing('HTTP/1.1 503 Busy\n\n') : closing(OK),
  );
  t.deepEqual({ code, requests }, { code: 200, requests: 2 });
});

test('a challenge is answered over its own connection, for which its nonce may be good alone', async (t) => {
  const forms = [
    unauthorized([`${D}, qop="auth", nonce="NONCE"`], 'Connection: keep-alive'),
    unauthorized([`${D}, qop="auth", nonce="NONCE"`]),
    `HTTP/1.1 401 x\r\nWWW-Authenticate: ${D}, nonce="NONCE"\r\nContent-Length: 12\r\n\r\nUnauthorized`,
    `HTTP/1.1 401 x\r\nWWW-Authenticate: ${D}, nonce="NONCE"\r\nContent-Length: 12\r\n\r\n`,
    `HTTP/1.1 401 x\nWWW-Authenticate: ${D},\n nonce="NONCE"\n\n<h1>HTTP/1.1 401 Unauthorized</h1>`,
    `HTTP/1.0 401 x\r\nConnection: keep-alive\r\nWWW-Authenticate: ${D}, nonce="NONCE"\r\n\r\n`,
  ];
  for (const form of forms) {
    const { code, cpe, requests } = await call(t, (asked) => {
      const nonce = `of-${asked.connection}`;
      return isRight(asked, nonce) ? leaving(OK) : leaving(form.replace('NONCE', nonce));
    });
    t.deepEqual({ code, requests, connections: cpe.connections }, { code: 200, requests: 2, connections: 1 });
  }
});

test('where the connection of a challenge is closed, another to the same address takes its answer', async (t) => {
  // What says that it closes is believed even if it does not; what says nothing, or the contrary, may close all the same.
  const closings: readonly (readonly [close: boolean, ...said: string[]])[] = [
    [true, 'Connection: close'],
    [false, 'Connection: close'],
    [true],
    [true, 'Connection: keep-alive'],
  ];
  for (const [close, ...said] of closings) {
    const { code, cpe } = await call(t, (asked) =>
      isRight(asked, 'n') ? leaving(OK) : { write: unauthorized([`${D}, nonce="n"`], ...said), close },
    );
    t.is(code, 200);
    t.true(cpe.connections > 1);
  }
});

test('a CPE that reads one request from each connection and leaves it open is asked over another', async (t) => {
  const used = new Set<number>();
  const { code, cpe } = await call(
    t,
    (asked) => {
      if (used.has(asked.connection)) return leaving('');
      used.add(asked.connection);
      return isRight(asked, 'n') ? leaving(OK) : leaving(unauthorized([`${D}, nonce="n"`]));
    },
    { attemptMsMax: 400, totalMsMax: 60_000 },
  );
  t.is(code, 200);
  t.true(cpe.connections > 1);
});

test('a second challenge with another nonce is answered, whether it says stale or not; a third only if it does', async (t) => {
  /** Takes the answer to the challenge of that number only. */
  const takes = (number: number, stale: string) => {
    let given = 0;
    return (asked: Asked): Act =>
      given >= number && isRight(asked, `n${number}`)
        ? closing(OK)
        : refusing([`${D}, nonce="n${++given}"${given > 1 ? stale : ''}`]);
  };
  const results: unknown[] = [];
  for (const [number, stale] of [
    [2, ''],
    [2, ', stale=true'],
    [3, ''],
    [3, ', stale=true'],
    [4, ', stale=true'],
  ] as const) {
    const { code, requests } = await call(t, takes(number, stale));
    results.push({ number, stale: stale !== '', code, requests });
  }
  t.deepEqual(results, [
    { number: 2, stale: false, code: 200, requests: 3 },
    { number: 2, stale: true, code: 200, requests: 3 },
    { number: 3, stale: false, code: 502, requests: 3 },
    { number: 3, stale: true, code: 200, requests: 4 },
    { number: 4, stale: true, code: 502, requests: 4 },
  ]);
});

test('a challenge that was answered in vain is not answered again', async (t) => {
  const { code, message, requests } = await call(t, () => refusing([`${D}, nonce="n"`]));
  t.deepEqual(
    { code, message, requests },
    { code: 502, message: 'The CPE refused the credentials (401)', requests: 2 },
  );
});

test('the best of several challenges is answered, and the next best where a CPE gets its own wrong', async (t) => {
  const offers = [
    `${D}, nonce="n", qop="auth", algorithm=SHA-512-256`,
    `${D}, nonce="n", qop="auth", algorithm=MD5`,
  ];
  const both = await call(t, (asked) => (isRight(asked, 'n') ? closing(OK) : refusing(offers)));
  t.is(both.code, 200);
  t.regex(both.cpe.asked.at(-1)?.authorization ?? '', /algorithm=SHA-512-256/);
  const onlyMd5 = await call(t, (asked) =>
    isRight(asked, 'n') && asked.authorization.includes('=MD5') ? closing(OK) : refusing([offers.join(', ')]),
  );
  t.deepEqual({ code: onlyMd5.code, requests: onlyMd5.requests }, { code: 200, requests: 3 });
});

test('every algorithm and every qop that Ferry answers is answered right', async (t) => {
  for (const algorithm of ['MD5', 'SHA-256', 'SHA-512-256']) {
    for (const sess of ['', '-sess']) {
      for (const qop of ['', ', qop=""', ', qop="auth"', ', qop="auth-int"']) {
        const challenge = `${D}, nonce="n", algorithm=${algorithm}${sess}${qop}`;
        const { code } = await call(t, (asked) =>
          isRight(asked, 'n') ? closing(OK) : refusing([challenge]),
        );
        t.is(code, 200, challenge);
      }
    }
  }
});

test('what no challenge of a CPE lets Ferry do is told, and no password is sent for it', async (t) => {
  const { code, message, requests } = await call(t, () =>
    refusing([`${D}, nonce="n", algorithm=SHA-1`, 'Negotiate']),
  );
  t.deepEqual(
    { code, message, requests },
    {
      code: 502,
      message: 'The CPE asks for a log-in that Ferry cannot do: Digest algorithm=SHA-1; Negotiate',
      requests: 1,
    },
  );
  t.is((await call(t, () => refusing([]))).message, 'The CPE answered 401 without a challenge');
  const some = await call(t, () => refusing([`${D}, nonce="n"`, 'Negotiate']));
  t.is(some.message, 'The CPE refused the credentials (401); it also offers what Ferry cannot do: Negotiate');
  const int = await call(t, () => refusing([`${D}, nonce="n", qop="auth-int"`]));
  t.is(int.message, 'The CPE refused Digest with qop=auth-int, which it asks for (401)');
});

const BASIC = 'Basic realm="gate"';

test('where Basic is allowed a password goes so only where nothing else can be answered, and never after Digest', async (t) => {
  const basic = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')}`;
  const allowed = { basic: true };
  const only = await call(
    t,
    ({ authorization }) => (authorization === basic ? closing(OK) : refusing([BASIC])),
    allowed,
  );
  t.is(only.code, 200);
  let asked = 0;
  const lured = await call(t, () => refusing(++asked === 1 ? [`${D}, nonce="n"`] : [BASIC]), allowed);
  const both = await call(t, () => refusing([BASIC, `${D}, nonce="n"`]), allowed);
  for (const { code, cpe } of [lured, both]) {
    t.is(code, 502);
    t.false(cpe.asked.some(({ authorization }) => authorization.startsWith('Basic')));
  }
});

const REFUSING_BASIC: Readonly<Record<string, readonly [object, object, RegExp]>> = {
  'is not allowed': [{}, {}, /asks for Basic alone.* with --connection-request-basic$/],
  'is allowed, and all CPEs share what would be sent': [
    { basic: true, sharedCredentials: LOGIN },
    {},
    /whole fleet.* leave out --connection-request-auth/,
  ],
  'is allowed, and its URL has moved': [
    { basic: true },
    { connectionRequestMovedMs: 1 },
    /has moved to another address \(127\.0\.0\.1\); .* ferry device approve-url$/,
  ],
};

for (const [where, [options, known, expected]] of Object.entries(REFUSING_BASIC)) {
  test(`no password goes to a CPE that asks for Basic alone where Basic ${where}, and the answer says what mends it`, async (t) => {
    const only = await call(t, () => refusing([BASIC]), options, known);
    t.deepEqual({ code: only.code, requests: only.requests }, { code: 502, requests: 1 });
    t.regex(only.message, expected);
    t.like(
      only.events.find(({ event }) => event === 'connection-request.failed'),
      { fields: { message: only.message } },
    );
    const more = await call(t, () => refusing([BASIC, 'Negotiate']), options, known);
    t.is(more.message, `${only.message}; it also offers what Ferry cannot do: Negotiate`);
    t.deepEqual(
      [...only.cpe.asked, ...more.cpe.asked].map(({ authorization }) => authorization),
      ['', ''],
    );
  });

  test(`Digest is answered beside Basic where Basic ${where}`, async (t) => {
    const both = await call(
      t,
      (asked) => (isRight(asked, 'n') ? closing(OK) : refusing([BASIC, `${D}, nonce="n"`])),
      options,
      known,
    );
    t.is(both.code, 200);
    let asked = 0;
    const lured = await call(
      t,
      () => refusing(++asked === 1 ? [`${D}, nonce="n"`] : [BASIC]),
      options,
      known,
    );
    t.is(lured.message, 'The CPE refused the credentials (401)');
  });
}

test('a CPE that is woken is given no more than one that an operator calls', async (t) => {
  const calls = await openTestCalls(t, () => refusing([BASIC]), { comingMsMax: 1 });
  const { code, message } = await calls.wake();
  t.is(code, 502);
  t.regex(message, /--connection-request-basic/);
  t.deepEqual(
    calls.cpe.asked.map(({ authorization }) => authorization),
    [''],
  );
});

test('what a CPE says in a challenge cannot put a line into the next request', async (t) => {
  const { cpe } = await call(t, () => refusing([`${D}, nonce="n\rX-Put: 1", opaque="\0\r"`]));
  t.is(cpe.asked.length, 2);
  t.deepEqual(
    cpe.asked[1]?.head.split('\r\n').map((line) => line.split(/[: ]/)[0]),
    ['GET', 'Host', 'Connection', 'Authorization'],
  );
});

const WORDS: Readonly<Record<string, Act>> = {
  'closed without a word': null,
  'said nothing and left the connection open': leaving(''),
  'said 503': closing('HTTP/1.1 503 In a session\n\n'),
  'said 500': closing('HTTP/1.1 500 Oops\n\n'),
  'said something that is no HTTP': closing('oops'),
};

for (const [what, act] of Object.entries(WORDS)) {
  test(`a CPE that came before it ${what} has been called with success, and once`, async (t) => {
    const calls = await openTestCalls(t, async () => {
      await calls.inform();
      return act;
    });
    const { code } = await calls.send();
    t.deepEqual({ code, requests: calls.cpe.asked.length }, { code: 200, requests: 1 });
    t.like(
      calls.events.find(({ event }) => event === 'connection-request.answered'),
      { fields: { by: 'session' } },
    );
  });
}

test('a CPE that comes after it has closed without a word, or refused, has been called with success, and once', async (t) => {
  for (const act of [null, closing('HTTP/1.1 500 Oops\n\n')]) {
    const calls = await openTestCalls(t, () => act);
    const sent = calls.send();
    await until(
      'it is called and has closed',
      () => calls.cpe.asked.length > 0 && calls.cpe.sockets.size === 0,
    );
    await calls.inform();
    t.is((await sent).code, 200);
    t.is(calls.cpe.asked.length, 1);
  }
});

test('a CPE that comes to another process is seen to have come', async (t) => {
  for (const act of [null, leaving('')]) {
    const calls = await openTestCalls(t, async () => {
      await calls.informElsewhere();
      return act;
    });
    t.is((await calls.send()).code, 200);
    t.is(calls.cpe.asked.length, 1);
  }
});

test('a CPE that is woken has come where it has only been sighted', async (t) => {
  for (const act of [null, leaving(''), closing('HTTP/1.1 503 In a session\n\n')]) {
    const calls = await openTestCalls(t, () => {
      calls.sight();
      return act;
    });
    t.is((await calls.wake()).code, 200);
    t.is(calls.cpe.asked.length, 1);
  }
});

test('an Inform that was under way when the operator asked is not the session that was asked for', async (t) => {
  let asked = 0;
  const calls = await openTestCalls(t, () => {
    calls.sight();
    return ++asked === 1 ? closing('HTTP/1.1 503 In a session\n\n') : closing(OK);
  });
  t.is((await calls.send()).code, 200);
  t.is(calls.cpe.asked.length, 2);
});

test('waking that is stopped ends at once, and as 504', async (t) => {
  const stop = new AbortController();
  const calls = await openTestCalls(t, () => {
    stop.abort();
    return leaving('');
  });
  t.is((await calls.wake(stop.signal)).code, 504);
});

test('a connection that a CPE leaves open is not held for ever', async (t) => {
  const { code, cpe } = await call(t, () => leaving(OK));
  t.is(code, 200);
  await until('it is closed', () => cpe.sockets.size === 0);
});
