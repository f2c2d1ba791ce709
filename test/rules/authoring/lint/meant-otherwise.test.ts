import test from 'ava';
import { checkRuleFiles } from '../../../../rules/index.js';
import { ruleBody } from '../../setup.js';

const LIMITS = { concurrent: 10 };
/** These are said of how a condition runs, and not of what it says. */
const BESIDE: ReadonlySet<string> = new Set(['not-indexed', 'uncompiled']);

async function codesOf(over: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const bytes = Buffer.from(JSON.stringify(ruleBody({ limits: LIMITS, ...over })));
  const { findings } = await checkRuleFiles([{ name: 'a.json', bytes }]);
  return findings.map(({ code }) => code).filter((code) => !BESIDE.has(code));
}

const condition = (written: unknown, ...codes: readonly string[]) =>
  test(`${JSON.stringify(written)}: ${codes.join(', ') || 'nothing is said'}`, async (t) => {
    t.deepEqual(await codesOf({ condition: written }), codes);
  });

const window = (written: Readonly<Record<string, unknown>>, ...codes: readonly string[]) =>
  test(`window ${JSON.stringify(written)}: ${codes.join(', ') || 'nothing is said'}`, async (t) => {
    t.deepEqual(await codesOf({ window: written }), codes);
  });

// It holds for more than was meant.
condition("productClass = 'HGW' and (softwareVersion = '0.1' or '0.2')", 'constant-operand');
condition("productClass = 'A' or 'B'", 'constant-operand');
condition("model != 'A' or model != 'B'", 'always-true');
condition("$bucket(cpeid,'s') < 200", 'always-true');
condition('now > 1795824000', 'seconds');
condition('lastInform < 1795824000', 'seconds');
condition("now > $toMillis('2026-11-28T00:00:00Z')");

// It never holds, or always fails.
condition("productClass = ['A','B']", 'list-equality');
condition("productClass in ['A','B']");
condition("modelName = 'HGW%'", 'pattern-in-text');
condition("modelName = 'CPE, 50%'");
condition("modelName = 'X*'", 'star-in-text');
condition("ip = '10.*'", 'star-in-text');
condition("ip = '10.0.0.0/8'", 'not-an-address');
condition("ip = '10.0.0'", 'not-an-address');
condition("ip = '10.0.0.1'");
condition("ip = '2001:db8::1'");
condition("softwareVersion in ['1.10.*']", 'star-in-text');
condition("parameters.'Device.DeviceInfo.UpTime' > 1", 'unknown-path');
condition('modelName ~> /^X/', 'no-comparison');
condition("$lowercase(modelName) = 'X1'", 'letter-case');
condition("$uppercase(modelName) in ['x1']", 'letter-case');
condition("$lowercase(modelName) = 'x1'");
condition("$length(modelName) = '9'", 'unlike-types');
condition("$split(softwareVersion,'.')[1] = 10", 'unlike-types');
condition("$split(softwareVersion,'.')[1] = '10'");
condition("$contains(events, '1 BOOT')", 'wrong-arguments');
condition("$contains(modelName,'^X1.*')", 'pattern-in-text');
condition("$contains(modelName,'X1')");
condition("$contains('X1', modelName)", 'wrong-arguments');
condition('$bucket(cpeid) < 5', 'wrong-arguments');
condition("$bucket('s', cpeid) < 5", 'wrong-arguments');
condition("$bucket(cpeid,'s') < 0.05", 'bucket-fraction');
condition("$bucket(cpeid,'s') < 5");
condition('$compareVersions(softwareVersion) < 0', 'wrong-arguments');
condition('$compareVersions(softwareVersion, 2.1) < 0', 'wrong-arguments');
condition("$inSubnet(ip,'10.1.2.3')", 'wrong-arguments');
condition("$inSubnet(ip,'10.0.0/8')", 'wrong-arguments');
condition("$inSubnet('10.0.0.0/8', ip)", 'wrong-arguments');
condition("$inSubnet(ip,'10.0.0.0/8')");
condition("ip ~> $inSubnet('10.0.0.0/8')");
condition("oui = '00a1b2'", 'letter-case');
condition("oui = '00A1B2'");
condition("cpeid = '00a1b2-HGW-1'", 'letter-case');
condition("productClass in 'X1,X2'", 'list-in-text');
condition("productClass in ['X1,X2']", 'list-in-text');
condition("productClass='X1' and productClass='X2'", 'never-true');
condition(
  "$compareVersions(softwareVersion, '3.0') >= 0 and $compareVersions(softwareVersion, '2.0') < 0",
  'never-true',
);
condition('softwareVersion >= 3.0 and softwareVersion < 2.0', 'unlike-types', 'unlike-types');
condition('$substring(softwareVersion, 0, 1) = 2', 'unlike-types');
condition('now - lastInform < 86400', 'seconds');
condition('now - lastInform < 2592000', 'seconds');
condition('now - lastInform < 86400000');
condition('now - lastInform < 60000');
condition({ softwareVersion: '<2.0' }, 'operator-in-text');
condition({ softwareVersion: '2.*' });
condition({ productClass: '!X1' }, 'operator-in-text');
condition({ modelName: '^X1' }, 'pattern-in-text');
condition({ ip: '10.0.0.0/8' }, 'not-an-address');
condition({ ip: '10.*' });
condition({ productClass: 'X1,X2' }, 'list-in-text');
condition({ manufacturer: 'Acme, Inc.' });

