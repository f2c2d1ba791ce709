import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { RuleId } from '../../../common/index.js';
import { addressBucketOf, allowanceOf, RESERVE_MS, reserveOf } from '../../../rules/campaign/by-address.js';
import type { DecisionInput, Limits, UpgradeEnd } from '../../../rules/index.js';
import { openLmdbStore, openMongoStore, type Store } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { mongodbUrl, testDatabase } from '../../support/mongodb.js';
import { inputOf, openTestRules, post, ruleBody, temporaryDirectory } from '../setup.js';
import { LimitsOracle, type Running } from './limits-oracle.js';

const RULE = 'r1' as RuleId;
const STRANGER = '192.0.2.66';
const OTHER = '198.51.100.1';
const PROVEN = { identity: { proven: true } };

type From = Partial<DecisionInput['context']>;

/** A rule under the oracle's eyes, of which no address is the fleet's but those given. */
async function openLimited(
  t: ExecutionContext,
  limits: Limits,
  {
    shared = [],
    store,
    processes = 1,
  }: { readonly shared?: readonly string[]; readonly store?: Store; readonly processes?: number } = {},
) {
  const heldBack: string[] = [];
  const at = await openTestRules(t, store, {
    isSharedAddress: async (ip) => shared.includes(ip),
    onHeldBack: (limitName) => heldBack.push(limitName),
  });
  await post(at.rules, ruleBody({ limits }));
  const oracle = new LimitsOracle(at.store);
  const engines = [at.rules];
  while (engines.length < processes) engines.push(await at.another());
  let cpes = 0;
  const take = (from: From): Promise<Running | null> => {
    cpes += 1;
    const engine = engines[cpes % engines.length] ?? at.rules;
    return oracle.reserve(engine, `cpe-${cpes}`, { now: at.clock.nowMs, ...from });
  };
  const taken = async (count: number, from: From): Promise<number> => {
    let had = 0;
    for (let index = 0; index < count; index++) if ((await take(from)) !== null) had += 1;
    return had;
  };
  const reason = async (from: From): Promise<string | undefined> => {
    const { rules } = await at.rules.explain(inputOf({ now: at.clock.nowMs, ...from }));
    return rules[0]?.detail;
  };
  const end = (running: Running | null, how: UpgradeEnd) =>
    running === null ? Promise.resolve(false) : oracle.end(at.rules, running, how);
  return { ...at, oracle, engines, take, taken, reason, end, heldBack };
}

test('one in four places is kept, at least one, and none of a single one', (t) => {
  const kept = [1, 2, 3, 4, 7, 8, 100].map((limit) => [limit, reserveOf(limit)]);
  t.deepEqual(kept, [
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 1],
    [7, 1],
    [8, 2],
    [100, 25],
  ]);
});

test('an address may take places until it has most of them and the reserve is reached, whoever came before', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(200), fc.nat(200), (limit, own, others) => {
      const used = own + others;
      fc.pre(used < limit);
      let more = 0;
      const isHeld = () => limit - used - more <= reserveOf(limit) && 2 * (own + more) > used + more;
      while (used + more < limit && !isHeld()) more += 1;
      const allowed = allowanceOf(limit, used, own);
      return Math.min(allowed, limit - used) === more;
    }),
  );
  t.pass();
});

for (const name of ['total', 'concurrent'] as const) {
  test(`limits.${name}: CPEs of one address leave the last place to others, and so do all that come at once`, async (t) => {
    const at = await openLimited(t, { [name]: 3 });
    const atOnce = await Promise.all(Array.from({ length: 12 }, () => at.take({ ip: STRANGER })));
    t.is(atOnce.filter((running) => running !== null).length, 2);
    t.is(await at.taken(5, { ip: STRANGER }), 0);
    t.true(at.heldBack.length > 0);
    t.regex(
      String(await at.reason({ ip: STRANGER })),
      new RegExp(
        `^limits\\.${name}: the last place is kept for CPEs of other addresses than ${STRANGER}, which has 2 of 3 \\(`,
      ),
    );
    const told = at.log.filter(({ event }) => event === 'campaign.one-address').map(({ fields }) => fields);
    t.deepEqual(told[0], {
      ruleId: 'r1',
      limitName: `limits.${name}`,
      address: STRANGER,
      used: 2,
      limit: 3,
    });
    t.is(await at.taken(1, { ip: OTHER }), 1);
    t.is(await at.taken(1, { ip: OTHER }), 0, 'the limit itself');
    t.regex(String(await at.reason({ ip: OTHER })), /^limits\.\w+: 3 of 3 /);
  });
}

