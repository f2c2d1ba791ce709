import http from 'node:http';
import test from 'ava';
import { answerChallenge } from '../../cpe-sim/http-auth.js';
import { type Bench, bench, eventsOf, parameter, setParameterValues } from './scripted-acs.js';

const CREDENTIALS = { username: 'ferry', password: 's3cret' };

interface Answer {
  readonly status: number;
  readonly challenge: string;
}

function get(url: string, authorization?: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http
      .request(url, { method, agent: false, headers: authorization === undefined ? {} : { authorization } })
      .on('response', (response) => {
        response.resume();
        resolve({
          status: response.statusCode ?? 0,
          challenge: response.headers['www-authenticate'] ?? '',
        });
      })
      .on('error', reject)
      .end();
  });
}

/** Asks, is challenged, and answers. */
async function connectionRequest(url: string, credentials = CREDENTIALS): Promise<number> {
  const { challenge } = await get(url);
  const authenticator = answerChallenge([challenge], credentials);
  return (await get(url, authenticator?.authorization('GET', new URL(url).pathname))).status;
}

/** Past its first contact, in which the ACS set the credentials. */
async function provisioned(options: Parameters<typeof bench>[0] = {}): Promise<Bench & { url: string }> {
  const b = await bench(options);
  b.acs.requests.push(
    setParameterValues([
      ['Device.ManagementServer.ConnectionRequestUsername', 'string', CREDENTIALS.username],
      ['Device.ManagementServer.ConnectionRequestPassword', 'string', CREDENTIALS.password],
    ]),
  );
  await b.firstContact();
  const inform = b.acs.informs()[0]?.body ?? '';
  return Object.assign(b, { url: parameter(inform, 'Device.ManagementServer.ConnectionRequestURL') ?? '' });
}

test('with the credentials that the ACS set, 200 and a session with 6 CONNECTION REQUEST', async (t) => {
  const b = await provisioned();
  t.teardown(() => b.stop());
  const session = b.next('session');
  t.is(await connectionRequest(b.url), 200);
  await session;
  t.deepEqual(eventsOf(b.acs.informs()[1]), ['6 CONNECTION REQUEST']);
});

test('before the ACS has set credentials none are right', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  await b.firstContact();
  const url = parameter(b.acs.informs()[0]?.body ?? '', 'Device.ManagementServer.ConnectionRequestURL') ?? '';
  t.is(await connectionRequest(url, { username: '', password: '' }), 401);
  t.is(b.acs.informs().length, 1);
});

test('wrong credentials, Basic, a used answer and a nonce of its own making get 401', async (t) => {
  const b = await provisioned();
  t.teardown(() => b.stop());
  t.is(await connectionRequest(b.url, { ...CREDENTIALS, password: 'wrong' }), 401);
  t.is((await get(b.url, `Basic ${Buffer.from('ferry:s3cret').toString('base64')}`)).status, 401);
  const path = new URL(b.url).pathname;
  const { challenge } = await get(b.url);
  const header = answerChallenge([challenge], CREDENTIALS)?.authorization('GET', path);
  t.is((await get(b.url, header)).status, 200);
  const again = await get(b.url, header);
  t.is(again.status, 401);
  t.true(again.challenge.includes('stale=true'));
  const made = answerChallenge(['Digest realm="ferry-cpe-sim", qop="auth", nonce="a.b.c"'], CREDENTIALS);
  t.is((await get(b.url, made?.authorization('GET', path))).status, 401);
});

test('another path is 404, another method 405', async (t) => {
  const b = await provisioned();
  t.teardown(() => b.stop());
  t.is((await get(`${b.url}x`)).status, 404);
  t.is((await get(b.url, undefined, 'POST')).status, 405);
});

test('busy-connection-request: 503 as often as ordered, then 200', async (t) => {
  const b = await provisioned({ faults: ['busy-connection-request:2'] });
  t.teardown(() => b.stop());
  t.deepEqual(
    [await connectionRequest(b.url), await connectionRequest(b.url), await connectionRequest(b.url)],
    [503, 503, 200],
  );
});

for (const busyInSession of [true, false]) {
  test(`a request in the middle of a session gets ${busyInSession ? '503' : '200, and a session follows'}`, async (t) => {
    const b = await provisioned({ busyInSession });
    t.teardown(() => b.stop());
    const over = b.next('session', busyInSession ? 1 : 2);
    const status = new Promise<number>((resolve) => {
      b.acs.intercept = (received, response) => {
        if (received.name !== '' || b.acs.informs().length > 2) return false;
        b.acs.intercept = () => false;
        void connectionRequest(b.url).then((answered) => {
          b.acs.answer(received, response);
          resolve(answered);
        });
        return true;
      };
    });
    b.cpe.change('Device.WiFi.SSID.1.SSID', 'x');
    t.is(await status, busyInSession ? 503 : 200);
    await over;
    t.is(b.acs.informs().length, busyInSession ? 2 : 3);
    if (!busyInSession) t.deepEqual(eventsOf(b.acs.informs()[2]), ['6 CONNECTION REQUEST']);
  });
}

test('requests in too quick succession get 503', async (t) => {
  const b = await provisioned({ connectionRequestMsMin: 60_000 });
  t.teardown(() => b.stop());
  t.is(await connectionRequest(b.url), 200);
  t.is(await connectionRequest(b.url), 503);
});

test('a CPE that reboots answers nothing', async (t) => {
  const b = await provisioned({ rebootMs: 60_000 });
  t.teardown(() => b.stop());
  b.cpe.reboot();
  await t.throwsAsync(get(b.url));
});
