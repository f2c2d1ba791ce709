import { randomUUID } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import type { CpeId, RuleId } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import {
  type DecisionInput,
  InvalidRuleError,
  RuleConflictError,
  type RuleEngine,
  ruleIdIn,
  writtenId,
} from '../../../rules/index.js';
import {
  type Collection,
  type CollectionDefinition,
  type Document,
  openLmdbStore,
  type Store,
} from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { haveOrganizations } from '../../support/organizations-there.js';
import {
  CPE,
  inputOf,
  NORTH,
  openTestRules,
  ruleBody,
  SOUTH,
  temporaryDirectory,
  verdictsOf,
} from '../setup.js';

type Body = Readonly<Record<string, unknown>>;

function postIn(rules: RuleEngine, organization: string | null, ...bodies: readonly Body[]) {
  return rules.put(
    bodies.map((body) => ruleBody(body)),
    { by: BY, onlyNew: false, ...(organization !== null && { organization }) },
  );
}

async function idsIn(rules: RuleEngine, organization: string | null): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id } of rules.scan({ organization })) ids.push(id);
  return ids;
}

const of = (organization: string | null): Partial<Omit<DecisionInput, 'context'>> =>
  organization === null ? {} : { organization };

async function winner(rules: RuleEngine, organization: string | null): Promise<string | null> {
  const decision = await rules.decide(inputOf({}, of(organization)));
  return decision.kind === 'upgrade' ? decision.rule.id : null;
}

test('of different organizations the same id is different rules, and none overwrites another', async (t) => {
  const { rules } = await openTestRules(t);
  await postIn(rules, NORTH, { id: 'UPGRADE_1', priority: 1 });
  await postIn(rules, SOUTH, { id: 'UPGRADE_1', priority: 2 });
  await postIn(rules, null, { id: 'UPGRADE_1', priority: 3 });
  for (const [organization, priority] of [
    [NORTH, 1],
    [SOUTH, 2],
    [undefined, 3],
  ] as const) {
    const found = await rules.get(ruleIdIn(organization, 'UPGRADE_1'));
    t.is(found?.rule.priority, priority);
    t.is(found?.rule.organization, organization);
  }
  t.deepEqual(await idsIn(rules, NORTH), [ruleIdIn(NORTH, 'UPGRADE_1')]);
  t.deepEqual(await idsIn(rules, null), ['UPGRADE_1']);
  await rules.remove([ruleIdIn(SOUTH, 'UPGRADE_1')], BY);
  t.deepEqual(await idsIn(rules, SOUTH), []);
  t.deepEqual(await idsIn(rules, NORTH), [ruleIdIn(NORTH, 'UPGRADE_1')]);
});

test('a rule that exists is a conflict within its organization alone, and messages say the id as it was written', async (t) => {
  const { rules } = await openTestRules(t);
  const postNew = (organization: string) =>
    rules.put([ruleBody({ id: 'A' })], { by: BY, onlyNew: true, organization });
  await postNew(NORTH);
  await t.notThrowsAsync(postNew(SOUTH));
  const refused = await t.throwsAsync(postNew(NORTH), { instanceOf: RuleConflictError });
  t.is(refused.message, 'There is a rule "A" already');
  const twice = await t.throwsAsync(postIn(rules, NORTH, { id: 'B' }, { id: 'B' }), {
    instanceOf: InvalidRuleError,
  });
  t.is(twice.problems[0]?.found, '"B"');
  const renamed = await t.throwsAsync(rules.merge([ruleIdIn(NORTH, 'A')], { id: 'C' }, BY), {
    instanceOf: InvalidRuleError,
  });
  t.like(renamed.problems[0], { code: 'rename', found: '"C"' });
  await rules.merge([ruleIdIn(NORTH, 'A')], { priority: 9 }, BY);
  t.is((await rules.get(ruleIdIn(NORTH, 'A')))?.rule.priority, 9);
  t.is((await rules.get(ruleIdIn(SOUTH, 'A')))?.rule.priority, 1);
});

