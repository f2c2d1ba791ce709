import test from 'ava';
import { inputOf, openTestRules, post, ruleBody } from '../setup.js';

test('model is what the CPE calls its model, and its product class as long as it has told none', async (t) => {
  const { rules } = await openTestRules(t);
  const isHeld = async (condition: unknown, modelName: string | undefined): Promise<boolean> => {
    const match = await rules.match({ condition });
    const context = modelName === undefined ? { model: 'HGW' } : { modelName, model: modelName || 'HGW' };
    return (await match.judge(inputOf(context))).matches;
  };
  for (const written of [{ model: 'X1' }, { model: ['X0', 'X1'] }, "model = 'X1'", "model & '' = 'X1'"]) {
    t.true(await isHeld(written, 'X1'));
    t.false(await isHeld(written, 'X2'));
    t.false(await isHeld(written, undefined));
  }
  t.true(await isHeld({ model: 'HGW' }, undefined));
  t.true(await isHeld({ model: 'HGW' }, ''));
  t.false(await isHeld({ model: 'HGW' }, 'X1'));
});

test('a CPE is asked for its ModelName before a rule that names its model is decided on', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ condition: { model: 'X1' } }));
  const modelNames = ['Device.DeviceInfo.ModelName', 'InternetGatewayDevice.DeviceInfo.ModelName'];
  const unread = inputOf({}, { unread: async (paths) => paths });
  t.deepEqual(await rules.decide(unread), { kind: 'read', names: modelNames });
  t.is((await rules.decide(inputOf({ modelName: 'X1' }))).kind, 'upgrade');
  t.deepEqual((await rules.explain(unread)).reads, modelNames);
  // Its product class is another, but that says nothing as long as its ModelName is not known.
  const { matches, verdict } = await (await rules.match({ condition: { model: 'X1' } })).judge(unread);
  t.deepEqual([matches, verdict], [false, 'parameters-unread']);
});
