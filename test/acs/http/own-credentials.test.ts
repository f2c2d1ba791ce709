import test from 'ava';
import { ferry as run } from '../../cli/support.js';
import { startTestFerry } from '../../support/ferry.js';
import { SET_DONE as SET, SHARED, startWithShared as start, valueIn } from '../../support/own-credentials.js';
import { inform, RawCpe } from '../../support/raw-cpe.js';

const X = '00A1B2-HGW-1';

test('a CPE proves by credentials of its own who it is; then nobody speaks for it with the shared pair', async (t) => {
  const { set, session, device, said } = await start(t);
  t.not(await session(SHARED), 401);
  t.deepEqual((await device())['identity'], { proven: false });
  await set(X, 'one', 'first');
  t.not(await session(SHARED), 401, 'both are right until it has used its own');
  t.not(await session('one:first'), 401);
  t.deepEqual((await device())['identity'], { proven: true });
  t.is(await session(SHARED), 401);
  t.is(said('cpe.identity-refused'), 1);
  t.is(await session('one:wrong'), 401);
  await set(X, 'one', 'second');
  t.not(await session('one:first'), 401);
  t.not(await session('one:second'), 401);
  t.is(await session('one:first'), 401);
  t.not(await session(SHARED, { serial: '2' }), 401, 'others have the shared pair still');
});

test('with its own credentials a CPE speaks for no other', async (t) => {
  const { set, session, device } = await start(t);
  await set(X, 'one', 'first');
  t.is(await session('one:first', { serial: '2' }), 401);
  t.is((await device('00A1B2-HGW-2'))['id'], undefined);
  await set('00A1B2-HGW-2', 'two', 'p');
  t.is(await session('two:p', { serial: '1' }), 401);
});

test('a CPE that has lost its credentials is answered, believed nothing and told nothing, and shown as such until it has some again', async (t) => {
  const { ferry, set, session, device, said } = await start(t);
  await set(X, 'one', 'first');
  await session('one:first');
  const before = await device();
  const lost = { events: ['0 BOOTSTRAP', '1 BOOT'], version: '6.6.6', parameters: { 'Device.X': 'y' } };
  t.is(await session(SHARED, lost), 204);
  t.is(await session(SHARED, lost), 204);
  const after = await device();
  t.like(after['identity'], { proven: true });
  t.is(typeof (after['identity'] as Record<string, unknown>)['credentialsLost'], 'number');
  t.deepEqual({ ...after, identity: null }, { ...before, identity: null });
  t.is(said('cpe.credentials-lost'), 1);
  t.is(ferry.events.filter(({ event }) => event === 'cpe.registered').length, 1);
  await session('one:first');
  t.deepEqual((await device())['identity'], { proven: true });
});

test('a CPE is given credentials of its own at first contact, the same again until it has used them, and none after', async (t) => {
  const { cpeWith, session } = await start(t, { bootstrapCredentials: true });
  const given = async () => {
    const cpe = cpeWith(SHARED);
    await cpe.post(inform({ events: ['0 BOOTSTRAP', '1 BOOT'] }));
    const { body } = await cpe.post('');
    return { cpe, login: `${valueIn(body, 'Username')}:${valueIn(body, 'Password')}` };
  };
  // It hangs up on it: perhaps it has taken them.
  const first = await given();
  t.regex(first.login, /^00A1B2-HGW-1:\S{20,}$/);
  const again = await given();
  t.is(again.login, first.login);
  t.is((await again.cpe.post(SET)).status, 204);
  t.is(await session(first.login), 204);
  t.is(await session(SHARED), 401);
});

