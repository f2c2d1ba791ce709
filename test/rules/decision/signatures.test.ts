import test, { type ExecutionContext } from 'ava';
import type { RuleId } from '../../../common/index.js';
import type { SigningOfFile } from '../../../rules/index.js';
import type { Document } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { inputOf, NORTH, openTestRules, post, ruleBody } from '../setup.js';

/** Rules with files of which the given ones are signed, as a document says that a commit must find as it was. */
async function begun(t: ExecutionContext, more: { readonly requireSignature?: boolean } = {}) {
  const asked: string[] = [];
  const signed = new Map<string, () => Promise<Awaited<ReturnType<SigningOfFile>>>>();
  const signingOf: SigningOfFile = async (file, organization) => {
    asked.push(`${file} ${organization ?? '-'}`);
    return (await signed.get(file)?.()) ?? { isSigned: false, detail: 'the image has no signature' };
  };
  const opened = await openTestRules(t, undefined, { signingOf, ...more });
  const keys = opened.store.collection<Document>({ name: 'test-keys', indexes: {} });
  const revision = await keys.put({ id: 'key' });
  const sign = (file: string) =>
    signed.set(file, async () => ({ isSigned: true, unchanged: [keys.requiring('key', revision)] }));
  return { ...opened, asked, sign, keys };
}

const FILE = 'hgw-2.0.0.bin';

test('nothing is sent of a rule that asks for a signature unless the image has one, and why is told', async (t) => {
  const { rules, sign, asked } = await begun(t);
  await post(rules, ruleBody({ requireSignature: true }));
  const decision = await rules.decide(inputOf());
  t.is(decision.kind, 'nothing');
  if (decision.kind !== 'nothing') return;
  t.like(decision.considered, [{ verdict: 'image-not-signed', detail: 'the image has no signature' }]);
  const { rules: told } = await rules.explain(inputOf());
  t.like(told, [{ verdict: 'image-not-signed' }]);
  const match = await rules.match({ ruleId: 'r1' as RuleId });
  t.like(await match?.judge(inputOf()), { matches: true, verdict: 'image-not-signed' });
  sign(FILE);
  t.is((await rules.decide(inputOf())).kind, 'upgrade');
  t.deepEqual([...new Set(asked)], [`${FILE} -`]);
});

test('whose rule it is, is asked for: it says which image is meant', async (t) => {
  const { rules, sign, asked } = await begun(t);
  await rules.put([ruleBody({ requireSignature: true })], { by: BY, onlyNew: false, organization: NORTH });
  sign(FILE);
  t.is((await rules.decide(inputOf({}, { organization: NORTH }))).kind, 'upgrade');
  t.deepEqual(asked, [`${FILE} ${NORTH}`]);
});

test('a rule that asks for none goes on as it did, and nobody is asked', async (t) => {
  const { rules, asked } = await begun(t);
  for (const over of [{}, { requireSignature: false }]) {
    await post(rules, ruleBody(over));
    t.is((await rules.decide(inputOf())).kind, 'upgrade');
  }
  t.deepEqual(asked, []);
});

test('the installation may ask it of every rule, whatever that says', async (t) => {
  const { rules, sign } = await begun(t, { requireSignature: true });
  for (const over of [{}, { requireSignature: false }]) {
    await post(rules, ruleBody(over));
    t.like(await rules.decide(inputOf()), { considered: [{ verdict: 'image-not-signed' }] });
  }
  sign(FILE);
  t.is((await rules.decide(inputOf())).kind, 'upgrade');
});

test('where nobody can tell of signatures nothing is signed', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ requireSignature: true }));
  t.like(await rules.decide(inputOf()), { considered: [{ verdict: 'image-not-signed' }] });
});

test('the commit refuses where key or image were changed between decision and commit', async (t) => {
  const { rules, sign, keys, store } = await begun(t);
  await post(rules, ruleBody({ requireSignature: true }));
  sign(FILE);
  const decision = await rules.decide(inputOf());
  if (decision.kind !== 'upgrade') return t.fail(decision.kind);
  await keys.put({ id: 'key' });
  t.false((await store.commit(decision.conditions)).committed);
});

test('a Download is sent again only while its image is signed, and the commit refuses where that ended meanwhile', async (t) => {
  const { rules, sign, keys, store, stored } = await begun(t);
  await post(rules, ruleBody({ requireSignature: true }));
  const upgrade = { campaignid: 'r1' as RuleId, countKey: rules.countKey(await stored('r1')) };
  t.deepEqual(await rules.mayRepeat(upgrade, inputOf()), { kind: 'held', reason: 'image-not-signed' });
  sign(FILE);
  const repeat = await rules.mayRepeat(upgrade, inputOf());
  if (repeat.kind !== 'allowed') return t.fail(repeat.kind);
  t.true((await store.commit(repeat.conditions)).committed);
  await keys.put({ id: 'key' });
  t.false((await store.commit(repeat.conditions)).committed);
});
