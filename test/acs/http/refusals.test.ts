import test from 'ava';
import { Registry } from 'prom-client';
import { Refusals } from '../../../acs/http/refusals.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { silentLogger } from '../../../common/index.js';
import { StoreError, type StoreErrorCode } from '../../../store/index.js';

test('a CPE is told to come again for what passes, and not for what is damaged or refused and stays so', (t) => {
  const metrics = createAcsMetrics(new Registry(), () => 0);
  const refusals = new Refusals({ trustedProxies: null, logger: silentLogger, metrics });
  const statusOf = (code: StoreErrorCode) => refusals.failure(new StoreError(code, 'a reason')).status;
  for (const code of ['unavailable', 'no-space', 'closed'] as const) t.is(statusOf(code), 503, code);
  for (const code of ['damaged', 'bad-document', 'bad-query'] as const) t.is(statusOf(code), 500, code);
});
