import test from 'ava';
import type { CpeProof } from '../../acs/credentials/credential.js';
import { PARAMETERS, type ParameterDocument } from '../../acs/device/device.js';
import { CPE_PROOFS, DEVICES } from '../../acs/index.js';
import type { CpeId, ResultId } from '../../common/index.js';
import type { EventDocument } from '../../events/index.js';
import { answerTo } from './alike.js';
import type { TestNbi } from './support.js';
import { startWithTwo, type TwoOrganizations } from './two-organizations.js';

const BASE = '/v1/dyn/DeviceStorage';
const idOf = (serial: string) => `00A1B2-HGW-${serial}` as CpeId;

/** Two CPEs of each, which the others' stand between, and two of the default: of one of them nobody has asked yet. */
async function startWithCpes(t: Parameters<typeof startWithTwo>[0]): Promise<TwoOrganizations> {
  const nbi = await startWithTwo(t);
  await nbi.putDeviceOf(nbi.north, { serialNumber: '10', tags: ['a'], ip: '192.0.2.1' });
  await nbi.putDeviceOf(nbi.north, { serialNumber: '25', tags: ['b'], enrolment: 'waiting' });
  await nbi.putDeviceOf(nbi.south, { serialNumber: '11', tags: ['a'], ip: '192.0.2.1' });
  await nbi.putDeviceOf(nbi.south, { serialNumber: '2', tags: ['b'], enrolment: 'waiting' });
  const byDefault = await nbi.organizations.find('default');
  await nbi.putDeviceOf(byDefault, { serialNumber: '12', tags: ['a'], enrolment: 'waiting' });
  await nbi.putDevice({ serialNumber: '24', tags: ['b'], ip: '192.0.2.1' });
  return nbi;
}

const idsIn = (body: unknown): readonly string[] => {
  const { details } = body as { readonly details: readonly { readonly id: string }[] | '' };
  return details === '' ? [] : details.map(({ id }) => id.replace('00A1B2-HGW-', ''));
};

/** All that a query gives, read at once, and entry by entry. */
async function listed(
  { call }: Pick<TestNbi, 'call'>,
  query: string,
  as: string,
): Promise<readonly [string, string]> {
  const all = idsIn((await call(`${BASE}/${query}`, { as })).body);
  const paged: string[] = [];
  let after: string | null = '';
  while (after !== null) {
    const reply = await call(`${BASE}/${query}&limit=1${after === '' ? '' : `&after=${after}`}`, { as });
    paged.push(...idsIn(reply.body));
    after = reply.headers.get('X-Next-After');
  }
  return [all.join(), paged.join()];
}

/** What is asked, and what of it north, south, the default and the installation are given. */
const QUERIES: readonly (readonly [string, string, string, string, string])[] = [
  ['.*?', '10,25', '11,2', '12,24', '10,11,12,2,24,25'],
  ['.*?sort=serialNumber', '10,25', '11,2', '12,24', '10,11,12,2,24,25'],
  ['.*?sort=-ip', '10,25', '11,2', '24,12', '24,11,10,25,2,12'],
  ['.*?sort=organization', '10,25', '11,2', '12,24', '12,24,10,25,11,2'],
  ['.*?tags=a', '10', '11', '12', '10,11,12'],
  ['.*?tags=a&tags=b', '10,25', '11,2', '12,24', '10,11,12,2,24,25'],
  ['.*?ip=192.0.2.1', '10', '11', '24', '10,11,24'],
  ['.*?enrolment=waiting', '25', '2', '12', '12,2,25'],
  ['.*?serialNumber=11', '', '11', '', '11'],
  ['.*?serialNumber=11&serialNumber=10', '10', '11', '', '10,11'],
  [`.*?id=${idOf('24')}&id=${idOf('25')}`, '25', '', '24', '24,25'],
  [`${idOf('1')}.*?`, '10', '11', '12', '10,11,12'],
  [`${idOf('2')}.*?`, '25', '2', '24', '2,24,25'],
  [`${idOf('2')}(5|4)*?`, '25', '2', '24', '2,24,25'],
  [`${idOf('10')}?`, '10', '', '', '10'],
  [`${idOf('10')}|${idOf('12')}?`, '10', '', '12', '10,12'],
];

