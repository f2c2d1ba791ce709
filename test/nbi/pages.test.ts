import test, { type ExecutionContext } from 'ava';
import type { CpeId, RuleId } from '../../common/index.js';
import { ruleBody, startNbi, type TestNbi } from './support.js';

const NAMES = ['a', 'é', '￮', '😀', 'z'];

/** Entries of which several share what their list is ordered by. */
async function startWithEntries(t: ExecutionContext): Promise<TestNbi> {
  let nowMs = 1_743_400_000_000;
  const nbi = await startNbi(t, { clock: () => nowMs });
  for (let moment = 0; moment < 5; moment++) {
    nowMs += 1_000;
    await nbi.call('/v1/dyn/FirmwareStorage/.*', {
      method: 'POST',
      json: NAMES.map((name) => ruleBody(`${name}${moment}`, { condition: { cpeid: `CPE-${moment % 2}` } })),
    });
    for (let upgrade = 0; upgrade < 5; upgrade++) {
      await nbi.putUpgrade({
        campaignid: `a${upgrade % 2}` as RuleId,
        cpeid: `CPE-${upgrade % 3}` as CpeId,
        status: upgrade % 2 === 0,
        startedAtMs: nowMs,
      });
    }
    for (const name of ['A', 'B', 'C', 'D', 'E']) {
      await nbi.putDevice({ serialNumber: `${name}${moment}`, tags: moment % 2 === 0 ? ['lab'] : [] });
    }
  }
  return nbi;
}

interface Listed {
  readonly id: string;
}

async function listed(nbi: TestNbi, path: string): Promise<readonly string[]> {
  const { status, body } = await nbi.call(path);
  return status === 404 ? [] : (body as { details: Listed[] }).details.map(({ id }) => id);
}

async function walk(nbi: TestNbi, path: string, limit: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const reply = await nbi.call(`${path}limit=${limit}${after === '' ? '' : `&after=${after}`}`);
    const page = (reply.body as { details: Listed[] }).details.map(({ id }) => id);
    if (page.length > limit) throw new Error(`${page.length} entries on a page of ${limit}`);
    ids.push(...page);
    after = reply.headers.get('X-Next-After');
  }
  return ids;
}

test('pages of any size make up the list that is sent whole, however it is narrowed and whoever shares a moment', async (t) => {
  const nbi = await startWithEntries(t);
  const [aResult = ''] = await listed(nbi, '/v1/dyn/FirmwareResultStorage/.*?revision=all');
  const paths = [
    '/v1/dyn/FirmwareStorage/.*?',
    '/v1/dyn/FirmwareStorage/a.*?',
    '/v1/dyn/FirmwareStorage/a1|z1|%C3%A91|a3?',
    '/v1/dyn/FirmwareStorage/.*?cpeid=CPE-1&',
    '/v1/dyn/FirmwareStorage/.*?id=a1&id=z1&id=z2&',
    '/v1/dyn/FirmwareStorage/.*?sort=priority&',
    '/v1/dyn/FirmwareResultStorage/.*?revision=all&',
    '/v1/dyn/FirmwareResultStorage/.*?revision=all&cpeid=CPE-1&cpeid=CPE-2&',
    '/v1/dyn/FirmwareResultStorage/.*?revision=all&campaignid=a1&',
    '/v1/dyn/FirmwareResultStorage/.*?revision=all&status=true&',
    `/v1/dyn/FirmwareResultStorage/.*?revision=all&id=a0&id=a1&id=${aResult}&`,
    '/v1/dyn/DeviceStorage/.*?',
    '/v1/dyn/DeviceStorage/00A1B2-HGW-[B-D].*?',
    '/v1/dyn/DeviceStorage/.*?tags=lab&',
    '/v1/dyn/DeviceStorage/.*?serialNumber=A1&',
    '/v1/dyn/DeviceStorage/.*?serialNumber=A1&serialNumber=B1&',
    '/v1/dyn/DeviceStorage/.*?sort=-tags&',
  ];
  for (const path of paths) {
    const whole = await listed(nbi, path);
    t.true(whole.length > 0, path);
    t.is(new Set(whole).size, whole.length, path);
    for (const limit of [1, 3, 24]) t.deepEqual(await walk(nbi, path, limit), whole, `${path} by ${limit}`);
  }
});

test('an after that no page said is refused or harmless', async (t) => {
  const nbi = await startWithEntries(t);
  const position = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
  for (const storage of ['FirmwareStorage', 'FirmwareResultStorage', 'DeviceStorage']) {
    const path = `/v1/dyn/${storage}/.*?${storage === 'FirmwareResultStorage' ? 'revision=all&' : ''}limit=5&after=`;
    const descending = storage !== 'DeviceStorage';
    const afters = ['', '!', 'x'.repeat(5_000)].concat(
      [null, 'x', true, -1, 1e308, '\u0000'].flatMap((value) =>
        ['', 'a', '\ud800', '\u0000', 'x'.repeat(2_000)].map((id) => position(null, descending, value, id)),
      ),
    );
    for (const after of afters) {
      const { status } = await nbi.call(path + after);
      t.true([200, 400, 404].includes(status), `${storage} ${after.slice(0, 100)}: ${status}`);
    }
  }
});

test('a list comes as NDJSON to whoever prefers that, page by page or whole', async (t) => {
  const nbi = await startWithEntries(t);
  const text = async (path: string, accept: string) => {
    const reply = await nbi.call(path, { headers: { Accept: accept } });
    return { ...reply, text: String(reply.body) };
  };
  for (const storage of [
    'FirmwareStorage/.*?',
    'FirmwareResultStorage/.*?revision=all&',
    'DeviceStorage/.*?',
  ]) {
    const path = `/v1/dyn/${storage}`;
    const { body } = await nbi.call(path);
    const whole = await text(path, 'application/x-ndjson');
    t.is(whole.headers.get('Content-Type'), 'application/x-ndjson; charset=utf-8');
    t.is(whole.headers.get('Vary'), 'Accept');
    t.true(whole.text.endsWith('}\n'));
    const lines = whole.text.trimEnd().split('\n');
    t.deepEqual(
      lines.map((line): unknown => JSON.parse(line)),
      (body as { details: unknown[] }).details,
    );
    const page = await text(`${path}limit=2`, 'application/x-ndjson, application/json;q=0.5');
    t.is(page.text, `${lines.slice(0, 2).join('\n')}\n`);
    t.truthy(page.headers.get('X-Next-After'));
    for (const accept of ['*/*', 'application/json, application/x-ndjson', 'text/html']) {
      t.deepEqual((await nbi.call(path, { headers: { Accept: accept } })).body, body);
    }
  }
  const nothing = await nbi.call('/v1/dyn/FirmwareStorage/nothing', {
    headers: { Accept: 'application/x-ndjson' },
  });
  t.like(nothing, { status: 404, body: { code: 404 } });
});
