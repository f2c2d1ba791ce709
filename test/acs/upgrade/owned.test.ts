import test, { type ExecutionContext } from 'ava';
import { Registry } from 'prom-client';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { NO_OWNED_UPGRADES, type OwnedUpgrades } from '../../../acs/upgrade/owned-upgrades.js';
import { UPGRADES, type Upgrade } from '../../../acs/upgrade/upgrade.js';
import { UpgradeStore } from '../../../acs/upgrade/upgrade-store.js';
import { MINUTE_MS, type RuleId } from '../../../common/index.js';
import {
  CAMPAIGN_SHARES,
  type CampaignShare,
  type Decision,
  gateIdOf,
  RULE_GATES,
  type RuleGate,
  type RuleOwner,
} from '../../../rules/index.js';
import type { Change, CollectionDefinition, Document } from '../../../store/index.js';
import { CPE, inputOf, openTestRules, post, ruleBody } from '../../rules/setup.js';
import { deviceOf } from '../../support/installation.js';

const OWNER: RuleOwner = { kind: 'batch', id: '33333333-3333-4333-8333-333333333333' };
const RULE = `batch:${OWNER.id}:${CPE}`;
const LOCATION = { url: 'http://192.0.2.9/a', fileType: '1 Firmware Upgrade Image' };
/** What the owner of these tests keeps: how often each thing came to be. */
const TALLY: CollectionDefinition = { name: 'tally', indexes: {} };

/** A batch with a rule for one CPE, and an owner that counts; `waits` says whether it waits for that CPE. */
async function openOwned(
  t: ExecutionContext,
  options: { readonly waits?: boolean; readonly misnamed?: boolean } = {},
) {
  const { waits = true, misnamed = false } = options;
  const at = await openTestRules(t);
  const { store, rules, clock, logger } = at;
  const now = () => clock.nowMs;
  const tally = store.collection<Document & Record<string, number | string>>(TALLY);
  const told: string[] = [];
  const asked = (what: string): readonly Change[] => {
    told.push(what);
    return [tally.counting('all', { [what.replaceAll(' ', '-')]: 1 })];
  };
  const owned: OwnedUpgrades = {
    beginning: async () => (waits ? asked('beginning') : null),
    atTarget: async () => (waits ? asked('atTarget') : null),
    unfit: async (_rule, _device, { detail }) => (waits ? asked(`unfit ${detail}`) : null),
    misnamed: async () => (misnamed ? asked('misnamed') : null),
    ending: async (_after, end, previously) => asked(`ending ${end} ${previously ?? 'running'}`),
    lost: async () => asked('lost'),
  };
  const devices = new DeviceStore({ store, clock: now, logger });
  t.teardown(() => devices.close());
  const metrics = createAcsMetrics(new Registry(), () => 0);
  const upgrades = new UpgradeStore({ store, devices, rules, owned, clock: now, logger, metrics });
  await store.collection<RuleGate>(RULE_GATES).put({ id: gateIdOf(OWNER), state: 'open' });
  await rules.owned.put(
    [
      {
        id: RULE,
        whom: { cpeid: CPE },
        file: 'hgw-2.0.0.bin',
        description: '',
        priority: 0,
        executions: 1,
      },
    ],
    { owner: OWNER, author: 'admin', along: [] },
  );
  await store.collection<Device>(DEVICES).put({ ...deviceOf(CPE, null), id: CPE });
  const stored = async () => {
    const device = await devices.read(CPE);
    if (device === null) throw new Error('The device is gone');
    return device;
  };
  const decide = async <K extends Decision['kind']>(
    kind: K,
    over: Parameters<typeof inputOf>[0] = {},
  ): Promise<Extract<Decision, { kind: K }>> => {
    const decision = await rules.decide(inputOf(over, { counts: (await stored()).document.counts }));
    if (decision.kind !== kind) throw new Error(`It was decided ${decision.kind}, not ${kind}`);
    return decision as Extract<Decision, { kind: K }>;
  };
  const reserve = async (): Promise<Upgrade | null> => {
    const device = await stored();
    const reserved = await upgrades.reserving(device.document, await decide('upgrade'), LOCATION);
    if (reserved === null) return null;
    t.true((await devices.commit(reserved.device, device.revision, reserved.with)).committed);
    return reserved.upgrade;
  };
  const counted = async () => {
    const { id: _, ...counts } = (await tally.get('all'))?.document ?? { id: '' };
    return counts;
  };
  return { ...at, devices, upgrades, told, stored, decide, reserve, counted };
}

