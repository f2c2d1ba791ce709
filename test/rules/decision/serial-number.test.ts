import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { CpeId, RuleId } from '../../../common/index.js';
import { byCommand, EventLog } from '../../../events/index.js';
import {
  type Condition,
  type DecisionInput,
  type NamesakesOf,
  RULES,
  type StoredRule,
} from '../../../rules/index.js';
import { type CollectionDefinition, type Document, openLmdbStore, type Store } from '../../../store/index.js';
import { propertyRuns } from '../random-rules.js';
import { inputOf, NORTH, openTestRules, post, ruleBody, temporaryDirectory, verdictsOf } from '../setup.js';

interface Cpe {
  readonly cpeid: string;
  readonly serialNumber: string;
}

/** Of some CPEs those that go by the serial number of one. */
function among(cpes: readonly Cpe[]): NamesakesOf {
  return async ({ cpeid, serialNumber }) =>
    cpes
      .filter((other) => other.cpeid !== cpeid)
      .filter((other) => other.serialNumber === serialNumber || other.cpeid === serialNumber)
      .map((other) => other.cpeid as CpeId);
}

function inputFor({ cpeid, serialNumber }: Cpe): DecisionInput {
  return inputOf({ cpeid: cpeid as CpeId, serialNumber });
}

/** Serial numbers that look like cpeids, and cpeids that are nothing but serial numbers, among others. */
const NAMES = ['S1', 'S2', 'S~2D1', 'S-1', 'A-H-S1', 'B-H-S1', 'A-S2'];
const cpe = fc.record({ cpeid: fc.constantFrom(...NAMES), serialNumber: fc.constantFrom(...NAMES) });
const fleet = fc.uniqueArray(cpe, { selector: ({ cpeid }) => cpeid, minLength: 1, maxLength: 6 });

/** The law: what a condition's `cpeid` holds for. */
function isMeant(name: string, { cpeid, serialNumber }: Cpe, cpes: readonly Cpe[]): boolean {
  if (cpeid === name) return true;
  const others = cpes.filter((other) => other.cpeid !== cpeid);
  return (
    serialNumber === name && !others.some((other) => other.serialNumber === name || other.cpeid === name)
  );
}

test('a cpeid in object form is the CPE of that id, or the one that alone goes by that serial number', async (t) => {
  let known: readonly Cpe[] = [];
  const { rules } = await openTestRules(t, undefined, { namesakesOf: (asked) => among(known)(asked) });
  let [meant, shared] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fleet,
      fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }),
      async (cpes, names) => {
        known = cpes;
        const [only = '', ...others] = names;
        const condition = { cpeid: others.length === 0 ? only : names };
        await post(rules, ruleBody({ id: 'r', condition }));
        for (const each of cpes) {
          const expected = names.some((name) => isMeant(name, each, cpes));
          const input = inputFor(each);
          if (expected) meant += 1;
          const decision = await rules.decide(input);
          t.is(decision.kind, expected ? 'upgrade' : 'nothing');
          const explanation = await rules.explain(input);
          t.is(explanation.kind, decision.kind);
          for (const match of [
            await rules.match({ ruleId: 'r' as RuleId }),
            await rules.match({ condition }),
          ]) {
            const { matches, verdict } = await match.judge(input);
            t.is(matches, expected);
            if (verdict === 'ambiguous-serial') shared += 1;
            // So whoever looks only where it can match overlooks none.
            const { names: narrowed = [] } = match.narrowed;
            if (expected) t.true(narrowed.includes(each.cpeid) || narrowed.includes(each.serialNumber));
          }
          const draft = ruleBody({ id: 'r', condition });
          t.is((await rules.explain(input, { draft })).kind, decision.kind);
        }
        await rules.remove(['r' as RuleId], byCommand('api'));
      },
    ),
    { numRuns: propertyRuns(50) },
  );
  t.true(meant > 15 && shared > 5, `${meant}, ${shared}`);
});

