import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CpeCredentials } from '../../acs/index.js';
import { type CpeId, DAY_MS, systemClock } from '../../common/index.js';
import { BY } from '../support/actor.js';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  downloadResponse,
  inform,
  RawCpe,
  restOfSession,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';

const HOME = '127.0.0.1';
const STRANGER = '127.0.0.9';
const LIMITS = { concurrent: { concurrent: 3 }, total: { total: 3 } } as const;

/** A rule for each limit, with a product class of its own. */
async function postRules(t: ExecutionContext, ferry: TestFerry): Promise<void> {
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const rules = Object.entries(LIMITS).map(([productClass, limits]) => ({
    id: productClass,
    file: 'hgw-2.bin',
    condition: { productClass },
    limits,
  }));
  const { status, body } = await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rules);
  t.is(status, 200, JSON.stringify(body));
}

/** A whole session. @returns whether it was sent a Download */
async function session(
  ferry: TestFerry,
  from: string,
  who: { readonly serial: string; readonly productClass: string },
  headers: Record<string, string> = {},
): Promise<boolean> {
  const cpe = new RawCpe(ferry.urls.cwmp, from);
  cpe.headers = headers;
  const answers: Readonly<Record<string, string>> = {
    SetParameterValues: SET_PARAMETER_VALUES_RESPONSE,
    Download: downloadResponse(),
  };
  await cpe.post(inform(who));
  const { rpcs } = await restOfSession(cpe, answers);
  cpe.close();
  return rpcs.includes('Download');
}

/** How many of so many new serial numbers are sent a Download. */
async function invented(
  ferry: TestFerry,
  from: string,
  productClass: string,
  count: number,
): Promise<number> {
  let sent = 0;
  for (let index = 0; index < count; index++)
    if (await session(ferry, from, { serial: `X${index}`, productClass })) sent += 1;
  return sent;
}

/** A Ferry that has known one CPE of each class for two days, and was started since. */
async function startKnowing(
  t: ExecutionContext,
  config: Readonly<Record<string, unknown>> = {},
): Promise<TestFerry> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-places-'));
  // Before anything that works in it, so that it goes last.
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const startedMs = Date.now();
  const before = await startTestFerry(t, { dataDir, clock: () => startedMs - 2 * DAY_MS });
  for (const productClass of Object.keys(LIMITS))
    t.false(await session(before, HOME, { serial: 'honest', productClass }));
  await before.close();
  const ferry = await startTestFerry(t, { dataDir, config });
  await postRules(t, ferry);
  return ferry;
}

test('invented CPEs of one address, however many, leave a place to a CPE that was known before', async (t) => {
  const ferry = await startKnowing(t);
  for (const productClass of Object.keys(LIMITS)) {
    t.is(await invented(ferry, STRANGER, productClass, 12), 2, productClass);
    const { body } = await ferry.nbi('POST', '/v1/method/ExplainRules', {
      cpe_id: `00A1B2-${productClass}-X11`,
    });
    t.regex(
      JSON.stringify(body),
      new RegExp(
        `limits\\.${productClass}: the last place is kept for CPEs of other addresses than ${STRANGER}`,
      ),
    );
    t.true(await session(ferry, HOME, { serial: 'honest', productClass }), productClass);
    t.false(await session(ferry, HOME, { serial: 'second', productClass }), 'the limit itself');
  }
  const told = ferry.events.filter(({ event }) => event === 'campaign.one-address');
  t.deepEqual(
    told.map(({ fields }) => fields),
    Object.keys(LIMITS).map((name) => ({
      ruleId: name,
      limitName: `limits.${name}`,
      address: STRANGER,
      used: 2,
      limit: 3,
    })),
  );
  const metrics = String((await ferry.nbi('GET', '/metrics')).body);
  for (const name of Object.keys(LIMITS))
    t.regex(metrics, new RegExp(`^ferry_rule_held_back_total\\{limit="limits\\.${name}"\\} 10$`, 'm'));
});

test('a fleet that is all at one address takes every place, also where it is new', async (t) => {
  const ferry = await startTestFerry(t);
  await postRules(t, ferry);
  for (const productClass of Object.keys(LIMITS))
    t.is(await invented(ferry, STRANGER, productClass, 4), 3, productClass);
});

test('--shared-address: CPEs of such an address take every place', async (t) => {
  const ferry = await startKnowing(t, { sharedAddress: ['127.0.0.8/31'] });
  for (const productClass of Object.keys(LIMITS))
    t.is(await invented(ferry, STRANGER, productClass, 4), 3, productClass);
});

test('a CPE with credentials of its own takes the last place, also from the address of strangers', async (t) => {
  const basic = (login: string) => ({ Authorization: `Basic ${Buffer.from(login).toString('base64')}` });
  const ferry = await startKnowing(t, { allowAnonymousCpe: false, cpeAuth: 'fleet:a shared password' });
  const { store, secrets } = ferry.installation;
  const credentials = new CpeCredentials({ store, secrets, clock: systemClock });
  for (const productClass of Object.keys(LIMITS)) {
    const cpeid = `00A1B2-${productClass}-own` as CpeId;
    await credentials.put([{ cpeid, username: cpeid, password: 'a password of its own' }], BY);
    const claim = (serial: string) =>
      session(ferry, STRANGER, { serial, productClass }, basic('fleet:a shared password'));
    t.deepEqual([await claim('X1'), await claim('X2'), await claim('X3')], [true, true, false]);
    const own = { serial: 'own', productClass };
    t.true(await session(ferry, STRANGER, own, basic(`${cpeid}:a password of its own`)), productClass);
  }
});
