import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import { buildGoDigest, hasHttpClient, PYTHON_DIGEST, runHttpClient } from '../support/http-client.js';
import { inform, rpcOf } from '../support/raw-cpe.js';

const USERNAME = 'home';
const PASSWORD = 'a cpe pass:word';
const ASKING = { allowAnonymousCpe: false, cpeAuth: `${USERNAME}:${PASSWORD}` };

type Asks = 'both' | 'digest' | 'basic' | 'nothing';

const closers: (() => unknown)[] = [];
const servers = new Map<Asks, Promise<TestFerry>>();
let directory = '';

/** One for all clients: a session of one is nothing to another. */
async function serverThatAsks(asks: Asks): Promise<string> {
  const started =
    servers.get(asks) ??
    startTestFerry(
      { teardown: (closer) => void closers.push(closer) },
      { config: asks === 'nothing' ? {} : { ...ASKING, cpeAuthScheme: asks } },
    );
  servers.set(asks, started);
  return `${(await started).urls.cwmp}/`;
}

const informFile = () => join(directory, 'inform.xml');

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ferry-clients-'));
  await writeFile(informFile(), inform());
});

test.after.always(async () => {
  for (const close of closers) await close();
  await rm(directory, { recursive: true, force: true });
});

/** Without --fail: after a probe that is answered at once it ends with 22 (`findings/libcurl-fail-after-a-probe.sh`). */
const CURL = ['--silent', '--show-error', '--header', 'Content-Type: text/xml; charset=utf-8'];

if (hasHttpClient('curl')) {
  for (const how of ['--digest', '--anyauth', '--basic'] as const) {
    for (const asks of ['both', 'digest', 'basic'] as const) {
      if (how === `--${asks === 'basic' ? 'digest' : 'basic'}` && asks !== 'both') continue;
      test(`curl ${how} begins a session where the scheme is ${asks}`, async (t) => {
        t.timeout(120_000);
        const user = ['--user', `${USERNAME}:${PASSWORD}`];
        const data = ['--data-binary', `@${informFile()}`];
        const answer = await runHttpClient('curl', [
          ...CURL,
          how,
          ...user,
          ...data,
          await serverThatAsks(asks),
        ]);
        t.is(rpcOf(answer.toString()), 'InformResponse');
      });
    }
  }

  test('curl --digest goes on where no credentials are asked for', async (t) => {
    t.timeout(120_000);
    const args = [...CURL, '--digest', '--user', 'any:thing', '--data-binary', `@${informFile()}`];
    const answer = await runHttpClient('curl', [...args, await serverThatAsks('nothing')]);
    t.is(rpcOf(answer.toString()), 'InformResponse');
  });
}

if (hasHttpClient('python3')) {
  for (const asks of ['both', 'digest'] as const) {
    test(`Python's urllib begins a session by Digest where the scheme is ${asks}`, async (t) => {
      t.timeout(120_000);
      const args = ['-c', PYTHON_DIGEST, await serverThatAsks(asks), USERNAME, PASSWORD, informFile()];
      t.is(rpcOf((await runHttpClient('python3', args)).toString()), 'InformResponse');
    });
  }
}

if (hasHttpClient('go')) {
  test("Go's net/http begins a session by either algorithm, computed as RFC 7616 says", async (t) => {
    t.timeout(600_000);
    const client = await buildGoDigest(directory);
    for (const algorithm of ['MD5', 'SHA-256']) {
      const args = [await serverThatAsks('digest'), USERNAME, PASSWORD, informFile(), algorithm];
      const said = (await client(args)).toString();
      t.regex(said, /^401, then 200\n/, algorithm);
      t.is(rpcOf(said.replace(/^.*\n/, '')), 'InformResponse');
    }
  });
}