test('where several go by a serial number the rule says so, and by what to name them', async (t) => {
  const cpes = [
    { cpeid: 'A-H-S1', serialNumber: 'S1' },
    { cpeid: 'B-H-S1', serialNumber: 'S1' },
  ];
  const { rules, log } = await openTestRules(t, undefined, { namesakesOf: among(cpes) });
  await post(rules, ruleBody({ id: 'r', condition: { cpeid: 'S1', productClass: 'HGW' } }));
  const input = inputFor({ cpeid: 'A-H-S1', serialNumber: 'S1' });
  const detail = 'S1 stands for B-H-S1 too; name it by its cpeid';
  const decision = await rules.decide(input);
  t.deepEqual(verdictsOf(decision), { r: 'ambiguous-serial' });
  await rules.decide(input);
  t.deepEqual(
    log.filter(({ event }) => event === 'rules.ambiguous-serial'),
    [{ event: 'rules.ambiguous-serial', fields: { ruleId: 'r', cpeid: 'A-H-S1', detail } }],
  );
  const { rules: explained } = await rules.explain(input);
  t.deepEqual(explained, [
    {
      ruleId: 'r' as RuleId,
      verdict: 'ambiguous-serial',
      detail,
      priority: 1,
      conjuncts: [
        {
          text: 'cpeid: "S1"',
          outcome: 'false',
          message: detail,
          found: [
            { path: 'cpeid', value: 'A-H-S1' },
            { path: 'serialNumber', value: 'S1' },
          ],
        },
        { text: 'productClass: "HGW"', outcome: 'true', found: [{ path: 'productClass', value: 'HGW' }] },
      ],
    },
  ]);
});

test('the log of events says so once for each serial number and edition of a rule, whichever process and CPE meets it', async (t) => {
  const twins = ['S1', 'S2'].flatMap((serialNumber) =>
    ['A', 'B'].map((oui) => ({ cpeid: `${oui}-H-${serialNumber}`, serialNumber })),
  );
  const { rules, store, clock, another } = await openTestRules(t, undefined, { namesakesOf: among(twins) });
  await post(rules, ruleBody({ id: 'r', condition: { cpeid: ['S1', 'S2'] } }));
  const options = { by: byCommand('api'), onlyNew: false, organization: NORTH };
  await rules.put([ruleBody({ id: 'r', condition: { cpeid: 'S1' } })], options);
  const log = new EventLog({ store, clock: () => clock.nowMs });
  const told = async () => {
    const found: unknown[] = [];
    const events = log.scan({
      subject: 'rule',
      subjectId: 'r',
      action: 'ambiguous-serial',
      order: 'ascending',
    });
    for await (const { organization, by, after } of events) found.push([organization, by, after]);
    return found;
  };
  const meetAll = async (engine: typeof rules, organization?: string) => {
    for (const each of twins) {
      const input = { ...inputFor(each), ...(organization !== undefined && { organization }) };
      await engine.decide(input);
      // Who only asks leaves no trace.
      await engine.explain(input);
      await (await engine.match({ condition: { cpeid: each.serialNumber } })).judge(input);
    }
    await engine.settled();
  };
  await meetAll(rules);
  const first = [
    [undefined, undefined, { serialNumber: 'S1', cpeids: ['A-H-S1', 'B-H-S1'] }],
    [undefined, undefined, { serialNumber: 'S2', cpeids: ['A-H-S2', 'B-H-S2'] }],
  ];
  t.deepEqual(await told(), first);
  await meetAll(rules);
  await meetAll(await another());
  t.deepEqual(await told(), first);
  // A rule of an organization that has the same id is another.
  const ofNorth = [[NORTH, undefined, { serialNumber: 'S1', cpeids: ['A-H-S1', 'B-H-S1'] }]];
  clock.nowMs += 1;
  await meetAll(rules, NORTH);
  t.deepEqual(await told(), [...first, ...ofNorth]);
  clock.nowMs += 1;
  await rules.merge(['r' as RuleId], { priority: 2 }, byCommand('api'));
  await meetAll(rules);
  t.is((await told()).length, 5);
});

