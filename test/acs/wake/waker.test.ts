import test, { type ExecutionContext } from 'ava';
import { openOrganizations } from '../../../acs/index.js';
import {
  DAY_MS,
  MINUTE_MS,
  type ResultId,
  type RuleId,
  SECOND_MS,
  silentLogger,
} from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import { NO_USERS } from '../../organizations/setup.js';
import { post, ruleBody } from '../../rules/setup.js';
import { BY } from '../../support/actor.js';
import { cpe, openTestWaking, WINDOW, wakeRule } from './setup.js';

const RULE = 'r1' as RuleId;

test('while its window is open a rule’s CPEs are called at its pace, each once', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(10);
  await post(at.rules, wakeRule());
  const perTick: number[] = [];
  for (let tick = 0; tick < 6; tick++) {
    await at.ticks(1);
    perTick.push(at.called.length);
  }
  t.deepEqual(perTick, [3, 6, 9, 10, 10, 10]);
  t.deepEqual(
    [...at.called],
    Array.from({ length: 10 }, (_, number) => cpe(number)),
  );
});

test('a pace below one a second is kept', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(5);
  await post(at.rules, wakeRule({ window: { ...WINDOW, wakePerSecond: 0.25 } }));
  await at.ticks(1);
  t.is(at.called.length, 1);
  await at.ticks(3);
  t.is(at.called.length, 1);
  await at.ticks(1);
  t.is(at.called.length, 2);
});

for (const [title, over] of [
  ['no wakePerSecond', { window: { cron: '0 2 * * *', durationMinutes: 60 } }],
  ['a closed window', { window: { ...WINDOW, cron: '0 4 * * *' } }],
  ['a rule whose time has not come', { notBefore: '2030-01-01T00:00:00Z' }],
  ['a rule whose time is over', { notAfter: '2020-01-01T00:00:00Z' }],
  ['a rule that is disabled', { enabled: false }],
  ['a rule that is not automatic', { automatic: false }],
  ['a condition that holds for none', { condition: { productClass: 'STB' } }],
  ['an image that is not there', { file: 'none.bin' }],
  ['a pinned rule that is disabled', { enabled: false, condition: { cpeid: cpe(1) } }],
  [
    'a pinned rule whose window is closed',
    { window: { ...WINDOW, cron: '0 4 * * *' }, condition: { cpeid: cpe(1) } },
  ],
] as const) {
  test(`nobody is called for ${title}`, async (t) => {
    const at = await openTestWaking(t);
    await at.addDevices(3);
    await post(at.rules, wakeRule(over));
    await at.ticks(20);
    t.deepEqual(at.called, []);
  });
}

test('whose board is not known is called to be asked for it, and who has not told it then is not', async (t) => {
  const boardParameter = 'Device.DeviceInfo.X_ACME_Board';
  const at = await openTestWaking(t, { boardParameter });
  at.images.set('hgw-2.0.0.bin', { softwareVersion: '2.0.0', boards: ['vendor,model'] });
  await at.addDevices(2);
  const failedPaths = { paths: [boardParameter], untilMs: at.clock.nowMs + DAY_MS };
  await at.changeDevice(cpe(0), { failedPaths });
  await post(at.rules, wakeRule());
  await at.ticks(5);
  t.deepEqual(at.called, [cpe(1)]);
});

test('whom this rule would upgrade is called although another would first ask it for its board, and nobody else is', async (t) => {
  const at = await openTestWaking(t, { boardParameter: 'Device.DeviceInfo.X_ACME_Board' });
  at.images.set('other.bin', { softwareVersion: '3.0.0', boards: ['vendor,model'] });
  await at.addDevices(3);
  await at.changeDevice(cpe(1), { softwareVersion: '2.0.0' });
  await post(at.rules, wakeRule(), ruleBody({ id: 'first', priority: 2, file: 'other.bin' }));
  await at.ticks(5);
  t.deepEqual(at.called, [cpe(0), cpe(2)]);
});