test('a CPE that has lost its credentials is given new ones once an operator has readmitted it', async (t) => {
  const { ferry, cpeWith, set, session, device, said } = await start(t);
  await set(X, 'one', 'first');
  await session('one:first');
  const lost = { events: ['0 BOOTSTRAP', '1 BOOT'] } as const;
  t.is(await session(SHARED, lost), 204);
  const unknown = await run(['device', 'readmit', '00A1B2-HGW-9', `--data-dir=${ferry.dataDir}`]);
  t.is(unknown.exitCode, 1);
  t.is((await run(['device', 'readmit', X, `--data-dir=${ferry.dataDir}`])).exitCode, 0);
  const cpe = cpeWith(SHARED);
  await cpe.post(inform(lost));
  const { body } = await cpe.post('');
  t.is(valueIn(body, 'Username'), 'one');
  t.is((body.match(/<Name>/g) ?? []).length, 2, 'nothing else is set');
  t.is((await cpe.post(SET)).status, 204);
  t.is(said('cpe.readmitted'), 1);
  t.not(await session(`one:${valueIn(body, 'Password')}`), 401);
  t.deepEqual((await device())['identity'], { proven: true });
  t.is(await session('one:first'), 401);
  t.is(await session(SHARED, lost), 204, 'it is readmitted once');
  t.is(typeof ((await device())['identity'] as Record<string, unknown>)['credentialsLost'], 'number');
});

test('a rule can ask that a CPE has proved who it is', async (t) => {
  const { ferry, set, session } = await start(t);
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', {
    id: 'proven',
    file: 'http://192.0.2.9/image.bin',
    condition: 'identity.proven = true',
    target: { softwareVersion: '2.0' },
  });
  await session(SHARED);
  t.is(await session(SHARED), 204);
  await set(X, 'one', 'first');
  t.is(await session('one:first'), 'Download');
});