for (const [kind, condition] of [
  ['for the fleet', { productClass: 'HGW' }],
  ['pinned to a CPE', { cpeid: CPE }],
] as const) {
  test(`a rule of an organization ${kind} concerns CPEs of that organization only; the installation’s all`, async (t) => {
    const { rules } = await openTestRules(t);
    await postIn(rules, NORTH, { id: 'N', condition, priority: 2 });
    t.is(await winner(rules, NORTH), ruleIdIn(NORTH, 'N'));
    t.is(await winner(rules, SOUTH), null);
    t.is(await winner(rules, null), null);
    await postIn(rules, null, { id: 'ALL', condition, priority: 1 });
    t.is(await winner(rules, NORTH), ruleIdIn(NORTH, 'N'));
    t.is(await winner(rules, SOUTH), 'ALL');
    t.is(await winner(rules, null), 'ALL');
    const explained = await rules.explain(inputOf({}, of(SOUTH)), { ids: [ruleIdIn(NORTH, 'N')] });
    t.is(explained.winner, 'ALL' as never);
    const match = await rules.match({ ruleId: ruleIdIn(NORTH, 'N') });
    t.like(await match.judge(inputOf({}, of(SOUTH))), { matches: false, verdict: 'other-organization' });
    t.like(await match.judge(inputOf({}, of(NORTH))), { matches: true, verdict: 'chosen' });
  });
}

test('a draft is of the organization for which it is tried', async (t) => {
  const { rules } = await openTestRules(t);
  await postIn(rules, NORTH, { id: 'D', condition: { productClass: 'STB' } });
  const draft = ruleBody({ id: 'D' });
  const explain = (organization: string) =>
    rules.explain(inputOf({}, of(organization)), { draft, organization });
  t.is((await explain(NORTH)).winner, ruleIdIn(NORTH, 'D'));
  t.is((await explain(SOUTH)).winner, ruleIdIn(SOUTH, 'D'));
  const foreign = await rules.match({ draft, organization: NORTH });
  t.like(await foreign.judge(inputOf({}, of(SOUTH))), { verdict: 'other-organization' });
});

test('pins of one organization, however many, leave the places of the others’ rules alone', async (t) => {
  const { rules } = await openTestRules(t);
  const many = Array.from({ length: 1_100 }, (_, index) => ({
    id: `S${index}`,
    condition: { cpeid: CPE },
    priority: 9,
  }));
  await postIn(rules, SOUTH, ...many);
  await postIn(rules, NORTH, { id: 'N', condition: { cpeid: CPE } });
  t.is(await winner(rules, NORTH), ruleIdIn(NORTH, 'N'));
  t.deepEqual(Object.keys(verdictsOf(await rules.decide(inputOf({}, of(NORTH))))), [ruleIdIn(NORTH, 'N')]);
  t.is(await winner(rules, null), null);
});

test('the first rule of an organization, pinned to a CPE, is found by another process as well', async (t) => {
  const { rules, another } = await openTestRules(t);
  const other = await another();
  t.is(await winner(other, NORTH), null);
  await postIn(rules, NORTH, { id: 'N', condition: { cpeid: CPE } });
  t.is(await winner(other, NORTH), ruleIdIn(NORTH, 'N'));
});

test('the rules that are pinned to a CPE are looked up and not looked for, whosever they are', async (t) => {
  const store = await openLmdbStore({ directory: await temporaryDirectory(t) });
  t.teardown(() => store.close());
  const { rules } = await openTestRules(t, withoutWalks(store));
  const pinned = { condition: { cpeid: CPE } };
  await postIn(rules, null, { id: 'ALL', ...pinned }, { id: 'OTHER', condition: { cpeid: '00A1B2-HGW-2' } });
  const idsFor = async (organization?: string | null) => {
    const ids: string[] = [];
    const filter = { cpeid: CPE, ...(organization !== undefined && { organization }) };
    for await (const { id } of rules.scan(filter)) ids.push(id);
    return ids.sort();
  };
  t.deepEqual(await idsFor(), ['ALL']);
  await postIn(rules, NORTH, { id: 'N', ...pinned });
  await postIn(rules, SOUTH, { id: 'S', ...pinned });
  t.deepEqual(await idsFor(), [ruleIdIn(NORTH, 'N'), ruleIdIn(SOUTH, 'S'), 'ALL']);
  t.deepEqual(await idsFor(NORTH), [ruleIdIn(NORTH, 'N')]);
  t.deepEqual(await idsFor(null), ['ALL']);
});