test('it is told before anybody is refused', async (t) => {
  const at = await openLimited(t, { concurrent: 8 });
  const told = () => at.log.filter(({ event }) => event === 'campaign.one-address').length;
  t.is(await at.taken(5, { ip: STRANGER }), 5);
  t.is(told(), 0);
  t.is(await at.taken(1, { ip: STRANGER }), 1);
  t.is(told(), 1);
  t.is(at.heldBack.length, 0);
});

test('a /64 of IPv6 is one address', async (t) => {
  const at = await openLimited(t, { total: 3 });
  t.is(await at.taken(1, { ip: '2001:db8:1:2::1' }), 1);
  t.is(await at.taken(1, { ip: '2001:db8:1:2:3:4:5:6' }), 1);
  t.is(await at.taken(1, { ip: '2001:db8:1:2:ffff::' }), 0);
  t.regex(String(await at.reason({ ip: '2001:db8:1:2::9' })), /than 2001:db8:1:2::\/64, which has 2 of 3/);
  t.is(await at.taken(1, { ip: '2001:db8:1:3::1' }), 1);
});

test('CPEs that have proved who they are, and those of addresses that many share, take every place', async (t) => {
  const proven = await openLimited(t, { total: 3, concurrent: 3 });
  t.is(await proven.taken(4, { ip: STRANGER, ...PROVEN }), 3);
  const shared = await openLimited(t, { total: 3, concurrent: 3 }, { shared: [STRANGER] });
  t.is(await shared.taken(4, { ip: STRANGER }), 3);
  const mixed = await openLimited(t, { concurrent: 3 });
  t.is(await mixed.taken(3, { ip: STRANGER }), 2);
  t.is(await mixed.taken(1, { ip: STRANGER, ...PROVEN }), 1, 'proven, beside strangers');
});

test('places that end are the address’s no more, however they end', async (t) => {
  const at = await openLimited(t, { concurrent: 3 });
  const total = await openLimited(t, { total: 3 });
  for (const how of ['verified', 'failed', 'timed-out', 'cancelled', 'given-back'] as const) {
    await at.rules.restart([RULE], BY);
    await total.rules.restart([RULE], BY);
    const first = await at.take({ ip: STRANGER });
    t.is(await at.taken(2, { ip: STRANGER }), 1);
    await at.end(first, how);
    t.is(await at.taken(2, { ip: STRANGER }), 1, how);
    const started = await total.take({ ip: STRANGER });
    t.is(await total.taken(2, { ip: STRANGER }), 1);
    await total.end(started, how);
    t.is(await total.taken(2, { ip: STRANGER }), how === 'given-back' ? 1 : 0, how);
  }
});

test('the reserve lapses after an hour in which nobody else took a place, and begins anew where somebody does', async (t) => {
  const at = await openLimited(t, { concurrent: 8 });
  t.is(await at.taken(9, { ip: STRANGER }), 6);
  at.clock.nowMs += RESERVE_MS - 1;
  t.is(await at.taken(1, { ip: STRANGER }), 0);
  t.not(await at.take({ ip: OTHER }), null);
  at.clock.nowMs += RESERVE_MS / 2;
  t.is(await at.taken(1, { ip: STRANGER }), 0, 'another has come');
  at.clock.nowMs += RESERVE_MS - 1;
  t.is(await at.taken(1, { ip: STRANGER }), 0);
  at.clock.nowMs += 1;
  t.is(await at.taken(2, { ip: STRANGER }), 1, 'no other has come for an hour');
});

test('to ask does not begin the hour', async (t) => {
  const at = await openLimited(t, { total: 3 });
  t.is(await at.taken(2, { ip: STRANGER }), 2);
  for (let asked = 0; asked < 3; asked++) t.regex(String(await at.reason({ ip: STRANGER })), /is kept for/);
  at.clock.nowMs += RESERVE_MS;
  t.is(await at.taken(1, { ip: STRANGER }), 0);
  at.clock.nowMs += RESERVE_MS;
  t.is(await at.taken(1, { ip: STRANGER }), 1);
});

test('an hour that a clock began which was ahead is over', async (t) => {
  const at = await openLimited(t, { total: 3 });
  at.clock.nowMs += 48 * RESERVE_MS;
  t.is(await at.taken(3, { ip: STRANGER }), 2);
  at.clock.nowMs -= 48 * RESERVE_MS;
  t.is(await at.taken(1, { ip: STRANGER }), 1);
});

