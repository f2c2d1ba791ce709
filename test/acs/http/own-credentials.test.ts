import test, { type ExecutionContext } from 'ava';
import { ferry as run } from '../../cli/support.js';
import { startTestFerry } from '../../support/ferry.js';
import { inform, RawCpe } from '../../support/raw-cpe.js';

const SHARED = 'fleet:shared secret';
const X = '00A1B2-HGW-1';

async function start(t: ExecutionContext) {
  const ferry = await startTestFerry(t, { config: { cpeAuth: SHARED } });
  const set = (cpeid: string, username: string, password: string) =>
    run(
      ['cpe-auth', 'set', cpeid, `--username=${username}`, '--password-stdin', `--data-dir=${ferry.dataDir}`],
      {
        input: `${password}\n`,
      },
    );
  /** A session of its own, to its end. @returns the statuses of its answers */
  const session = async (credentials: string, fields: Parameters<typeof inform>[0] = {}) => {
    const cpe = new RawCpe(ferry.urls.cwmp);
    t.teardown(() => cpe.close());
    cpe.headers = { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
    const { status, body } = await cpe.post(inform(fields));
    return status === 200 && body.includes('InformResponse') ? (await cpe.post('')).status : status;
  };
  const device = async (cpeid = X) => {
    const { body } = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/${cpeid}`);
    return (Array.isArray(body) ? body[0] : body) as Record<string, unknown>;
  };
  const said = (event: string) => ferry.events.filter((each) => each.event === event).length;
  return { ferry, set, session, device, said };
}

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
