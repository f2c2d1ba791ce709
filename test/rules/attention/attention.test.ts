import test from 'ava';
import type { CpeId, RuleId } from '../../../common/index.js';
import type { RuleEngine, RuleFindings } from '../../../rules/index.js';
import { BY } from '../../support/actor.js';
import { CPE, inputOf, NORTH, NOW_MS, openTestRules, post, ruleBody } from '../setup.js';

const NONE = { stopped: 0, suspended: 0, 'image-missing': 0, 'unknown-field': 0 };

async function findingsOf(rules: RuleEngine, id = 'r1'): Promise<RuleFindings | undefined> {
  for await (const found of rules.withFindings(rules.scan({ ids: [id] }))) return found;
  return undefined;
}

test('a rule that its failures have stopped is told, until its limit is raised, and shows why', async (t) => {
  const { rules, store } = await openTestRules(t);
  await post(rules, ruleBody({ limits: { stopAfterFailures: 2 } }));
  const fail = async (cpeid: CpeId) => {
    const decision = await rules.decide(inputOf({ cpeid }));
    if (decision.kind !== 'upgrade') throw new Error(decision.kind);
    const { countKey, share, conditions } = decision;
    t.true((await store.commit(conditions)).committed);
    t.true((await store.commit(rules.ended({ countKey, share }, 'failed'))).committed);
  };
  await fail(CPE);
  t.deepEqual(await rules.amiss(), { counts: NONE, named: [] });
  t.is((await findingsOf(rules))?.stopped, null);
  await fail('00A1B2-HGW-2' as CpeId);
  const detail = 'limits.stopAfterFailures: 2 failed';
  t.deepEqual(await rules.amiss(), {
    counts: { ...NONE, stopped: 1 },
    named: [{ ruleId: 'r1', why: 'stopped', detail }],
  });
  t.is((await findingsOf(rules))?.stopped, detail);

  await rules.merge(['r1' as RuleId], { limits: { stopAfterFailures: 3 } }, BY);
  t.deepEqual((await rules.amiss()).counts, NONE);
  t.is((await findingsOf(rules))?.stopped, null);
});

test('a missing image is told of a fleet rule at once, and of a pinned one when its CPE has met it, until it is there', async (t) => {
  const { rules, images } = await openTestRules(t);
  await post(
    rules,
    ruleBody({ file: 'nope.bin' }),
    ruleBody({ id: 'off', file: 'nope.bin', enabled: false }),
    ruleBody({ id: 'pinned', file: 'none.bin', condition: { cpeid: CPE }, priority: 5 }),
  );
  const none = { ruleId: 'r1', why: 'image-missing', detail: 'no image "nope.bin" in the library' };
  t.deepEqual(await rules.amiss(), { counts: { ...NONE, 'image-missing': 1 }, named: [none] });
  await rules.decide(inputOf());
  await rules.settled();
  const met = { ruleId: 'pinned', why: 'image-missing', detail: 'no image "none.bin" in the library' };
  t.deepEqual(await rules.amiss(), { counts: { ...NONE, 'image-missing': 2 }, named: [none, met] });
  t.deepEqual((await findingsOf(rules, 'pinned'))?.lastError, {
    atMs: NOW_MS,
    cpeid: CPE,
    code: 'image-missing',
    message: 'no image "none.bin" in the library',
  });
  images.set('none.bin', {});
  images.set('nope.bin', {});
  t.deepEqual((await rules.amiss()).counts, NONE);
});

test('who only asks what would be decided leaves no error with the rule', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ file: 'nope.bin' }));
  await rules.explain(inputOf());
  await rules.settled();
  t.is((await findingsOf(rules))?.lastError, null);
});

test('a field that no CPE has is told of rules in either form, and shown with them', async (t) => {
  const { rules } = await openTestRules(t);
  await post(
    rules,
    ruleBody({ condition: { cpe_id: CPE } }),
    ruleBody({ id: 'text', condition: 'softwareversion = "1.0.0"' }),
    ruleBody({ id: 'inner', condition: '$exists(parameters.Device.WiFi.Radio[Enable = true])' }),
  );
  const { counts, named } = await rules.amiss();
  t.deepEqual(counts, { ...NONE, 'unknown-field': 2 });
  t.deepEqual(named.map(({ ruleId, why }) => `${ruleId} ${why}`).sort(), [
    'r1 unknown-field',
    'text unknown-field',
  ]);
  t.regex(named.find(({ ruleId }) => ruleId === 'text')?.detail ?? '', /did you mean softwareVersion\?/);
  t.like(await findingsOf(rules), { warning: { code: 'unknown-field' } });
  t.is((await findingsOf(rules, 'inner'))?.warning, null);
});

test('a brake that another process pulls or lets go is told once by each, whoever has it', async (t) => {
  const { rules, another, log } = await openTestRules(t);
  const other = await another();
  const told = () => log.flatMap(({ event, fields }) => (event === 'rules.freeze' ? [fields] : []));
  await other.freeze({ frozen: true, by: BY, reason: 'it loses VLANs' });
  await other.freeze({ frozen: true, by: BY, organization: NORTH });
  t.is(told().length, 2);
  const installation = { frozen: true, by: BY.name, sinceMs: NOW_MS, reason: 'it loses VLANs' };
  const north = { frozen: true, by: BY.name, sinceMs: NOW_MS };
  t.deepEqual(await rules.pulledBrakes(), [{ state: installation }, { organization: NORTH, state: north }]);
  await rules.pulledBrakes();
  await other.pulledBrakes();
  t.deepEqual(told().slice(2), [installation, { ...north, organization: NORTH }]);

  await rules.freeze({ frozen: false, by: BY });
  t.deepEqual(await other.pulledBrakes(), [{ organization: NORTH, state: north }]);
  t.deepEqual(
    told()
      .slice(4)
      .map(({ frozen }) => frozen),
    [false, false],
  );
});
