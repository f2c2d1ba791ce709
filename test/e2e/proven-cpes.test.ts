import test, { type ExecutionContext } from 'ava';
import { ferry as run } from '../cli/support.js';
import { type OwnCredentials, SHARED, startWithShared } from '../support/own-credentials.js';

import { inform, rpcOf } from '../support/raw-cpe.js';

const cpeidOf = (serial: number) => `00A1B2-HGW-${serial}`;
const BOOTSTRAP = { events: ['0 BOOTSTRAP', '1 BOOT'] } as const;

/** CPEs 1 and 2 have proved who they are, 3 and 4 have not; 5 had, and has lost its credentials. */
async function startWithFive(t: ExecutionContext): Promise<OwnCredentials> {
  const at = await startWithShared(t);
  for (const serial of [1, 2, 5]) {
    await at.set(cpeidOf(serial), `own${serial}`, 'secret');
    t.is(await at.session(`own${serial}:secret`, { serial: String(serial) }), 204);
  }
  for (const serial of [3, 4]) t.is(await at.session(SHARED, { serial: String(serial) }), 204);
  t.is(await at.session(SHARED, { serial: '5', ...BOOTSTRAP }), 204);
  return at;
}

/** Who is known, by serial number. */
async function known({ ferry }: OwnCredentials, query = ''): Promise<readonly number[]> {
  const { body } = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/.*${query}`);
  const { details } = body as { details: '' | readonly { readonly id: string }[] };
  return details === '' || details === undefined ? [] : details.map(({ id }) => Number(id.slice(-1))).sort();
}

test('CPEs are deleted by whether they have proved who they are, after a dry run that counts them and changes nothing', async (t) => {
  t.timeout(180_000);
  const at = await startWithFive(t);
  const remove = (query: string) => at.ferry.nbi('DELETE', `/v1/dyn/DeviceStorage/.*?${query}`);
  t.deepEqual(await known(at, '?identity.proven=false'), [3, 4]);
  for (const [query, devices] of [
    ['identity.proven=false', 2],
    ['identity.proven=true', 3],
    ['identity.proven=false&ip=127.0.0.1', 2],
  ] as const) {
    const { status, body } = await remove(`${query}&dryRun=true`);
    t.is(status, 200, query);
    t.like(body, { code: 200, details: { devices, upgrading: 0 } }, query);
  }
  for (const query of ['proven=maybe', 'proven=', 'proven<true', 'proven=false&ip=192.0.2.1'])
    t.is((await remove(`identity.${query}`)).status, 404, query);
  t.deepEqual(await known(at), [1, 2, 3, 4, 5]);

  const args = ['device', 'delete', '--filter=identity.proven=false', `--data-dir=${at.ferry.dataDir}`];
  const dry = await run([...args, '--dry-run', '--json']);
  t.deepEqual(JSON.parse(dry.stdout), { devices: 2, upgrading: 0, deleted: 0 }, dry.stderr);

  t.is((await remove('identity.proven=false')).status, 200);
  t.deepEqual(await known(at), [1, 2, 5]);
  t.is((await remove('identity.proven=false')).status, 404);
  // Who comes back has proved no more than before.
  t.is(await at.session(SHARED, { serial: '3' }), 204);
  t.deepEqual((await at.device(cpeidOf(3)))['identity'], { proven: false });
  const one = await run([...args, '--yes', '--json']);
  t.deepEqual(JSON.parse(one.stdout), { devices: 1, upgrading: 0, deleted: 1 }, one.stderr);
  t.deepEqual(await known(at), [1, 2, 5]);
});

test('a CPE that is deleted keeps the credentials that it has proved itself by: nobody else comes back in its place', async (t) => {
  t.timeout(180_000);
  const at = await startWithFive(t);
  const { status } = await at.ferry.nbi('DELETE', '/v1/dyn/DeviceStorage/.*?identity.proven=true');
  t.is(status, 200);
  t.deepEqual(await known(at), [3, 4]);
  t.is(await at.session(SHARED, { serial: '1' }), 401);
  t.is(await at.session('own2:secret', { serial: '1' }), 401);
  t.deepEqual(await known(at), [3, 4]);
  t.is(await at.session('own1:secret', { serial: '1' }), 204);
  t.deepEqual((await at.device(cpeidOf(1)))['identity'], { proven: true });
});

for (const shareSessions of [false, true]) {
  const where = shareSessions ? 'shared' : 'alone';

  test(`no session of another CPE goes on with the cookie of one that has proved who it is (${where})`, async (t) => {
    t.timeout(180_000);
    const at = await startWithShared(t, { shareSessions });
    for (const serial of [1, 2]) await at.set(cpeidOf(serial), `own${serial}`, 'secret');
    const begun = async (serial: number) => {
      const cpe = at.cpeWith(`own${serial}:secret`);
      t.is(rpcOf((await cpe.post(inform({ serial: String(serial) }))).body), 'InformResponse');
      return { cpe, cookie: cpe.cookie ?? '' };
    };
    // On the connection of the other's session, alone and beside its own.
    for (const cookies of [[1], [1, 2], [2, 1]]) {
      const [one, two] = [await begun(1), await begun(2)];
      const Cookie = cookies.map((serial) => (serial === 1 ? one : two).cookie).join('; ');
      t.is((await two.cpe.post('', { Cookie })).status, 400, `cookies of ${cookies.join()}`);
      for (const { cpe } of [one, two]) t.true((await cpe.post('')).status < 300, 'each session goes on');
    }
    const [one, two] = [await begun(1), await begun(2)];
    // Nor does an Inform with it begin a session of the CPE whose it is.
    const thief = at.cpeWith('own2:secret');
    t.is((await thief.post(inform({ serial: '1', version: '6.6.6' }), { Cookie: one.cookie })).status, 401);
    t.is(thief.cookie, null);
    t.is((await at.device(cpeidOf(1)))['softwareVersion'], '1.0');
    t.true((await two.cpe.post('')).status < 300);
  });

  test(`a CPE with credentials of its own begins no session as another within its own (${where})`, async (t) => {
    t.timeout(180_000);
    const at = await startWithShared(t, { shareSessions });
    for (const serial of [1, 2]) await at.set(cpeidOf(serial), `own${serial}`, 'secret');
    t.is(await at.session('own2:secret', { serial: '2' }), 204);
    const cpe = at.cpeWith('own1:secret');
    const login = cpe.headers;
    for (const [what, serial, headers] of [
      ['one that is known and proven', '2', login],
      ['one that nobody knows', '3', login],
      ['one that is proven, by what the fleet shares', '2', at.cpeWith(SHARED).headers],
      ['one that nobody knows, by the session alone', '3', {}],
      ['itself, by the session alone', '1', {}],
    ] as const) {
      cpe.headers = login;
      cpe.cookie = null;
      t.is((await cpe.post(inform({ serial: '1' }))).status, 200, what);
      cpe.headers = headers;
      t.is((await cpe.post(inform({ serial, version: '6.6.6' }))).status, 401, what);
    }
    t.is((await at.device(cpeidOf(1)))['softwareVersion'], '1.0');
    t.is((await at.device(cpeidOf(2)))['softwareVersion'], '1.0');
    t.deepEqual(await known(at), [1, 2]);
    t.true(at.said('cpe.identity-refused') > 0);
    t.is(await at.session('own1:secret', { serial: '1' }), 204);
  });
}