test('credentials for connection requests that found no answer are told nobody again, whoever says that he is the CPE', async (t) => {
  const { ferry, set } = await start(t);
  const given = async (credentials: string, serial = '1') => {
    const cpe = new RawCpe(ferry.urls.cwmp);
    t.teardown(() => cpe.close());
    cpe.headers = { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
    const informed = await cpe.post(inform({ serial, events: ['0 BOOTSTRAP', '1 BOOT'] }));
    if (informed.status !== 200) return informed.status;
    // It hangs up on it.
    const { body } = await cpe.post('');
    return valueIn(body, 'ConnectionRequestPassword');
  };
  const other = await given(SHARED, '2');
  t.is(typeof other, 'string');
  t.not(await given(SHARED, '2'), other, 'whoever says that he is the CPE');
  const first = await given(SHARED);
  await set(X, 'one', 'p');
  const proven = await given('one:p');
  t.is(typeof proven, 'string');
  t.not(proven, first);
  t.not(await given('one:p'), proven);
  t.is(await given(SHARED), undefined, 'told nothing');
});

test('where nobody is asked for credentials any more, a CPE that had proved who it was is set none', async (t) => {
  const { ferry, set, session } = await start(t);
  await set(X, 'one', 'p');
  t.is(await session('one:p'), 204);
  await ferry.close();
  const open = await startTestFerry(t, {
    dataDir: ferry.dataDir,
    config: { allowAnonymousCpe: true },
  });
  const cpe = new RawCpe(open.urls.cwmp);
  t.teardown(() => cpe.close());
  await cpe.post(inform({ events: ['0 BOOTSTRAP', '1 BOOT'] }));
  const { body } = await cpe.post('');
  t.regex(body, /PeriodicInformInterval/);
  t.notRegex(body, /Password/);
});

test('credentials that come over HTTP prove a CPE, also one whose OUI has small letters, and who gave them is logged', async (t) => {
  // The schema knows capitals alone.
  const { ferry, session, device } = await start(t, {}, { checksSchema: false });
  const logins = ['00a1b2-HGW-1', '00A1B2C-HGW-1'].map((cpeid) => ({ cpeid, password: `p of ${cpeid}` }));
  const body = logins.map((login) => `${JSON.stringify(login)}\n`).join('');
  const stored = await ferry.nbi('POST', '/v1/dyn/CpeAuthStorage/.*', Buffer.from(body), {
    'Content-Type': 'application/x-ndjson',
  });
  t.is(stored.status, 200);
  for (const { cpeid, password } of logins) {
    const [oui = ''] = cpeid.split('-');
    t.is(await session(`${cpeid}:${password}`, { oui }), 204);
    t.deepEqual((await device(cpeid))['identity'], { proven: true });
    t.is(await session(SHARED, { oui }), 401);
  }
  const { body: list } = await ferry.nbi('GET', '/v1/dyn/CpeAuthStorage/.*?proven=true');
  t.is((list as { details: unknown[] }).details.length, 2);
  t.notRegex(JSON.stringify([list, ferry.events]), /p of /);
  t.like(ferry.events.find(({ event }) => event === 'cpe.credentials-set')?.fields, {
    by: 'admin',
    stored: 2,
  });
  t.is((await ferry.nbi('DELETE', '/v1/dyn/CpeAuthStorage/00a1b2-HGW-1')).status, 200);
  t.not(await session(SHARED, { oui: '00a1b2' }), 401, 'the last is gone, and the proof with it');
  const removed = ferry.events.filter(({ event }) => event === 'cpe.credentials-removed');
  t.deepEqual(
    removed.map(({ fields }) => fields),
    [{ cpeid: '00a1b2-HGW-1', by: 'admin' }],
  );
});

test('who has one of two user names taken away keeps the other, and what it has proved', async (t) => {
  const { ferry, set, session } = await start(t);
  await set(X, 'one', 'p');
  t.not(await session('one:p'), 401);
  await set(X, 'two', 'q');
  t.is((await ferry.nbi('DELETE', '/v1/dyn/CpeAuthStorage/two')).status, 200);
  t.is(await session('two:q'), 401);
  t.is(await session(SHARED), 401);
  t.not(await session('one:p'), 401);
});

test('a CPE that has lost its credentials is readmitted over HTTP, by whom is logged', async (t) => {
  const { ferry, set, session, said } = await start(t);
  const readmit = (cpeid: string) => ferry.nbi('POST', '/v1/method/ReadmitDevice', { cpe_id: cpeid });
  t.is((await readmit(X)).status, 404);
  await set(X, 'one', 'p');
  await session('one:p');
  t.is(await session(SHARED, { events: ['0 BOOTSTRAP'] }), 204);
  t.is((await readmit(X)).status, 200);
  await session(SHARED, { events: ['0 BOOTSTRAP'] });
  t.is(said('cpe.readmitted'), 1);
  t.deepEqual(ferry.events.find(({ event }) => event === 'cpe.readmission')?.fields, {
    cpeid: X,
    by: 'admin',
  });
});

const SERIAL = { cpeid: 'serial' } as const;

test('where the serial number is the identity, another vendor’s CPE is not given what its namesake has lost', async (t) => {
  const { cpeWith, set, session, device, said } = await start(
    t,
    { ...SERIAL, afterReset: 'readmit' },
    { checksSchema: false },
  );
  await set('1', 'one', 'first');
  t.is(await session('one:first'), 204);
  const cpe = cpeWith(SHARED);
  const { body } = await cpe.post(inform({ oui: '00C3D4', events: ['0 BOOTSTRAP', '1 BOOT'] }));
  t.regex(body, /<FaultCode>8003<\/FaultCode>/);
  t.is(said('cpe.second-oui'), 1);
  t.is(said('cpe.readmitted'), 0);
  t.is(await session('one:first'), 204);
  t.is(await session(SHARED, { oui: '00a1b2' }), 401, 'small letters are no other vendor');
  t.is(said('cpe.second-oui'), 1);
  // What logs in as the first is that, whatever an upgrade has made of its OUI.
  t.is(await session('one:first', { oui: '00C3D4' }), 204);
  t.is((await device('1'))['oui'], '00C3D4');
});

test('a CPE that waits to be enrolled keeps no serial number from another', async (t) => {
  const { session, device, said } = await start(t, { ...SERIAL, enrol: 'approve' });
  t.is(await session(SHARED, { oui: '00C3D4' }), 204);
  t.is(await session(SHARED), 204);
  t.like(await device('1'), { oui: '00A1B2', enrolment: 'waiting' });
  t.is(said('cpe.second-oui'), 0);
});
