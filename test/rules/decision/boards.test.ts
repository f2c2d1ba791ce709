import test, { type ExecutionContext } from 'ava';
import type { RuleId } from '../../../common/index.js';
import type { Context, DecisionInput, ImageFacts, Verdict } from '../../../rules/index.js';
import { isBoardParameter } from '../../../rules/index.js';
import { inputOf, openTestRules, post, ruleBody, verdictsOf } from '../setup.js';

const FILE = 'hgw-2.0.0.bin';
const R1 = 'r1' as RuleId;
const BOARDS = ['tplink,archer-c7-v5', 'tplink,archer-c7-v4'];
const NAME = 'Device.DeviceInfo.X_ACME_Board';
const PATHS = [NAME, 'InternetGatewayDevice.DeviceInfo.X_ACME_Board'];
const MISFIT = 'image-does-not-fit';

async function withImage(t: ExecutionContext, image: ImageFacts, boardParameter = '') {
  const opened = await openTestRules(t, undefined, { boardParameter });
  opened.images.set(FILE, image);
  await post(opened.rules, ruleBody({ condition: { serialNumber: '1' } }));
  return opened;
}

/** A CPE whose board is in its data model, and which is asked for what it has not told. */
function telling(parameters: Context['parameters'], unread: DecisionInput['unread'] = async () => []) {
  // Its model is not asked where there is a parameter.
  const modelName = 'linksys,e8450';
  return inputOf({ modelName }, { readParameters: async () => parameters ?? {}, unread });
}

const GUESSED: readonly (readonly [cpe: Partial<DecisionInput['context']>, verdict: Verdict])[] = [
  [{ modelName: 'tplink,archer-c7-v5' }, 'chosen'],
  [{ modelName: ' TPLink,Archer-C7-v4 ' }, 'chosen'],
  [{ productClass: 'tplink_archer-c7-v5' }, 'chosen'],
  [{ productClass: 'tplink,archer-c7-v5', modelName: 'linksys,e8450' }, 'chosen'],
  [{ modelName: 'Archer C7' }, 'chosen'],
  [{}, 'chosen'],
  [{ modelName: 'linksys,e8450' }, MISFIT],
  [{ productClass: 'linksys,e8450' }, MISFIT],
];

for (const [cpe, verdict] of GUESSED) {
  test(`without a parameter ${JSON.stringify(cpe)} is ${verdict} for an image for boards`, async (t) => {
    const { rules } = await withImage(t, { boards: BOARDS });
    t.is(verdictsOf(await rules.decide(inputOf(cpe)))['r1'], verdict);
    const explained = await rules.explain(inputOf(cpe));
    t.is(explained.rules[0]?.verdict, verdict);
    const match = await rules.match({ ruleId: R1 });
    t.like(await match.judge(inputOf(cpe)), { matches: true, verdict });
  });
}

test('why a board does not fit is said', async (t) => {
  const { rules } = await withImage(t, { boards: [...BOARDS, 'c', 'd', 'e', 'f'] });
  const {
    rules: [told],
    reason,
  } = await rules.explain(inputOf({ modelName: 'linksys,e8450' }));
  const detail =
    'the image is for boards "tplink,archer-c7-v5", "tplink,archer-c7-v4", "c", "d", "e" and 1 more, the CPE\'s ModelName is "linksys,e8450"';
  t.is(told?.detail, detail);
  t.true(reason.includes(detail));
});

