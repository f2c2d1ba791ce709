import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ferry, temporaryDirectory } from './support.js';

async function installation(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'data');
  const cpeAuth = (args: readonly string[], input = '') =>
    ferry(['cpe-auth', ...args, `--data-dir=${dataDir}`], { input });
  return {
    cpeAuth,
    async importing(text: string, ...more: readonly string[]) {
      const file = join(directory, 'cpes');
      await writeFile(file, text);
      return cpeAuth(['import', file, ...more]);
    },
    async namesOf(cpeid: string): Promise<readonly string[]> {
      const { stdout } = await cpeAuth(['show', cpeid, '--json']);
      return JSON.parse(stdout).map(({ username }: { username: string }) => username);
    },
  };
}

test('credentials come from CSV and NDJSON as spreadsheets and scripts write them', async (t) => {
  const { importing, namesOf } = await installation(t);
  const csv = '\uFEFFCPEID,Password,Username\r\n00A1B2-HGW-1,"a,""b",one\r\n\r\n00A1B2-HGW-2,ä,\r\n';
  t.is((await importing(csv)).stdout, 'Stored the credentials of 2 lines; 0 were there already.\n');
  t.deepEqual(await namesOf('00A1B2-HGW-1'), ['one']);
  t.deepEqual(await namesOf('00A1B2-HGW-2'), ['00A1B2-HGW-2']);
  const json =
    '{"cpeid":"00A1B2-HGW-1","username":"one","password":"a,\\"b"}\n\n{"cpeid":"00A1B2-HGW-3","password":"c"}';
  t.is((await importing(json)).stdout, 'Stored the credentials of 1 line; 1 were there already.\n');
  t.deepEqual(await namesOf('00A1B2-HGW-3'), ['00A1B2-HGW-3']);
});

test('before a server has started it is said by what CPEs are told apart, and settled with the first credentials', async (t) => {
  const { cpeAuth, importing, namesOf } = await installation(t);
  const csv = 'cpeid,password\nSN1,p\n';
  const { exitCode, stderr } = await importing(csv);
  t.is(exitCode, 1);
  t.regex(
    stderr,
    /line 2: cpeid must be OUI-ProductClass-SerialNumber, .*where the server will be started with --cpeid serial, say so here too/,
  );
  t.is((await importing(csv, '--cpeid=serial', '--dry-run')).exitCode, 0);
  t.is(
    (await importing(csv, '--cpeid=serial')).stdout,
    'Stored the credentials of 1 line; 0 were there already.\n',
  );
  t.deepEqual(await namesOf('SN1'), ['SN1']);
  // From then on it is known.
  t.is((await cpeAuth(['set', 'SN2', '--password-stdin'], 'secret')).exitCode, 0);
  t.regex(
    (await importing('cpeid,password\n00A1B2-HGW-1,p\n')).stderr,
    /line 2: cpeid must be a serial number/,
  );
  const other = await installation(t);
  await other.importing('cpeid,password\n00A1B2-HGW-1,p\n');
  t.regex(
    (await other.importing(csv, '--cpeid=serial')).stderr,
    /told apart by OUI.* start it with --cpeid oui/,
  );
});

test('quotes around values that need none say nothing', async (t) => {
  const { importing, namesOf } = await installation(t);
  const values = ['00A1B2-HGW-1', ' one ', "p'q "];
  const quoted = values.map((value) => `"${value}"`).join(',');
  await importing(`cpeid,username,password\n${values.join(',')}\n`);
  t.is(
    (await importing(`cpeid,username,password\n${quoted}\n`)).stdout,
    'Stored the credentials of 0 lines; 1 were there already.\n',
  );
  t.deepEqual(await namesOf('00A1B2-HGW-1'), [' one ']);
  for (const line of ['00A1B2-HGW-2,\rtwo,p', '00A1B2-HGW-2,"\rtwo",p'])
    t.regex(
      (await importing(`cpeid,username,password\n${line}\n`)).stderr,
      /line 2: username must have no control characters/,
    );
});

test('a damaged line is named, without what it holds, and nothing of its file is stored', async (t) => {
  const { importing, namesOf } = await installation(t);
  const good = '00A1B2-HGW-1,one,secret\n';
  for (const [text, says] of [
    [`cpeid,username,password\n${good}00A1B2-HGW-2,two\n`, 'line 3: has not the 3 fields'],
    [`cpeid,username,password\n${good}00A1B2-HGW-2,two,"secret\n`, 'line 3: '],
    [`cpeid,username,password\n${good}00A1B2-HGW-2,tw:o,secret\n`, 'line 3: username must have no colon'],
    [`cpeid,username,password\n${good}00A1B2-HGW-2,tw"o",secret\n`, 'line 3: has quotes that do not match'],
    [`cpeid,username,password\n${good}00A1B2-HGW-2,"two"o,secret\n`, 'line 3: has quotes that do not match'],
    [`cpeid,username,password\n${good}HGW,two,secret\n`, 'line 3: cpeid must be'],
    [`cpeid,name,password\n${good}`, 'line 1: has a field that is none: cpeid, username, password'],
    [`cpeid,username\n00A1B2-HGW-1,one\n`, 'line 2: password must not be empty'],
    ['{"cpeid":"00A1B2-HGW-1","password":"secret"}\n{"cpeid":"secret"\n', 'line 2: is no JSON'],
    ['{"cpeid":"00A1B2-HGW-1","password":"secret"}\n["secret"]\n', 'line 2: is no object'],
    ['{"cpeid":"00A1B2-HGW-1","password":7}\n', 'line 1: must hold texts only'],
    [`{"cpeid":"00A1B2-HGW-1","password":"${'secret'.repeat(3_000)}"}`, 'line 1: '],
  ] as const) {
    const { exitCode, stdout, stderr } = await importing(text);
    t.is(exitCode, 1, text);
    t.true(stderr.includes(says), stderr);
    t.notRegex(stderr, /secret|^ +at /m);
    t.is(stdout, '');
  }
  t.deepEqual(await namesOf('00A1B2-HGW-1'), []);
});

