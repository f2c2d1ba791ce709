import test, { type ExecutionContext } from 'ava';
import { digestResponse, digestSecret } from '../../common/index.js';
import { serve, temporaryDirectory } from '../cli/support.js';
import { startTestFerry } from '../support/ferry.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { inform, type RawAnswer, RawCpe } from '../support/raw-cpe.js';

const USERNAME = 'fleet';
const PASSWORD = 'a cpe password';
const ADMIN_PASSWORD = 'a test password';
/** Each over a connection of its own, which go round the workers. */
const REPLAYS = 6;

/** Asks over a connection of its own. */
async function posted(t: ExecutionContext, url: string, body: string, Authorization?: string) {
  const cpe = new RawCpe(url);
  t.teardown(() => cpe.close());
  return cpe.post(body, Authorization === undefined ? {} : { Authorization });
}

async function nonceFrom(t: ExecutionContext, url: string): Promise<string> {
  const { headers } = await posted(t, url, '');
  return /nonce="([^"]+)"/.exec(String(headers['www-authenticate']))?.[1] ?? '';
}

function answerTo(nonce: string, count = 1): string {
  const secret = digestSecret('MD5', { username: USERNAME, realm: 'Ferry CWMP', password: PASSWORD });
  const nc = String(count).padStart(8, '0');
  const qop = { name: 'auth', nc, cnonce: 'c' };
  const response = digestResponse('MD5', secret, { method: 'POST', uri: '/', nonce, qop });
  return `Digest username="${USERNAME}", realm="Ferry CWMP", nonce="${nonce}", uri="/", response="${response}", qop=auth, nc=${nc}, cnonce="c"`;
}

const outcomeOf = ({ status, headers }: RawAnswer) =>
  `${status}${/stale=true/.test(String(headers['www-authenticate'])) ? ' stale' : ''}`;

/** @param urls  of nodes; the nonce is the first's, and the last takes it */
async function beginsOneSession(t: ExecutionContext, urls: readonly string[]): Promise<void> {
  const [first = '', last = ''] = [urls[0], urls.at(-1)];
  const nonce = await nonceFrom(t, first);
  t.is(outcomeOf(await posted(t, last, inform(), answerTo(nonce))), '200');
  const replayed: string[] = [];
  for (let times = 0; times < REPLAYS; times++)
    // The same answer, and one that its CPE might give next in that session, as another CPE.
    for (const url of urls)
      for (const count of [1, 2])
        replayed.push(
          outcomeOf(await posted(t, url, inform({ serial: `R${times}` }), answerTo(nonce, count))),
        );
  t.deepEqual([...new Set(replayed)], ['401 stale']);
  for (const url of urls) {
    const fresh = await nonceFrom(t, url);
    t.is(outcomeOf(await posted(t, first, inform({ serial: 'F' }), answerTo(fresh))), '200');
  }
  // Said to all of them at the same time it is one's.
  const raced = await nonceFrom(t, first);
  const outcomes = await Promise.all(
    Array.from({ length: REPLAYS }, (_, index) =>
      posted(t, urls[index % urls.length] ?? '', inform({ serial: `S${index}` }), answerTo(raced)),
    ),
  );
  t.deepEqual(outcomes.map(outcomeOf).sort(), ['200', ...Array(REPLAYS - 1).fill('401 stale')]);
}

const mongo = mongodbUrl();

if (mongo !== null) {
  test('a nonce begins one session of all nodes on MongoDB; whoever says the answer again is told that it is stale', async (t) => {
    t.timeout(180_000);
    const config = {
      store: urlOfDatabase(mongo, testDatabase(t, mongo)),
      allowAnonymousCpe: false,
      cpeAuth: `${USERNAME}:${PASSWORD}`,
    };
    const one = await startTestFerry(t, { config });
    const other = await startTestFerry(t, { config, dataDir: one.dataDir });
    await beginsOneSession(t, [one.urls.cwmp, other.urls.cwmp]);
  });
}

test('a nonce begins one session of all workers; whoever says the answer again is told that it is stale', async (t) => {
  t.timeout(180_000);
  const dataDir = await temporaryDirectory(t);
  const environment = { FERRY_ADMIN_PASSWORD: ADMIN_PASSWORD, FERRY_CPE_AUTH: `${USERNAME}:${PASSWORD}` };
  const { urls } = await serve(t, dataDir, ['--workers=2'], { environment });
  await beginsOneSession(t, [urls.cwmp]);
});
