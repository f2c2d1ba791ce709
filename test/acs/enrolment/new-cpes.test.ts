import test from 'ava';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { DEFAULT_ACS_OPTIONS } from '../../../acs/acs.js';
import { GuardedTotal } from '../../../acs/enrolment/guarded-total.js';
import { type NewCpeBounds, NewCpeRefusedError, NewCpes } from '../../../acs/enrolment/new-cpes.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { MINUTE_MS } from '../../../common/index.js';
import { recordingLogger } from '../../support/ferry.js';

const GREEDY = '192.0.2.1';
const OTHER = '192.0.2.2';

function start(bounds: Partial<NewCpeBounds>) {
  const time = { nowMs: 5 };
  const registry = new Registry();
  const { logger, events } = recordingLogger();
  const newCpes = new NewCpes({
    bounds: { perMinuteMax: 0, inAllMax: 0, exempt: [], ...bounds },
    monotonic: () => time.nowMs,
    logger,
    metrics: createAcsMetrics(registry, () => 0),
  });
  /** @returns how many of so many were taken */
  const take = (ip: string, count = 1): number => {
    let taken = 0;
    for (let n = 0; n < count; n++) {
      try {
        newCpes.take(ip);
        taken++;
      } catch (error) {
        if (!(error instanceof NewCpeRefusedError)) throw error;
      }
    }
    return taken;
  };
  const counted = async (outcome: string) => {
    const found = new RegExp(`^ferry_new_cpes_total\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(
      await registry.metrics(),
    );
    return Number(found?.[1] ?? 0);
  };
  return { newCpes, time, events, take, counted };
}

test('with defaults 10,000 CPEs of one address are taken on in a minute, and nobody is warned', (t) => {
  const { take, events } = start(DEFAULT_ACS_OPTIONS.newCpes);
  t.is(take(GREEDY, 10_000), 10_000);
  t.deepEqual(events, []);
});

test('with defaults 10,000 CPEs of one address are taken on also where the CPEs that there may be run short', (t) => {
  const { newCpes, take } = start(DEFAULT_ACS_OPTIONS.newCpes);
  newCpes.counted(DEFAULT_ACS_OPTIONS.newCpes.inAllMax - 500_000);
  t.is(take(GREEDY, 10_000), 10_000);
});

test('of the places of a minute three quarters are anybody’s; then the address that has had most gets no more, while others do up to the total', (t) => {
  const { take } = start({ perMinuteMax: 800 });
  t.is(take(GREEDY, 1_000), 600);
  t.is(take(OTHER, 150), 150);
  t.is(take(GREEDY), 0);
  t.is(take('192.0.2.3', 100), 50, 'at the total nobody gets more');
  t.is(take(OTHER), 0);
});

test('an address may have an eighth of the places, however little the others have', (t) => {
  const { take } = start({ perMinuteMax: 800 });
  for (let n = 0; n < 600; n++) take(`198.51.${n >> 8}.${n & 255}`);
  t.is(take(GREEDY, 200), 101);
});

test('an IPv6 /64 is one address', (t) => {
  const { take } = start({ perMinuteMax: 80 });
  let taken = 0;
  for (let n = 0; n < 80; n++) taken += take(`2001:db8::${n.toString(16)}`);
  t.is(taken, 60);
  t.is(take('2001:db8:0:1::1'), 1);
});

test('after a minute by the monotonic clock all places are there again', (t) => {
  const { take, time } = start({ perMinuteMax: 8 });
  t.is(take(GREEDY, 10), 6);
  time.nowMs += MINUTE_MS - 1;
  t.is(take(GREEDY), 0);
  time.nowMs += 1;
  t.is(take(GREEDY, 10), 6);
});

test('a subnet that is exempt is never the greediest; the total holds for it too', (t) => {
  const { take } = start({ perMinuteMax: 80, exempt: ['192.0.2.0/24'] });
  t.is(take(GREEDY, 100), 80);
  t.is(take('198.51.100.1'), 0);
});

test('what an exempt subnet has had makes nobody else the lesser one', (t) => {
  const { take } = start({ perMinuteMax: 80, exempt: ['192.0.2.0/24'] });
  t.is(take(GREEDY, 40), 40);
  t.is(take('198.51.100.1', 40), 20);
});

test('whoever looks after it is told, and it is counted, before anybody is refused; once a minute', async (t) => {
  const { take, events, counted, time } = start({ perMinuteMax: 8 });
  take(GREEDY, 6);
  t.deepEqual(events, []);
  t.is(take(OTHER), 1);
  t.like(events, { length: 1, 0: { event: 'cpes.new-run-short' } });
  t.like(events[0]?.fields, { bound: 'minute', taken: 6, max: 8, mostOfOneAddress: 6 });
  t.deepEqual([await counted('taken'), await counted('taken-guarded')], [6, 1]);
  take(GREEDY, 5);
  take(OTHER, 5);
  t.is(events.length, 1);
  t.deepEqual([await counted('refused-greediest'), await counted('refused')], [5, 4]);
  time.nowMs += MINUTE_MS;
  take(GREEDY, 7);
  t.is(events.length, 2);
});

test('of all CPEs that there may be the last tenth is guarded, by what addresses have had since the start', (t) => {
  const { newCpes, take, events } = start({ inAllMax: 800 });
  t.is(take(GREEDY, 5), 5);
  newCpes.counted(719);
  t.is(take(OTHER), 1);
  t.deepEqual(events, []);
  t.is(take(GREEDY, 10), 6, 'an eighth of the tenth, and one more');
  t.like(events[0]?.fields, { bound: 'all', taken: 720, max: 800 });
  t.is(take(OTHER, 10), 10);
  newCpes.counted(800);
  t.is(take('192.0.2.3'), 0);
  newCpes.counted(700);
  t.is(take(GREEDY), 1, 'CPEs have been deleted');
});

test('0 bounds nothing', (t) => {
  const { newCpes, take } = start({});
  newCpes.counted(Number.MAX_SAFE_INTEGER);
  t.is(take(GREEDY, 1_000), 1_000);
});

test('whoever has taken least is refused last: nobody is refused before the total who has taken less than another, or no more than its part', (t) => {
  const arrivals = fc.array(fc.nat({ max: 5 }), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), arrivals, (totalMax, from) => {
      const guarding = {
        totalMax,
        guardedFrom: Math.floor((totalMax * 3) / 4),
        ownMax: Math.floor(totalMax / 8),
      };
      const total = new GuardedTotal(guarding);
      const takenBy = [0, 0, 0, 0, 0, 0];
      let taken = 0;
      for (const who of from) {
        const own = takenBy[who] ?? 0;
        switch (total.look(taken, String(who))) {
          case 'none':
            t.is(taken, totalMax);
            continue;
          case 'greediest':
            t.true(taken >= guarding.guardedFrom && own > guarding.ownMax && own === Math.max(...takenBy));
            continue;
          case 'guarded':
            t.true(taken >= guarding.guardedFrom && (own <= guarding.ownMax || own < Math.max(...takenBy)));
            break;
          case 'free':
            t.true(taken < guarding.guardedFrom);
            break;
        }
        total.take(String(who));
        takenBy[who] = own + 1;
        taken++;
      }
    }),
  );
});

test('addresses are remembered in a bounded number, and the greediest is not forgotten', (t) => {
  const total = new GuardedTotal({ totalMax: 1_000, guardedFrom: 0, ownMax: 1 }, 10);
  for (let n = 0; n < 5; n++) total.take('greedy');
  for (let n = 0; n < 100; n++) {
    total.take(`other ${n}`);
    t.is(total.look(0, 'greedy'), 'greediest');
    t.true(total.networks <= 10);
  }
  t.is(total.mostTaken, 5);
});