test('DeviceStorage shows an organization its CPEs alone, in every order, by every index and page by page', async (t) => {
  const nbi = await startWithCpes(t);
  for (const [query, north, south, byDefault, all] of QUERIES) {
    const whoever: readonly (readonly [string, string, string])[] = [
      [query, nbi.as.north.viewer, north],
      [query, nbi.as.south.viewer, south],
      [`${query}&organization=north`, nbi.as.installation.viewer, north],
      [`${query}&organization=${nbi.south.id}`, nbi.as.installation.viewer, south],
      [`${query}&organization=default`, nbi.as.installation.viewer, byDefault],
      [query, nbi.as.installation.viewer, all],
    ];
    for (const [asked, as, expected] of whoever)
      t.deepEqual(await listed(nbi, asked, as), [expected, expected], `${asked} as ${as}`);
  }
});

test('whose a CPE is is shown to users of the installation alone', async (t) => {
  const nbi = await startWithCpes(t);
  const { body } = await nbi.call(`${BASE}/.*`, { as: nbi.as.north.admin });
  t.false(JSON.stringify(body).includes('organization'));
  t.false(JSON.stringify(body).includes('north'));
  const named = await nbi.call(`${BASE}/${idOf('10')}?organization=north`, {
    as: nbi.as.installation.viewer,
  });
  t.like((named.body as { details: [object] }).details[0], {
    organization: { id: nbi.north.id, slug: 'north', by: 'hand' },
  });
});

/** That a CPE has used credentials of its own. */
const proofOf = (serial: string): CpeProof => ({ id: idOf(serial), username: serial, atMs: 1 });

/** What can be asked of one CPE by its id, as its own organization may ask it. */
const ASKED_OF_ONE = [
  ['GET', `${BASE}/ID`],
  ['GET', `${BASE}/ID?parameters=true`],
  ['GET', `${BASE}/.*?id=ID`],
  ['GET', `${BASE}/.*?id=ID&sort=ip&limit=1`],
  ['GET', `${BASE}/ID.*`],
  ['GET', `${BASE}/ID.*?parameters=true`],
  ['DELETE', `${BASE}/ID`],
  ['DELETE', `${BASE}/ID?dryRun=true`],
  ['DELETE', `${BASE}/.*?id=ID&dryRun=true`],
  ['DELETE', `${BASE}/.*?id=ID`],
  ['POST', '/v1/method/SendCNR', { search_options: { cpe_id: 'ID' } }],
  ['POST', '/v1/method/SendCNR', { search_options: { serialNumber: 'ID' } }],
  ['POST', '/v1/method/ApproveDevices', { cpe_id: 'ID' }],
  ['POST', '/v1/method/ApproveDevices', { cpe_id: [idOf('25'), 'ID'] }],
  ['POST', '/v1/method/ReadmitDevice', { cpe_id: 'ID' }],
] as const;

