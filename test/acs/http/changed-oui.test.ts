import test, { type ExecutionContext } from 'ava';
import { ferry as run } from '../../cli/support.js';
import { startTestFerry } from '../../support/ferry.js';
import {
  downloadResponse,
  type InformFields,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
  transferComplete,
} from '../../support/raw-cpe.js';

const SHARED = 'fleet:shared secret';
const OLD = '00A1B2-HGW-1';
const NEW = '00F0F0-HGW-1';
const CHANGED: InformFields = {
  oui: '00F0F0',
  events: ['7 TRANSFER COMPLETE', ['M Download', '']],
  version: '2.0',
};
const FAILURE = [9010, 'Download failure'] as const;

/** A Ferry that upgrades CPE 1, which has used credentials of its own. */
async function start(t: ExecutionContext, config: object = {}) {
  const ferry = await startTestFerry(t, { config: { cpeAuth: SHARED, allowAnonymousCpe: false, ...config } });
  const cli = (args: readonly string[], input = '') =>
    run([...args, `--data-dir=${ferry.dataDir}`], { input });
  const set = (cpeid: string, username: string, password: string) =>
    cli(['cpe-auth', 'set', cpeid, `--username=${username}`, '--password-stdin'], `${password}\n`);
  /** @returns the status that the session ends with, and the CommandKey of its Download */
  const session = async (credentials: string, fields: InformFields, own: readonly string[] = []) => {
    const cpe = new RawCpe(ferry.urls.cwmp);
    t.teardown(() => cpe.close());
    cpe.headers = { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
    const { status, body } = await cpe.post(inform(fields));
    if (status !== 200 || !body.includes('InformResponse')) return { status, key: '', set: '' };
    for (const message of own) await cpe.post(message);
    let key = '';
    let set = '';
    let answer = await cpe.post('');
    while (answer.status === 200) {
      const isDownload = rpcOf(answer.body) === 'Download';
      if (isDownload) key = textOf(answer.body, 'CommandKey') ?? '';
      else set += answer.body;
      answer = await cpe.post(isDownload ? downloadResponse(1) : SET_PARAMETER_VALUES_RESPONSE);
    }
    return { status: answer.status, key, set };
  };
  const one = async (path: string) => {
    const { body } = await ferry.nbi('GET', `/v1/dyn/${path}`);
    const { details = [] } = body as { details?: readonly Record<string, unknown>[] };
    return details[0] ?? {};
  };
  const device = (cpeid: string) => one(`DeviceStorage/${cpeid}`);
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const rule = { id: 'R1', file: 'hgw-2.bin', condition: { serialNumber: '1' } };
  t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule)).status, 200);
  await set(OLD, 'one', 'first');
  const { key } = await session('one:first', {});
  t.not(key, '');
  const outcome = async () => (await one(`FirmwareResultStorage/.*?cpeid=${OLD}`))['result'];
  return { ferry, cli, set, session, device, outcome, key };
}

test('nobody goes on as the successor of a CPE that has proved who it is without its credentials, though he has seen the key', async (t) => {
  const { ferry, session, set, device, outcome, key } = await start(t);
  const report = [transferComplete(key, FAILURE)];
  const before = await outcome();
  t.is((await session(SHARED, CHANGED, report)).status, 204);
  await set('00F0F1-HGW-1', 'another', 'p');
  t.is((await session('another:p', { ...CHANGED, oui: '00F0F1' }, report)).status, 204);
  t.deepEqual(await outcome(), before);
  t.is((await device(OLD))['supersededBy'], undefined);
  t.deepEqual(
    ferry.events
      .filter(({ event }) => event === 'transfer-complete.not-of-this-cpe')
      .map(({ fields }) => fields['refused']),
    Array(2).fill('that CPE has proved who it is, and this session has not its credentials'),
  );
});

for (const enrol of ['open', 'approve'] as const) {
  test(`a CPE whose OUI changes with an upgrade goes on with its own credentials, which are those of its new name and of its old one, with --enrol ${enrol}`, async (t) => {
    const { cli, set, session, device, outcome, key } = await start(t, { enrol });
    const first = await session('one:first', CHANGED, [transferComplete(key)]);
    t.is(first.status, 204);
    t.deepEqual(await outcome(), {
      code: 200,
      message: 'Upgrade has succeeded: software version 2.0, before 1.0',
    });
    t.like(await device(OLD), { supersededBy: NEW });
    t.like(await device(NEW), { supersedes: OLD, identity: { proven: false } });
    t.is((await session('one:first', { ...CHANGED, events: ['2 PERIODIC'] })).status, 204);
    t.like(await device(NEW), { identity: { proven: true } });
    for (const oui of ['00A1B2', '00F0F0']) t.is((await session(SHARED, { oui })).status, 401, 'for neither');
    t.is((await session('one:first', {})).status, 204, 'an older image says the old name again');
    t.regex((await cli(['cpe-auth', 'show', NEW])).stdout, /\bone\b/);
    // The list that it was imported from names it by its old name.
    await set(OLD, 'one', 'second');
    t.is((await session('one:second', { ...CHANGED, events: ['2 PERIODIC'] })).status, 204);
    t.is((await session('one:first', { ...CHANGED, events: ['2 PERIODIC'] })).status, 401);
  });
}

test('with its own credentials a CPE comes under another name only after an upgrade, with the same serial number, and if nobody has proved to be that', async (t) => {
  const { session, set, device, key } = await start(t);
  t.is((await session('one:first', { ...CHANGED, serial: '2' })).status, 401);
  await set(NEW, 'new', 'p');
  t.is((await session('new:p', { oui: '00F0F0' })).status, 204);
  t.is((await session('one:first', CHANGED)).status, 401);
  t.is((await session('one:first', CHANGED, [transferComplete(key)])).status, 401);
  await set('00A1B2-HGW-3', 'three', 'p');
  await session('three:p', { serial: '3' });
  t.is((await session('three:p', { oui: '00F0F0', serial: '3' })).status, 401, 'no upgrade of it');
  t.is((await device('00F0F0-HGW-3'))['id'], undefined);
});

test('a CPE that comes under another name is given no credentials: it has some', async (t) => {
  const { session, key } = await start(t, { bootstrapCredentials: true });
  const { set } = await session('one:first', CHANGED);
  t.regex(set, /PeriodicInformInterval/);
  t.notRegex(set, /ManagementServer\.Password/);
  t.is((await session('one:first', CHANGED, [transferComplete(key)])).status, 204);
});

test('a CPE that was reset under its new name, and is readmitted, is given what nobody else has', async (t) => {
  const { cli, session, key } = await start(t);
  await session('one:first', CHANGED, [transferComplete(key)]);
  t.is((await cli(['device', 'readmit', OLD])).exitCode, 0);
  const { set } = await session(SHARED, { events: ['0 BOOTSTRAP'] });
  const [, username = '', password = ''] =
    />([^<]*)<\/Value>[\s\S]*>([^<]*)<\/Value>/.exec(set.slice(set.indexOf('ManagementServer.Username'))) ??
    [];
  t.regex(username, /^00A1B2-HGW-1/);
  t.is((await session(`${username}:${password}`, {})).status, 204);
  t.is((await session('one:first', { oui: '00F0F0' })).status, 204);
});