test('a line whose user name is another CPE’s is named; nothing of its batch is stored', async (t) => {
  const { cpeAuth, importing, namesOf } = await installation(t);
  await cpeAuth(['set', '00A1B2-HGW-9', '--username=nine', '--password-stdin'], 'p\n');
  const { exitCode, stderr } = await importing(
    'cpeid,username,password\n00A1B2-HGW-1,one,p\n00A1B2-HGW-2,nine,p\n',
  );
  t.is(exitCode, 1);
  t.regex(stderr, /line 3: username is that of 00A1B2-HGW-9 already\. 0 lines before it are stored; mend it/);
  t.deepEqual(await namesOf('00A1B2-HGW-1'), []);
});

test('a text whose lines end with a carriage return alone is read all the same', async (t) => {
  const { importing, namesOf } = await installation(t);
  await importing('username,cpeid,password\r,00A1B2-HGW-1,"p"\r"two",00A1B2-HGW-2,"p,"""\r');
  t.deepEqual(await namesOf('00A1B2-HGW-1'), ['00A1B2-HGW-1']);
  t.deepEqual(await namesOf('00A1B2-HGW-2'), ['two']);
});

test('lines are counted as an editor counts them, however many come before and however far apart', async (t) => {
  const { importing, namesOf } = await installation(t);
  // More than a batch of them.
  const many = Array.from({ length: 1_500 }, (_, at) => at);
  const damaged = '00A1B2-HGW-D';
  const csv = (rest: string) =>
    `cpeid,username,password\r\n${many.map((at) => `00A1B2-HGW-${at},"u\\${at}",p\r\n\r\n`).join('')}${rest}`;
  const json = (rest: string) =>
    `${many.map((at) => `{"cpeid":"00A1B2-HGW-${at}","password":"p"}\n\n`).join('')}${rest}`;
  for (const [text, says] of [
    [csv(`${damaged},a:b,p\r\n`), 'line 3002: username must have no colon'],
    [csv(`${damaged},a\r\n`), 'line 3002: has not the 3 fields'],
    [
      json(`{"cpeid":"${damaged}","username":"a:b","password":"p"}`),
      'line 3001: username must have no colon',
    ],
    [json(`{"cpeid":"${damaged}",}\n`), 'line 3001: is no JSON'],
  ] as const) {
    const { exitCode, stderr } = await importing(text);
    t.is(exitCode, 1);
    t.true(stderr.includes(says), stderr);
  }
  t.deepEqual(await namesOf('00A1B2-HGW-0'), [], 'nothing of a file with a damaged line');
  // Whose a user name is shows only where it is stored: what came in batches before stays.
  const { stderr } = await importing(csv(`${damaged},u\\7,p\r\n`));
  t.regex(stderr, /line 3002: username is that of 00A1B2-HGW-7 already\. 1000 lines before it are stored/);
  t.deepEqual(await namesOf('00A1B2-HGW-999'), ['u\\999']);
  t.deepEqual(await namesOf('00A1B2-HGW-1000'), []);
});

test('a dry run stores nothing', async (t) => {
  const { importing, namesOf } = await installation(t);
  const { stdout } = await importing('cpeid,password\n00A1B2-HGW-1,p\n', '--dry-run');
  t.is(stdout, '1 line, and nothing is wrong with them. Nothing was stored.\n');
  t.deepEqual(await namesOf('00A1B2-HGW-1'), []);
});

test('credentials of one CPE are set, shown without the password, and removed', async (t) => {
  const { cpeAuth } = await installation(t);
  const made = await cpeAuth(['set', '00A1B2-HGW-1']);
  const [, password = ''] = /^Password: (\S{20,}) \(shown this once\)$/m.exec(made.stdout) ?? [];
  t.not(password, '');
  const { stdout } = await cpeAuth(['show', '00A1B2-HGW-1']);
  t.regex(stdout, /│ 00A1B2-HGW-1 │ \S+Z │ not yet +│/);
  t.false(stdout.includes(password));
  t.is((await cpeAuth(['remove', '00A1B2-HGW-1'])).stdout, 'Removed the credentials of 00A1B2-HGW-1.\n');
  for (const gone of ['show', 'remove']) {
    const { exitCode, stderr } = await cpeAuth([gone, '00A1B2-HGW-1']);
    t.is(exitCode, 1);
    t.is(stderr, 'ferry: 00A1B2-HGW-1 has no credentials of its own.\n');
  }
  const wrong = await cpeAuth(['set', 'HGW', '--password-stdin'], 'p\n');
  t.regex(wrong.stderr, /^ferry: cpeid must be OUI-ProductClass-SerialNumber/);
});