test('another’s CPE is answered as one that nobody has heard of, and nothing is done to it', async (t) => {
  const nbi = await startWithCpes(t);
  const upgrade = '00000000-0000-4000-8000-000000000001' as ResultId;
  await nbi.putDeviceOf(nbi.south, { serialNumber: '77', enrolment: 'waiting', inFlight: upgrade });
  await nbi.store
    .collection<ParameterDocument>(PARAMETERS)
    .put({ id: `${idOf('77')}/Device`, values: { 'Device.A': 1 } });
  await nbi.store.collection(CPE_PROOFS).put(proofOf('77'));
  const before = await nbi.store.collection(DEVICES).get(idOf('77'));
  for (const [method, path, body] of ASKED_OF_ONE) {
    const asked = (id: string) =>
      answerTo(nbi, path.replaceAll('ID', id), {
        method,
        as: nbi.as.north.admin,
        ...(body !== undefined && { json: JSON.parse(JSON.stringify(body).replaceAll('ID', id)) }),
      });
    const [foreign, unknown] = [await asked(idOf('77')), await asked(idOf('78'))];
    t.regex(unknown, /^404/, `${method} ${path}`);
    t.is(foreign.replaceAll(idOf('77'), idOf('78')), unknown, `${method} ${path}`);
  }
  t.deepEqual(await nbi.store.collection(DEVICES).get(idOf('77')), before);
  t.deepEqual((await nbi.store.collection<CpeProof>(CPE_PROOFS).get(idOf('77')))?.document, proofOf('77'));
  // And of several none is approved where one is not its own.
  t.is((await nbi.call(`${BASE}/.*?enrolment=waiting`, { as: nbi.as.north.viewer })).status, 200);
});

test('what an organization is shown does not depend on what there is in another', async (t) => {
  const nbi = await startWithCpes(t);
  const observe = async () => {
    const answers: string[] = [];
    for (const [query] of QUERIES)
      for (const more of ['', '&limit=1', '&limit=2&sort=-ip'])
        answers.push(await answerTo(nbi, `${BASE}/${query}${more}`, { as: nbi.as.north.admin }));
    const counted = `${BASE}/.*?all=true&dryRun=true`;
    answers.push(await answerTo(nbi, counted, { method: 'DELETE', as: nbi.as.north.admin }));
    return answers;
  };
  const before = await observe();
  for (let each = 0; each < 30; each++)
    await nbi.putDeviceOf(each % 2 === 0 ? nbi.south : await nbi.organizations.find('default'), {
      serialNumber: `${each % 3}-${each}`,
      tags: ['a', 'b'],
      ip: '192.0.2.1',
      inFlight: '00000000-0000-4000-8000-000000000001' as ResultId,
      enrolment: 'waiting',
    });
  t.deepEqual(await observe(), before);
});

test('DELETE takes an organization’s CPEs alone, and counts and refuses by them alone', async (t) => {
  const nbi = await startWithCpes(t);
  const upgrade = '00000000-0000-4000-8000-000000000001' as ResultId;
  await nbi.putDeviceOf(nbi.south, { serialNumber: '99', inFlight: upgrade });
  const remove = (query: string, as: string) => nbi.call(`${BASE}/.*?${query}`, { method: 'DELETE', as });
  const counted = await remove('all=true&dryRun=true', nbi.as.north.operator);
  t.like(counted.body, { details: { devices: 2, upgrading: 0 } });
  // South's is under way.
  t.is((await remove('all=true', nbi.as.north.operator)).status, 200);
  t.is((await remove('all=true', nbi.as.north.operator)).status, 404);
  const refused = await remove('all=true', nbi.as.south.operator);
  t.is(refused.status, 409);
  t.regex(JSON.stringify(refused.body), /HGW-99/);
  t.is((await remove('all=true&organization=default', nbi.as.installation.operator)).status, 200);
  const left = await nbi.call(`${BASE}/.*`, { as: nbi.as.installation.viewer });
  t.is(idsIn(left.body).join(), '11,2,99');
});

const notedOf = async ({ events }: TestNbi, subjectId: string): Promise<readonly EventDocument[]> => {
  const noted: EventDocument[] = [];
  for await (const event of events.scan({ subject: 'device', subjectId, order: 'ascending' }))
    noted.push(event);
  return noted;
};

