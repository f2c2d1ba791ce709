import { silentLogger, systemClock } from '../../../common/index.js';
import { openRules } from '../../../rules/index.js';
import { openLmdbStore } from '../../../store/index.js';
import { testSecrets } from '../../support/secrets.js';
import { LimitsOracle } from './limits-oracle.js';

/** Reserves and ends, at random, as CPEs of one address (of the fleet's where none is given), for ever or until the rule has had its total; says `done`, or what went wrong. */
const [directory, prefix, ip] = process.argv.slice(2);
if (directory === undefined || prefix === undefined) throw new Error('usage: limits-child DIRECTORY PREFIX');
const store = await openLmdbStore({ directory });
const rules = await openRules({
  store,
  clock: systemClock,
  logger: silentLogger,
  secrets: testSecrets,
  resolveFile: async () => ({ softwareVersion: '2.0.0' }),
  isSharedAddress: async () => ip === undefined,
});
const oracle = new LimitsOracle(store);
const CPES = 10;
let refused = 0;
process.send?.('begun');
// Every CPE refused many times over while nothing is under way: there is no room any more.
for (let turn = 0; refused < 5 * CPES; turn++) {
  const attempts = await Promise.all(
    Array.from({ length: CPES }, (_, index) =>
      oracle.reserve(rules, `${prefix}-${turn}-${index}`, ip === undefined ? {} : { ip }),
    ),
  );
  const underWay = await oracle.underWay();
  refused = underWay.length === 0 && attempts.every((reserved) => reserved === null) ? refused + CPES : 0;
  await Promise.all(
    underWay.map((running, index) =>
      oracle.end(rules, running, (index + turn) % 5 === 0 ? 'given-back' : 'verified'),
    ),
  );
}
await rules.close();
await store.close();
process.send?.('done');
process.disconnect?.();
