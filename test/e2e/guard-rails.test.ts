import test from 'ava';
import { type CpeId, silentLogger } from '../../common/index.js';
import { builtInModel, Fleet } from '../../cpe-sim/index.js';
import { TRIAL_PACE_MS } from '../../rules/decision/probation.js';
import { openRules } from '../../rules/index.js';
import { inputOf } from '../rules/setup.js';
import { wildConditions } from '../rules/wild-conditions.js';
import { startTestFerry, until } from '../support/ferry.js';
import { testSecrets } from '../support/secrets.js';
import {
  IMAGE_NAME,
  OLD_VERSION,
  PRODUCT_CLASS,
  postRule,
  results,
  SUCCESS,
  uploadImage,
} from './simulated.js';

const CPES = 40;

test('with 100 wild rules loaded a fleet is upgraded by the good one', async (t) => {
  const ferry = await startTestFerry(t);
  await uploadImage(t, ferry.nbi);
  const wild = wildConditions({ quick: 20, slow: 80 }).map((condition, n) => ({
    id: `WILD${n}`,
    file: IMAGE_NAME,
    priority: 5,
    condition,
  }));
  const good = { id: 'GOOD', file: IMAGE_NAME, condition: { productClass: PRODUCT_CLASS } };
  await postRule(t, ferry.nbi, [...wild, good]);
  const fleet = new Fleet({
    acsUrl: ferry.urls.cwmp,
    dataModel: builtInModel('tr181'),
    count: CPES,
    oui: '00A1B2',
    productClass: PRODUCT_CLASS,
    serialPrefix: 'wild-',
    serialDigits: 2,
    softwareVersion: OLD_VERSION,
    rebootMs: 50,
    retryMs: 50,
    downloadResumeMs: 50,
  });
  t.teardown(() => fleet.stop());
  fleet.start();
  const upgraded = await until(
    'every CPE is upgraded',
    async () => {
      const found = await results(ferry.nbi, 'result.code=200');
      return found.length >= CPES && found;
    },
    60_000,
  );
  t.deepEqual([...new Set(upgraded.map(({ campaignid }) => campaignid))], ['GOOD']);
  t.deepEqual([...new Set(upgraded.map(({ result }) => result.message))], [SUCCESS]);

  // What went wrong is there to be seen.
  const shown = await until('an error is shown', async () => {
    const { body } = await ferry.nbi('GET', '/v1/dyn/FirmwareStorage/WILD0');
    const [rule] = (body as { details: { lastError?: { code: string } }[] }).details;
    return rule?.lastError;
  });
  t.is(shown.code, 'argument-too-large');
  const metrics = String((await ferry.nbi('GET', '/metrics')).body);
  t.regex(metrics, /^ferry_rule_condition_errors_total\{kind="argument"\} [1-9]/m);
  t.regex(metrics, /^ferry_rule_isolated_total\{outcome="on-probation"\} [1-9]/m);
  t.regex(metrics, /^ferry_rules_suspended \d/m);
});

test('a suspended rule is seen in FirmwareStorage, metrics and health, which stays 200, until it is edited', async (t) => {
  const ferry = await startTestFerry(t);
  const rule = { id: 'WILD', file: IMAGE_NAME, condition: '$length($pad("", 70000)) > 0' };
  await postRule(t, ferry.nbi, rule);
  const shown = async (): Promise<unknown> => {
    const { body } = await ferry.nbi('GET', '/v1/dyn/FirmwareStorage/WILD');
    return (body as { details: { suspended?: unknown }[] }).details[0]?.suspended;
  };
  const health = async () => (await ferry.nbi('GET', '/healthz')).body;
  const gauge = async () =>
    /^ferry_rules_suspended (\d+)/m.exec(String((await ferry.nbi('GET', '/metrics')).body))?.[1];
  t.like(await health(), { status: 'ok', parts: { rules: 'ok' } });
  t.is(await gauge(), '0');

  // Another process on the same store, whose time flies.
  let nowMs = Date.now();
  const { store } = ferry.installation;
  const clock = () => nowMs;
  const another = await openRules({
    store,
    clock,
    monotonic: clock,
    logger: silentLogger,
    secrets: testSecrets,
    resolveFile: async () => ({}),
  });
  t.teardown(() => another.close());
  for (let n = 0; n < 20; n++) {
    nowMs += TRIAL_PACE_MS;
    await another.decide(inputOf({ cpeid: `00A1B2-HGW-${n}` as CpeId }));
  }
  await another.settled();
  t.like(await shown(), { at: Math.floor(nowMs / 1_000) });
  t.like(await health(), { status: 'ok', parts: { rules: 'degraded' } });
  t.is((await ferry.nbi('GET', '/healthz')).status, 200);
  t.is(await gauge(), '1');

  await postRule(t, ferry.nbi, { ...rule, condition: '$count(tags) = 0' });
  t.is(await shown(), undefined);
  t.like(await health(), { parts: { rules: 'ok' } });
  t.is(await gauge(), '0');
});