test('a place that was taken before addresses were counted ends as it did', async (t) => {
  const at = await openLimited(t, { concurrent: 3 });
  const running = await at.take({ ip: OTHER, ...PROVEN });
  t.is(running?.addressBucket, undefined);
  t.is(await at.taken(2, { ip: STRANGER }), 2);
  await at.end(running, 'verified');
  t.is(await at.taken(1, { ip: STRANGER }), 0);
  t.is(await at.taken(2, { ip: OTHER }), 1);
});

test('failures stop a rule wherever they come from, and it says so where most are of one address', async (t) => {
  const cases: readonly (readonly [froms: readonly From[], said: string])[] = [
    [[{ ip: STRANGER }, { ip: STRANGER }, { ip: STRANGER }], ', all of unproven CPEs of one address'],
    [[{ ip: STRANGER }, { ip: OTHER }, { ip: STRANGER }], ', 2 of unproven CPEs of one address'],
    [[{ ip: STRANGER }, { ip: OTHER }, { ip: '203.0.113.5' }], ''],
    [[PROVEN, PROVEN, PROVEN], ''],
  ];
  const at = await openLimited(t, { stopAfterFailures: 3 });
  for (const [froms, said] of cases) {
    await at.rules.restart([RULE], BY);
    for (const [index, from] of froms.entries())
      t.true(await at.end(await at.take(from), index % 2 === 0 ? 'failed' : 'timed-out'));
    t.is(await at.reason({ ip: OTHER }), `limits.stopAfterFailures: 3 failed${said}`);
    t.is(await at.taken(1, { ip: OTHER }), 0);
  }
});

test('late evidence takes back the failure that was counted of an address', async (t) => {
  const at = await openLimited(t, { stopAfterFailures: 2 });
  const [first, second, third] = [
    await at.take({ ip: STRANGER }),
    await at.take({ ip: STRANGER }),
    await at.take({ ip: OTHER }),
  ];
  await at.end(first, 'timed-out');
  if (first === null) return t.fail();
  await at.store.commit(at.rules.ended(first, 'verified', 'timed-out'));
  await at.end(second, 'failed');
  await at.end(third, 'failed');
  t.is(await at.reason({ ip: OTHER }), 'limits.stopAfterFailures: 2 failed');
});

type Step =
  | { readonly kind: 'take'; readonly from: number; readonly proven: boolean }
  | { readonly kind: 'end'; readonly which: number; readonly how: UpgradeEnd }
  | { readonly kind: 'limits'; readonly limits: Limits };

const ADDRESSES = ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '2001:db8::1'];
const limitsArbitrary: fc.Arbitrary<Limits> = fc.record(
  { total: fc.integer({ min: 1, max: 40 }), concurrent: fc.integer({ min: 1, max: 30 }) },
  { requiredKeys: [] },
);
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      from: fc.nat(ADDRESSES.length - 1),
      proven: fc.integer({ min: 0, max: 9 }).map((each) => each === 0),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(100),
      how: fc.constantFrom('verified', 'cancelled', 'given-back' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limits' as const), limits: limitsArbitrary }) },
);

/** What has been taken and not given back, as a plain list: the law that counts in shares must come to. */
class Model {
  readonly places: { running: Running | null; readonly bucket: number | null; isOver: boolean }[] = [];

  mayTake(limits: Limits, bucket: number | null): boolean {
    const underWay = this.places.filter(({ isOver }) => !isOver);
    return [[limits.total, this.places] as const, [limits.concurrent, underWay] as const].every(
      ([limit, taken]) => {
        if (limit === undefined) return true;
        if (taken.length >= limit) return false;
        if (bucket === null) return true;
        const own = taken.filter((place) => place.bucket === bucket).length;
        return limit - taken.length > reserveOf(limit) || 2 * own <= taken.length;
      },
    );
  }
}