test('what the owner of a rule keeps moves in the commits in which its upgrade begins, ends, and is found to have ended otherwise', async (t) => {
  const at = await openOwned(t);
  const upgrade = await at.reserve();
  t.deepEqual(upgrade?.owner, OWNER);
  t.deepEqual(await at.counted(), { beginning: 1 });
  if (upgrade === null) return;
  const learn = (version: string) =>
    at.upgrades.learn(CPE, upgrade.id, { kind: 'quiet', boot: true, applying: true, version });
  await at.upgrades.learn(CPE, upgrade.id, { kind: 'download-response', status: 0 });
  t.deepEqual(await at.counted(), { beginning: 1 }, 'it runs on');
  await learn('1.0.0');
  t.deepEqual(await at.counted(), { beginning: 1, 'ending-failed-running': 1 });
  await learn('2.0.0');
  t.deepEqual(await at.counted(), {
    beginning: 1,
    'ending-failed-running': 1,
    'ending-verified-failed': 1,
  });
});

test('a Download that was given back is told as that', async (t) => {
  const at = await openOwned(t);
  const upgrade = await at.reserve();
  if (upgrade === null) return t.fail();
  const fault = { faultCode: 9004, faultString: 'busy' };
  await at.upgrades.learn(CPE, upgrade.id, { kind: 'download-fault', fault, repeats: 0 });
  t.deepEqual(at.told, ['beginning', 'ending given-back running']);
});

test('where the owner does not wait for a CPE nothing is reserved or recorded', async (t) => {
  const at = await openOwned(t, { waits: false });
  const { document: device } = await at.stored();
  t.is(await at.upgrades.reserving(device, await at.decide('upgrade'), LOCATION), null);
  const atTarget = await at.decide('at-target', { softwareVersion: '2.0.0' });
  t.is(await at.upgrades.recordingAtTarget(device, atTarget), null);
  at.images.set('hgw-2.0.0.bin', { softwareVersion: '2.0.0', productClass: 'STB' });
  t.is(await at.upgrades.recordingUnfit(device, await at.decide('unfit')), null);
});

test('where the owner meant another image nothing is sent: it is recorded, and the rule is then done with that CPE', async (t) => {
  for (const kind of ['upgrade', 'at-target'] as const) {
    const at = await openOwned(t, { waits: false, misnamed: true });
    const { document, revision } = await at.stored();
    const recorded =
      kind === 'upgrade'
        ? await at.upgrades.reserving(document, await at.decide(kind), LOCATION)
        : await at.upgrades.recordingAtTarget(document, await at.decide(kind, { softwareVersion: '2.0.0' }));
    if (recorded === null) return t.fail();
    t.falsy('upgrade' in recorded ? recorded.upgrade : null);
    t.true((await at.devices.commit(recorded.device, revision, recorded.with)).committed);
    t.deepEqual(await at.counted(), { misnamed: 1 });
    t.is((await at.stored()).document.inFlight, undefined);
    await at.decide('nothing');
  }
});

test('a rule that is passed over is as if it were not there', async (t) => {
  const at = await openOwned(t);
  await post(at.rules, ruleBody({ id: 'other', priority: -1 }));
  const decision = await at.rules.decide(inputOf({}, { passedOver: new Set([RULE as RuleId]) }));
  t.is(decision.kind === 'upgrade' ? decision.rule.id : decision.kind, 'other' as RuleId);
});

test('a CPE at the target is recorded with what its owner keeps, unless the gate was closed in between', async (t) => {
  const at = await openOwned(t);
  const { document, revision } = await at.stored();
  const decision = await at.decide('at-target', { softwareVersion: '2.0.0' });
  const record = async () => {
    const recorded = await at.upgrades.recordingAtTarget(document, decision);
    return recorded !== null && (await at.devices.commit(recorded.device, revision, recorded.with)).committed;
  };
  const gates = at.store.collection<RuleGate>(RULE_GATES);
  await gates.put({ id: gateIdOf(OWNER), state: 'closed' });
  t.false(await record());
  t.deepEqual(await at.counted(), {});
  await gates.put({ id: gateIdOf(OWNER), state: 'open' });
  t.false(await record(), 'the gate is another than it was decided on');
  const again = await at.decide('at-target', { softwareVersion: '2.0.0' });
  const recorded = await at.upgrades.recordingAtTarget(document, again);
  if (recorded === null) return t.fail();
  t.true((await at.devices.commit(recorded.device, revision, recorded.with)).committed);
  t.deepEqual(await at.counted(), { atTarget: 1 });
  t.is((await at.rules.decide(inputOf({}, { counts: recorded.device.counts }))).kind, 'nothing');
});