/** A store of which nobody may walk through all rules from the newest on. */
function withoutWalks(store: Store): Store {
  const guarded = <T extends Document>(collection: Collection<T>): Collection<T> =>
    new Proxy(collection, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...given: readonly unknown[]) => {
          const [query] = given as readonly [{ readonly index?: string }?];
          if (name === 'scan' && query?.index === 'createdAt')
            throw new Error('All rules are walked through');
          return value.apply(target, given);
        };
      },
    });
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name === 'collection')
        return (definition: CollectionDefinition) => guarded(target.collection(definition));
      return value.bind(target);
    },
  });
}

test('each organization brakes for its own CPEs, the installation for all', async (t) => {
  const { rules } = await openTestRules(t);
  await postIn(rules, null, { id: 'ALL' });
  const kindFor = async (organization: string | null) =>
    (await rules.decide(inputOf({}, of(organization)))).kind;
  await rules.freeze({ frozen: true, by: byCommand('north'), organization: NORTH });
  t.is(await kindFor(NORTH), 'frozen');
  t.is(await kindFor(SOUTH), 'upgrade');
  t.is(await kindFor(null), 'upgrade');
  t.like(await rules.freezeState(NORTH), { frozen: true, by: 'north' });
  t.deepEqual(await rules.freezeState(SOUTH), { frozen: false });
  t.deepEqual(await rules.freezeState(), { frozen: false });
  await rules.freeze({ frozen: true, by: byCommand('ops') });
  t.is(await kindFor(SOUTH), 'frozen');
  await rules.freeze({ frozen: false, by: byCommand('ops') });
  t.is(await kindFor(NORTH), 'frozen');
});

test('a brake that an organization pulls between decision and commit holds the upgrade back', async (t) => {
  const { rules, store } = await openTestRules(t);
  await postIn(rules, NORTH, { id: 'N' });
  const decision = await rules.decide(inputOf({}, of(NORTH)));
  if (decision.kind !== 'upgrade') return t.fail(decision.kind);
  await rules.freeze({ frozen: true, by: byCommand('north'), organization: NORTH });
  t.false((await store.commit([...decision.conditions])).committed);
});

/** What somebody of an organization does. */
const deeds = fc.array(
  fc.oneof(
    fc.record({
      does: fc.constant('post' as const),
      id: fc.constantFrom('A', 'B', 'C'),
      isPinned: fc.boolean(),
      productClass: fc.constantFrom('HGW', 'STB'),
      priority: fc.integer({ min: 1, max: 3 }),
      reads: fc.boolean(),
      enabled: fc.boolean(),
    }),
    fc.record({ does: fc.constant('remove' as const), id: fc.constantFrom('A', 'B', 'C') }),
    fc.record({ does: fc.constant('freeze' as const), frozen: fc.boolean() }),
    fc.record({ does: fc.constant('restart' as const), id: fc.constantFrom('A', 'B', 'C') }),
  ),
  { maxLength: 8 },
);
type Deed = typeof deeds extends fc.Arbitrary<readonly (infer Each)[]> ? Each : never;

async function perform(rules: RuleEngine, organization: string, deed: Deed): Promise<unknown> {
  switch (deed.does) {
    case 'post': {
      const { id, isPinned, productClass, priority, reads, enabled } = deed;
      const condition = {
        productClass,
        ...(isPinned && { cpeid: CPE }),
        ...(reads && { 'parameters.Device.X.Y': 'z' }),
      };
      return rules.put([ruleBody({ id, condition, priority, enabled })], {
        by: BY,
        onlyNew: false,
        organization,
      });
    }
    case 'remove':
      return rules.remove([ruleIdIn(organization, deed.id)], BY);
    case 'restart':
      return rules.restart([ruleIdIn(organization, deed.id)], BY);
    case 'freeze':
      return (await rules.freeze({ frozen: deed.frozen, by: byCommand('somebody'), organization })).frozen;
    default:
      return deed satisfies never;
  }
}

/** All that an organization can see of the rules. */
async function seen(rules: RuleEngine, organization: string) {
  const listed: unknown[] = [];
  for await (const { id, priority, enabled, restarts } of rules.scan({ organization }))
    listed.push([writtenId(id), priority, enabled, restarts]);
  const input = inputOf({}, { organization, unread: async (paths) => paths });
  const decision = await rules.decide(input);
  const { kind, winner: won, rules: explained, reads = [], omitted } = await rules.explain(input);
  return {
    listed: listed.sort(),
    decided: [decision.kind, decision.kind === 'upgrade' ? writtenId(decision.rule.id) : null],
    explained: [kind, won, reads, omitted, explained.map(({ ruleId, verdict }) => [ruleId, verdict])],
    told: await rules.explain(input, { organization }),
    named: await rules.parametersNamed({ cpeid: CPE as CpeId, serialNumber: '1' }, organization),
    frozen: (await rules.freezeState(organization)).frozen,
  };
}