test('where a rule is done with a CPE, or waits, no session of it looks for others of its serial number', async (t) => {
  let asked = 0;
  const namesakesOf: NamesakesOf = async () => {
    asked += 1;
    return ['B-H-S1' as CpeId];
  };
  const { rules, stored } = await openTestRules(t, undefined, { namesakesOf });
  const input = inputFor({ cpeid: 'A-H-S1', serialNumber: 'S1' });
  await post(rules, ruleBody({ id: 'r', condition: { cpeid: 'S1' } }));
  const count = { started: 1, failures: 0, verified: true, givenBack: 0 };
  const done = { ...input, counts: { [rules.countKey(await stored('r'))]: count } };
  t.deepEqual(verdictsOf(await rules.decide(done)), { r: 'already-verified' });
  await post(rules, ruleBody({ id: 'r', condition: { cpeid: 'S1' }, notBefore: '2099-01-01T00:00:00Z' }));
  t.deepEqual(verdictsOf(await rules.decide(input)), { r: 'not-yet' });
  t.is(asked, 0);
  // Whoever asks what it matches is told all the same.
  t.like((await rules.explain(input)).rules[0], { verdict: 'ambiguous-serial' });
  t.false((await (await rules.match({ ruleId: 'r' as RuleId })).judge(input)).matches);
});

test('a pattern of names is one of serial numbers too', async (t) => {
  const cpes = [
    { cpeid: 'A-H-S1', serialNumber: 'S1' },
    { cpeid: 'A-H-S2', serialNumber: 'S2' },
    { cpeid: 'B-H-S2', serialNumber: 'S2' },
  ];
  const { rules } = await openTestRules(t, undefined, { namesakesOf: among(cpes) });
  const verdicts = async (cpeid: string) => {
    const match = await rules.match({ condition: { cpeid } });
    return Promise.all(cpes.map(async (each) => (await match.judge(inputFor(each))).verdict));
  };
  t.deepEqual(await verdicts('S*'), ['condition-true', 'ambiguous-serial', 'ambiguous-serial']);
  t.deepEqual(await verdicts('A-*'), ['condition-true', 'condition-true', 'condition-false']);
});

test('a text compares what it says: serial numbers are no cpeids there', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'r', condition: 'cpeid = "S1"' }));
  t.is((await rules.decide(inputFor({ cpeid: 'A-H-S1', serialNumber: 'S1' }))).kind, 'nothing');
});

/** A store that tells by which pins rules are looked up in it. */
async function openCounted(
  t: ExecutionContext,
): Promise<{ readonly store: Store; lookedUp(): readonly unknown[] }> {
  const store = await openLmdbStore({ directory: await temporaryDirectory(t) });
  t.teardown(() => store.close());
  const pins: unknown[] = [];
  const instead = <T extends object>(target: T, methods: Partial<T>): T =>
    new Proxy(target, {
      get(original, name) {
        const own: unknown = Reflect.get(methods, name);
        if (own !== undefined) return own;
        const value: unknown = Reflect.get(original, name);
        return typeof value === 'function' ? value.bind(original) : value;
      },
    });
  return {
    store: instead(store, {
      collection: <T extends Document>(definition: CollectionDefinition) => {
        const collection = store.collection<T>(definition);
        return instead(collection, {
          find(query) {
            if (query.index === 'pin') pins.push(query.equals?.[0]);
            return collection.find(query);
          },
        });
      },
    }),
    lookedUp: () => pins.splice(0),
  };
}

test('rules by serial numbers are looked for where there are any, by one look-up more', async (t) => {
  const { store, lookedUp } = await openCounted(t);
  const { rules } = await openTestRules(t, store);
  const decide = async (each: Cpe, organization?: string) => {
    const { kind } = await rules.decide({
      ...inputFor(each),
      ...(organization !== undefined && { organization }),
    });
    return [kind, lookedUp().length];
  };
  const [one, other] = [
    { cpeid: 'A-H-S1', serialNumber: 'S1' },
    { cpeid: 'A-H-S9', serialNumber: 'S9' },
  ];
  await post(rules, ruleBody({ id: 'r', condition: { cpeid: 'B-H-S7' } }));
  lookedUp();
  t.deepEqual(await decide(one), ['nothing', 1]);
  await post(rules, ruleBody({ id: 'r', condition: { cpeid: 'S1' } }));
  t.deepEqual(await decide(one), ['upgrade', 2]);
  t.deepEqual(await decide(one, NORTH), ['upgrade', 2]);
  const options = { by: byCommand('api'), onlyNew: false, organization: NORTH };
  await rules.put([ruleBody({ id: 'r', condition: { cpeid: 'S9' } })], options);
  t.deepEqual(await decide(other, NORTH), ['upgrade', 3]);
  t.deepEqual(await decide(other), ['nothing', 2]);
  // Another process learns of it as it does of fleet rules.
  const later = await openTestRules(t, store);
  t.is((await later.rules.decide(inputFor(one))).kind, 'upgrade');
});

