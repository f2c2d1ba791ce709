import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { until } from '../support/ferry.js';
import { FerryCommand, ferry, nbi, serve, temporaryDirectory } from './support.js';

test('the first start shows the passwords it made, once, and they work; the next start does not', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const first = await serve(t, dataDir);
  const [, admin = ''] =
    /First user +admin, password (\S+) \(shown this once\)/.exec(first.command.stdout) ?? [];
  const [, cpe = ''] = /CPEs log in as +cpe, password (\S+) /.exec(first.command.stdout) ?? [];
  t.true(admin.length >= 16 && cpe.length >= 16, first.command.stdout);
  t.is((await nbi(first, '/v1/dyn/DeviceStorage/.*', `admin:${admin}`)).status, 404);
  t.is((await nbi(first, '/v1/dyn/DeviceStorage/.*', 'admin:wrong')).status, 401);
  t.false(first.command.stderr.includes(admin) || first.command.stderr.includes(cpe), 'not in the log');
  const shown = JSON.parse((await ferry(['config', '--json', '--secrets', `--data-dir=${dataDir}`])).stdout);
  t.is(shown.cpeAuth, `cpe:${cpe}`);
  first.command.kill('SIGTERM');
  t.like(await first.command.ended, { exitCode: 0 });

  const second = await serve(t, dataDir);
  t.notRegex(second.command.stdout, /password/);
  t.is((await nbi(second, '/v1/dyn/DeviceStorage/.*', `admin:${admin}`)).status, 404);
});

test('a port in use is said so, without a stack, and the password of the first user is not lost to it', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const address = other.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const args = ['serve', `--data-dir=${dataDir}`, '--nbi-listen=127.0.0.1:0', '--file-listen=127.0.0.1:0'];
  const { exitCode, stdout, stderr } = await ferry([...args, `--cwmp-listen=127.0.0.1:${port}`]);
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.regex(
    stderr,
    new RegExp(`ferry: --cwmp-listen 127.0.0.1:${port}: another program listens there; stop it, or`),
  );
  t.notRegex(stderr, /^ +at /m);
  const next = await serve(t, dataDir);
  t.regex(next.command.stdout, /First user +admin, password \S+/);
});

test('a data directory that cannot be is said so, without a stack', async (t) => {
  const file = join(await temporaryDirectory(t), 'file');
  await writeFile(file, '');
  const { exitCode, stderr } = await ferry(['serve', `--data-dir=${file}`]);
  t.is(exitCode, 1);
  t.regex(
    stderr,
    /^ferry: --data-dir \S*file: there is something else than a directory; name a directory\n$/,
  );
});

test('whatever lies in the rule directory, it listens, and SIGTERM ends it', async (t) => {
  t.timeout(120_000);
  const rules = await temporaryDirectory(t);
  execFileSync('mkfifo', [join(rules, 'pipe.json')]);
  await symlink('/dev/zero', join(rules, 'device.json'));
  await mkdir(join(rules, 'directory.json'));
  await symlink('loop.json', join(rules, 'loop.json'));
  const served = await serve(t, await temporaryDirectory(t), [`--rules-dir=${rules}`]);
  t.is((await fetch(`${served.urls.cwmp}/`, { method: 'POST' })).status, 401);
  await served.command.complains('rules.file-broken');
  await rm(join(rules, 'loop.json'));
  await writeFile(
    join(rules, 'a.json'),
    JSON.stringify({ id: 'A', file: 'x.bin', condition: 'productClass = "HGW"' }),
  );
  // With the FIFO there.
  await served.command.complains('rules.files-applied');
  served.command.kill('SIGTERM');
  t.like(await served.command.ended, { exitCode: 0 });
});

for (const workers of [1, 2]) {
  test(`SIGHUP ends no server of ${workers} but has it look at its rule files; SIGTERM still stops it in peace`, async (t) => {
    const rulesDir = await temporaryDirectory(t);
    const served = await serve(t, await temporaryDirectory(t), [
      `--rules-dir=${rulesDir}`,
      `--workers=${workers}`,
    ]);
    await writeFile(join(rulesDir, 'a.json'), JSON.stringify(RULE));
    served.command.kill('SIGHUP');
    await served.command.complains('ferry.reloading');
    await served.command.complains('rules.files-applied');
    served.command.kill('SIGHUP');
    served.command.kill('SIGTERM');
    t.like(await served.command.ended, { exitCode: 0, signal: null });
    t.regex(served.command.stderr, /ferry\.stopping .*SIGTERM[\s\S]*ferry\.stopped/);
  });
}

