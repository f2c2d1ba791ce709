import test from 'ava';
import { ferry, temporaryDirectory } from './support.js';

test('users, their tokens and what was done to them are listed by organization, which stands there only where there is one', async (t) => {
  t.timeout(180_000);
  const dataDir = await temporaryDirectory(t);
  const run = (words: readonly string[]) =>
    ferry([...words, `--data-dir=${dataDir}`], { input: 'correct horse\n' });
  const add = (name: string, ...more: string[]) =>
    run(['user', 'add', name, '--password-stdin', '--role=admin', ...more]);
  t.is((await add('root')).exitCode, 0);
  t.notRegex((await run(['user', 'list'])).stdout, /Organization/);
  t.is((await run(['organization', 'add', 'north'])).exitCode, 0);
  t.is((await add('ann@north', '--organization=north')).stdout, 'Added ann@north (admin of north).\n');
  t.like(await add('bob', '--organization=nowhere'), { exitCode: 1 });
  const refused = await add('bob@north');
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /Names that end in @north are for users of the organization north/);

  t.regex((await run(['user', 'list'])).stdout, /Organization[\s\S]*ann@north\s.*\bnorth\s/);
  const listed = async (words: readonly string[]) =>
    JSON.parse((await run([...words, '--json'])).stdout) as readonly Readonly<Record<string, unknown>>[];
  t.like(await listed(['user', 'list']), [{ name: 'ann@north', organization: 'north' }, { name: 'root' }]);
  t.is((await listed(['user', 'list', '--organization=north'])).length, 1);
  for (const user of ['root', 'ann@north']) await run(['token', 'create', `--user=${user}`, '--name=job']);
  t.is((await listed(['token', 'list'])).length, 2);
  t.like(await listed(['token', 'list', '--organization=north']), [
    { user: 'ann@north', organization: 'north' },
  ]);
  t.regex((await run(['token', 'list'])).stdout, /Organization/);
  t.deepEqual(
    (await listed(['audit', '--organization=north'])).map(({ action, subject }) => `${action} ${subject}`),
    ['added token', 'added user', 'added organization'],
  );
  t.like(await listed(['organization', 'list']), [
    { slug: 'default', users: 0 },
    { slug: 'north', users: 1 },
  ]);
  t.regex((await run(['organization', 'remove', 'north'])).stderr, /one without users/);
  // The installation may leave an organization without an admin.
  t.is((await run(['user', 'remove', 'ann@north'])).exitCode, 0);
  t.is((await run(['organization', 'remove', 'north'])).exitCode, 0);
});