test('what an organization sees of the rules, and what is answered to it, does not depend on what another does', async (t) => {
  const store = await openLmdbStore({ directory: await temporaryDirectory(t) });
  t.teardown(() => store.close());
  const { rules } = await openTestRules(t, store);
  await fc.assert(
    fc.asyncProperty(deeds, deeds, fc.infiniteStream(fc.boolean()), async (mine, others, turns) => {
      // Of each history fresh organizations: what earlier ones did is to be no matter either.
      const [alone, beside, other] = [randomUUID(), randomUUID(), randomUUID()];
      await haveOrganizations(store, alone, beside, other);
      const answers: { readonly alone: unknown[]; readonly beside: unknown[] } = { alone: [], beside: [] };
      const rest = [...others];
      for (const deed of mine) {
        while (rest.length > 0 && turns.next().value) await perform(rules, other, rest.shift() as Deed);
        answers.alone.push(await perform(rules, alone, deed));
        answers.beside.push(await perform(rules, beside, deed));
      }
      for (const deed of rest) await perform(rules, other, deed);
      const plain = (value: unknown) =>
        JSON.parse(JSON.stringify(value).replaceAll(alone, 'ORG').replaceAll(beside, 'ORG'));
      t.deepEqual(plain(answers.alone), plain(answers.beside));
      const [one, two] = [await seen(rules, alone), await seen(rules, beside)];
      t.deepEqual(plain(one), plain(two));
      t.false(JSON.stringify(two).includes(other));
    }),
    { numRuns: 60 },
  );
});

test('what is asked for as no rule can be called, or as another’s is stored, is nobody’s; and no name is too long for its organization', async (t) => {
  const { rules } = await openTestRules(t);
  await postIn(rules, NORTH, { id: 'A' });
  const long = 'ä'.repeat(250);
  const refused = await t.throwsAsync(postIn(rules, NORTH, { id: long }), { instanceOf: InvalidRuleError });
  t.like(refused.problems[0], { field: 'id', code: 'too-long', item: 0 });
  t.regex(refused.problems[0]?.expected ?? '', /at most 475 bytes/);
  await t.throwsAsync(rules.match({ draft: ruleBody({ id: long }), organization: NORTH }), {
    instanceOf: InvalidRuleError,
  });
  const found = async (filter: Parameters<RuleEngine['scan']>[0]) => {
    const ids: string[] = [];
    for await (const { id } of rules.scan(filter)) ids.push(id);
    return ids;
  };
  const stored = ruleIdIn(NORTH, 'A');
  for (const organization of [NORTH, SOUTH, null, undefined]) {
    for (const ids of [[stored], [long], [stored, long]])
      t.deepEqual(await found({ ids, ...(organization !== undefined && { organization }) }), []);
    t.deepEqual(await found({ idPrefix: stored, ...(organization !== undefined && { organization }) }), []);
  }
  t.deepEqual(await found({ ids: ['A'], organization: NORTH }), [stored]);
  t.deepEqual(await found({ ids: ['A'] }), [stored]);
  t.deepEqual(await found({ storedIds: [stored, ruleIdIn(SOUTH, 'A')] }), [stored]);
  t.deepEqual(await found({ storedIds: [stored], organization: SOUTH }), []);
});