test('an image that does not fit is told once, and the rule is then done with that CPE', async (t) => {
  const at = await openOwned(t);
  at.images.set('hgw-2.0.0.bin', { softwareVersion: '2.0.0', productClass: 'STB' });
  const { document, revision } = await at.stored();
  const decision = await at.decide('unfit');
  const recorded = await at.upgrades.recordingUnfit(document, decision);
  if (recorded === null) return t.fail();
  t.true((await at.devices.commit(recorded.device, revision, recorded.with)).committed);
  t.deepEqual(at.told, [`unfit ${decision.detail}`]);
  t.true((await at.stored()).document.counts[decision.countKey]?.refused);
  await at.decide('nothing');
});

test('an upgrade whose device is gone ends at its deadline: its owner knows, and nothing counts as running', async (t) => {
  const at = await openOwned(t);
  const upgrade = await at.reserve();
  if (upgrade === null) return t.fail();
  await at.store.collection<Device>(DEVICES).delete(CPE);
  at.clock.nowMs += 100_000 * MINUTE_MS;
  t.is(await at.upgrades.sweep(), 1);
  t.is(await at.upgrades.get(upgrade.id), null);
  t.deepEqual(at.told, ['beginning', 'lost']);
  t.deepEqual(await at.counted(), { beginning: 1, lost: 1 });
  let running = 0;
  for await (const { document } of at.store.collection<CampaignShare>(CAMPAIGN_SHARES).scan({}))
    running += document.running ?? 0;
  t.is(running, 0);
});

test('nobody is asked of upgrades by rules that have no owner', async (t) => {
  const at = await openOwned(t);
  await post(at.rules, ruleBody({ id: 'authored', priority: 9 }));
  const upgrade = await at.reserve();
  t.is(upgrade?.campaignid, 'authored' as RuleId);
  t.false(upgrade !== null && 'owner' in upgrade);
  if (upgrade === null) return;
  await at.upgrades.learn(CPE, upgrade.id, {
    kind: 'transfer-complete',
    fault: { faultCode: 9010, faultString: '' },
    version: '1.0.0',
  });
  t.deepEqual(at.told, []);
});

test('withdrawing is durable, changes nothing when it is asked twice, and says what is too late', async (t) => {
  const at = await openOwned(t);
  const upgrade = await at.reserve();
  if (upgrade === null) return t.fail();
  const { id } = upgrade;
  t.is(await at.upgrades.withdraw(id), 'asked');
  const marked = await at.store.collection<Upgrade>(UPGRADES).get(id);
  t.like(marked?.document, { state: 'sent', withdrawal: { askedAtMs: at.clock.nowMs, tries: 0 } });
  t.is(await at.upgrades.withdraw(id), 'asked');
  t.is((await at.store.collection<Upgrade>(UPGRADES).get(id))?.revision, marked?.revision);
  await at.upgrades.learn(CPE, id, { kind: 'withdrawal', outcome: 'refused' });
  t.is(await at.upgrades.withdraw(id), 'transferred');
  await at.upgrades.learn(CPE, id, { kind: 'download-response', status: 0 });
  t.is(await at.upgrades.withdraw(id), 'transferred');
  await at.upgrades.learn(CPE, id, { kind: 'quiet', boot: true, applying: true, version: '2.0.0' });
  t.is(await at.upgrades.withdraw(id), 'ended');
  t.is(await at.upgrades.withdraw('99999999-9999-4999-8999-999999999999' as typeof id), null);
});

test('without anybody who owns rules nothing goes along, and nothing is told of what does not fit', async (t) => {
  const at = await openOwned(t);
  const { document } = await at.stored();
  const decision = await at.decide('upgrade');
  const upgrade = await at.reserve();
  if (upgrade === null) return t.fail();
  t.deepEqual(await NO_OWNED_UPGRADES.beginning(upgrade, decision.rule, document), []);
  t.deepEqual(await NO_OWNED_UPGRADES.ending(upgrade, 'verified'), []);
  t.is(
    await NO_OWNED_UPGRADES.unfit(decision.rule, document, { verdict: 'image-missing', detail: '' }),
    null,
  );
});