const TOLD: readonly (readonly [title: string, parameters: Context['parameters'], verdict: Verdict])[] = [
  ['another board', { Device: { DeviceInfo: { X_ACME_Board: 'linksys,e8450' } } }, MISFIT],
  ['the board', { Device: { DeviceInfo: { X_ACME_Board: 'tplink,archer-c7-v4' } } }, 'chosen'],
  [
    'the board, of TR-098',
    { InternetGatewayDevice: { DeviceInfo: { X_ACME_Board: 'tplink,archer-c7-v4' } } },
    'chosen',
  ],
  ['no value', { Device: { DeviceInfo: {} } }, MISFIT],
  ['an empty value', { Device: { DeviceInfo: { X_ACME_Board: ' ' } } }, MISFIT],
  ['an object where the value should be', { Device: { DeviceInfo: { X_ACME_Board: { a: 'x' } } } }, MISFIT],
  ['nothing of its data model', {}, MISFIT],
];

for (const [title, parameters, verdict] of TOLD) {
  test(`with a parameter a CPE that has ${title} is ${verdict}, whatever its model is`, async (t) => {
    const { rules } = await withImage(t, { boards: BOARDS }, NAME);
    const cpe = telling(parameters);
    t.is(verdictsOf(await rules.decide(cpe))['r1'], verdict);
    t.is((await rules.explain(cpe)).rules[0]?.verdict, verdict);
    t.is((await (await rules.match({ ruleId: R1 })).judge(cpe)).verdict, verdict);
    const countKey = rules.countKey((await rules.get(R1))?.rule ?? t.fail());
    const repeat = await rules.mayRepeat({ campaignid: R1, countKey }, cpe);
    t.is(repeat.kind, verdict === 'chosen' ? 'allowed' : 'held');
  });
}

test('a parameter that the CPE’s document has a field for is known without its data model', async (t) => {
  const { rules } = await withImage(t, { boards: BOARDS }, 'Device.DeviceInfo.ModelName');
  const reading = { readParameters: () => t.fail() as never };
  t.is(verdictsOf(await rules.decide(inputOf({ modelName: BOARDS[0] ?? '' }, reading)))['r1'], 'chosen');
  t.is(verdictsOf(await rules.decide(inputOf({ modelName: 'Archer C7' }, reading)))['r1'], MISFIT);
});

test('a CPE is asked for its board once, where an image with boards is what it would get', async (t) => {
  const { rules } = await withImage(t, { boards: BOARDS }, NAME);
  const asked: (readonly string[])[] = [];
  const cpe = telling({}, async (paths, of) => {
    asked.push(paths);
    t.is(of, 'board');
    return asked.length === 1 ? [NAME] : [];
  });
  t.deepEqual(await rules.decide(cpe), { kind: 'read', names: [NAME] });
  // It has refused to tell it.
  const decision = await rules.decide(cpe);
  t.is(decision.kind, 'nothing');
  t.deepEqual('considered' in decision && decision.considered, [
    {
      ruleId: R1,
      verdict: MISFIT,
      detail: `the image is for boards "tplink,archer-c7-v5", "tplink,archer-c7-v4", and the CPE has no value of ${NAME} to tell its board by`,
    },
  ]);
  t.deepEqual(asked, [PATHS, PATHS]);
});

test('who asks about one rule is told of it, although another would first have to know the board', async (t) => {
  const { rules, images } = await withImage(t, { boards: BOARDS }, NAME);
  images.set('next.bin', {});
  const condition = { serialNumber: '1' };
  await post(rules, ruleBody({ id: 'next', file: 'next.bin', priority: -1, condition }));
  const cpe = telling({}, async () => [NAME]);
  t.is((await rules.decide(cpe)).kind, 'read');
  t.is((await rules.decide({ ...cpe, about: R1 })).kind, 'read');
  const decision = await rules.decide({ ...cpe, about: 'next' as RuleId });
  t.like(decision, { kind: 'upgrade', rule: { id: 'next' } });
  t.is(verdictsOf(decision)['r1'], MISFIT);
});