test('only those are called whom this rule would upgrade now', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(6);
  await post(at.rules, wakeRule(), {
    id: 'first',
    priority: 2,
    file: 'hgw-2.0.0.bin',
    condition: { serialNumber: '0001' },
  });
  const countKey = at.rules.countKey(await at.stored('r1'));
  await at.changeDevice(cpe(2), { softwareVersion: '2.0.0' });
  await at.changeDevice(cpe(3), { inFlight: 'some' as ResultId });
  await at.changeDevice(cpe(4), {
    counts: { [countKey]: { started: 1, failures: 0, verified: false, givenBack: 0 } },
  });
  await at.ticks(5);
  t.deepEqual(at.called, [cpe(0), cpe(5)]);
});

test('no more are called than the limits leave room for; who does not come gives up its place in time', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(10);
  at.answers.set(cpe(1), 504);
  await post(at.rules, wakeRule({ limits: { concurrent: 2 }, window: { ...WINDOW, wakePerSecond: 100 } }));
  await at.ticks(2);
  t.deepEqual(at.callsSince(), [cpe(0), cpe(1), cpe(2)], 'who is not reached is not waited for');
  // One comes and is upgraded: it is under way now, and the other is still expected.
  const reserved = await at.reserve(cpe(0));
  await at.ticks(5);
  t.deepEqual(at.callsSince(), []);
  // It ends: room for one.
  await at.store.commit(at.rules.ended(reserved, 'verified'));
  await at.ticks(2);
  t.deepEqual(at.callsSince(), [cpe(3)]);
  // Neither of the two comes.
  at.clock.nowMs += MINUTE_MS;
  await at.ticks(2);
  t.deepEqual(at.callsSince(), [cpe(4), cpe(5)]);
});

test('a place under the limits is kept while the session of a CPE that has come decides', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(3);
  await post(at.rules, wakeRule({ limits: { concurrent: 1 } }));
  await at.ticks(2);
  await at.changeDevice(cpe(0), { lastInformMs: at.clock.nowMs });
  await at.ticks(8);
  t.deepEqual(at.callsSince(), [cpe(0)]);
  // It was not upgraded after all.
  await at.ticks(6);
  t.deepEqual(at.callsSince(), [cpe(1)]);
});

test('a CPE that was seen shortly before it was called, which another process writes later, is still expected', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(2);
  await post(at.rules, wakeRule({ limits: { concurrent: 1 } }));
  await at.ticks(1);
  await at.changeDevice(cpe(0), { lastInformMs: at.clock.nowMs - 20 * SECOND_MS });
  await at.ticks(40);
  t.deepEqual(at.callsSince(), [cpe(0)]);
});

test('a CPE that came while its turn was awaited is called as what it is by then, and expected for as long as any', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(4);
  await post(at.rules, wakeRule({ limits: { concurrent: 1 } }));
  await at.ticks(1);
  t.deepEqual(at.callsSince(), [cpe(0)]);
  await at.changeDevice(cpe(1), { inFlight: 'some' as ResultId });
  await at.changeDevice(cpe(2), { lastInformMs: at.clock.nowMs });
  await at.ticks(61);
  t.deepEqual(at.callsSince(), [cpe(2)], 'the first upgrades already');
  await at.ticks(40);
  t.deepEqual(at.callsSince(), []);
});

test('waking stops at limits.total and goes on where it was when that is raised', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(5);
  await post(at.rules, wakeRule({ limits: { total: 1 } }));
  await at.ticks(1);
  t.deepEqual(at.callsSince(), [cpe(0)]);
  await at.store.commit(at.rules.ended(await at.reserve(cpe(0)), 'failed'));
  at.clock.nowMs += MINUTE_MS;
  await at.ticks(3);
  t.deepEqual(at.callsSince(), []);
  await at.rules.merge([RULE], { limits: { total: 2 } }, BY);
  await at.ticks(3);
  t.deepEqual(at.callsSince(), [cpe(1)]);
});

