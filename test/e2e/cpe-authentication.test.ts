import test, { type ExecutionContext } from 'ava';
import { type DigestAlgorithm, digestResponse, digestSecret } from '../../common/index.js';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import { envelope, inform, RawCpe, rpcOf } from '../support/raw-cpe.js';

const USERNAME = 'home';
const PASSWORD = 'a cpe pass:word';
const CONFIG = { allowAnonymousCpe: false, cpeAuth: `${USERNAME}:${PASSWORD}` };

const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` });

function cpeOf(t: ExecutionContext, ferry: TestFerry): RawCpe {
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => cpe.close());
  return cpe;
}

/** The nonce that a CPE is asked with. */
async function nonceFrom(ferry: TestFerry): Promise<string> {
  const response = await fetch(ferry.urls.cwmp, { method: 'POST' });
  return /nonce="([^"]+)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1] ?? '';
}

function digest(
  nonce: string,
  {
    count = 1,
    algorithm = 'MD5',
    password = PASSWORD,
  }: { count?: number | null; algorithm?: DigestAlgorithm; password?: string } = {},
): { readonly Authorization: string } {
  const secret = digestSecret(algorithm, { username: USERNAME, realm: 'Ferry CWMP', password });
  const nc = count?.toString(16).padStart(8, '0');
  const qop = nc === undefined ? null : { name: 'auth', nc, cnonce: 'c' };
  const response = digestResponse(algorithm, secret, { method: 'POST', uri: '/', nonce, qop });
  const counted = nc === undefined ? '' : `, qop=auth, nc=${nc}, cnonce="c"`;
  return {
    Authorization: `Digest username="${USERNAME}", realm="Ferry CWMP", nonce="${nonce}", uri="/", algorithm=${algorithm}, response="${response}"${counted}`,
  };
}

const isStale = ({ headers }: { headers: Record<string, unknown> }) =>
  /stale=true/.test(String(headers['www-authenticate']));

for (const [scheme, asked] of [
  ['basic', ['Basic']],
  ['digest', ['Digest', 'Digest']],
  ['both', ['Digest', 'Digest', 'Basic']],
] as const) {
  test(`--cpe-auth-scheme ${scheme}: a CPE is asked for that, and for nothing else`, async (t) => {
    const ferry = await startTestFerry(t, { config: { ...CONFIG, cpeAuthScheme: scheme } });
    const { headers } = await fetch(ferry.urls.cwmp, { method: 'POST' });
    const challenges = headers.get('www-authenticate') ?? '';
    t.deepEqual(challenges.match(/\b(?:Basic|Digest)(?= realm="Ferry CWMP")/g), [...asked]);
    const byBasic = await cpeOf(t, ferry).post(inform(), basic(`${USERNAME}:${PASSWORD}`));
    t.is(byBasic.status, scheme === 'digest' ? 401 : 200);
    const nonce = scheme === 'basic' ? 'x' : await nonceFrom(ferry);
    const byDigest = await cpeOf(t, ferry).post(inform(), digest(nonce));
    t.is(byDigest.status, scheme === 'basic' ? 401 : 200);
  });
}

for (const shareSessions of [false, true]) {
  const where = shareSessions ? 'shared' : 'alone';

  test(`a session begins by Digest on any connection, and its cookie carries it on (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { ...CONFIG, shareSessions } });
    for (const [serial, said] of (
      [{}, { algorithm: 'SHA-256' }, { count: null }, { count: 7 }] as const
    ).entries()) {
      const cpe = cpeOf(t, ferry);
      const begun = await cpe.post(inform({ serial: String(serial) }), digest(await nonceFrom(ferry), said));
      t.is(rpcOf(begun.body), 'InformResponse');
      const other = cpeOf(t, ferry);
      other.cookie = cpe.cookie;
      t.is(rpcOf((await other.post('')).body), 'SetParameterValues');
    }
  });

  test(`an answer to a nonce begins one session, also with another count, or replayed out of that (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { ...CONFIG, shareSessions } });
    const nonce = await nonceFrom(ferry);
    const cpe = cpeOf(t, ferry);
    t.is((await cpe.post(inform(), digest(nonce))).status, 200);
    // Within the session nobody looks at it: so it must be worth nothing to who has seen it there.
    t.is((await cpe.post('', digest(nonce, { count: 2 }))).status, 200);
    for (const count of [1, 2, 3, null]) {
      const replayed = await cpeOf(t, ferry).post(inform({ serial: '2' }), digest(nonce, { count }));
      t.is(replayed.status, 401);
      t.true(isStale(replayed));
    }
    // On its own connection, where the session before it does not vouch for it.
    const next = await cpe.post(inform(), digest(nonce, { count: 4 }));
    t.is(next.status, 401);
    t.true(isStale(next));
    const wrong = await cpe.post(inform(), digest(nonce, { password: 'wrong' }));
    t.is(wrong.status, 401);
    t.false(isStale(wrong));
  });
}

test('nodes take the nonces of each other, and an answer that one has taken no other does', async (t) => {
  const config = { ...CONFIG, shareSessions: true };
  const one = await startTestFerry(t, { config });
  const another = await startTestFerry(t, { config, dataDir: one.dataDir });
  const nonce = await nonceFrom(one);
  t.is((await cpeOf(t, another).post(inform(), digest(nonce))).status, 200);
  for (const ferry of [one, another]) {
    for (const count of [1, 2]) {
      const replayed = await cpeOf(t, ferry).post(inform({ serial: '2' }), digest(nonce, { count }));
      t.is(replayed.status, 401);
      t.true(isStale(replayed));
    }
  }
});

test('a node that starts anew takes no answer that it may have taken before', async (t) => {
  const before = await startTestFerry(t, { config: CONFIG });
  const nonce = await nonceFrom(before);
  t.is((await cpeOf(t, before).post(inform(), digest(nonce))).status, 200);
  await before.close();
  const after = await startTestFerry(t, { config: CONFIG, dataDir: before.dataDir });
  const replayed = await cpeOf(t, after).post(inform(), digest(nonce));
  t.is(replayed.status, 401);
  t.true(isStale(replayed));
});

test('who guesses gets 429 in the end, and right credentials from the same address pass all the while', async (t) => {
  t.timeout(120_000);
  const ferry = await startTestFerry(t, { config: CONFIG });
  const statuses: number[] = [];
  const guesser = cpeOf(t, ferry);
  const guess = async (password: string) => {
    const answer = await guesser.post(inform(), basic(`${USERNAME}:${password}`));
    statuses.push(answer.status);
    return answer;
  };
  for (let n = 0; n < 60; n++) await guess(`guess ${n}`);
  t.deepEqual([...new Set(statuses)], [401]);
  const turnedAway = await guess('one more');
  t.is(turnedAway.status, 429);
  t.is(turnedAway.headers.connection, 'close');
  const waitSeconds = Number(turnedAway.headers['retry-after']);
  t.true(waitSeconds >= 1 && waitSeconds <= 60);
  for (let serial = 0; serial < 20; serial++) {
    const right = serial % 2 === 0 ? basic(`${USERNAME}:${PASSWORD}`) : digest(await nonceFrom(ferry));
    t.is((await cpeOf(t, ferry).post(inform({ serial: String(serial) }), right)).status, 200);
  }
  t.is((await guess('another')).status, 429);
  const told = ferry.events.filter(({ event }) => event === 'cpe.credentials-refused');
  t.like(told[0]?.fields, { user: USERNAME, ip: '127.0.0.1' });
  t.true(told.length < 10, 'not each is told');
  t.false(JSON.stringify(ferry.events).includes('guess 1'));
});

test('a CPE that begins without credentials, as Digest has it, is no line of the log', async (t) => {
  const ferry = await startTestFerry(t, { config: CONFIG });
  await nonceFrom(ferry);
  t.deepEqual(
    ferry.events.filter(({ event }) => event === 'cwmp.rejected' || event === 'cpe.credentials-refused'),
    [],
  );
});

test('how CPEs authenticate is counted', async (t) => {
  const ferry = await startTestFerry(t, { config: CONFIG });
  const nonce = await nonceFrom(ferry);
  await cpeOf(t, ferry).post(inform(), digest(nonce));
  await cpeOf(t, ferry).post(inform(), digest(nonce));
  await cpeOf(t, ferry).post(inform(), basic('home:x'));
  await cpeOf(t, ferry).post(inform({ serial: '2' }), basic(`${USERNAME}:${PASSWORD}`));
  const { body } = await ferry.nbi('GET', '/metrics');
  const counts = [...String(body).matchAll(/^ferry_cpe_authentications_total\{outcome="(\w+)"\} (\d+)$/gm)];
  t.deepEqual(Object.fromEntries(counts.map(([, outcome, count]) => [outcome, count])), {
    absent: '1',
    digest: '1',
    stale: '1',
    wrong: '1',
    basic: '1',
  });
});

test('where no credentials are asked for, an empty POST without a session is answered with nothing, and what is not empty is refused', async (t) => {
  const ferry = await startTestFerry(t);
  const cpe = cpeOf(t, ferry);
  const probe = await cpe.post('');
  t.is(probe.status, 204);
  t.truthy(ferry.events.find(({ event }) => event === 'cwmp.empty-without-session'));
  t.is(rpcOf((await cpe.post(inform())).body), 'InformResponse');
  const stranger = cpeOf(t, ferry);
  t.is((await stranger.post(envelope('<cwmp:GetRPCMethods/>'))).status, 400);
  t.is((await cpeOf(t, ferry).post('', { Cookie: 'ferry-session=gone' })).status, 400);
  const asking = await startTestFerry(t, { config: CONFIG });
  t.is((await cpeOf(t, asking).post('')).status, 401);
  t.is((await cpeOf(t, asking).post('', basic(`${USERNAME}:${PASSWORD}`))).status, 400);
});
