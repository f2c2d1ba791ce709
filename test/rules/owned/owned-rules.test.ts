import test from 'ava';
import fc from 'fast-check';
import type { CpeId, RuleId } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import {
  gateIdOf,
  InvalidRuleError,
  NO_COUNT,
  OWNED_RULES_PER_COMMIT_MAX,
  type OwnedRule,
  RULE_GATES,
  RuleConflictError,
  type RuleCount,
  type RuleGate,
  type RuleOwner,
  type StoredRule,
} from '../../../rules/index.js';
import { openTables } from '../../../rules/storage/tables.js';
import type { Collection, Document, Store } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import {
  CPE,
  inputOf,
  NORTH,
  NOW_MS,
  openTestRules,
  post,
  ruleBody,
  type TestRules,
  verdictsOf,
} from '../setup.js';

const OWNER: RuleOwner = { kind: 'batch', id: '33333333-3333-4333-8333-333333333333' };
const ID = `batch:${OWNER.id}`;
const PINNED_ID = `${ID}:${CPE}`;
const OTHERS: { readonly name: string; readonly indexes: Record<string, never> } = {
  name: 'others',
  indexes: {},
};

function ownedRule(over: Partial<OwnedRule> = {}): OwnedRule {
  return {
    id: PINNED_ID,
    whom: { cpeid: CPE },
    file: 'hgw-2.0.0.bin',
    description: 'Acme',
    priority: 0,
    executions: 1,
    ...over,
  };
}

const FLEET: Partial<OwnedRule> = { id: ID, whom: { condition: { productClass: 'HGW' } } };
const options = { owner: OWNER, author: 'admin', along: [] };

function gatesOf(store: Store): Collection<RuleGate> {
  return store.collection<RuleGate>(RULE_GATES);
}

async function open(store: Store, state: RuleGate['state'] = 'open'): Promise<void> {
  await gatesOf(store).put({ id: gateIdOf(OWNER), state });
}

async function countOf(rules: TestRules['rules'], id: string, count: Partial<RuleCount>) {
  const found = await rules.get(id as RuleId);
  if (found === null) throw new Error(`There is no rule ${id}`);
  return { counts: { [rules.countKey(found.rule)]: { ...NO_COUNT, ...count } } };
}

async function verdictOf(rules: TestRules['rules'], id = PINNED_ID): Promise<string | undefined> {
  return verdictsOf(await rules.decide(inputOf()))[id];
}

for (const [what, over] of [
  ['a rule for one CPE', {}],
  ['a fleet rule', FLEET],
] as const) {
  test(`nothing is decided by ${what} of an owner without a gate, or whose gate is closed`, async (t) => {
    const { rules, store } = await openTestRules(t);
    const { id } = ownedRule(over);
    t.deepEqual(await rules.owned.put([ownedRule(over)], options), { committed: true });
    t.is(await verdictOf(rules, id), 'held-by-owner');
    await open(store, 'closed');
    const closed = await rules.decide(inputOf());
    t.like(closed, { kind: 'nothing' });
    t.true('considered' in closed && closed.considered[0]?.detail?.includes(OWNER.id));
    await open(store);
    t.like(await rules.decide(inputOf()), { kind: 'upgrade', rule: { id, owner: OWNER } });
  });

  test(`a decision by ${what} of an owner is refused once its gate was closed`, async (t) => {
    const { rules, store } = await openTestRules(t);
    await rules.owned.put([ownedRule(over)], options);
    await open(store);
    const decision = await rules.decide(inputOf());
    if (decision.kind !== 'upgrade') return t.fail();
    await open(store, 'closed');
    const outcome = await store.commit(decision.conditions);
    t.like(outcome, { committed: false, refused: { collection: RULE_GATES.name } });
  });
}