test('waking stops at limits.stopAfterFailures', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(5);
  await post(
    at.rules,
    wakeRule({ limits: { stopAfterFailures: 1 }, window: { ...WINDOW, wakePerSecond: 1 } }),
  );
  await at.ticks(1);
  t.deepEqual(at.callsSince(), [cpe(0)]);
  await at.store.commit(at.rules.ended(await at.reserve(cpe(0)), 'failed'));
  await at.ticks(5);
  t.deepEqual(at.callsSince(), []);
});

test('while upgrades are frozen nobody is called, and afterwards it goes on with the same CPE', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(4);
  await post(at.rules, wakeRule({ window: { ...WINDOW, wakePerSecond: 1 } }));
  await at.ticks(1);
  await at.rules.freeze({ frozen: true, by: byCommand('test') });
  await at.ticks(5);
  t.deepEqual(at.callsSince(), [cpe(0)]);
  await at.rules.freeze({ frozen: false, by: byCommand('test') });
  await at.ticks(2);
  t.deepEqual(at.callsSince(), [cpe(1), cpe(2)]);
});

test('waking ends with the window and when the rule is disabled, and says so with its counts', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(10);
  await post(at.rules, wakeRule());
  await at.ticks(1);
  await at.rules.merge([RULE], { enabled: false }, BY);
  await at.ticks(2);
  t.is(at.called.length, 3);
  await at.rules.merge([RULE], { enabled: true }, BY);
  await at.ticks(1);
  at.clock.nowMs += 60 * MINUTE_MS;
  await at.ticks(2);
  t.deepEqual(
    at.log
      .filter(({ event }) => event.startsWith('wake.'))
      .map(({ event, fields }) => [event, fields['called']]),
    [
      ['wake.begun', undefined],
      ['wake.ended', 3],
      ['wake.begun', undefined],
      ['wake.ended', 3],
    ],
  );
});

test('a window that a clock set back has closed does not open twice: those who were called are not called again', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(5);
  await post(at.rules, wakeRule());
  await at.ticks(3);
  t.is(at.callsSince().length, 5);
  at.setClock(-40 * MINUTE_MS);
  await at.ticks(2);
  // The window opens again by the new time.
  at.clock.nowMs += 15 * MINUTE_MS;
  await at.ticks(5);
  t.deepEqual(at.callsSince(), []);
});

test('a clock that is set neither stops the pace of waking nor makes up for anything', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(12);
  await post(at.rules, wakeRule());
  await at.ticks(1);
  t.is(at.callsSince().length, 3);
  at.setClock(-10 * MINUTE_MS);
  await at.ticks(1);
  t.is(at.callsSince().length, 3);
  at.setClock(15 * MINUTE_MS);
  await at.ticks(1);
  t.is(at.callsSince().length, 3);
});

test('what a clock that was ahead has saved of waking keeps nobody from being called', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(4);
  await post(at.rules, wakeRule());
  at.setClock(2 * 24 * 60 * MINUTE_MS);
  await at.ticks(2);
  t.is(at.callsSince().length, 4);
  // Killed, and started again at the right time: the lease and the progress of the other run for two more days.
  at.setClock(-2 * 24 * 60 * MINUTE_MS);
  const { waker } = await at.anotherWaker();
  await at.ticks(2, waker);
  t.is(at.callsSince().length, 4);
});

test('a CPE whose last Inform was stored by a clock that was ahead has not come by that', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(1, { lastInformMs: at.clock.nowMs + 2 * DAY_MS });
  at.answers.set(cpe(0), 504);
  await post(at.rules, wakeRule({ window: { ...WINDOW, durationMinutes: 600 } }));
  for (let minutes = 0; minutes < 40; minutes++) {
    await at.ticks(1);
    at.clock.nowMs += MINUTE_MS;
  }
  t.is(at.called.length, 3);
});

