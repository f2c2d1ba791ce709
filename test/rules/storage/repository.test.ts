import test from 'ava';
import { type RuleId, silentLogger } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import { InvalidRuleError, openRules, RuleConflictError, ruleOf } from '../../../rules/index.js';
import type { Store } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { testSecrets } from '../../support/secrets.js';
import { CPE, NOW_MS, openTestRules, post, ruleBody, type TestRules } from '../setup.js';

async function idsOf(rules: TestRules['rules'], filter: Parameters<TestRules['rules']['scan']>[0] = {}) {
  const ids: string[] = [];
  for await (const { id } of rules.scan(filter)) ids.push(id);
  return ids;
}

const ids = (...some: string[]) => some as RuleId[];

test('a rule comes back as it was posted, with the defaults and its author', async (t) => {
  const { rules, stored } = await openTestRules(t);
  await post(rules, ruleBody());
  t.deepEqual(ruleOf(await stored('r1')), {
    ...ruleBody(),
    enabled: true,
    automatic: true,
    executions: 1,
    priority: 1,
    author: 'api',
    description: '',
  } as never);
  t.like(await stored('r1'), { fleetSeq: 1, createdAtMs: NOW_MS, updatedAtMs: NOW_MS, restarts: 0 });
});

test('posting what is stored changes nothing, not even a time or a revision', async (t) => {
  const { rules, clock } = await openTestRules(t);
  await post(rules, ruleBody({ limits: { total: 5 } }));
  const before = await rules.get('r1' as RuleId);
  clock.nowMs += 1_000;
  await rules.put([ruleBody({ limits: { total: 5 }, priority: 1 })], {
    by: byCommand('someone else'),
    onlyNew: false,
  });
  t.deepEqual(await rules.get('r1' as RuleId), before);
});

test('replacing a rule keeps its creation, and leaves nothing of the old one', async (t) => {
  const { rules, clock, stored } = await openTestRules(t);
  await post(rules, ruleBody({ description: 'old', window: { cron: '0 2 * * *', durationMinutes: 5 } }));
  clock.nowMs += 1_000;
  await post(rules, ruleBody({ condition: { cpeid: CPE } }));
  const after = await stored('r1');
  t.like(after, { description: '', pin: CPE, createdAtMs: NOW_MS, updatedAtMs: NOW_MS + 1_000 });
  t.false('window' in after || 'fleetSeq' in after);
});

test('of an array with one wrong rule none is stored, and the problem names it', async (t) => {
  const { rules } = await openTestRules(t);
  const error = await t.throwsAsync(
    post(rules, ruleBody({ id: 'a' }), ruleBody({ id: 'b', priority: 'x' }), ruleBody({ id: 'a' })),
    { instanceOf: InvalidRuleError },
  );
  t.deepEqual(
    error.problems.map(({ item, field }) => [item, field]),
    [
      [1, 'priority'],
      [2, 'id'],
    ],
  );
  t.false(error.problems.some((problem) => 'path' in problem));
  t.deepEqual(await idsOf(rules), []);
});

test('onlyNew refuses all of them where one exists', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'b' }));
  const put = rules.put([ruleBody({ id: 'a' }), ruleBody({ id: 'b' })], {
    by: byCommand('api'),
    onlyNew: true,
  });
  const error = await t.throwsAsync(put, { instanceOf: RuleConflictError });
  t.like(error, { reason: 'exists', ruleId: 'b' });
  t.deepEqual(await idsOf(rules), ['b']);
});

