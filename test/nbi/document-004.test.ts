import test from 'ava';
import type { CpeId, ResultId, RuleId } from '../../common/index.js';
import { startCpe, startNbi } from './support.js';

// Every call of "Firmware Upgrade via NBI", in its order, with whole bodies. Bodies are compared as text too: scripts that were
// written against the document may look for its fields in its order.

const CPEID = '00A1B2-HGW-1' as CpeId;
const RULE = {
  id: `UPGRADE_${CPEID}`,
  enabled: true,
  automatic: true,
  file: 'http://files.example.net/hgw-2.0.0.bin',
  condition: { cpeid: CPEID },
  executions: 1,
  priority: 1,
  author: 'api',
};

test('1. Create Upgrade Rule', async (t) => {
  const nbi = await startNbi(t);
  const { status, body } = await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: RULE });
  t.is(status, 200);
  t.is(JSON.stringify(body), '{"code":204,"message":"response from FirmwareStorage","details":""}');
});

test('2. Send Connection Request', async (t) => {
  const nbi = await startNbi(t);
  await nbi.putDevice({ serialNumber: '1', connectionRequestUrl: await startCpe(t, 200) });
  const json = { search_options: { cpe_id: CPEID } };
  const { status, body } = await nbi.call('/v1/method/SendCNR', { method: 'POST', json });
  t.is(status, 200, JSON.stringify(body));
  t.is(JSON.stringify(body), '{"result":{"code":200,"message":"OK"}}');
});

test('3. Get Firmware Upgrade Result: not found', async (t) => {
  const nbi = await startNbi(t);
  const { status, body } = await nbi.call(`/v1/dyn/FirmwareResultStorage/.*?id=UPGRADE_${CPEID}`);
  t.is(status, 404);
  t.is(JSON.stringify(body), '{"code":404,"message":"response from FirmwareResultStorage","details":""}');
});

test('3. Get Firmware Upgrade Result: found', async (t) => {
  const nbi = await startNbi(t);
  await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: { ...RULE, description: 'string' } });
  const stored = await nbi.rules.get(RULE.id as RuleId);
  if (stored === null) return t.fail();
  await nbi.putUpgrade({
    id: 'cd3627cd-1908-4ff8-8fe3-f7078723a684' as ResultId,
    campaignid: stored.rule.id,
    countKey: nbi.rules.countKey(stored.rule),
    cpeid: CPEID,
    ruleDescription: 'string',
    state: 'failed',
    updatedAtMs: 1_743_412_508_999,
    result: {
      code: 500,
      message: 'Upgrade has failed with FaultCode 9010. FaultString: Download failure. File not found.',
    },
  });
  const { status, body } = await nbi.call(`/v1/dyn/FirmwareResultStorage/.*?id=UPGRADE_${CPEID}`);
  t.is(status, 200);
  t.is(
    JSON.stringify(body),
    JSON.stringify({
      code: 200,
      message: 'response from FirmwareResultStorage',
      details: [
        {
          id: 'cd3627cd-1908-4ff8-8fe3-f7078723a684',
          status: true,
          ts: 1743412508,
          cpeid: CPEID,
          rule_description: 'string',
          campaignid: `UPGRADE_${CPEID}`,
          result: {
            code: 500,
            message: 'Upgrade has failed with FaultCode 9010. FaultString: Download failure. File not found.',
          },
        },
      ],
    }),
  );
});

test('4. Deactivate Upgrade Rule', async (t) => {
  const nbi = await startNbi(t);
  await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: RULE });
  const { status, body } = await nbi.call(`/v1/dyn/FirmwareStorage/.*?campaignid=UPGRADE_${CPEID}`, {
    method: 'PUT',
    json: { id: RULE.id, enabled: false, automatic: false },
  });
  t.is(status, 200);
  t.is(JSON.stringify(body), '{"code":204,"message":"response from FirmwareStorage","details":""}');
  const after = await nbi.call(`/v1/dyn/FirmwareStorage/.*?campaignid=UPGRADE_${CPEID}`);
  t.deepEqual(after.body, {
    code: 200,
    message: 'response from FirmwareStorage',
    details: [{ ...RULE, enabled: false, automatic: false, description: '' }],
  });
});
