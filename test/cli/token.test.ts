import test, { type ExecutionContext } from 'ava';
import { ferry, serve, temporaryDirectory } from './support.js';

async function installation(t: ExecutionContext) {
  const dataDir = await temporaryDirectory(t);
  const run = async (words: readonly string[], input = '') => {
    const { exitCode, stdout, stderr } = await ferry([...words, `--data-dir=${dataDir}`], { input });
    return { exitCode, stdout, stderr };
  };
  const added = await run(['user', 'add', 'oss', '--role=operator', '--password-stdin'], 'correct horse\n');
  t.is(added.exitCode, 0, added.stderr);
  return { dataDir, run };
}

test('a token is made, shown once, lists without its secret part, and is revoked, beside a running server', async (t) => {
  const { dataDir, run } = await installation(t);
  const made = await run([
    'token',
    'create',
    '--user=oss',
    '--name=nightly job',
    '--role=viewer',
    '--days=30',
  ]);
  t.regex(
    made.stdout,
    /^Made token [0-9a-f]{20} of oss \(viewer, until .*Z\)\.\nToken: ferry_\S+ \(shown this once\)\n$/,
  );
  const [, id = '', text = ''] = /token (\w+) .*Token: (\S+)/s.exec(made.stdout) ?? [];
  const { urls } = await serve(t, dataDir);
  const status = async () =>
    (await fetch(`${urls.nbi}/v1/images`, { headers: { Authorization: `Bearer ${text}` } })).status;
  t.is(await status(), 200);
  const listed = await run(['token', 'list']);
  t.true(listed.stdout.includes(id) && listed.stdout.includes('nightly job'));
  t.false(listed.stdout.includes(text.slice(-43)));
  t.like(JSON.parse((await run(['token', 'list', '--user=oss', '--json'])).stdout), [
    { id, name: 'nightly job', user: 'oss', role: 'viewer', subnets: [] },
  ]);
  t.deepEqual(JSON.parse((await run(['token', 'list', '--user=nobody', '--json'])).stdout), []);
  await run(['user', 'deactivate', 'oss']);
  t.is(await status(), 401);
  await run(['user', 'activate', 'oss']);
  t.is(await status(), 200);
  t.is((await run(['token', 'revoke', id])).stdout, `Revoked ${id}.\n`);
  t.is(await status(), 401);
  t.like(await run(['token', 'revoke', id]), { exitCode: 1 });
});

test('a token is made as JSON, from subnets alone, and refused where it cannot be', async (t) => {
  const { run } = await installation(t);
  const create = (...words: readonly string[]) =>
    run(['token', 'create', '--user=oss', '--name=job', '--json', ...words]);
  const { stdout } = await create('--subnet=192.0.2.0/24', '--subnet=2001:db8::1');
  t.like(JSON.parse(stdout), { user: 'oss', role: 'operator', subnets: ['192.0.2.0/24', '2001:db8::1'] });
  t.regex(JSON.parse(stdout).token, /^ferry_/);
  for (const [words, exitCode, message] of [
    [['--role=admin'], 1, /A token of oss may at most be operator/],
    [['--subnet=here'], 1, /"here" is not a subnet/],
    [['--days=0'], 2, /--days must be a whole number from 1 to 3650/],
    [['--days=3651'], 2, /--days must be a whole number from 1 to 3650/],
    [['--days=1.5'], 2, /--days must be/],
  ] as const) {
    const refused = await create(...words);
    t.is(refused.exitCode, exitCode, words.join(' '));
    t.regex(refused.stderr, message);
  }
  t.like(await run(['token', 'create', '--user=nobody', '--name=job']), { exitCode: 1 });
});

test('a user is given another role, deactivated and activated, but not the last admin', async (t) => {
  const { run } = await installation(t);
  t.is((await run(['user', 'role', 'oss', 'admin'])).stdout, 'oss is admin now.\n');
  for (const words of [
    ['role', 'oss', 'viewer'],
    ['deactivate', 'oss'],
    ['remove', 'oss'],
  ]) {
    const refused = await run(['user', ...words]);
    t.is(refused.exitCode, 1);
    t.regex(refused.stderr, /oss is the last admin who is active: make another user one first/);
  }
  await run(['user', 'add', 'root', '--role=admin', '--password-stdin'], 'correct horse\n');
  t.is((await run(['user', 'deactivate', 'oss'])).stdout, 'oss can log in no more.\n');
  t.like(JSON.parse((await run(['user', 'list', '--json'])).stdout), [
    { name: 'oss', role: 'admin', active: false },
    { name: 'root', role: 'admin', active: true },
  ]);
  t.is((await run(['user', 'activate', 'oss'])).stdout, 'oss may log in again.\n');
  t.like(await run(['user', 'role', 'oss', 'root']), { exitCode: 2 });
  t.like(await run(['user', 'deactivate', 'nobody']), { exitCode: 1 });
});