test('a rule of before means a cpeid and no serial number, until it is posted again', async (t) => {
  const { store } = await openCounted(t);
  const { rules, stored } = await openTestRules(t, store);
  const older = async (condition: Condition, found: Partial<StoredRule>) => {
    await post(rules, ruleBody({ id: 'r', condition }));
    const { patterns: _, pin: _pin, fleetSeq: _seq, ...rest } = await stored('r');
    await store.collection<StoredRule>(RULES).put({ ...rest, ...found });
    return (await openTestRules(t, store)).rules;
  };
  const input = inputFor({ cpeid: 'A-H-S1', serialNumber: 'S1' });
  for (const [condition, found] of [
    [{ cpeid: 'S1' }, { pin: 'S1' }],
    [{ serialNumber: 'S*' }, { fleetSeq: 1 }],
    [{ cpeid: ['S1', 'S2'] }, { fleetSeq: 1 }],
  ] as const) {
    const reopened = await older(condition, found);
    const kinds = async () => [
      (await reopened.decide(input)).kind,
      (await reopened.explain(input, { ids: ['r' as RuleId] })).kind,
      (await (await reopened.match({ ruleId: 'r' as RuleId })).judge(input)).matches,
    ];
    t.deepEqual(await kinds(), ['nothing', 'nothing', false]);
    // What is merged without a condition says nothing of it.
    await reopened.merge(['r' as RuleId], { enabled: false }, byCommand('api'));
    await reopened.merge(['r' as RuleId], { enabled: true, priority: 3 }, byCommand('api'));
    t.deepEqual(await kinds(), ['nothing', 'nothing', false]);
    await post(reopened, ruleBody({ id: 'r', condition, priority: 3 }));
    t.deepEqual(await kinds(), ['upgrade', 'upgrade', true]);
    t.deepEqual(await post(reopened, ruleBody({ id: 'r', condition, priority: 3 })), {
      written: 0,
      unchanged: 1,
    });
  }
});

test('a rule of before with more stars than are taken now goes on, can be switched off, and be posted as it is', async (t) => {
  const { store } = await openCounted(t);
  const { rules, stored } = await openTestRules(t, store);
  const condition = { softwareVersion: '*1*2*3*4*5*6*7*8*' };
  await t.throwsAsync(post(rules, ruleBody({ id: 'r', condition })), { message: /at most 8 stars/ });
  await post(rules, ruleBody({ id: 'r', condition: { softwareVersion: '1' } }));
  await store.collection<StoredRule>(RULES).put({ ...(await stored('r')), condition });
  const reopened = (await openTestRules(t, store)).rules;
  await reopened.merge(['r' as RuleId], { enabled: false }, byCommand('api'));
  t.like(await stored('r'), { enabled: false, patterns: undefined });
  await reopened.merge(['r' as RuleId], { enabled: true }, byCommand('api'));
  const again = await post(reopened, ruleBody({ id: 'r', condition }));
  t.deepEqual(again, { written: 0, unchanged: 1 });
  const input = inputOf({ softwareVersion: '*1*2*3*4*5*6*7*8*' });
  t.is((await reopened.decide(input)).kind, 'upgrade');
});

test('a rule that names a CPE by its cpeid and is posted again as it is stays found as it was', async (t) => {
  const { rules, stored } = await openTestRules(t);
  await post(rules, ruleBody({ condition: { cpeid: 'A-H-S1' } }));
  t.is((await stored('r1')).pin, 'A-H-S1');
  t.deepEqual(await post(rules, ruleBody({ condition: { cpeid: 'A-H-S1' } })), { written: 0, unchanged: 1 });
});
