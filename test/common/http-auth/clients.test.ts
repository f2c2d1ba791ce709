import { once } from 'node:events';
import http from 'node:http';
import test, { type ExecutionContext } from 'ava';
import {
  createSecrets,
  type DigestAlgorithm,
  HttpAuthenticator,
  Nonces,
  SpentNonces,
  systemClock,
} from '../../../common/index.js';
import { hasHttpClient, PYTHON_DIGEST, runHttpClient } from '../../support/http-client.js';

const CREDENTIALS = { username: 'cpe', password: 's3cret' };

/** A server that asks by Digest alone, with these challenges in their order. */
async function askingFor(t: ExecutionContext, algorithms: readonly DigestAlgorithm[]) {
  t.timeout(120_000);
  const authenticator = new HttpAuthenticator({
    credentials: CREDENTIALS,
    realm: 'r',
    schemes: ['digest'],
    algorithms,
    nonces: new Nonces({ secrets: createSecrets(Buffer.alloc(32, 1)), purpose: 'p', clock: systemClock }),
    spent: new SpentNonces('each-count', systemClock),
  });
  /** By which algorithm each right answer was; a client that names none means MD5. */
  const right: string[] = [];
  const server = http.createServer((request, response) => {
    request.resume();
    const verdict = authenticator.check(request);
    if (verdict.kind === 'right') {
      right.push(/algorithm="?([\w-]+)/.exec(request.headers.authorization ?? '')?.[1] ?? 'MD5');
      response.end('let in');
    } else {
      const challenges = [...authenticator.challenges(verdict.kind === 'stale')];
      response.writeHead(401, { 'WWW-Authenticate': challenges, 'Content-Length': 0 }).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/a?b=c`, right };
}

const ORDERS: readonly (readonly DigestAlgorithm[])[] = [
  ['MD5'],
  ['SHA-256'],
  ['MD5', 'SHA-256'],
  ['SHA-256', 'MD5'],
];

if (hasHttpClient('curl')) {
  test('curl is let in by the algorithm that is asked for first, MD5 or SHA-256, reading and sending', async (t) => {
    const args = ['--silent', '--show-error', '--digest', '--user', 'cpe:s3cret'];
    for (const algorithms of ORDERS) {
      const { url, right } = await askingFor(t, algorithms);
      t.is((await runHttpClient('curl', [...args, '--fail', url])).toString(), 'let in');
      const sent = await runHttpClient('curl', [...args, '--fail', '--data', 'a body', url]);
      t.is(sent.toString(), 'let in');
      t.deepEqual(right, [algorithms[0], algorithms[0]]);
    }
  });
}

if (hasHttpClient('wget')) {
  test('GNU wget, which answers the last challenge by MD5, is let in wherever MD5 is asked for', async (t) => {
    const args = ['--quiet', '--no-config', '--tries=1', '--output-document=-'];
    const login = ['--user=cpe', '--password=s3cret'];
    for (const algorithms of ORDERS.filter((each) => each.includes('MD5'))) {
      const { url, right } = await askingFor(t, algorithms);
      t.is((await runHttpClient('wget', [...args, ...login, url])).toString(), 'let in');
      t.deepEqual(right, ['MD5']);
    }
  });
}

if (hasHttpClient('python3')) {
  test("Python's urllib, which looks at the first challenge alone and can do MD5, is let in where that is first", async (t) => {
    for (const algorithms of ORDERS.filter(([first]) => first === 'MD5')) {
      const { url, right } = await askingFor(t, algorithms);
      const said = await runHttpClient('python3', ['-c', PYTHON_DIGEST, url, 'cpe', 's3cret']);
      t.is(said.toString(), 'let in');
      t.deepEqual(right, ['MD5']);
    }
  });
}
