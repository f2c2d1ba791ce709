import test, { type ExecutionContext } from 'ava';
import { systemClock } from '../../common/index.js';
import type { SimulatedCpe } from '../../cpe-sim/index.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  commandKeys,
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  introduce,
  outcomes,
  PRODUCT_CLASS,
  postRule,
  results,
  SUCCESS,
  startListener,
  uploadImage,
} from './simulated.js';

const HOUR_MS = 3_600_000;
const SECOND_MS = 1_000;
const OPEN_AT = Date.UTC(2026, 0, 31, 2, 0);
const WINDOW = { cron: '0 2 * * *', durationMinutes: 60, wakePerSecond: 2 };
const RULE = { id: 'NIGHT', file: IMAGE_NAME, condition: { productClass: PRODUCT_CLASS }, window: WINDOW };

/** A Ferry whose clock stands half an hour before the window, with CPEs that call of their own accord in an hour at the earliest. */
async function startNight(t: ExecutionContext, serials: readonly string[]) {
  const time = { aheadMs: OPEN_AT - HOUR_MS / 2 - systemClock() };
  const ferry = await startTestFerry(t, {
    clock: () => systemClock() + time.aheadMs,
    acsOptions: { wakeIntervalMs: null },
  });
  await uploadImage(t, ferry.nbi);
  const listener = await startListener(t);
  const cpes: SimulatedCpe[] = [];
  for (const serial of serials) {
    const cpe = createCpe(t, ferry.urls.cwmp, serial, { listener });
    await introduce(ferry.nbi, cpe);
    cpes.push(cpe);
  }
  return { ferry, cpes, time };
}

async function verified(nbi: TestFerry['nbi'], serials: readonly string[]): Promise<void> {
  for (const serial of serials) {
    await until(`${serial} is upgraded`, async () =>
      (await outcomes(nbi, cpeidOf(serial))).includes(`200 ${SUCCESS}`),
    );
  }
}

/** What the log says of connection requests that woke somebody, in order. */
function woken(ferry: TestFerry): unknown[] {
  return ferry.events
    .filter(({ event }) => event === 'connection-request.woken')
    .map(({ fields }) => fields['cpeid']);
}

test('CPEs that would call in an hour are upgraded when the window opens, and none before', async (t) => {
  const serials = ['1', '2', '3', '4', '5'];
  const { ferry, cpes, time } = await startNight(t, serials);
  await postRule(t, ferry.nbi, RULE);
  await ferry.acs.wake();
  t.deepEqual(woken(ferry), []);
  time.aheadMs += HOUR_MS / 2 + SECOND_MS;
  for (let tick = 0; tick < 3; tick++) {
    await ferry.acs.wake();
    time.aheadMs += SECOND_MS;
  }
  await verified(ferry.nbi, serials);
  t.deepEqual([...woken(ferry)].sort(), serials.map(cpeidOf));
  t.deepEqual(
    cpes.map((cpe) => commandKeys(cpe).length),
    [1, 1, 1, 1, 1],
  );
  const metrics = (await ferry.nbi('GET', '/metrics')).body as string;
  t.regex(metrics, /ferry_wakes_total\{code="200"\} 5/);
});

test('with limits.concurrent of 1 the next CPE is woken when the one before is done', async (t) => {
  const serials = ['1', '2', '3'];
  const { ferry, time } = await startNight(t, serials);
  await postRule(t, ferry.nbi, { ...RULE, limits: { concurrent: 1 } });
  time.aheadMs += HOUR_MS / 2 + SECOND_MS;
  const watched = ['connection-request.woken', 'upgrade.verified'];
  const told = () => ferry.events.filter(({ event }) => watched.includes(event));
  await until('all are upgraded', async () => {
    await ferry.acs.wake();
    // Little faster than the sessions' own clock: what is expected for seconds must not pass while one is under way.
    time.aheadMs += SECOND_MS / 20;
    return told().length >= 2 * serials.length;
  });
  t.deepEqual(
    told().map(({ event, fields }) => [event, fields['cpeid']]),
    serials.flatMap((serial) => watched.map((event) => [event, cpeidOf(serial)])),
  );
});

test('a rule that is not automatic is not run by waking, and nobody is woken while upgrades are frozen', async (t) => {
  const { ferry, time } = await startNight(t, ['1']);
  time.aheadMs += HOUR_MS / 2 + SECOND_MS;
  await postRule(t, ferry.nbi, { ...RULE, id: 'MANUAL', automatic: false, priority: 2 });
  await ferry.acs.wake();
  t.is((await ferry.nbi('POST', '/v1/method/FreezeUpgrades', { frozen: true })).status, 200);
  await postRule(t, ferry.nbi, RULE);
  await ferry.acs.wake();
  t.deepEqual(woken(ferry), []);
  t.is((await ferry.nbi('POST', '/v1/method/FreezeUpgrades', { frozen: false })).status, 200);
  time.aheadMs += SECOND_MS;
  await ferry.acs.wake();
  await verified(ferry.nbi, ['1']);
  t.is((await results(ferry.nbi, 'campaignid=MANUAL')).length, 0);
});

test('a rule for one CPE with a window wakes that CPE', async (t) => {
  const { ferry, time } = await startNight(t, ['1', '2']);
  await postRule(t, ferry.nbi, { ...RULE, condition: { cpeid: cpeidOf('2') } });
  time.aheadMs += HOUR_MS / 2 + SECOND_MS;
  await ferry.acs.wake();
  await verified(ferry.nbi, ['2']);
  t.deepEqual(woken(ferry), [cpeidOf('2')]);
});
