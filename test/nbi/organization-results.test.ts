import test from 'ava';
import type { Upgrade } from '../../acs/index.js';
import type { CpeId, OrganizationId, ResultId, RuleId } from '../../common/index.js';
import { ruleIdIn } from '../../rules/index.js';
import { answerTo } from './alike.js';
import type { TestNbi } from './support.js';
import { startWithTwo, type TwoOrganizations } from './two-organizations.js';

const BASE = '/v1/dyn/FirmwareResultStorage';
const uuid = (last: number) => `00000000-0000-4000-8000-${String(last).padStart(12, '0')}` as ResultId;

interface Started extends TwoOrganizations {
  put(number: number, organization: OrganizationId | undefined, more?: Partial<Upgrade>): Promise<unknown>;
}

/**
 * Of each of north (1, 2, 3), south (11, 12, 13) and the default (21, 22, 23) a result of the installation's rule R, one of its own rule R,
 * and one of its own rule S that is under way. Begun in the order of their last digits.
 */
async function startWithResults(t: Parameters<typeof startWithTwo>[0]): Promise<Started> {
  const nbi = await startWithTwo(t);
  const put: Started['put'] = (number, organization, more = {}) =>
    nbi.putUpgrade({
      id: uuid(number),
      campaignid: 'R' as RuleId,
      cpeid: `cpe-${number % 2}` as CpeId,
      startedAtMs: Date.now() - 100_000 + 1_000 * (number % 10) + number,
      ...(organization !== undefined && { organization }),
      ...more,
    });
  const byDefault = await nbi.organizations.find('default');
  for (const [at, { id, isDefault }] of [nbi.north, nbi.south, byDefault].entries()) {
    await put(10 * at + 1, isDefault ? undefined : id);
    await put(10 * at + 2, id, { campaignid: ruleIdIn(id, 'R'), writtenCampaignid: 'R' });
    await put(10 * at + 3, id, {
      campaignid: ruleIdIn(id, 'S'),
      writtenCampaignid: 'S',
      state: 'sent',
      status: false,
      result: { code: 202, message: 'running' },
    });
  }
  return { ...nbi, put };
}

const numbersIn = (body: unknown): readonly number[] => {
  const { details } = body as { readonly details: readonly { readonly id: string }[] | '' };
  return details === '' ? [] : details.map(({ id }) => Number(id.slice(-3)));
};

async function listed(
  { call }: Pick<TestNbi, 'call'>,
  query: string,
  as: string,
): Promise<readonly [string, string]> {
  const asked = `${BASE}/${query}&revision=all`;
  const all = numbersIn((await call(asked, { as })).body);
  const paged: number[] = [];
  let after: string | null = '';
  while (after !== null) {
    const reply = await call(`${asked}&limit=1${after === '' ? '' : `&after=${after}`}`, { as });
    paged.push(...numbersIn(reply.body));
    after = reply.headers.get('X-Next-After');
  }
  return [all.join(), paged.join()];
}

const MANY = Array.from({ length: 20 }, (_, each) => `campaignid=${each}`).join('&');
/** What is asked, and what of it north, south, the default and the installation are given. */
const QUERIES: readonly (readonly [string, string, string, string, string])[] = [
  ['.*?', '3,2,1', '13,12,11', '23,22,21', '23,13,3,22,12,2,21,11,1'],
  ['.*?sort=id', '1,2,3', '11,12,13', '21,22,23', '1,2,3,11,12,13,21,22,23'],
  ['.*?campaignid=R', '2,1', '12,11', '22,21', '22,12,2,21,11,1'],
  ['.*?campaignid=S', '3', '13', '23', '23,13,3'],
  ['.*?campaignid=R&campaignid=S', '3,2,1', '13,12,11', '23,22,21', '23,13,3,22,12,2,21,11,1'],
  [`.*?campaignid=S&${MANY}`, '3', '13', '23', '23,13,3'],
  ['.*?id=R', '2,1', '12,11', '22,21', '22,12,2,21,11,1'],
  [`.*?id=${uuid(12)}&id=S`, '3', '13,12', '23', '23,13,3,12'],
  [`.*?id=${uuid(1)}&id=R`, '2,1', '12,11', '22,21', '22,12,2,21,11,1'],
  ['.*?status=false', '3', '13', '23', '23,13,3'],
  ['.*?status=true', '2,1', '12,11', '22,21', '22,12,2,21,11,1'],
  ['.*?cpeid=cpe-0', '2', '12', '22', '22,12,2'],
  ['.*?cpeid=cpe-0&campaignid=S', '', '', '', ''],
  ['.*?result.code=202', '3', '13', '23', '23,13,3'],
  [`${uuid(12)}|${uuid(2)}|${uuid(22)}?`, '2', '12', '22', '22,12,2'],
  ['.*3?', '3', '13', '23', '23,13,3'],
];

test('FirmwareResultStorage shows an organization the results of its CPEs alone, by every index and page by page', async (t) => {
  const nbi = await startWithResults(t);
  for (const [query, north, south, byDefault, all] of QUERIES) {
    const whoever: readonly (readonly [string, string, string])[] = [
      [query, nbi.as.north.viewer, north],
      [query, nbi.as.south.viewer, south],
      [`${query}&organization=north`, nbi.as.installation.viewer, north],
      [`${query}&organization=default`, nbi.as.installation.viewer, byDefault],
      [query, nbi.as.installation.viewer, all],
    ];
    for (const [asked, as, expected] of whoever)
      t.deepEqual(await listed(nbi, asked, as), [expected, expected], `${asked} as ${as}`);
  }
});

