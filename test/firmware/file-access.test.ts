import test, { type ExecutionContext } from 'ava';
import { digestResponse, digestSecret } from '../../common/index.js';
import type { FileAuth, FileServerOptions } from '../../firmware/index.js';
import { hasHttpClient, PYTHON_DIGEST, runHttpClient } from '../support/http-client.js';
import { recorder, startServer } from './serving.js';
import { ask, openTestLibrary } from './support.js';

const AUTH: FileAuth = { kind: 'credentials', username: 'cpe', password: 's3cret:ö' };
const PATH = '/files/a.bin';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

const start = (t: ExecutionContext, options: Partial<FileServerOptions> = {}) =>
  startServer(t, openTestLibrary, { auth: AUTH, ...options });

async function nonceFrom(port: number): Promise<string> {
  const { headers } = await ask(port, PATH);
  return /nonce="([^"]+)"/.exec(headers['www-authenticate'] ?? '')?.[1] ?? '';
}

function digest(
  nonce: string,
  said: { method?: string; count?: number | null; password?: string } = {},
): string {
  const { method = 'GET', count = 1, password = AUTH.kind === 'credentials' ? AUTH.password : '' } = said;
  const latin1 = Buffer.from(password).toString('latin1');
  const secret = digestSecret('SHA-256', { username: 'cpe', realm: 'Ferry', password: latin1 });
  const qop = count === null ? null : { name: 'auth', nc: String(count), cnonce: 'c' };
  const response = digestResponse('SHA-256', secret, { method, uri: PATH, nonce, qop });
  const counted = qop === null ? '' : `, qop=auth, nc=${qop.nc}, cnonce="c"`;
  return `Digest username="cpe", realm="Ferry", nonce="${nonce}", uri="${PATH}", algorithm=SHA-256, response="${response}"${counted}`;
}

test('a file is had by Digest: whole, its head, and in ranges, a count each', async (t) => {
  const { port, content } = await start(t);
  const nonce = await nonceFrom(port);
  const by = (said: Parameters<typeof digest>[1], headers: Record<string, string> = {}) =>
    ask(port, PATH, {
      method: said?.method ?? 'GET',
      headers: { Authorization: digest(nonce, said), ...headers },
    });
  const head = await by({ method: 'HEAD' });
  t.is(head.status, 200);
  t.is(head.headers['content-length'], '100000');
  t.true((await by({ count: 2 })).body.equals(content));
  const range = await by({ count: 4 }, { Range: 'bytes=5-9' });
  t.is(range.status, 206);
  t.true(range.body.equals(content.subarray(5, 10)));
  t.is((await by({ count: 3 }, { Range: 'bytes=10-' })).status, 206, 'overtaken by the one before');
  const replayed = await by({ count: 4 });
  t.is(replayed.status, 401);
  t.regex(replayed.headers['www-authenticate'] ?? '', /stale=true/);
  t.is((await by({ method: 'HEAD', count: 5 })).status, 200);
});

test('without a count, as in RFC 2069, a nonce is good for its life', async (t) => {
  let nowMs = 1_700_000_000_000;
  const { port } = await start(t, { clock: () => nowMs });
  const headers = { Authorization: digest(await nonceFrom(port), { count: null }) };
  for (let times = 0; times < 2; times++) t.is((await ask(port, PATH, { headers })).status, 200);
  nowMs += 5 * 60_000;
  const stale = await ask(port, PATH, { headers });
  t.is(stale.status, 401);
  t.regex(stale.headers['www-authenticate'] ?? '', /stale=true/);
});

test('who guesses the password of files gets 429 in the end, and the right one passes all the while', async (t) => {
  t.timeout(120_000);
  const { lines, logger } = recorder();
  const { port, events } = await start(t, { logger });
  const guess = (password: string) =>
    ask(port, PATH, { headers: { Authorization: basic(`cpe:${password}`) } });
  for (let n = 0; n < 60; n++) t.is((await guess(`guess ${n}`)).status, 401);
  const refused = await guess('one more');
  t.is(refused.status, 429);
  t.true(Number(refused.headers['retry-after']) >= 1);
  t.is((await guess('s3cret:ö')).status, 200);
  t.is((await ask(port, PATH, { headers: { Authorization: digest(await nonceFrom(port)) } })).status, 200);
  t.is(events.filter((event) => event.kind === 'refused' && event.status === 429).length, 1);
  t.is(lines[0]?.event, 'files.credentials-refused');
  t.like(lines[0]?.fields, { user: 'cpe', image: 'a.bin', ip: '127.0.0.1' });
  t.true(lines.length < 10, 'not each is told');
});

for (const [client, how, schemes] of [
  ['curl', ['--digest'], ['digest', 'basic']],
  ['curl', ['--anyauth'], ['digest', 'basic']],
  ['curl', ['--digest'], ['digest']],
  ['curl', ['--basic'], ['digest', 'basic']],
] as const) {
  if (!hasHttpClient(client)) break;
  test(`curl ${how} has a file where ${schemes.join(' and ')} will do`, async (t) => {
    t.timeout(120_000);
    const { port, content } = await start(t, { schemes });
    const args = [...how, '--silent', '--fail', '--user', 'cpe:s3cret:ö', `http://127.0.0.1:${port}${PATH}`];
    t.true((await runHttpClient('curl', args)).equals(content));
    const resumed = await runHttpClient('curl', ['--range', '99990-', ...args]);
    t.true(resumed.equals(content.subarray(99_990)));
  });
}

if (hasHttpClient('wget')) {
  for (const schemes of [['digest', 'basic'], ['digest'], ['basic']] as const) {
    test(`GNU wget has a file where ${schemes.join(' and ')} will do`, async (t) => {
      t.timeout(120_000);
      const { port, content } = await start(t, { schemes });
      const args = ['--quiet', '--tries=1', '--output-document=-', '--user=cpe', '--password=s3cret:ö'];
      const got = await runHttpClient('wget', [...args, `http://127.0.0.1:${port}${PATH}`]);
      t.true(got.equals(content));
    });
  }
}

if (hasHttpClient('python3')) {
  test("Python's urllib has a file by Digest", async (t) => {
    t.timeout(120_000);
    const auth: FileAuth = { kind: 'credentials', username: 'cpe', password: 's3cret' };
    const { port, content } = await start(t, { auth });
    const args = ['-c', PYTHON_DIGEST, `http://127.0.0.1:${port}${PATH}`, 'cpe', 's3cret'];
    t.true((await runHttpClient('python3', args)).equals(content));
  });
}