test('whatever else holds, a closed gate lets no rule of its owner be decided on', async (t) => {
  const { rules, store } = await openTestRules(t);
  const known = ['1', '2', '3'].map((serial) => `00A1B2-HGW-${serial}` as CpeId);
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          cpeid: fc.constantFrom(...known, null),
          priority: fc.integer({ min: -3, max: 3 }),
          executions: fc.constantFrom(-1, 1, 2),
          force: fc.boolean(),
          file: fc.constantFrom('hgw-2.0.0.bin', 'http://files.example/x.bin', 'missing.bin'),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      fc.constantFrom('closed' as const, 'open' as const, null),
      fc.boolean(),
      async (made, state, requested) => {
        const owned = made.map(({ cpeid, ...rest }, index) =>
          ownedRule({
            ...rest,
            id: `${ID}:${index}`,
            whom: cpeid === null ? { condition: 'true' } : { cpeid },
          }),
        );
        const ids = owned.map(({ id }) => id as RuleId);
        t.true((await rules.owned.put(owned, options)).committed);
        if (state === null) await gatesOf(store).delete(gateIdOf(OWNER));
        else await open(store, state);
        for (const cpeid of known) {
          const decision = await rules.decide(inputOf({ cpeid }, { requested }));
          if (state === 'open') continue;
          t.is(decision.kind, 'nothing');
        }
        t.true((await rules.owned.withdraw(ids, [])).committed);
      },
    ),
    { numRuns: 30 },
  );
});

test('rules that an owner makes are automatic, enabled, and say whose they are', async (t) => {
  const { rules, stored, store } = await openTestRules(t);
  await rules.owned.put([ownedRule({ notAfter: '2027-01-01T00:00:00Z' })], {
    ...options,
    organization: NORTH,
  });
  const rule = await stored(`${NORTH}\u001f${PINNED_ID}`);
  t.like(rule, {
    owner: OWNER,
    enabled: true,
    automatic: true,
    author: 'admin',
    organization: NORTH,
    createdAtMs: NOW_MS,
    condition: { cpeid: CPE },
    notAfter: '2027-01-01T00:00:00Z',
  });
  await open(store);
  t.is((await rules.decide(inputOf())).kind, 'nothing');
  t.is((await rules.decide(inputOf({}, { organization: NORTH }))).kind, 'upgrade');
  const found = [];
  for await (const each of rules.scan({ cpeid: CPE })) found.push(each.id);
  t.deepEqual(found, [rule.id]);
});

test('versions that know no owners find no rule of one, neither by its CPE nor in the fleet', async (t) => {
  const { rules, stored } = await openTestRules(t);
  await rules.owned.put([ownedRule(), ownedRule(FLEET)], options);
  const pinned: StoredRule = await stored(PINNED_ID);
  const fleet: StoredRule = await stored(ID);
  // They look for pins that are just the cpeid, and for fleet rules that have a generation there.
  t.not(pinned.pin, CPE);
  t.is(pinned.fleetSeq, undefined);
  t.is(fleet.pin, undefined);
  t.is(fleet.fleetSeq, undefined);
});

test('CPEs whose ids begin as another’s have no rule of that other', async (t) => {
  const { rules, store } = await openTestRules(t);
  await rules.owned.put([ownedRule()], options);
  await open(store);
  for (const cpeid of ['00A1B2-HGW-', '00A1B2-HGW-10', '00A1B2-HGW-1~2D'] as CpeId[]) {
    t.deepEqual(await rules.decide(inputOf({ cpeid })), { kind: 'nothing', considered: [] });
  }
});

test('a rule of an owner is found by a cpeid that is longer than what an index holds', async (t) => {
  const { rules, store } = await openTestRules(t);
  const cpeid = `00A1B2-HGW-${'~2F'.repeat(90)}1` as CpeId;
  const sibling = `00A1B2-HGW-${'~2F'.repeat(90)}2` as CpeId;
  await rules.owned.put([ownedRule({ whom: { cpeid } })], options);
  await open(store);
  t.is((await rules.decide(inputOf({ cpeid }))).kind, 'upgrade');
  t.is((await rules.decide(inputOf({ cpeid: sibling }))).kind, 'nothing');
});