// Slips that JSONata understands in another way.
condition('productClass = X1', 'unknown-path');
condition('productClass in [X1, X2]', 'unknown-path', 'unknown-path');
condition('productClass = ‘X1’', 'unknown-path');
condition("productClass = 'X1' and not(oui = '1')", 'unknown-function');

// What nothing sets, and versions in another order than one would think.
condition("productClass = 'X1' and $not('vip' in tags)", 'no-tags');
condition("$compareVersions(softwareVersion, '2.5.0-rc1') < 0", 'version-order');
condition("$compareVersions(softwareVersion, 'v2.0') < 0", 'version-order');
condition("$compareVersions(softwareVersion, '2.0 ') < 0", 'version-order');
condition("$compareVersions(softwareVersion, '2.5.0') < 0");

test('what is said tells what to write instead', async (t) => {
  const said = async (written: unknown): Promise<string> => {
    const bytes = Buffer.from(JSON.stringify(ruleBody({ condition: written, limits: LIMITS })));
    const { findings } = await checkRuleFiles([{ name: 'a.json', bytes }]);
    return findings.find(({ code }) => !BESIDE.has(code))?.message ?? '';
  };
  t.regex(await said("ip = '10.0.0.0/8'"), /write \$inSubnet\(ip, "10\.0\.0\.0\/8"\)$/);
  t.regex(await said("$bucket(cpeid,'s') < 0.05"), /write 5$/);
  t.regex(await said('softwareVersion < 2.1'), /write \$compareVersions\(softwareVersion, "2\.1"\) < 0$/);
  t.regex(await said({ softwareVersion: '<2.0' }), /\$compareVersions\(softwareVersion, "2\.0"\) < 0$/);
  t.regex(await said('productClass = X1'), /did you mean "X1"\?$/);
  t.regex(await said('productClass = ‘X1’'), /^‘ is no quotation mark here/);
  t.regex(await said("not(oui = '1')"), /write \$not\(…\)$/);
  t.regex(await said("productClass in 'X1,X2'"), /write productClass in \["X1", "X2"\]$/);
  t.regex(await said('now > 1795824000'), /\$toMillis\("2026-11-28T00:00:00Z"\)$/);
});

window({ cron: '0 2 13 * 5', durationMinutes: 60 }, 'both-day-fields');
window({ cron: '0 2 1,15 * 1', durationMinutes: 60 }, 'both-day-fields');
window({ cron: '0 2 13 * *', durationMinutes: 60 });
window({ cron: '0 2 * * sat-sun', durationMinutes: 60 });
window({ cron: '0 2 * * *', durationMinutes: 60, timezone: 'Etc/GMT+2' }, 'zone-sign');
window({ cron: '0 2 * * *', durationMinutes: 60, timezone: 'Etc/GMT' });
window({ cron: '0 2 * * *', durationMinutes: 60, timezone: 'EST' }, 'zone-without-summer');
window({ cron: '* 2 * * *', durationMinutes: 120 }, 'window-reopens');
window({ cron: '0,30 2 * * *', durationMinutes: 45 }, 'window-reopens');
window({ cron: '*/30 2 * * *', durationMinutes: 30 });
window({ cron: '0 2 * * *', durationMinutes: 120, timezone: 'Europe/Berlin' });
