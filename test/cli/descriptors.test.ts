import test from 'ava';
import fc from 'fast-check';
import { parseConfig } from '../../cli/config.js';
import { connectionShares, descriptorLimit } from '../../cli/server/descriptors.js';

const DEFAULTS = parseConfig({});

test('each listener has what was configured where descriptors are plenty, or their number is not known', (t) => {
  const asConfigured = { cwmp: 50_000, nbi: 1_000, files: 12_000 };
  t.deepEqual(connectionShares(DEFAULTS, null), asConfigured);
  t.deepEqual(connectionShares(DEFAULTS, 1_048_576), asConfigured);
});

test('with the descriptors of the systemd unit 10,000 CPEs download while 10,000 others have sessions', (t) => {
  const shares = connectionShares(DEFAULTS, 65_536);
  t.is(shares.nbi, 1_000);
  t.true(shares.files >= 10_000);
  t.true(shares.cwmp >= 10_000);
});

test('however few the descriptors, full listeners leave some to the store, and CPEs more than northbound clients', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 64, max: 2_000_000 }), (limit) => {
      const { cwmp, nbi, files } = connectionShares(DEFAULTS, limit);
      t.true(Math.min(nbi, files) >= 1);
      t.true(cwmp > nbi);
      t.true(cwmp + 2 * nbi + 2 * files <= limit - Math.min(512, limit / 2));
    }),
  );
});

test('the limit is that of this process', (t) => {
  const limit = descriptorLimit();
  if (process.platform === 'linux') t.true((limit ?? 0) > 0);
  else t.is(limit, null);
});