test('a rule is called in results as its author does, and whose they are is told to the installation alone', async (t) => {
  const nbi = await startWithResults(t);
  const read = async (as: string) => {
    const { body } = await nbi.call(`${BASE}/.*?revision=all&sort=id`, { as });
    t.false(JSON.stringify(body).includes('u001f'));
    return (body as { details: { campaignid: string; organization?: string }[] }).details;
  };
  const its = await read(nbi.as.south.admin);
  t.deepEqual(
    its.map(({ campaignid, organization }) => [campaignid, organization]),
    [
      ['R', undefined],
      ['R', undefined],
      ['S', undefined],
    ],
  );
  t.deepEqual(
    (await read(nbi.as.installation.viewer)).map(({ organization }) => organization),
    [...Array(3).fill('north'), ...Array(3).fill('south'), ...Array(3).fill(undefined)],
  );
});

test('results of an organization that is gone are the installation’s to see, and nobody else’s', async (t) => {
  const nbi = await startWithResults(t);
  await nbi.remove(nbi.north);
  const { body } = await nbi.call(`${BASE}/.*?revision=all&campaignid=S&sort=id`, {
    as: nbi.as.installation.viewer,
  });
  t.deepEqual(
    (body as { details: { organization?: string }[] }).details.map(({ organization }) => organization),
    [nbi.north.id, 'south', undefined],
  );
  t.deepEqual(await listed(nbi, '.*?organization=default', nbi.as.installation.viewer), [
    '23,22,21',
    '23,22,21',
  ]);
});

test('another’s result is answered as one that nobody has', async (t) => {
  const nbi = await startWithResults(t);
  for (const [method, path] of [
    ['GET', `${BASE}/ID`],
    ['GET', `${BASE}/.*?id=ID`],
    ['GET', `${BASE}/.*?id=ID&sort=ts&limit=1`],
    ['DELETE', `${BASE}/ID`],
    ['DELETE', `${BASE}/.*?id=ID`],
  ] as const) {
    const asked = (number: number) =>
      answerTo(nbi, path.replace('ID', uuid(number)), { method, as: nbi.as.north.admin });
    // South's has ended, or is under way.
    for (const foreign of [12, 13]) t.is(await asked(foreign), await asked(99), `${method} ${path}`);
    t.regex(await asked(99), /^404/);
  }
  const stored = ruleIdIn(nbi.south.id, 'R');
  const byStored = (name: string) =>
    answerTo(nbi, `${BASE}/.*?${name}=${encodeURIComponent(stored)}&revision=all`, {
      as: nbi.as.north.admin,
    });
  for (const name of ['id', 'campaignid']) t.regex(await byStored(name), /^404/);
});

test('what an organization is shown of results does not depend on those of others', async (t) => {
  const nbi = await startWithResults(t);
  const observe = () =>
    Promise.all(
      QUERIES.flatMap(([query]) =>
        ['', '&limit=1', '&revision=all', '&revision=all&limit=2&sort=-ts'].map((more) =>
          answerTo(nbi, `${BASE}/${query}${more}`, { as: nbi.as.north.admin }),
        ),
      ),
    );
  const before = await observe();
  for (let number = 100; number < 140; number++)
    await nbi.put(number, number % 2 === 0 ? nbi.south.id : undefined, {
      campaignid: (number % 3 === 0 ? 'S' : 'R') as RuleId,
      status: number % 4 === 0,
    });
  t.deepEqual(await observe(), before);
});

test('DELETE takes an organization’s results alone; what is under way elsewhere does not stand in its way', async (t) => {
  const nbi = await startWithResults(t);
  const remove = (query: string, as: string) =>
    nbi.call(`${BASE}/.*?${query}&revision=all`, { method: 'DELETE', as });
  const running = await remove('all=true', nbi.as.north.operator);
  t.is(running.status, 409);
  t.like(running.body, { details: [{ ids: [uuid(3)] }] });
  t.is((await remove('status=true', nbi.as.north.operator)).status, 200);
  t.is((await remove('id=R', nbi.as.north.operator)).status, 404);
  t.is((await remove('campaignid=R&organization=default', nbi.as.installation.operator)).status, 200);
  t.deepEqual(await listed(nbi, '.*?', nbi.as.installation.viewer), ['23,13,3,12,11', '23,13,3,12,11']);
  // Unless he names one the installation's user means all.
  t.is((await remove('id=R', nbi.as.installation.operator)).status, 200);
  t.deepEqual(await listed(nbi, '.*?', nbi.as.installation.viewer), ['23,13,3', '23,13,3']);
  const noted: string[] = [];
  const byDefault = await nbi.organizations.find('default');
  const names = new Map([
    [nbi.north.id, 'north'],
    [nbi.south.id, 'south'],
    [byDefault.id, 'default'],
  ]);
  for await (const { subjectId, organization, before } of nbi.events.scan({ subject: 'result' }))
    noted.push(
      `${Number(subjectId.slice(-3))} ${names.get(organization as OrganizationId)} ${before?.['campaignid']}`,
    );
  t.deepEqual(noted.sort(), [
    '1 north R',
    '11 south R',
    '12 south R',
    '2 north R',
    '21 default R',
    '22 default R',
  ]);
});