test('of a CPE that moves each of the two organizations is told, and of nobody else', async (t) => {
  const nbi = await startWithCpes(t);
  const put = (organization: string | null) =>
    nbi.call(`${BASE}/${idOf('10')}`, {
      method: 'PUT',
      as: nbi.as.installation.admin,
      json: { organization },
    });
  for (const organization of ['south', null, 'south', 'default'])
    t.is((await put(organization)).status, 200, String(organization));
  const noted = await notedOf(nbi, idOf('10'));
  const byDefault = await nbi.organizations.find('default');
  // What happens in one moment comes in an order within each organization.
  const toldTo = ({ id }: { readonly id: string }) =>
    noted
      .filter(({ organization }) => organization === id)
      .map(({ action, before, after }) => [action, before, after]);
  t.deepEqual(toldTo(nbi.north), [['left', { organization: 'north', setBy: 'hand' }, undefined]]);
  t.deepEqual(toldTo(nbi.south), [
    ['joined', undefined, { organization: 'south', setBy: 'hand' }],
    ['changed', { setBy: 'hand' }, { setBy: 'rule' }],
    ['changed', { setBy: 'rule' }, { setBy: 'hand' }],
    ['left', { organization: 'south', setBy: 'hand' }, undefined],
  ]);
  t.deepEqual(toldTo(byDefault), [['joined', undefined, { organization: 'default', setBy: 'hand' }]]);
  t.is(noted.length, 6);
  // Whoever reads by an organization learns nothing of the other.
  for (const [own, other] of [
    [nbi.north, nbi.south],
    [nbi.south, nbi.north],
  ] as const) {
    const told = JSON.stringify(noted.filter(({ organization }) => organization === own.id));
    t.false(told.includes(other.id) || told.includes(other.slug), told);
  }
});

test('what is done to a CPE is an event of its organization', async (t) => {
  const nbi = await startWithCpes(t);
  const { as } = nbi;
  const byDefault = await nbi.organizations.find('default');
  const approve = (serial: string, who: string) =>
    nbi.call('/v1/method/ApproveDevices', { method: 'POST', as: who, json: { cpe_id: idOf(serial) } });
  t.like((await approve('25', as.north.operator)).body, { details: { approved: 1, named: 0, enrolled: 0 } });
  t.like((await approve('2', as.installation.operator)).body, { details: { approved: 1 } });
  t.like((await approve('12', as.installation.operator)).body, { details: { approved: 1 } });
  t.like((await approve('88', as.installation.operator)).body, { details: { named: 1 } });
  const called = await nbi.call('/v1/method/SendCNR', {
    method: 'POST',
    as: as.south.operator,
    json: { search_options: { organization: 'south' } },
  });
  // None of them has told where it can be called.
  t.is(called.status, 502);
  t.is((called.body as { details: unknown[] }).details.length, 2);
  await nbi.store.collection<CpeProof>(CPE_PROOFS).put(proofOf('10'));
  const readmit = (as: string) =>
    nbi.call('/v1/method/ReadmitDevice', { method: 'POST', as, json: { cpe_id: idOf('10') } });
  t.is((await readmit(nbi.as.south.operator)).status, 404);
  t.is((await readmit(nbi.as.north.operator)).status, 200);
  t.is((await readmit(nbi.as.installation.operator)).status, 200);
  for (const serial of ['25', '2', '24'])
    await nbi.call(`${BASE}/${idOf(serial)}`, { method: 'DELETE', as: as.installation.operator });
  const told = async (serial: string) =>
    (await notedOf(nbi, idOf(serial))).map(({ action, organization }) => [action, organization]);
  t.deepEqual(await told('25'), [
    ['enrolled', nbi.north.id],
    ['removed', nbi.north.id],
  ]);
  t.deepEqual(await told('2'), [
    ['enrolled', nbi.south.id],
    ['called', nbi.south.id],
    ['removed', nbi.south.id],
  ]);
  t.deepEqual(await told('12'), [['enrolled', byDefault.id]]);
  t.deepEqual(await told('24'), [['removed', byDefault.id]]);
  t.deepEqual(await told('88'), [['named', undefined]]);
  t.deepEqual(await told('10'), [
    ['readmitted', nbi.north.id],
    ['readmitted', nbi.north.id],
  ]);
});

