import test from 'ava';
import { builtInModel, Fleet } from '../../cpe-sim/index.js';
import { wildConditions } from '../rules/wild-conditions.js';
import { startTestFerry, until } from '../support/ferry.js';
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
