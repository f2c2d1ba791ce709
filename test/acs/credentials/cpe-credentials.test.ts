import test, { type ExecutionContext } from 'ava';
import { CpeCredentials } from '../../../acs/credentials/cpe-credentials.js';
import { CredentialError, problemIn } from '../../../acs/credentials/credential.js';
import type { CpeId } from '../../../common/index.js';
import { BY } from '../../support/actor.js';
import { testSecrets } from '../../support/secrets.js';
import { storeOf } from '../../support/store.js';

const [X, Y] = ['00A1B2-HGW-X' as CpeId, '00A1B2-HGW-Y' as CpeId];

async function open(t: ExecutionContext) {
  let nowMs = 1_000;
  const store = await storeOf(t);
  const credentials = new CpeCredentials({ store, secrets: testSecrets, clock: () => nowMs++ });
  const put = (username: string, password: string, cpeid = X) =>
    credentials.put([{ cpeid, username, password }], BY);
  const right = async (username: string) => (await credentials.rightFor(username))?.passwords ?? null;
  return { store, credentials, put, right };
}

test('credentials that no CPE could send, or that two would share, are refused by the name of the field', (t) => {
  const problem = (more: object) =>
    problemIn({ cpeid: X, username: 'x', password: 'secret', ...more }, 'oui');
  t.is(problem({}), null);
  t.is(problem({ username: 'Ä b@c', password: ' p:"ä ' }), null);
  for (const cpeid of ['00a1b2-HGW-X', '00A1B2C-X', 'A~2DB-X', '00A1B2-H~2DG~20W-S~2F1~7E~C3~A9'])
    t.is(problem({ cpeid }), null, cpeid);
  for (const [more, said] of [
    [{ cpeid: 'X' }, /^cpeid must be OUI-/],
    [{ cpeid: '00A1B2-HGW-X-Y' }, /^cpeid /],
    [{ cpeid: '-HGW-X' }, /^cpeid /],
    [{ cpeid: '00A1B2-HGW-' }, /^cpeid /],
    [{ cpeid: '00A1B2-HGW-~41' }, /^cpeid /],
    [{ cpeid: '00A1B2-HGW-S/1' }, /^cpeid /],
    [{ username: '' }, /^username must not be empty/],
    [{ username: 'a:b' }, /^username must have no colon/],
    [{ username: 'a\u0000' }, /^username must have no control/],
    [{ username: 'ä'.repeat(257) }, /^username must have at most 256/],
    [{ username: '€'.repeat(200) }, /^username must have at most 512 bytes/],
    [{ password: '' }, /^password must not be empty/],
    [{ password: 'a\r\nb' }, /^password must have no control/],
    [{ password: 'secret'.repeat(50) }, /^password must have at most 256/],
  ] as const) {
    t.regex(problem(more) ?? '', said);
    t.notRegex(problem(more) ?? '', /secret/);
  }
  const bySerial = (cpeid: string) =>
    problemIn({ cpeid: cpeid as CpeId, username: 'x', password: 'p' }, 'serial');
  for (const cpeid of ['X', 'S~2F1']) t.is(bySerial(cpeid), null);
  for (const cpeid of ['', X, 'S/1', '~41']) t.regex(bySerial(cpeid) ?? '', /^cpeid must be a serial number/);
});

test('a new password is right beside the one before, until the CPE has used it', async (t) => {
  const { credentials, put, right } = await open(t);
  t.deepEqual(await put('x', 'one'), { stored: 1, unchanged: 0 });
  t.deepEqual(await put('x', 'one'), { stored: 0, unchanged: 1 });
  await credentials.used('x', 'one');
  await put('x', 'two');
  t.deepEqual(await right('x'), ['two', 'one']);
  await credentials.used('x', 'one');
  t.deepEqual(await right('x'), ['two', 'one'], 'the one before proves nothing');
  await put('x', 'three');
  t.deepEqual(await right('x'), ['three', 'one'], 'what the CPE has is kept, not what it never had');
  await credentials.used('x', 'three');
  t.deepEqual(await credentials.rightFor('x'), {
    cpeid: X,
    formerly: [],
    passwords: ['three'],
    isProven: true,
  });
});

test('a new user name is right beside the one before, until the CPE has used it; one that is newer still stays', async (t) => {
  const { credentials, put, right } = await open(t);
  await put('old', 'p');
  await put('other', 'p', Y);
  await put('new', 'q');
  await put('newer', 'r');
  await credentials.used('new', 'q');
  t.deepEqual(
    (await credentials.of(X)).map(({ username, provenMs }) => [username, provenMs !== null]),
    [
      ['newer', false],
      ['new', true],
    ],
  );
  t.is(await right('old'), null);
  t.deepEqual(await right('other'), ['p']);
});

test('a user name is one CPE’s: a batch that gives it to another is refused whole, and says which', async (t) => {
  const { credentials, put, right } = await open(t);
  await put('x', 'p');
  for (const batch of [
    [
      { cpeid: Y, username: 'y', password: 'p' },
      { cpeid: Y, username: 'x', password: 'p' },
    ],
    [
      { cpeid: Y, username: 'y', password: 'p' },
      { cpeid: X, username: 'y', password: 'p' },
    ],
  ]) {
    const error = await t.throwsAsync(credentials.put(batch, BY), { instanceOf: CredentialError });
    t.is(error?.index, 1);
  }
  t.is(await right('y'), null);
});

test('of the same user name twice in a batch the last counts', async (t) => {
  const { credentials, right } = await open(t);
  const login = (password: string) => ({ cpeid: X, username: 'x', password });
  t.deepEqual(await credentials.put([login('a'), login('b')], BY), { stored: 1, unchanged: 1 });
  t.deepEqual(await right('x'), ['b']);
});

test('two that give a CPE passwords at the same time leave one of them, and the CPE’s own', async (t) => {
  const { store, credentials, put, right } = await open(t);
  await put('x', 'own');
  await credentials.used('x', 'own');
  const other = new CpeCredentials({ store, secrets: testSecrets, clock: () => 5_000 });
  await Promise.all([put('x', 'a'), other.put([{ cpeid: X, username: 'x', password: 'b' }], BY)]);
  const [newest = '', ...rest] = (await right('x')) ?? [];
  t.regex(newest, /^[ab]$/);
  t.deepEqual(rest, ['own']);
});

test('what is removed is right no more', async (t) => {
  const { credentials, put, right } = await open(t);
  await put('x', 'p');
  await put('x2', 'p');
  t.is(await credentials.remove(X, BY), 2);
  t.is(await credentials.remove(X, BY), 0);
  t.is(await right('x'), null);
});

test('no password is stored that can be read', async (t) => {
  const { store, put } = await open(t);
  await put('x', 'a very secret one');
  const stored = await store.collection({ name: 'cpe-auth', indexes: { cpeid: ['cpeid'] } }).get('x');
  t.notRegex(JSON.stringify(stored), /secret one/);
});