test('the log of a first start says what has happened, and not how its store is made', async (t) => {
  const served = await serve(t, await temporaryDirectory(t));
  await served.command.complains('ferry.started');
  t.deepEqual(served.command.stderr.match(/(?<= (?:info|warn|error) +)[a-z]+\.\S+/g), [
    'cpe.identity-not-proven',
    'users.added',
    'ferry.started',
  ]);
});

test('SIGTERM ends it within seconds, whatever connections and sessions are open', async (t) => {
  const served = await serve(t, await temporaryDirectory(t), ['--allow-anonymous-cpe']);
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  for (const url of [`${served.urls.nbi}/healthz`, `${served.urls.files}/`]) {
    const [response] = await once(http.get(url, { agent }), 'response');
    response.resume();
    await once(response, 'end');
  }
  // A CPE that was answered and says nothing more, and one that stops in the middle of its request.
  const inform = http.request(`${served.urls.cwmp}/`, { method: 'POST', agent });
  inform.end(INFORM);
  const [answer] = await once(inform, 'response');
  t.is(answer.statusCode, 200);
  answer.resume();
  await once(answer, 'end');
  const half = net.connect(Number(new URL(served.urls.cwmp).port), '127.0.0.1');
  half.on('error', () => {});
  t.teardown(() => half.destroy());
  half.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<soap`);
  served.command.kill('SIGTERM');
  // Within a few seconds, as the sessions' own 30 s would show: the poll gives up before.
  let end: { exitCode: number | null } | null = null;
  void served.command.ended.then((ended) => {
    end = ended;
  });
  await until('the server has ended', () => end, 12_000);
  t.like(end, { exitCode: 0 });
  t.regex(served.command.stderr, /ferry\.stopped/);
});

const INFORM = `<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:enc="http://schemas.xmlsoap.org/soap/encoding/"
 xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="urn:dslforum-org:cwmp-1-0">
<soap:Header><cwmp:ID soap:mustUnderstand="1">1</cwmp:ID></soap:Header><soap:Body><cwmp:Inform>
<DeviceId><Manufacturer>A</Manufacturer><OUI>00A1B2</OUI><ProductClass>HGW</ProductClass><SerialNumber>1</SerialNumber></DeviceId>
<Event enc:arrayType="cwmp:EventStruct[1]"><EventStruct><EventCode>2 PERIODIC</EventCode><CommandKey></CommandKey></EventStruct></Event>
<MaxEnvelopes>1</MaxEnvelopes><CurrentTime>2025-01-01T00:00:00Z</CurrentTime><RetryCount>0</RetryCount>
<ParameterList enc:arrayType="cwmp:ParameterValueStruct[1]"><ParameterValueStruct><Name>Device.DeviceInfo.SoftwareVersion</Name>
<Value xsi:type="xsd:string">1.0.0</Value></ParameterValueStruct></ParameterList></cwmp:Inform></soap:Body></soap:Envelope>`;

test('a log that nobody reads any more does not end the server', async (t) => {
  const served = await serve(t, await temporaryDirectory(t), [], {
    environment: { FERRY_ADMIN_PASSWORD: 'a long password' },
  });
  served.command.closeOutput();
  for (let attempt = 0; attempt < 3; attempt++) {
    t.is((await nbi(served, '/v1/dyn/DeviceStorage/.*', 'admin:wrong')).status, 401);
  }
  t.is((await nbi(served, '/healthz', null)).status, 200);
});

const RULE = {
  id: 'r1',
  enabled: true,
  automatic: true,
  file: 'a.bin',
  condition: { cpeid: 'X' },
  executions: 1,
  priority: 1,
};

test('rule files are loaded; a broken one is named with line and column, changes nothing, and health says so', async (t) => {
  const rulesDir = join(await temporaryDirectory(t), 'rules.d');
  await mkdir(rulesDir);
  await writeFile(join(rulesDir, 'good.json'), JSON.stringify(RULE));
  const served = await serve(t, await temporaryDirectory(t), [`--rules-dir=${rulesDir}`], {
    environment: { FERRY_ADMIN_PASSWORD: 'a long password' },
  });
  const rules = async () =>
    JSON.stringify((await nbi(served, '/v1/dyn/FirmwareStorage/.*', 'admin:a long password')).body);
  const health = async () => {
    const { status, body } = await nbi(served, '/healthz', null);
    return `${status} ${(body as { parts: { ruleFiles: string } }).parts.ruleFiles}`;
  };
  t.regex(await rules(), /"r1"/);
  t.is(await health(), '200 ok');

  await writeFile(join(rulesDir, 'good.json'), JSON.stringify({ ...RULE, priority: 2 }));
  await until('the change is applied', async () => /"priority":2/.test(await rules()));

  await writeFile(join(rulesDir, 'bad.json'), '{\n  "id": "r2",\n  "prority": 1\n');
  await until('health says so', async () => (await health()) === '200 degraded');
  t.regex(served.command.stderr, /error rules\.file-broken .*file=bad\.json .*line=\d+ column=\d+/);
  t.regex(await rules(), /"priority":2/);
  t.notRegex(await rules(), /"r2"/);

  await rm(join(rulesDir, 'bad.json'));
  await until('health is well again', async () => (await health()) === '200 ok');
});

test('the configuration printed as JSON is taken by --config; secrets are left out, or there on demand', async (t) => {
  const directory = await temporaryDirectory(t);
  const flags = [
    '--cpe-auth=home:hunter2',
    '--admin-password=hunter33',
    '--trusted-proxy=192.0.2.1',
    '--trusted-proxy=10.0.0.0/8',
    '--no-allow-anonymous-cpe',
    '--result-days=7',
  ];
  const options = { cwd: directory, environment: { FERRY_SESSION_IDLE_SECONDS: '45' } };
  const hidden = await ferry(['config', '--json', ...flags], options);
  t.false(`${hidden.stdout}${hidden.stderr}`.includes('hunter'));
  t.is(hidden.stderr, 'Left out as secret: cpeAuth, adminPassword; --secrets prints them.\n');
  const shown = await ferry(['config', '--json', '--secrets', ...flags], options);
  t.like(JSON.parse(shown.stdout), {
    cpeAuth: 'home:hunter2',
    adminPassword: 'hunter33',
    sessionIdleSeconds: 45,
  });
  await writeFile(join(directory, 'ferry.json'), shown.stdout);
  const again = await ferry(['config', '--json', '--secrets', '--config=ferry.json'], { cwd: directory });
  t.deepEqual(JSON.parse(again.stdout), JSON.parse(shown.stdout));
  await writeFile(join(directory, 'hidden.json'), hidden.stdout);
  t.is((await ferry(['config', '--config=hidden.json'], { cwd: directory })).exitCode, 0);

  const table = await ferry(['config', ...flags], options);
  t.regex(table.stdout, /│ --cpe-auth +│ \*{8} +│/);
  t.false(table.stdout.includes('hunter'));
  for (const line of table.stdout.split('\n')) t.true(line.length <= 100);
  t.deepEqual((await readdir(directory)).sort(), ['ferry.json', 'hidden.json'], 'nothing but these was made');
});

test('a command whose reader goes away ends in peace, one whose file is full does not', async (t) => {
  const cwd = await temporaryDirectory(t);
  const command = new FerryCommand(['config', '--json'], { cwd });
  command.closeOutput();
  t.like(await command.ended, { exitCode: 0 });

  const full = await open('/dev/full', 'w').catch(() => null);
  if (full === null) return;
  t.teardown(() => full.close());
  const { exitCode, stderr } = await ferry(['config', '--json'], { cwd, outputTo: full.fd });
  t.is(exitCode, 1);
  t.regex(stderr, /^ferry: standard output: ENOSPC: no space left on device, write\n$/);
});