test('of two processes that create the same rule only anew, one succeeds', async (t) => {
  const { rules, another } = await openTestRules(t);
  const engines = [rules, await another(), await another(), await another()];
  const outcomes = await Promise.allSettled(
    engines.map((engine, index) => engine.put([ruleBody()], { by: byCommand(`a${index}`), onlyNew: true })),
  );
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('concurrent merges of different fields are all kept', async (t) => {
  const { rules, another, stored } = await openTestRules(t);
  await post(rules, ruleBody());
  const other = await another();
  await Promise.all([
    rules.merge(ids('r1'), { limits: { total: 5 } }, BY),
    other.merge(ids('r1'), { limits: { concurrent: 2 } }, BY),
    rules.merge(ids('r1'), { description: 'x' }, BY),
    other.merge(ids('r1'), { priority: 7 }, BY),
  ]);
  t.like(await stored('r1'), { limits: { total: 5, concurrent: 2 }, description: 'x', priority: 7 });
});

test('merge: null takes a field away, an object goes in field by field, a condition is replaced', async (t) => {
  const { rules, stored } = await openTestRules(t);
  await post(
    rules,
    ruleBody({
      condition: { productClass: 'HGW', oui: 'X' },
      limits: { total: 5, concurrent: 1 },
      force: true,
    }),
  );
  await rules.merge(
    ids('r1', 'nobody'),
    {
      id: 'r1',
      limits: { total: 9, concurrent: null },
      force: null,
      condition: { cpeid: CPE },
      enabled: false,
      automatic: false,
    },
    BY,
  );
  const after = await stored('r1');
  t.like(after, { condition: { cpeid: CPE }, pin: CPE, enabled: false, automatic: false });
  t.deepEqual(after.limits, { total: 9 } as never);
  t.false('force' in after);
});

for (const [patch, field] of [
  [{ id: 'r2' }, 'id'],
  [{ file: null }, 'file'],
  [{ enabeld: false }, 'enabeld'],
  [{ limits: { total: 0 } }, 'limits.total'],
  [{ condition: 'a =' }, 'condition'],
] as const) {
  test(`merge refuses ${JSON.stringify(patch)} and changes no rule`, async (t) => {
    const { rules, stored } = await openTestRules(t);
    await post(rules, ruleBody({ id: 'r0' }), ruleBody());
    const before = [await stored('r0'), await stored('r1')];
    const merge = rules.merge(ids('r1', 'r0'), patch, BY);
    const error = await t.throwsAsync(merge, { instanceOf: InvalidRuleError });
    t.is(error.problems[0]?.field, field);
    t.deepEqual([await stored('r0'), await stored('r1')], before);
  });
}

test('remove and restart say how many there were, duplicates counted once', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'a' }), ruleBody({ id: 'b', condition: { cpeid: CPE } }));
  t.is(await rules.restart(ids('a', 'a', 'none'), BY), 1);
  t.is(await rules.remove(ids('a', 'b', 'b', 'none'), BY), 2);
  t.is(await rules.remove(ids('a'), BY), 0);
});

test('scan gives the newest first, by id, by prefix, by CPE, and all', async (t) => {
  const { rules, clock } = await openTestRules(t);
  for (const id of ['x1', 'a2', 'x3']) {
    clock.nowMs += 1_000;
    await post(rules, ruleBody({ id, condition: id === 'a2' ? { productClass: 'HGW' } : { cpeid: CPE } }));
  }
  t.deepEqual(await idsOf(rules), ['x3', 'a2', 'x1']);
  t.deepEqual(await idsOf(rules, { ids: ['x1', 'x3', 'x3', 'none'] }), ['x3', 'x1']);
  t.deepEqual(await idsOf(rules, { idPrefix: 'x' }), ['x3', 'x1']);
  t.deepEqual(await idsOf(rules, { cpeid: CPE }), ['x3', 'x1']);
  t.deepEqual(await idsOf(rules, { cpeid: CPE, idPrefix: 'x1' }), ['x1']);
  t.deepEqual(await idsOf(rules, { ids: ['a2'], cpeid: CPE }), []);
});

test('more rules than fit into one commit are stored, and found by prefix newest first', async (t) => {
  const { rules, clock } = await openTestRules(t);
  const many = Array.from({ length: 2_001 }, (_, n) =>
    ruleBody({ id: `m${n}`, condition: { cpeid: `c${n}` } }),
  );
  await post(rules, ...many);
  clock.nowMs += 1_000;
  await post(rules, ruleBody({ id: 'm' }));
  const found = await idsOf(rules, { idPrefix: 'm' });
  t.is(found.length, 2_002);
  t.is(found[0], 'm');
  await t.throwsAsync(
    rules.put([...many, ruleBody({ id: 'm' })].reverse(), { by: byCommand('api'), onlyNew: true }),
    { instanceOf: RuleConflictError },
  );
});