for (const [kind, condition] of [
  ['fleet', { productClass: 'HGW' }],
  ['pinned', { cpeid: cpe(0) }],
] as const) {
  test(`a CPE that does not answer is called three times, ten minutes apart (${kind} rule)`, async (t) => {
    const at = await openTestWaking(t);
    await at.addDevices(1);
    at.answers.set(cpe(0), 504);
    await post(at.rules, wakeRule({ condition, window: { ...WINDOW, durationMinutes: 600 } }));
    const startMs = at.clock.nowMs;
    const calledAtMinute: number[] = [];
    while (at.clock.nowMs < startMs + 120 * MINUTE_MS) {
      await at.waker.tick();
      await at.caller.idle();
      if (at.callsSince().length > 0) calledAtMinute.push((at.clock.nowMs - startMs) / MINUTE_MS);
      at.clock.nowMs += MINUTE_MS / 2;
    }
    t.deepEqual(calledAtMinute, [0, 10, 20]);
  });

  test(`that another process writes late how it was seen before it was called keeps a CPE from no call (${kind} rule)`, async (t) => {
    const at = await openTestWaking(t);
    await at.addDevices(1);
    at.answers.set(cpe(0), 504);
    await post(at.rules, wakeRule({ condition, window: { ...WINDOW, durationMinutes: 600 } }));
    const minutesOfCalls: number[] = [];
    for (let minute = 0; minute < 60; minute++) {
      const begunMs = at.clock.nowMs;
      await at.waker.tick();
      await at.caller.idle();
      if (at.callsSince().length > 0) {
        minutesOfCalls.push(minute);
        if (minute === 0) await at.changeDevice(cpe(0), { lastInformMs: begunMs - 20 * SECOND_MS });
      }
      at.clock.nowMs += MINUTE_MS;
    }
    t.deepEqual(minutesOfCalls, [0, 10, 20]);
  });

  test(`a CPE that came after the clock was set back is not called again (${kind} rule)`, async (t) => {
    const at = await openTestWaking(t);
    await at.addDevices(1);
    await post(at.rules, wakeRule({ condition, window: { ...WINDOW, durationMinutes: 600 } }));
    await at.ticks(1);
    at.setClock(-20 * MINUTE_MS);
    await at.changeDevice(cpe(0), { lastInformMs: at.clock.nowMs });
    for (let minute = 0; minute < 60; minute++) {
      at.clock.nowMs += MINUTE_MS;
      await at.ticks(1);
    }
    t.is(at.called.length, 1);
  });

  test(`a CPE that came and was not upgraded is not called again (${kind} rule)`, async (t) => {
    const at = await openTestWaking(t);
    await at.addDevices(1);
    await post(at.rules, wakeRule({ condition, window: { ...WINDOW, durationMinutes: 600 } }));
    await at.ticks(1);
    t.is(at.called.length, 1);
    await at.changeDevice(cpe(0), { lastInformMs: at.clock.nowMs + 1 });
    for (let minutes = 0; minutes < 60; minutes++) {
      at.clock.nowMs += MINUTE_MS;
      await at.ticks(1);
    }
    t.is(at.called.length, 1);
  });
}

test('pinned rules of one pace share it', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(8);
  const bodies = Array.from({ length: 8 }, (_, number) =>
    wakeRule({ id: `p${number}`, priority: 5, condition: { cpeid: cpe(number) } }),
  );
  await post(at.rules, ...bodies);
  const perTick: number[] = [];
  for (let tick = 0; tick < 4; tick++) {
    await at.ticks(1);
    perTick.push(at.called.length);
  }
  t.deepEqual(perTick, [3, 6, 8, 8]);
  t.is(new Set(at.called).size, 8);
});

test('CPEs that never answer do not hold up the others', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(30);
  for (let number = 0; number < 25; number++) at.answers.set(cpe(number), 'never');
  await post(at.rules, wakeRule());
  await at.ticks(10);
  t.is(new Set(at.called).size, 30);
});

