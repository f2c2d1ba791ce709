import test from 'ava';
import { ferry, temporaryDirectory } from './support.js';

test('the log-in of /sc_cloud is off until a user is given it with his password, and is taken from him alone', async (t) => {
  t.timeout(180_000);
  const dataDir = await temporaryDirectory(t);
  const run = (...words: readonly string[]) =>
    ferry([...words, `--data-dir=${dataDir}`], { input: 'correct horse\n' });
  const mayLogIn = async () => {
    const listed: readonly { readonly name: string; readonly scCloud: boolean }[] = JSON.parse(
      (await run('user', 'list', '--json')).stdout,
    );
    return Object.fromEntries(listed.map(({ name, scCloud }) => [name, scCloud]));
  };
  for (const [name, ...more] of [['ann'], ['bob', '--sc-cloud-login'], ['root', '--role=admin']]) {
    t.is((await run('user', 'add', String(name), '--password-stdin', ...more)).exitCode, 0);
  }
  t.deepEqual(await mayLogIn(), { ann: false, bob: true, root: false });
  t.is((await run('user', 'password', 'ann', '--password-stdin', '--sc-cloud-login')).exitCode, 0);
  t.deepEqual(await mayLogIn(), { ann: true, bob: true, root: false });
  t.is((await run('user', 'sc-cloud-off', 'bob')).stdout, 'bob can log in to /sc_cloud no more.\n');
  t.deepEqual(await mayLogIn(), { ann: true, bob: false, root: false });
  const refused = await run('user', 'sc-cloud-off', 'nobody');
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /There is no user nobody/);
});
