import test, { type ExecutionContext } from 'ava';
import { Registry } from 'prom-client';
import { CpeCredentials } from '../../../acs/credentials/cpe-credentials.js';
import { Identities } from '../../../acs/credentials/identities.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { Enrolment } from '../../../acs/enrolment/enrolment.js';
import { NewCpes } from '../../../acs/enrolment/new-cpes.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { SessionWork } from '../../../acs/session/work.js';
import { UpgradeStore } from '../../../acs/upgrade/upgrade-store.js';
import { type CpeId, createSecrets, monotonicClock, type RuleId } from '../../../common/index.js';
import { deaf, openTestRules, post, ruleBody } from '../../rules/setup.js';
import { BY } from '../../support/actor.js';
import { cpe, openTestWaking } from '../wake/setup.js';

const R1 = 'r1' as RuleId;
const MASTER_KEY = Buffer.alloc(32, 1);
const LOCATION = {
  fileType: '1 Firmware Upgrade Image',
  url: 'http://192.0.2.9/hgw-2.0.0.bin',
  username: '',
  password: '',
  sizeBytes: 1,
  targetFileName: '',
};

/** Sessions at a node that hears nothing of what others do to rules, as may be for the better part of a second. */
async function openSessionsBehind(t: ExecutionContext) {
  const { store, rules, clock, logger, addDevices } = await openTestWaking(t);
  await addDevices(3);
  await post(rules, ruleBody());
  const { rules: behind, images } = await openTestRules(t, deaf(store));
  const located: { sha256?: string; onLocate: () => void } = { onLocate: () => {} };
  const devices = new DeviceStore({ store, clock: () => clock.nowMs, logger });
  t.teardown(() => devices.close());
  const metrics = createAcsMetrics(new Registry(), () => 0);
  const parts = { devices, rules: behind, clock: () => clock.nowMs, logger, metrics };
  const secrets = createSecrets(MASTER_KEY);
  const credentials = new CpeCredentials({ ...parts, store, secrets });
  const work = new SessionWork({
    cpeIdentity: 'oui',
    enrolment: new Enrolment({ store, policy: 'open', credentials }),
    newCpes: new NewCpes({
      bounds: { perMinuteMax: 0, inAllMax: 0, exempt: [] },
      monotonic: () => clock.nowMs,
      logger,
      metrics,
    }),
    ...parts,
    monotonic: monotonicClock,
    identities: new Identities({ credentials, devices, logger, afterReset: 'hold' }),
    credentials,
    upgrades: new UpgradeStore({ ...parts, store }),
    secrets,
    provisioning: { periodicInformSeconds: 0, setCredentials: false, giveLogins: false },
    locateFile: async () => {
      located.onLocate();
      return { ...LOCATION, ...(located.sha256 !== undefined && { sha256: located.sha256 }) };
    },
  });
  /** What the session of a CPE comes to. */
  const decide = async (cpeid: CpeId) => {
    const facts = {
      cpeid,
      style: { namespace: 'urn:dslforum-org:cwmp-1-2' } as const,
      events: [],
      boot: false,
      softwareVersion: null,
      requested: false,
      applying: false,
      transferKey: null,
      doubt: null,
      hand: { device: null },
    };
    const request = { ip: '192.0.2.1', caller: null, claim: () => null, isCurrent: () => true };
    const answer = await work.perform({ kind: 'decide', queueKnown: true }, facts, request);
    return answer.to === 'decide' ? answer.decision.kind : answer.to;
  };
  const hold = (sha256: string) => images.set('hgw-2.0.0.bin', { softwareVersion: '2.0.0', sha256 });
  return { rules, decide, located, hold };
}

test('a rule switched off at another node stops the very next reservation, though this one does not know', async (t) => {
  const { rules, decide } = await openSessionsBehind(t);
  t.is(await decide(cpe(0)), 'download');
  await rules.merge([R1], { enabled: false }, BY);
  t.is(await decide(cpe(1)), 'nothing');
});

test('a rule edited at another node is reserved by its new edition, in the same session', async (t) => {
  const { rules, decide } = await openSessionsBehind(t);
  t.is(await decide(cpe(0)), 'download');
  await rules.merge([R1], { description: 'edited' }, BY);
  t.is(await decide(cpe(1)), 'download');
  await rules.merge([R1], { condition: { productClass: 'STB' } }, BY);
  t.is(await decide(cpe(2)), 'nothing');
});

test('what is sent is the image that was decided on: where another takes its name in between, that one is decided on first', async (t) => {
  const { decide, located, hold } = await openSessionsBehind(t);
  const [first, second] = ['1', '2'].map((digit) => digit.repeat(64)) as [string, string];
  hold(first);
  located.sha256 = first;
  t.is(await decide(cpe(0)), 'download');
  located.sha256 = second;
  t.is(await decide(cpe(1)), 'nothing', 'as long as they are two');
  located.onLocate = () => hold(second);
  t.is(await decide(cpe(2)), 'download');
});