test('ids and their beginnings are looked up for everybody, and walked through where they are too many', async (t) => {
  const { rules, clock } = await openTestRules(t);
  const ids = ['A1', 'A2', 'B1'];
  for (const organization of [null, NORTH, SOUTH]) {
    clock.nowMs += 1;
    await postIn(rules, organization, ...ids.map((id) => ({ id })));
  }
  const found = async (filter: Parameters<RuleEngine['scan']>[0]) => {
    const places: string[] = [];
    for await (const { id, organization } of rules.scan(filter))
      places.push(`${organization === undefined ? '-' : organization === NORTH ? 'N' : 'S'}${writtenId(id)}`);
    return places;
  };
  const many = Array.from({ length: 4_000 }, (_, index) => `X${index}`);
  for (const named of [
    ['A1', 'B1'],
    [...many, 'A1', 'B1'],
  ])
    t.deepEqual(await found({ ids: named }), ['SB1', 'SA1', 'NB1', 'NA1', '-B1', '-A1']);
  t.deepEqual(await found({ idPrefix: 'A' }), ['SA2', 'SA1', 'NA2', 'NA1', '-A2', '-A1']);
  t.deepEqual(await found({ idPrefix: 'A', organization: null }), ['-A2', '-A1']);
  t.deepEqual(await found({ idPrefix: 'A', organization: NORTH }), ['NA2', 'NA1']);
  const from = { createdAtMs: clock.nowMs, id: ruleIdIn(SOUTH, 'A1') };
  t.deepEqual(await found({ idPrefix: 'A', after: from }), ['NA2', 'NA1', '-A2', '-A1']);
});

test('an organization that asks why is told of others’ rules neither names nor reasons', async (t) => {
  const { rules } = await openTestRules(t);
  await postIn(rules, NORTH, { id: 'N', priority: 2 });
  await postIn(rules, null, { id: 'SECRET', priority: 3 }, { id: 'OFF', enabled: false, priority: 9 });
  const asked = { organization: NORTH };
  const told = await rules.explain(inputOf({}, of(NORTH)), asked);
  t.like(told, { kind: 'upgrade', reason: 'A rule of the installation goes first.', omitted: 0 });
  t.is(told.winner, undefined);
  t.deepEqual(
    told.rules.map(({ ruleId, verdict, detail, conjuncts }) => [
      writtenId(ruleId),
      verdict,
      detail,
      conjuncts.length,
    ]),
    [
      ['SECRET', 'chosen', undefined, 0],
      ['N', 'lower-priority', 'a rule of the installation goes before it', 1],
    ],
  );
  const match = await rules.match({ ruleId: ruleIdIn(NORTH, 'N'), ...asked });
  t.like(await match.judge(inputOf({}, of(NORTH))), { detail: 'a rule of the installation goes before it' });
  const all = await rules.explain(inputOf({}, of(NORTH)));
  t.is(all.reason, '"SECRET" goes before "N" of its organization: priority 3 > 2.');
  await rules.freeze({ frozen: true, by: BY });
  const frozen = await rules.explain(inputOf({}, of(NORTH)), asked);
  t.regex(
    frozen.reason,
    /^Upgrades are frozen since .*; else a rule of the installation would upgrade it\.$/,
  );
  await rules.merge(['SECRET' as RuleId], { window: { cron: '0 5 * * *', durationMinutes: 1 } }, BY);
  await rules.remove([ruleIdIn(NORTH, 'N')], BY);
  t.is((await rules.explain(inputOf({}, of(NORTH)), asked)).reason, 'No rule may upgrade it now.');
  await rules.remove(['SECRET' as RuleId], BY);
  t.regex((await rules.explain(inputOf({}, of(NORTH)), asked)).reason, /^No rule that is switched on/);
});

test('rules of organizations that an older version of Ferry has stored are found, and stay known when others are written', async (t) => {
  const { rules, store, another } = await openTestRules(t);
  const pinned = (id: string) => ({ id, condition: { cpeid: CPE } });
  await postIn(rules, NORTH, pinned('of-north'));
  // As it wrote them: beside the generation, and not which of them have pinned rules.
  const generations = store.collection<Document & { readonly organizations?: readonly string[] }>({
    name: 'rule-generations',
    indexes: {},
  });
  const owners = store.collection<Document>({ name: 'rule-owners', indexes: {} });
  const generation = await generations.get('fleet');
  await generations.put({ id: 'fleet', ...generation?.document, organizations: [NORTH] });
  await owners.delete('fleet');

  t.is(await winner(await another(), NORTH), ruleIdIn(NORTH, 'of-north'));
  await postIn(rules, SOUTH, pinned('of-south'));
  const after = await another();
  t.is(await winner(after, NORTH), ruleIdIn(NORTH, 'of-north'));
  t.is(await winner(after, SOUTH), ruleIdIn(SOUTH, 'of-south'));
  t.deepEqual(await idsIn(after, NORTH), [ruleIdIn(NORTH, 'of-north')]);
});