test('of two processes one calls; the other goes on where it stopped', async (t) => {
  const at = await openTestWaking(t);
  const other = await at.anotherWaker();
  await at.addDevices(20);
  await post(at.rules, wakeRule());
  for (let tick = 0; tick < 3; tick++) {
    await Promise.all([at.waker.tick(), other.waker.tick()]);
    at.clock.nowMs += 1_000;
  }
  t.is(at.called.length, 9);
  // The one that leads is gone without a word: after a while the other goes on.
  const led = at.log.filter(({ event }) => event === 'wake.begun').length;
  t.is(led, 1);
  at.clock.nowMs += MINUTE_MS;
  await at.ticks(8, other.waker);
  t.is(at.called.length, 20);
  // The first was only asleep: it finds that it was overtaken.
  at.clock.nowMs += MINUTE_MS;
  await at.ticks(8);
  t.is(at.called.length, 20);
  t.is(new Set(at.called).size, 20, 'each once');
});

test('a CPE that waits to be enrolled is not called', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(2);
  await at.changeDevice(cpe(0), { enrolment: 'waiting' });
  await post(at.rules, wakeRule());
  await at.ticks(2);
  t.deepEqual([...at.called], [cpe(1)]);
});

test('the CPE of a rule by its serial number is called, and none where several have that', async (t) => {
  const at = await openTestWaking(t);
  await at.addDevices(3);
  await at.changeDevice(cpe(0), { serialNumber: 'ALONE' });
  for (const number of [1, 2]) await at.changeDevice(cpe(number), { serialNumber: 'SHARED' });
  const rules = ['ALONE', 'SHARED', 'NOBODY'].map((cpeid) => wakeRule({ id: cpeid, condition: { cpeid } }));
  await post(at.rules, ...rules);
  await at.ticks(20);
  t.deepEqual(at.called, [cpe(0)]);
});

/** The first half of the CPEs belongs to one organization, the others to another. */
async function openTwoOrganizations(t: ExecutionContext) {
  const at = await openTestWaking(t);
  const { organizations, close } = openOrganizations({
    store: at.store,
    rules: at.rules,
    users: NO_USERS,
    clock: () => at.clock.nowMs,
    logger: silentLogger,
  });
  t.teardown(close);
  const [north, south] = [
    await organizations.add({ name: 'north', slug: 'north' }, BY),
    await organizations.add({ name: 'south', slug: 'south' }, BY),
  ];
  await at.addDevices(6);
  for (let number = 0; number < 6; number++) {
    const { id } = number < 3 ? north : south;
    await at.changeDevice(cpe(number), { organization: { id, by: 'hand' } });
  }
  const freeze = (organization: string) =>
    at.rules.freeze({ frozen: true, by: byCommand('ops'), organization });
  return { ...at, north, south, freeze };
}

for (const [kind, condition] of [
  ['of the fleet', { productClass: 'HGW' }],
  ['pinned to CPEs', null],
] as const) {
  test(`a rule of an organization that is ${kind} wakes its CPEs alone, whatever brake another has pulled`, async (t) => {
    const at = await openTwoOrganizations(t);
    await at.freeze(at.north.id);
    // But for that brake this would upgrade the others' CPEs.
    await post(at.rules, ruleBody({ id: 'ALL' }));
    const bodies =
      condition === null
        ? [0, 1, 3, 4].map((number) =>
            wakeRule({ id: `p${number}`, priority: 5, condition: { cpeid: cpe(number) } }),
          )
        : [wakeRule({ priority: 5, condition })];
    await at.rules.put(bodies, { by: BY, onlyNew: false, organization: at.south.id });
    await at.ticks(10);
    t.deepEqual(at.called, condition === null ? [cpe(3), cpe(4)] : [cpe(3), cpe(4), cpe(5)]);
  });
}

test('a rule of the installation goes on with the CPEs of others where one organization has pulled its brake', async (t) => {
  const at = await openTwoOrganizations(t);
  await at.freeze(at.north.id);
  await post(at.rules, wakeRule());
  await at.ticks(10);
  t.deepEqual(at.called, [cpe(3), cpe(4), cpe(5)]);
});
