import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DEFAULT_ACS_OPTIONS } from '../../acs/index.js';
import {
  ConfigError,
  parseConfig,
  parseCredentials,
  parseFileUrl,
  parseListen,
  workersOf,
} from '../../cli/config.js';
import { readConfig, unknownVariables, variableOf } from '../../cli/config-sources.js';
import { imageTypesOf, upgraderOptionsOf } from '../../cli/firmware-upgrader.js';
import { CONFIG_NAMES, flagOf, OPTIONS } from '../../cli/options.js';
import { NBI_LIMITS, nbiLimits, nbiMemory, UPGRADER_OPTIONS } from '../../nbi/index.js';
import { FAILED_LOGINS_MAX } from '../../nbi/users/attempts.js';

const MIB = 1024 * 1024;

async function fileOf(t: ExecutionContext, content: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-config-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'ferry.json');
  await writeFile(path, content);
  return path;
}

function refused(given: Readonly<Record<string, unknown>>): string[] {
  try {
    parseConfig(given);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

test('the defaults are a configuration', (t) => {
  const config = parseConfig({});
  for (const name of CONFIG_NAMES) t.deepEqual(config[name], OPTIONS[name].default);
});

test('every option is explained, in a sentence that ends without a full stop', (t) => {
  for (const name of CONFIG_NAMES) {
    t.true(OPTIONS[name].describe.length > 15, name);
    t.notRegex(OPTIONS[name].describe, /\.$/, name);
    t.true(OPTIONS[name].expected.length > 3, name);
  }
});

test('Basic for connection requests is refused beside credentials that CPEs share, by the names that the user wrote', (t) => {
  const given = { connectionRequestBasic: true, connectionRequestAuth: 'fleet:TOPSECRET' };
  const [line = '', ...more] = refused(given);
  t.deepEqual(more, []);
  t.regex(line, /^--connection-request-basic .* beside --connection-request-auth: /);
  t.notRegex(line, /TOPSECRET/);
  const origins = { connectionRequestAuth: 'FERRY_CONNECTION_REQUEST_AUTH' };
  t.throws(() => parseConfig(given, origins), { message: /beside FERRY_CONNECTION_REQUEST_AUTH: / });
  t.deepEqual(refused({ ...given, connectionRequestBasic: false }), []);
  t.deepEqual(refused({ ...given, connectionRequestAuth: '' }), []);
});

test('a flag goes before a variable, a variable before the file, the file before the default', async (t) => {
  const config = await fileOf(t, JSON.stringify({ dataDir: 'file', resultDays: 1, logLevel: 'warn' }));
  const environment = { FERRY_DATA_DIR: 'variable', FERRY_RESULT_DAYS: '2' };
  const read = await readConfig({ config, dataDir: 'flag' }, environment);
  t.like(read, { dataDir: 'flag', resultDays: 2, logLevel: 'warn', logFormat: 'text' });
});

test('the file can be named by a variable, and a flag names another', async (t) => {
  const one = await fileOf(t, '{"resultDays": 1}');
  const other = await fileOf(t, '{"resultDays": 2}');
  t.is((await readConfig({}, { FERRY_CONFIG: one })).resultDays, 1);
  t.is((await readConfig({ config: other }, { FERRY_CONFIG: one })).resultDays, 2);
});

test('a flag that says no beats a variable and a file that say yes', async (t) => {
  const config = await fileOf(t, '{"allowAnonymousCpe": true}');
  const environment = { FERRY_ALLOW_ANONYMOUS_CPE: 'true' };
  t.false((await readConfig({ config, allowAnonymousCpe: false }, environment)).allowAnonymousCpe);
});

test('a variable is read as its option’s type; an empty one counts as not set', async (t) => {
  const read = await readConfig(
    {},
    {
      FERRY_TRUSTED_PROXY: '192.0.2.1, 10.0.0.0/8',
      FERRY_SESSION_IDLE_SECONDS: '45',
      FERRY_ALLOW_ANONYMOUS_CPE: '1',
      FERRY_ADMIN_PASSWORD: '12345678',
      FERRY_DATA_DIR: '',
    },
  );
  t.like(read, {
    trustedProxy: ['192.0.2.1', '10.0.0.0/8'],
    sessionIdleSeconds: 45,
    allowAnonymousCpe: true,
    adminPassword: '12345678',
    dataDir: 'ferry-data',
  });
});

test('each wrong option is named the way it was given, with what it should be', async (t) => {
  const config = await fileOf(t, '{"resultDays": "many", "logLevel": "loud"}');
  const environment = { FERRY_CWMP_LISTEN: 'nowhere', FERRY_IMAGE_MIB_MAX: '1e9' };
  const error = await t.throwsAsync(readConfig({ config, logFormat: 'xml' }, environment), {
    instanceOf: ConfigError,
  });
  t.deepEqual(error?.message.split('\n').sort(), [
    '--log-format must be text or json, not "xml"',
    'FERRY_CWMP_LISTEN must be HOST:PORT, as in 0.0.0.0:7547 or [::]:7547, not "nowhere"',
    'FERRY_IMAGE_MIB_MAX must be a whole number from 1 to 65536, not "1e9"',
    `logLevel in ${config} must be error, warn, info or debug, not "loud"`,
    `resultDays in ${config} must be a whole number from 1 to 10000, not "many"`,
  ]);
});

test('what no listener, subnet, URL, number or credentials can be is refused', (t) => {
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
    dataDir: ['', 1, ['a', 'b'], 'x'.repeat(5_000)],
    cwmpListen: ['7547', '0.0.0.0', '0.0.0.0:99999', '::1:7547', ''],
    trustedProxy: [
      ['1.2.3.4/33'],
      ['::1/129'],
      [':::::'],
      ['host.example'],
      ['0.0.0.0/0'],
      ['::1', '::/0'],
      '1.2.3.4',
    ],
    connectionRequestSubnet: [['10.0.0.0/8', '10.0.0/8']],
    publicFileUrl: [
      ['http://'],
      ['ftp://a/'],
      ['1.2.3.4/99=http://a'],
      ['1.2.3.4=http://a'],
      ['http://u:p@a/'],
      ['http://a/?q'],
      [`http://a/${'x'.repeat(300)}`],
    ],
    cpeAuthScheme: ['Digest', '', 'none'],
    periodicInformSeconds: [0.5, -1, 2 ** 32, Number.NaN, '1'],
    cpeAuth: [
      'user',
      ':password',
      'user:',
      1,
      `${'u'.repeat(257)}:p`,
      `u:${'p'.repeat(257)}`,
      'u:p\n',
      'u\u0085:p',
    ],
    fileAuth: ['user', `${'u'.repeat(400)}:p`],
    connectionRequestAuth: ['user', 'u:p\0'],
    adminPassword: ['short', 'x'.repeat(1_025), 'é'.repeat(600), 12_345_678],
    store: ['mysql://a/b', 'mongodb://', 'mongodb://u:p@ss@a/b', 'mongodb://u:p@ss/w@a/b', 'mongodb://a/b c'],
    allowAnonymousCpe: ['yes', 1],
    workers: [-1, 1.5, 257, 'auto'],
    logLevel: ['trace'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const errors = refused({ [name]: value });
      t.is(errors.length, 1, `${name} ${JSON.stringify(value)}`);
      t.true(errors[0]?.startsWith(`--${flagOf(name)} must be `), errors[0]);
      t.true((errors[0] ?? '').length < 600, errors[0]);
    }
  }
});

test('workers are as many as given, and one for each processor where 0 are', (t) => {
  t.is(workersOf(parseConfig({})), 1);
  t.is(workersOf(parseConfig({ workers: 3 })), 3);
  t.is(workersOf(parseConfig({ workers: 0 })), availableParallelism());
});

test('what they can be is taken', (t) => {
  t.deepEqual(
    refused({
      cwmpListen: '[::1]:0',
      nbiListen: 'localhost:65535',
      trustedProxy: ['192.0.2.1', '2001:db8::/32'],
      publicFileUrl: [
        '10.0.0.0/8=http://10.0.0.5:7567',
        '2001:db8::/32=https://fw.example.net/x',
        'https://fw.example.net',
      ],
      cpeAuth: 'user:pass:word',
      fileAuth: `${'u'.repeat(256)}:${'p'.repeat(256)}`,
      adminPassword: 'eight ch',
      store: 'mongodb://u:p%40ss@a:1,b:2/ferry?replicaSet=x&authMechanismProperties=SERVICE_NAME:a@b',
      periodicInformSeconds: 0,
    }),
    [],
  );
});

test('a message of a CPE may be of 64 KiB to 16 MiB, and of 1 MiB unless told', (t) => {
  t.is(parseConfig({}).informKibMax, 1_024);
  t.deepEqual(refused({ informKibMax: 64 }), []);
  t.deepEqual(refused({ informKibMax: 16_384 }), []);
  for (const informKibMax of [0, 63, 16_385, 1.5, '1024'])
    t.regex(refused({ informKibMax })[0] ?? '', /--inform-kib-max must be a whole number from 64 to 16384/);
});

test('each listener has a number of connections, of which the northbound one needs two', (t) => {
  t.like(parseConfig({}), {
    cwmpConnectionsMax: 50_000,
    nbiConnectionsMax: 1_000,
    fileConnectionsMax: 12_000,
  });
  t.deepEqual(refused({ cwmpConnectionsMax: 1, nbiConnectionsMax: 2, fileConnectionsMax: 1_000_000 }), []);
  t.regex(
    refused({ nbiConnectionsMax: 1 })[0] ?? '',
    /--nbi-connections-max must be a whole number from 2 to 1000000/,
  );
});

test('what one user may have under way is 200 requests, 4 lists and 4 downloads unless told; all together may have a multiple of it', (t) => {
  const config = parseConfig({});
  const { nbiUserRequestsMax, nbiUserListsMax, nbiUserDownloadsMax } = config;
  t.deepEqual(nbiLimits(nbiUserRequestsMax, nbiUserListsMax, nbiUserDownloadsMax), NBI_LIMITS);
  t.like(nbiLimits(10, 100, 3), {
    downloadsAtATime: 12,
    downloadsPerUserMax: 3,
    requestsMax: 50,
    requestsPerClientMax: 10,
    listsAtATime: 400,
    listsPerUserMax: 100,
  });
  t.deepEqual(refused({ nbiUserRequestsMax: 10, nbiUserListsMax: 1 }), []);
  t.regex(
    refused({ nbiUserRequestsMax: 9 })[0] ?? '',
    /--nbi-user-requests-max must be a whole number from 10 to 2000/,
  );
  t.regex(
    refused({ nbiUserListsMax: 0 })[0] ?? '',
    /--nbi-user-lists-max must be a whole number from 1 to 100/,
  );
  t.regex(
    refused({ nbiUserDownloadsMax: 0 })[0] ?? '',
    /--nbi-user-downloads-max must be a whole number from 1 to 1000/,
  );
});

test('ten wrong passwords a minute are allowed from one address for one user unless told, and at least one', (t) => {
  t.is(parseConfig({}).nbiFailedLoginsMax, FAILED_LOGINS_MAX);
  t.deepEqual(refused({ nbiFailedLoginsMax: 1_000 }), []);
  t.regex(
    refused({ nbiFailedLoginsMax: 0 })[0] ?? '',
    /--nbi-failed-logins-max must be a whole number from 1 to 1000/,
  );
});

test('what may be under way in memory has a bound in all, of which one user has a share', (t) => {
  const config = parseConfig({});
  t.like(nbiMemory(config.nbiBodiesMibMax * MIB, config.nbiUnreadMibMax * MIB), {
    bodiesBytesMax: NBI_LIMITS.bodiesBytesMax,
    bodiesBytesPerClientMax: NBI_LIMITS.bodiesBytesPerClientMax,
    unreadBytesMax: NBI_LIMITS.unreadBytesMax,
    unreadBytesPerClientMax: NBI_LIMITS.unreadBytesPerClientMax,
  });
  t.like(DEFAULT_ACS_OPTIONS, {
    requestsMax: config.cwmpRequestsMax,
    bodiesBytesMax: config.cwmpBodiesMibMax * MIB,
  });
  // The largest message of a CPE, and the largest body of one user, must always have room.
  t.deepEqual(refused({ cwmpBodiesMibMax: 16, informKibMax: 16_384, cwmpRequestsMax: 1 }), []);
  t.true(nbiMemory(32 * MIB, 4 * MIB).bodiesBytesPerClientMax >= NBI_LIMITS.bodyBytesMax);
  for (const [tooLittle, says] of [
    [{ cwmpBodiesMibMax: 15 }, /--cwmp-bodies-mib-max must be a whole number from 16 to 65536/],
    [{ cwmpRequestsMax: 0 }, /--cwmp-requests-max must be a whole number from 1 to 100000/],
    [{ nbiBodiesMibMax: 31 }, /--nbi-bodies-mib-max must be a whole number from 32 to 65536/],
    [{ nbiUnreadMibMax: 3 }, /--nbi-unread-mib-max must be a whole number from 4 to 65536/],
  ] as const) {
    t.regex(refused(tooLittle)[0] ?? '', says);
  }
});

test('an error never shows a secret', (t) => {
  for (const name of CONFIG_NAMES.filter((option) => OPTIONS[option].secret)) {
    const errors = refused({ [name]: ['hunter2'] });
    t.is(errors.length, 1);
    t.false(errors[0]?.includes('hunter2'), errors[0]);
  }
});

test('a file that is none is refused with the path and the reason', async (t) => {
  const said = async (content: string) => {
    const config = await fileOf(t, content);
    const error = await t.throwsAsync(readConfig({ config }, {}), { instanceOf: ConfigError });
    t.true(error?.message.startsWith(`--config ${config}: `), error?.message);
    return error?.message ?? '';
  };
  t.regex(await said('{"dataDir": '), /: is no JSON \(line 1, column 13: it ends where a value is due; /);
  t.regex(await said('{\n  "cpeAuth": "cpe:TOPSECRET" x\n}'), /: is no JSON \(line 2, column 30: [^)]+\)$/);
  t.regex(await said('{ // TOPSECRET\n}'), /: is no JSON \(line 1, column 3: there are no comments in it; /);
  t.regex(await said('["dataDir"]'), /must be a JSON object/);
  t.regex(
    await said('{"dataDri": "x", "zzz": 1}'),
    /there is no option dataDri \(did you mean dataDir\?\), zzz; /,
  );
  t.regex(await said(`{"dataDir": "${'x'.repeat(2 * 1024 * 1024)}"}`), /more than 1048576 bytes/);
  await t.throwsAsync(readConfig({ config: '/nowhere/ferry.json' }, {}), {
    message: /--config \/nowhere.*ENOENT/,
  });
});

test('a FERRY_ variable that is no option is told of, with the one that was meant', (t) => {
  t.is(unknownVariables({ FERRY_DATA_DIR: 'x', FERRY_CONFIG: 'y', HOME: 'z' }), null);
  const said = unknownVariables({ FERRY_CWMP_LISTN: 'x', FERRY_SERVICE_HOST: 'y', FERRY: 'z' });
  t.is(
    said,
    'ignored, as no option is called so: FERRY_CWMP_LISTN (did you mean FERRY_CWMP_LISTEN?), FERRY_SERVICE_HOST',
  );
});

test('names are what one writes', (t) => {
  t.is(flagOf('connectionRequestSubnet'), 'connection-request-subnet');
  t.is(variableOf('imageMibMax'), 'FERRY_IMAGE_MIB_MAX');
  t.deepEqual(parseListen('[::1]:7547'), { host: '::1', port: 7547 });
  t.deepEqual(parseCredentials('user:pass:word'), { username: 'user', password: 'pass:word' });
  t.is(parseCredentials(''), null);
  t.deepEqual(parseFileUrl('10.0.0.0/8=http://a/b=c'), { subnet: '10.0.0.0/8', url: 'http://a/b=c' });
  t.deepEqual(parseFileUrl('http://a/b=http://c'), { subnet: null, url: 'http://a/b=http://c' });
});

test('types of images are written as a name, a label and models; what is none is refused', (t) => {
  const own = 'hgw-9000.bin | HGW 9000 | HGW-9000; HGW-9000B';
  const types = imageTypesOf(parseConfig({ firmwareUpgraderType: [own] }));
  t.is(types.all.length, 93);
  t.like(types.all[0], { type: 'hgw-9000.bin', label: 'HGW 9000', boards: ['HGW-9000', 'HGW-9000B'] });
  t.is(types.ofBoard('HGW-9000B')?.type, 'hgw-9000.bin');
  t.is(imageTypesOf(parseConfig({ firmwareUpgraderVersion: '1.2' })).all.length, 78);
  for (const wrong of ['', 'hgw-9000.bin', 'a | b', 'a | b | ', 'a | b | c | d', ` | b | c`, 'a\nb | b | c'])
    t.regex(
      refused({ firmwareUpgraderType: [wrong] })[0] ?? '',
      /--firmware-upgrader-type must be types of images as in "hgw-9000\.bin/,
      wrong,
    );
  t.regex(
    refused({ firmwareUpgraderVersion: '1.4' })[0] ?? '',
    /--firmware-upgrader-version must be 1\.2 or 1\.3/,
  );
});

test('the firmware upgrader is bounded as its reference is, unless told', (t) => {
  const { types: _, ...bounds } = upgraderOptionsOf(parseConfig({}));
  const { types: __, ...reference } = UPGRADER_OPTIONS;
  t.deepEqual(bounds, reference);
  t.like(upgraderOptionsOf(parseConfig({ firmwareUpgraderTokensMax: 0, firmwareUpgraderImageMibMax: 2 })), {
    tokenRequestsPerDayMax: 0,
    imageBytesMax: 2 * 1024 * 1024,
  });
});