test('other processes see fleet rules of owners, and that they are gone', async (t) => {
  const { rules, store, another } = await openTestRules(t);
  const other = await another();
  await open(store);
  t.is((await other.decide(inputOf())).kind, 'nothing');
  await rules.owned.put([ownedRule(FLEET)], options);
  t.is((await other.decide(inputOf())).kind, 'upgrade');
  await rules.owned.withdraw([ID as RuleId], []);
  t.is((await other.decide(inputOf())).kind, 'nothing');
});

test('other processes see the first rules for one CPE of an owner, within an organization and without', async (t) => {
  const { rules, store, another } = await openTestRules(t);
  const other = await another();
  await open(store);
  const ofNorth = inputOf({}, { organization: NORTH });
  for (const input of [inputOf(), ofNorth]) t.is((await other.decide(input)).kind, 'nothing');
  await rules.owned.put([ownedRule()], { ...options, organization: NORTH });
  t.is((await other.decide(inputOf())).kind, 'nothing');
  t.is((await other.decide(ofNorth)).kind, 'upgrade');
  await rules.owned.put([ownedRule()], options);
  for (const input of [inputOf(), ofNorth]) t.is((await other.decide(input)).kind, 'upgrade');
  t.is((await (await another()).decide(inputOf())).kind, 'upgrade');
});

test('what goes along with rules of an owner is done with them or not at all, and which was refused is told', async (t) => {
  const { rules, store } = await openTestRules(t);
  const others = store.collection<Document>(OTHERS);
  const inserting = others.inserting({ id: 'one' });
  t.true((await rules.owned.put([ownedRule()], { ...options, along: [inserting] })).committed);
  t.not(await others.get('one'), null);
  const again = others.inserting({ id: 'one' });
  t.deepEqual(await rules.owned.withdraw([PINNED_ID as RuleId], [again]), {
    committed: false,
    refused: again,
  });
  t.not(await rules.get(PINNED_ID as RuleId), null);
  const fresh = others.inserting({ id: 'two' });
  t.deepEqual(await rules.owned.put([ownedRule()], { ...options, along: [fresh] }), {
    committed: false,
    refused: null,
  });
  t.is(await others.get('two'), null);
  t.true((await rules.owned.withdraw(['batch:none' as RuleId], [fresh])).committed);
  t.not(await others.get('two'), null);
});

test('a rule that runs again is counted anew, also where it was verified or refused', async (t) => {
  const { rules, store, stored } = await openTestRules(t);
  await rules.owned.put([ownedRule()], options);
  await open(store);
  const before = await stored(PINNED_ID);
  for (const count of [{ started: 1, verified: true }, { refused: true }] as const) {
    const input = inputOf({}, await countOf(rules, PINNED_ID, count));
    t.is((await rules.decide(input)).kind, 'nothing');
    t.true((await rules.owned.again([PINNED_ID as RuleId], [])).committed);
    t.is((await rules.decide(input)).kind, 'upgrade');
  }
  const after = await stored(PINNED_ID);
  t.like(after, { restarts: 2, owner: OWNER, pin: before.pin });
  t.deepEqual(after, { ...before, restarts: 2, updatedAtMs: after.updatedAtMs });
  t.deepEqual(await rules.owned.again(['batch:none' as RuleId], []), { committed: false, refused: null });
  // Deleted and made again it does not count what was counted before.
  await rules.owned.withdraw([PINNED_ID as RuleId], []);
  await rules.owned.put([ownedRule()], options);
  t.is((await stored(PINNED_ID)).restarts, 2);
});

test('a rule of an owner is held to what every rule is held to', async (t) => {
  const { rules } = await openTestRules(t);
  const bad: readonly Partial<OwnedRule>[] = [
    { whom: { condition: 'cpeid = ' } },
    { file: 'ftp:' },
    { notBefore: '2026-02-30T00:00:00Z' },
    { whom: { condition: {} } },
  ];
  for (const over of bad) {
    const error = await t.throwsAsync(
      rules.owned.put([ownedRule(), ownedRule({ ...over, id: ID })], options),
      {
        instanceOf: InvalidRuleError,
      },
    );
    t.is(error.problems[0]?.item, 1);
  }
  t.is(await rules.get(PINNED_ID as RuleId), null);
  const many = Array.from({ length: OWNED_RULES_PER_COMMIT_MAX + 1 }, (_, n) =>
    ownedRule({ id: `${ID}:${n}` }),
  );
  await t.throwsAsync(rules.owned.put(many, options), { instanceOf: RangeError });
});