test('no CPE is asked for its board where no image with boards is in question', async (t) => {
  const { rules, images } = await withImage(t, {}, NAME);
  const silent = telling({}, () => t.fail() as never);
  t.is((await rules.decide(silent)).kind, 'upgrade');
  images.set(FILE, { boards: BOARDS, productClass: 'STB' });
  t.is(verdictsOf(await rules.decide(silent))['r1'], MISFIT);
  images.set(FILE, { boards: BOARDS });
  await post(rules, ruleBody({ condition: { serialNumber: '2' } }));
  t.is((await rules.decide(silent)).kind, 'nothing');
});

test('without a parameter no CPE is asked for anything', async (t) => {
  const { rules } = await withImage(t, { boards: BOARDS });
  t.is((await rules.decide(inputOf({}, { unread: () => t.fail() as never }))).kind, 'upgrade');
});

test('explain and match say that the CPE would be asked for its board first', async (t) => {
  const { rules } = await withImage(t, { boards: BOARDS }, NAME);
  const cpe = telling({}, async () => [NAME]);
  const explained = await rules.explain(cpe);
  t.like(explained, { kind: 'read', reads: [NAME] });
  t.like(explained.rules[0], { verdict: MISFIT });
  const detail = `the image is for boards, and the CPE would first be asked for ${NAME}`;
  t.true(explained.reason.includes(detail));
  const match = await rules.match({ ruleId: R1 });
  t.deepEqual(await match.judge(cpe), { matches: true, verdict: 'parameters-unread', detail });
});

test('what a decision reads of the data model has the board in it, and it is among what is kept', async (t) => {
  const { rules } = await withImage(t, { boards: BOARDS }, NAME);
  const read: unknown[] = [];
  const cpe = inputOf(
    {},
    {
      async readParameters(subtrees) {
        read.push(subtrees);
        return {};
      },
    },
  );
  await rules.decide(cpe);
  t.deepEqual(read, [['Device.DeviceInfo', 'InternetGatewayDevice.DeviceInfo']]);
  t.deepEqual(await rules.parametersNamed(cpe.context), PATHS);
});

test('CPEs are held against a hardware version that was typed, and not against one that was read', async (t) => {
  const { rules, images } = await withImage(t, { hardwareVersion: '0x12' });
  t.is(verdictsOf(await rules.decide(inputOf()))['r1'], MISFIT);
  images.set(FILE, { hardwareVersion: '0x12', fromFile: ['hardwareVersion'] });
  t.is((await rules.decide(inputOf())).kind, 'upgrade');
});

test('a version that was read is the target where nothing else is, and counts with more around it', async (t) => {
  const { rules, images } = await withImage(t, { softwareVersion: '2.0', fromFile: ['softwareVersion'] });
  const running = (softwareVersion: string) => rules.decide(inputOf({ softwareVersion }));
  t.like(await running('OpenWrt 1.0'), { kind: 'upgrade', targetVersion: '2.0', isTargetRead: true });
  t.is(verdictsOf(await running('OpenWrt 2.0 r1'))['r1'], 'at-target');
  images.set(FILE, { softwareVersion: '2.0' });
  t.like(await running('OpenWrt 2.0 r1'), { kind: 'upgrade', targetVersion: '2.0', isTargetRead: false });
  await post(rules, ruleBody({ condition: { serialNumber: '1' }, target: { softwareVersion: '2.0' } }));
  images.set(FILE, { softwareVersion: '2.0', fromFile: ['softwareVersion'] });
  t.like(await running('OpenWrt 2.0 r1'), { kind: 'upgrade', isTargetRead: false });
});

test('a board parameter is a full name below a root, and no secret', (t) => {
  for (const name of [NAME, ...PATHS, 'InternetGatewayDevice.DeviceInfo.ModelName'])
    t.true(isBoardParameter(name));
  for (const name of [
    '',
    'Device.',
    'Device.X.',
    'X_Board',
    'Device.A b',
    'Device..A',
    `Device.${'a'.repeat(256)}`,
  ])
    t.false(isBoardParameter(name), name);
  t.false(isBoardParameter('Device.ManagementServer.ConnectionRequestPassword'));
});