test('a list can begin behind any place, also one whose rule is gone, whatever narrows it', async (t) => {
  const { rules, clock } = await openTestRules(t);
  for (let second = 0; second < 4; second++) {
    clock.nowMs = NOW_MS + second * 1_000;
    await post(
      rules,
      ...['a', 'é', '\uffee', '😀', 'b'].map((name) =>
        ruleBody({ id: `${name}${second}`, condition: { cpeid: CPE } }),
      ),
    );
  }
  const all: string[] = await idsOf(rules);
  const places = await Promise.all(all.map(async (id) => (await rules.get(id as RuleId))?.rule));
  const filters = [{}, { cpeid: CPE }, { ids: all.toSorted() }, { idPrefix: 'a' }];
  for (const filter of filters) {
    const whole = await idsOf(rules, filter);
    for (const place of places) {
      if (place === undefined) return t.fail();
      const following = all.slice(all.indexOf(place.id) + 1);
      const expected = whole.filter((id) => following.includes(id));
      t.deepEqual(await idsOf(rules, { ...filter, after: place }), expected);
    }
  }
  await rules.remove([all[7] as RuleId], BY);
  const [, , , , , , , gone] = places;
  t.deepEqual(
    await idsOf(rules, { after: { createdAtMs: gone?.createdAtMs ?? 0, id: gone?.id ?? '' } }),
    all.slice(8),
  );
});

test('what comes last in a long list of one moment costs no more to read than what comes first', async (t) => {
  const { rules, store } = await openTestRules(t);
  await post(rules, ...Array.from({ length: 1_500 }, (_, at) => ruleBody({ id: `r${at + 1_000}` })));
  let documentsRead = 0;
  const counting: Store = {
    collection(definition) {
      const collection = store.collection<never>(definition);
      const find = collection.find.bind(collection);
      collection.find = async (query) => {
        const page = await find(query);
        documentsRead += page.items.length;
        return page;
      };
      return collection;
    },
    commit: (changes) => store.commit(changes),
    clear: (definition) => store.clear(definition),
    load: (definition, documents) => store.load(definition, documents),
    inspect: () => store.inspect(),
    sizeBytes: () => store.sizeBytes(),
    damage: store.damage,
    close: () => store.close(),
  };
  const counted = await openRules({
    store: counting,
    clock: () => NOW_MS,
    logger: silentLogger,
    secrets: testSecrets,
    resolveFile: async () => null,
  });
  const cost = async (after: string): Promise<number> => {
    documentsRead = 0;
    for await (const { id } of counted.scan({ after: { createdAtMs: NOW_MS, id: after } })) {
      t.true(id < after);
      break;
    }
    return documentsRead;
  };
  t.is(await cost('r2499'), 100);
  t.is(await cost('r1200'), 100);
});

test('put says how many rules it wrote and how many were stored already', async (t) => {
  const { rules } = await openTestRules(t);
  t.deepEqual(await post(rules, ruleBody({ id: 'a' }), ruleBody({ id: 'b' })), { written: 2, unchanged: 0 });
  const again = [ruleBody({ id: 'a' }), ruleBody({ id: 'b', priority: 2 }), ruleBody({ id: 'c' })];
  t.deepEqual(await post(rules, ...again), { written: 2, unchanged: 1 });
  const many = Array.from({ length: 4_500 }, (_, at) => ruleBody({ id: `m${at}` }));
  t.deepEqual(await post(rules, ...many), { written: 4_500, unchanged: 0 });
  t.deepEqual(await post(rules, ...many), { written: 0, unchanged: 4_500 });
});

test('check finds what put would refuse, and stores nothing', async (t) => {
  const { rules } = await openTestRules(t);
  const bodies = [ruleBody({ id: 'a' }), ruleBody({ id: 'b', priority: 'x' }), ruleBody({ id: 'a' }), 5];
  const problems = await rules.check(bodies);
  t.deepEqual(
    problems.map(({ item, field }) => [item, field]),
    [
      [1, 'priority'],
      [2, 'id'],
      [3, ''],
    ],
  );
  t.deepEqual(await rules.check([ruleBody()]), []);
  t.deepEqual(await idsOf(rules), []);
});