test('an image that does not fit the one CPE of an owner’s rule, or is not there, is for the owner to record', async (t) => {
  const { rules, store, images } = await openTestRules(t);
  await open(store);
  await rules.owned.put([ownedRule()], options);
  images.set('hgw-2.0.0.bin', { productClass: 'STB' });
  const unfit = await rules.decide(inputOf());
  t.like(unfit, { kind: 'unfit', verdict: 'image-does-not-fit', rule: { id: PINNED_ID } });
  t.true(unfit.kind === 'unfit' && unfit.detail.includes('STB'));
  images.delete('hgw-2.0.0.bin');
  t.like(await rules.decide(inputOf()), { kind: 'unfit', verdict: 'image-missing' });
  const about = await rules.decide(inputOf({}, { about: PINNED_ID as RuleId }));
  t.is(verdictsOf(about)[PINNED_ID], 'image-missing');
  const explained = await rules.explain(inputOf());
  t.is(explained.kind, 'nothing');
  t.is(explained.rules[0]?.verdict, 'image-missing');
  // Once it is recorded, others have their turn.
  await post(rules, ruleBody({ file: 'http://files.example/x.bin', priority: -1 }));
  const counts = await countOf(rules, PINNED_ID, { refused: true });
  t.like(await rules.decide(inputOf({}, counts)), { kind: 'upgrade', rule: { id: 'r1' } });
  const told = await rules.explain(inputOf({}, counts));
  t.is(told.rules.find(({ ruleId }) => ruleId === PINNED_ID)?.verdict, 'executions-used-up');
});

test('as long as a CPE could not tell its board nothing is recorded of it, and once it is known to have another, or none, it is', async (t) => {
  const { rules, store, images } = await openTestRules(t, undefined, {
    boardParameter: 'Device.DeviceInfo.X_ACME_Board',
  });
  await open(store);
  await rules.owned.put([ownedRule()], options);
  images.set('hgw-2.0.0.bin', { boards: ['acme,hgw-2'] });
  const untold = { unread: async () => [], isUntold: (paths: readonly string[]) => paths.length > 0 };
  const refused = await rules.decide(inputOf({}, untold));
  t.is(refused.kind, 'nothing');
  t.is(verdictsOf(refused)[PINNED_ID], 'image-does-not-fit');
  const board = (X_ACME_Board: string) => async () => ({ Device: { DeviceInfo: { X_ACME_Board } } });
  const other = await rules.decide(inputOf({}, { ...untold, readParameters: board('acme,stb') }));
  t.is(other.kind, 'unfit');
  const own = await rules.decide(inputOf({}, { ...untold, readParameters: board('acme,hgw-2') }));
  t.is(own.kind, 'upgrade');
  t.is((await rules.decide(inputOf({}, { ...untold, isUntold: () => false }))).kind, 'unfit');
});

test('of no fleet rule, and of none that was written, an image that does not fit is recorded', async (t) => {
  const { rules, store, images } = await openTestRules(t);
  await open(store);
  await rules.owned.put([ownedRule(FLEET)], options);
  await post(rules, ruleBody({ condition: { cpeid: CPE } }));
  images.delete('hgw-2.0.0.bin');
  t.deepEqual(verdictsOf(await rules.decide(inputOf())), { [ID]: 'image-missing', r1: 'image-missing' });
});

