import test, { type ExecutionContext } from 'ava';
import type { RuleId } from '../../../common/index.js';
import { HOUR_MS } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import { ruleIdIn } from '../../../rules/index.js';
import { BY } from '../../support/actor.js';
import { inputOf, NORTH, openTestRules, post, ruleBody } from '../setup.js';

const IDS = ['r1' as RuleId];

/** A rule, and the upgrade of it whose Download may have to be sent again. */
async function begun(
  t: ExecutionContext,
  over: Readonly<Record<string, unknown>> = {},
  imageSha256?: string,
) {
  const opened = await openTestRules(t);
  await post(opened.rules, ruleBody(over));
  const countKey = opened.rules.countKey(await opened.stored('r1'));
  const of = imageSha256 === undefined ? {} : { imageSha256 };
  return { ...opened, upgrade: { campaignid: 'r1' as RuleId, countKey, ...of } };
}

type Begun = Awaited<ReturnType<typeof begun>>;

async function verdict({ rules, upgrade }: Begun): Promise<string> {
  const repeat = await rules.mayRepeat(upgrade, inputOf());
  return 'reason' in repeat ? `${repeat.kind}: ${repeat.reason}` : repeat.kind;
}

test('a rule that stands as it stood lets a Download be sent again, whatever it has used up', async (t) => {
  const b = await begun(t, { executions: 0, automatic: false, limits: { total: 1 } });
  t.is(await verdict(b), 'allowed');
});

test('a rule may rather let it fail, which it also may when it is switched off', async (t) => {
  t.is(await verdict(await begun(t, { onDoubt: 'resend' })), 'allowed');
  t.is(await verdict(await begun(t, { onDoubt: 'fail' })), 'unwanted');
  t.is(await verdict(await begun(t, { onDoubt: 'fail', enabled: false })), 'unwanted');
});

const HELD: Readonly<Record<string, (b: Begun) => Promise<unknown>>> = {
  disabled: ({ rules }) => rules.merge(IDS, { enabled: false }, BY),
  frozen: ({ rules }) => rules.freeze({ frozen: true, by: byCommand('admin') }),
  'image-missing': async ({ images }) => images.clear(),
  'image-does-not-fit': async ({ images }) =>
    images.set('hgw-2.0.0.bin', { softwareVersion: '2.0.0', productClass: 'another' }),
  'not-yet': ({ rules }) => rules.merge(IDS, { notBefore: '2026-01-31T02:30:00.001Z' }, BY),
  'window-closed': async ({ clock }) => {
    clock.nowMs += 2 * HOUR_MS;
  },
};

for (const [reason, change] of Object.entries(HELD)) {
  test(`it is held back: ${reason}`, async (t) => {
    const b = await begun(t, { window: { cron: '0 2 * * *', durationMinutes: 60 } });
    t.is(await verdict(b), 'allowed');
    await change(b);
    t.is(await verdict(b), `held: ${reason}`);
  });
}

test('it is given up where another image has the name of the one that it was decided for', async (t) => {
  const [sha256, other] = ['a', 'b'].map((digit) => digit.repeat(64)) as [string, string];
  const b = await begun(t, {}, sha256);
  const image = { softwareVersion: '2.0.0', sha256 };
  b.images.set('hgw-2.0.0.bin', image);
  t.is(await verdict(b), 'allowed');
  b.images.set('hgw-2.0.0.bin', { ...image, sha256: other });
  t.is(await verdict(b), 'void: its file is another image now');
});

const VOID: Readonly<Record<string, (b: Begun) => Promise<unknown>>> = {
  'the rule was deleted': ({ rules }) => rules.remove(IDS, BY),
  'the rule has another target': ({ rules }) => rules.merge(IDS, { target: { softwareVersion: '3' } }, BY),
  'the rule was given an end, which is over': ({ rules }) =>
    rules.merge(IDS, { notAfter: '2026-01-31T02:30:00Z' }, BY),
  'the rule was restarted': ({ rules }) => rules.restart(IDS, BY),
};

for (const [title, change] of Object.entries(VOID)) {
  test(`it is given up: ${title}`, async (t) => {
    const b = await begun(t);
    await change(b);
    t.regex(await verdict(b), /^void: the rule has /);
  });
}

for (const [title, change] of [
  ['switched off', ({ rules }) => rules.merge(IDS, { enabled: false }, BY)],
  ['frozen', ({ rules }) => rules.freeze({ frozen: true, by: byCommand('admin') })],
] as const satisfies readonly (readonly [string, (b: Begun) => Promise<unknown>])[]) {
  test(`the commit refuses where upgrades were ${title} between the question and the commit`, async (t) => {
    const b = await begun(t);
    const repeat = await b.rules.mayRepeat(b.upgrade, inputOf());
    if (repeat.kind !== 'allowed') return t.fail(repeat.kind);
    t.true((await b.store.commit(repeat.conditions)).committed);
    await change(b);
    t.false((await b.store.commit(repeat.conditions)).committed);
  });
}

test('a CPE that belongs to another organization by now than the rule is not sent its Download again', async (t) => {
  const { rules } = await openTestRules(t);
  await rules.put([ruleBody({ id: 'r1' })], { by: BY, onlyNew: false, organization: NORTH });
  const campaignid = ruleIdIn(NORTH, 'r1');
  const { rule } = (await rules.get(campaignid)) ?? {};
  if (rule === undefined) return t.fail();
  const upgrade = { campaignid, countKey: rules.countKey(rule) };
  t.is((await rules.mayRepeat(upgrade, inputOf({}, { organization: NORTH }))).kind, 'allowed');
  for (const cpe of [inputOf({}, { organization: 'south' }), inputOf()])
    t.deepEqual(await rules.mayRepeat(upgrade, cpe), {
      kind: 'void',
      reason: 'the CPE belongs to another organization now than the rule',
    });
});