test('SendCNR is for an organization’s CPEs alone, whatever it searches by', async (t) => {
  const nbi = await startWithCpes(t);
  const asked = async (search_options: object, as: string) => {
    const reply = await nbi.call('/v1/method/SendCNR', { method: 'POST', as, json: { search_options } });
    const { details = [] } = reply.body as { details?: readonly { cpeid: string }[] };
    return [reply.status, ...details.map(({ cpeid }) => cpeid.slice(11))].join(' ');
  };
  t.is(await asked({ oui: '00A1B2' }, nbi.as.north.operator), '502 10 25');
  t.is(await asked({ oui: '00A1B2' }, nbi.as.south.operator), '502 11 2');
  t.is(await asked({ tags: ['a', 'b'], organization: 'north' }, nbi.as.installation.operator), '502 10 25');
  t.is(await asked({ oui: '00A1B2' }, nbi.as.installation.operator), '502 10 11 12 2 24 25');
  const search = { search_options: { organization: 'south' } };
  const others = { search_options: { organization: 'wests' } };
  const answers = [search, others].map((json) =>
    answerTo(nbi, '/v1/method/SendCNR', { method: 'POST', as: nbi.as.north.operator, json }),
  );
  const [foreign, unknown] = await Promise.all(answers);
  t.is(foreign?.replaceAll('south', 'wests'), unknown);
});

test('with the default alone its own user and the installation see the same', async (t) => {
  const nbi = await startWithTwo(t);
  await nbi.remove(nbi.north, nbi.south);
  await nbi.putDevice({ serialNumber: '1' });
  await nbi.putDevice({ serialNumber: '2' });
  const all = await answerTo(nbi, `${BASE}/.*?limit=1000`, { as: nbi.as.installation.viewer });
  const its = await answerTo(nbi, `${BASE}/.*?limit=1000&organization=default`, {
    as: nbi.as.installation.viewer,
  });
  t.is(its, all);
  t.regex(all, /HGW-2/);
  t.false(all.includes('organization'));
});

test('credentials of CPEs are an event of each organization that they are for, and for its users not to see', async (t) => {
  const nbi = await startWithCpes(t);
  const { as } = nbi;
  const give = (serials: readonly string[]) =>
    nbi.call('/v1/dyn/CpeAuthStorage/.*', {
      method: 'POST',
      as: as.installation.admin,
      json: serials.map((serial) => ({ cpeid: idOf(serial), password: 'a password of its own' })),
    });
  t.is((await give(['10', '11', '25', '24', '99'])).status, 200);
  const path = `/v1/dyn/CpeAuthStorage/${idOf('11')}|${idOf('99')}`;
  t.is((await nbi.call(path, { method: 'DELETE', as: as.installation.admin })).status, 200);
  const noted: string[] = [];
  const byDefault = await nbi.organizations.find('default');
  const names = new Map<string, string>(
    [nbi.north, nbi.south, byDefault].map(({ id, slug }) => [id, slug] as const),
  );
  for await (const { action, subjectId, organization, after } of nbi.events.scan({
    subject: 'cpe-credentials',
  }))
    noted.push(
      [action, names.get(organization ?? '') ?? 'nobody', subjectId.slice(-2), after?.['count'] ?? ''].join(
        ' ',
      ),
    );
  t.deepEqual(noted.sort(), [
    'added default 24 ',
    'added nobody 99 ',
    'added north * 2',
    'added south 11 ',
    'removed nobody 99 ',
    'removed south 11 ',
  ]);
  for (const cpeid of [idOf('10'), idOf('11'), idOf('98')])
    t.is((await nbi.call(`/v1/dyn/CpeAuthStorage/${cpeid}`, { as: as.north.admin })).status, 403);
});