test('one after the other: a place is given exactly where the limits leave room and it is kept from nobody', async (t) => {
  const at = await openLimited(t, {}, { processes: 2 });
  await fc.assert(
    fc.asyncProperty(
      limitsArbitrary,
      fc.array(stepArbitrary, { minLength: 40, maxLength: 90, size: 'max' }),
      async (limits, steps) => {
        let now = limits;
        await post(at.rules, ruleBody({ limits: now }));
        await at.rules.restart([RULE], BY);
        const key = at.rules.countKey(await at.stored(RULE));
        const model = new Model();
        for (const step of steps) {
          if (step.kind === 'limits') {
            now = step.limits;
            await post(at.rules, ruleBody({ limits: now }));
          } else if (step.kind === 'end') {
            const open = model.places.filter(({ isOver }) => !isOver);
            const place = open[step.which % Math.max(1, open.length)];
            if (place === undefined) continue;
            await at.end(place.running, step.how);
            place.isOver = true;
            if (step.how === 'given-back') model.places.splice(model.places.indexOf(place), 1);
          } else {
            const ip = ADDRESSES[step.from] ?? OTHER;
            const bucket = addressBucketOf(key, { cpeid: '' as never, ip, isProven: step.proven });
            const expected = model.mayTake(now, bucket);
            const running = await at.take({ ip, identity: { proven: step.proven } });
            if ((running !== null) !== expected)
              throw new Error(`${expected ? 'refused' : 'given'} to ${ip} under ${JSON.stringify(now)}`);
            if (running !== null) model.places.push({ running, bucket, isOver: false });
          }
        }
      },
    ),
    { numRuns: 12 },
  );
  t.pass();
});

test('all at once, at two processes: one address leaves others half of the reserve at least, all of it of a small limit', async (t) => {
  const at = await openLimited(t, {}, { processes: 2 });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('total', 'concurrent'),
      fc.integer({ min: 2, max: 60 }),
      fc.integer({ min: 1, max: 20 }),
      async (name, limit, together) => {
        await post(at.rules, ruleBody({ limits: { [name]: limit } }));
        await at.rules.restart([RULE], BY);
        let had = 0;
        for (let asked = 0; asked < 2 * limit; asked += together) {
          const wave = await Promise.all(Array.from({ length: together }, () => at.take({ ip: STRANGER })));
          had += wave.filter((running) => running !== null).length;
        }
        const reserve = reserveOf(limit);
        const left = limit - had;
        if (limit < 16 ? left !== reserve : left < reserve / 2 || left > reserve)
          throw new Error(`${left} of ${limit} left`);
        if ((await at.taken(left + 1, { ip: OTHER })) !== left)
          throw new Error('others do not get what is left');
      },
    ),
    { numRuns: 10 },
  );
  t.pass();
});

test('a crowd of one address that comes at once leaves half of the reserve to others at least', async (t) => {
  const at = await openLimited(t, {}, { processes: 2 });
  for (const limit of [8, 15, 40, 64]) {
    await post(at.rules, ruleBody({ limits: { total: limit } }));
    await at.rules.restart([RULE], BY);
    const crowd = await Promise.all(Array.from({ length: 2 * limit }, () => at.take({ ip: STRANGER })));
    const left = limit - crowd.filter((running) => running !== null).length;
    t.true(left >= reserveOf(limit) / 2 && left <= reserveOf(limit), `${left} of ${limit} left`);
    t.is(await at.taken(left + 1, { ip: OTHER }), left, String(limit));
  }
});

test('processes of their own, all of one address, leave the reserve of limits.total to others', async (t) => {
  const directory = await temporaryDirectory(t);
  const children: ChildProcess[] = [];
  t.teardown(() => children.forEach((child) => void child.kill('SIGKILL')));
  const store = await openLmdbStore({ directory });
  t.teardown(() => store.close());
  const at = await openLimited(t, { total: 40 }, { store });
  const ends = ['first', 'second'].map((name) => {
    const child = fork(new URL('limits-child.js', import.meta.url), [directory, name, STRANGER]);
    children.push(child);
    return once(child, 'exit');
  });
  t.deepEqual(
    (await Promise.all(ends)).map(([code]) => code),
    [0, 0],
  );
  const { started = 0 } = await at.oracle.truth(at.rules.countKey(await at.stored(RULE)));
  t.true(started >= 30 && started <= 35, `${started} of 40`);
  t.is(await at.taken(11, { ip: OTHER }), 40 - started);
});

const url = mongodbUrl();
if (url !== null) {
  test('on MongoDB: one address leaves the last places to others, and all are given in the end', async (t) => {
    const store = await openMongoStore({ url, database: testDatabase(t, url) });
    t.teardown(() => store.close());
    const at = await openLimited(t, { total: 8, concurrent: 8 }, { store });
    const atOnce = await Promise.all(Array.from({ length: 10 }, () => at.take({ ip: STRANGER })));
    t.is(atOnce.filter((running) => running !== null).length, 6);
    t.is(await at.taken(1, { ip: STRANGER }), 0);
    t.is(await at.taken(1, { ip: OTHER }), 1);
    t.is(await at.taken(1, { ip: STRANGER, ...PROVEN }), 1);
    t.is(await at.taken(1, { ip: OTHER }), 0);
  });
}