for (const count of [{ verified: true }, { refused: true }, { started: 1 }] as const) {
  test(`a session looks at no rule of an owner that is done with its CPE (${Object.keys(count)})`, async (t) => {
    const { rules, store } = await openTestRules(t);
    await open(store);
    await rules.owned.put([ownedRule()], options);
    const counts = await countOf(rules, PINNED_ID, count);
    t.deepEqual(await rules.decide(inputOf({}, counts)), { kind: 'nothing', considered: [] });
    const asked = await rules.decide(inputOf({}, { ...counts, about: PINNED_ID as RuleId }));
    t.is(Object.keys(verdictsOf(asked)).length, 1);
  });
}

test('a Download of an owner’s rule is not repeated once the gate is closed, and rests on it until then', async (t) => {
  const { rules, store } = await openTestRules(t);
  await open(store);
  await rules.owned.put([ownedRule()], options);
  const decision = await rules.decide(inputOf());
  if (decision.kind !== 'upgrade') return t.fail();
  const upgrade = { campaignid: decision.rule.id, countKey: decision.countKey };
  const repeat = await rules.mayRepeat(upgrade, inputOf());
  if (repeat.kind !== 'allowed') return t.fail();
  await open(store, 'closed');
  t.false((await store.commit(repeat.conditions)).committed);
  t.deepEqual(await rules.mayRepeat(upgrade, inputOf()), { kind: 'void', reason: 'its batch was cancelled' });
});

test('nobody but its owner changes a rule, except for its switch', async (t) => {
  const { rules, store, stored } = await openTestRules(t);
  await open(store);
  await rules.owned.put([ownedRule()], options);
  const ids = [PINNED_ID as RuleId];
  const changes = [
    () => post(rules, ruleBody({ id: PINNED_ID })),
    () => rules.put([ruleBody({ id: PINNED_ID })], { by: byCommand('api'), onlyNew: true }),
    () => rules.merge(ids, { priority: 7 }, BY),
    () => rules.merge(ids, { enabled: false, notAfter: '2030-01-01T00:00:00Z' }, BY),
    () => rules.remove(ids, BY),
    () => rules.restart(ids, BY),
    () => rules.explain(inputOf(), { draft: ruleBody({ id: PINNED_ID }) }),
  ];
  for (const change of changes) {
    const error = await t.throwsAsync(change(), { instanceOf: RuleConflictError });
    t.is(error.reason, 'owned');
    t.true(error.message.includes(`batch ${OWNER.id}`));
  }
  const before = await stored(PINNED_ID);
  await rules.merge(ids, { enabled: false }, BY);
  const { updatedAtMs: _, ...after } = await stored(PINNED_ID);
  t.like(before, { ...after, enabled: true });
  t.is((await rules.decide(inputOf())).kind, 'nothing');
  await rules.merge(ids, { enabled: true }, BY);
  t.is((await rules.decide(inputOf())).kind, 'upgrade');
});

test('an author begins no id as those of owners begin, unless there is such a rule', async (t) => {
  const { rules, store, stored } = await openTestRules(t);
  const error = await t.throwsAsync(post(rules, ruleBody({ id: 'batch:mine' })), {
    instanceOf: InvalidRuleError,
  });
  t.like(error.problems, [{ field: 'id', code: 'owned' }]);
  // As a version has stored it that took such ids.
  await post(rules, ruleBody());
  const r1 = await stored('r1');
  const { rules: table } = openTables(store, () => NOW_MS);
  await table.put({ ...r1, id: 'batch:mine' as RuleId });
  await post(rules, ruleBody({ id: 'batch:mine', priority: 7 }));
  await rules.merge(['batch:mine' as RuleId], { priority: 8 }, BY);
  t.is((await stored('batch:mine')).priority, 8);
});

test('limits of an owner’s fleet rule count as those of any rule', async (t) => {
  const { rules, store } = await openTestRules(t);
  await open(store);
  await rules.owned.put([ownedRule({ ...FLEET, limits: { total: 1 } })], options);
  const first = await rules.decide(inputOf());
  if (first.kind !== 'upgrade') return t.fail();
  t.true((await store.commit(first.conditions)).committed);
  t.is(await verdictOf(rules, ID), 'limit-reached');
});
