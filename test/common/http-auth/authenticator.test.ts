import test from 'ava';
import fc from 'fast-check';
import { readChallenges } from '../../../acs/connection-request/challenge.js';
import { authorize } from '../../../acs/connection-request/digest.js';
import {
  type AuthScheme,
  createSecrets,
  type DigestAlgorithm,
  digestResponse,
  digestSecret,
  HttpAuthenticator,
  NONCE_MS_MAX,
  type NonceLaw,
  Nonces,
  SpentNonces,
} from '../../../common/index.js';

const secrets = createSecrets(Buffer.alloc(32, 1));
const START_MS = 1_700_000_000_000;
const CREDENTIALS = { username: 'cpe', password: 's3cret' };

function authenticator(
  options: {
    readonly credentials?: { readonly username: string; readonly password: string };
    readonly schemes?: readonly AuthScheme[];
    readonly clock?: () => number;
    readonly law?: NonceLaw;
    readonly purpose?: string;
  } = {},
) {
  const { clock = () => START_MS, law = 'each-count', purpose = 'p' } = options;
  return new HttpAuthenticator({
    credentials: options.credentials ?? CREDENTIALS,
    realm: 'r',
    schemes: options.schemes ?? ['digest', 'basic'],
    nonces: new Nonces({ secrets, purpose, clock }),
    spent: new SpentNonces(law, clock),
  });
}

function nonceOf(challenges: readonly string[]): string {
  return /nonce="([^"]+)"/.exec(challenges[0] ?? '')?.[1] ?? '';
}

/** An answer by hand. */
function answer(
  nonce: string,
  said: {
    readonly algorithm?: DigestAlgorithm;
    readonly nc?: string | null;
    readonly uri?: string;
    readonly method?: string;
    readonly password?: string;
    readonly username?: string;
  } = {},
): string {
  const { algorithm = 'MD5', nc = '00000001', uri = '/', method = 'POST' } = said;
  const known = {
    ...CREDENTIALS,
    ...(said.password !== undefined && { password: said.password }),
    realm: 'r',
  };
  const qop = nc === null ? null : { name: 'auth', nc, cnonce: 'c' };
  const response = digestResponse(algorithm, digestSecret(algorithm, known), { method, uri, nonce, qop });
  const counted = nc === null ? '' : `, qop=auth, nc=${nc}, cnonce="c"`;
  const username = said.username ?? CREDENTIALS.username;
  return `Digest username="${username}", realm="r", nonce="${nonce}", uri="${uri}", algorithm=${algorithm}, response="${response}"${counted}`;
}

const request = (authorization?: string, url = '/', method = 'POST') => ({
  method,
  url,
  headers: authorization === undefined ? {} : { authorization },
});

test('both schemes are asked for a line each, Digest first and MD5 first of that, with one nonce', (t) => {
  const challenges = authenticator().challenges(false);
  const nonce = nonceOf(challenges);
  t.deepEqual(challenges, [
    `Digest realm="r", algorithm=MD5, qop="auth", nonce="${nonce}"`,
    `Digest realm="r", algorithm=SHA-256, qop="auth", nonce="${nonce}"`,
    'Basic realm="r"',
  ]);
  t.deepEqual(authenticator({ schemes: ['basic'] }).challenges(true), ['Basic realm="r"']);
  const stale = authenticator({ schemes: ['digest'] }).challenges(true);
  t.is(stale.length, 2);
  for (const challenge of stale) t.regex(challenge, /, stale=true$/);
});

test('what the client of connection requests answers is right, by either algorithm and whatever user and password', (t) => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((s) => !/\p{Cc}/u.test(s));
  const username = text.filter((name) => !name.includes(':'));
  fc.assert(
    fc.property(
      username,
      text,
      text,
      fc.constantFrom(0, 1),
      fc.constantFrom('/', '/a?b=c'),
      (name, password, other, which, target) => {
        const credentials = { username: name, password };
        const http = authenticator({ credentials });
        const header = http.challenges(false)[which] ?? '';
        const [challenge] = readChallenges([header]).possible;
        if (challenge === undefined) return false;
        const asked = { method: 'POST', target };
        const right = request(authorize(challenge, credentials, asked), target);
        const wrong = request(authorize(challenge, { username: name, password: other }, asked), target);
        const isOther = other !== password;
        return (
          http.check(right).kind === 'right' &&
          http.check(right).kind === 'stale' &&
          (!isOther || http.check(wrong).kind === 'wrong')
        );
      },
    ),
  );
  t.pass();
});

test('right credentials for a nonce that is old, spent, or of another server are stale, and wrong ones are wrong', (t) => {
  let nowMs = START_MS;
  const http = authenticator({ clock: () => nowMs });
  const nonce = nonceOf(http.challenges(false));
  t.is(http.check(request(answer(nonce))).kind, 'right');
  t.is(http.check(request(answer(nonce))).kind, 'stale');
  t.is(
    http.check(request(answer(nonce, { nc: '1' }))).kind,
    'stale',
    'the same count, written in another way',
  );
  t.is(http.check(request(answer(nonce, { nc: '00000003' }))).kind, 'right');
  t.is(
    http.check(request(answer(nonce, { nc: '00000002' }))).kind,
    'right',
    'overtaken by another connection',
  );
  nowMs += NONCE_MS_MAX;
  t.is(http.check(request(answer(nonce, { nc: '00000004' }))).kind, 'stale');
  t.is(http.check(request(answer(nonce, { nc: '00000004', password: 'x' }))).kind, 'wrong');
  const foreign = nonceOf(authenticator({ purpose: 'q' }).challenges(false));
  t.is(http.check(request(answer(foreign))).kind, 'stale');
  t.is(http.check(request(answer('made up'))).kind, 'stale');
  t.is(http.check(request(answer('made up', { password: 'x' }))).kind, 'wrong');
});

test('wrong answers spend nothing of a nonce', (t) => {
  const http = authenticator({ law: 'one-answer' });
  const nonce = nonceOf(http.challenges(false));
  t.is(http.check(request(answer(nonce, { password: 'x' }))).kind, 'wrong');
  t.is(http.check(request(answer(nonce))).kind, 'right');
  t.is(http.check(request(answer(nonce, { nc: '00000002' }))).kind, 'stale');
});

for (const [what, said, target] of [
  ['RFC 2069, without qop', { nc: null }, '/'],
  ['a short count', { nc: '1' }, '/'],
  ['a long count', { nc: '0000000000000001' }, '/'],
  ['SHA-256', { algorithm: 'SHA-256' }, '/'],
  ['an absolute URL for a path', { uri: 'http://acs.example:7547/cwmp' }, '/cwmp'],
  ['a path for an absolute URL', { uri: '/cwmp' }, 'http://acs.example:7547/cwmp'],
  ['an absolute URL without a path', { uri: 'http://acs.example' }, '/'],
  ['no query', { uri: '/cwmp' }, '/cwmp?node=1'],
] as const) {
  test(`an answer is right with ${what}`, (t) => {
    const http = authenticator();
    const header = answer(nonceOf(http.challenges(false)), said);
    t.is(http.check(request(header, target)).kind, 'right');
  });
}

for (const [what, change] of [
  ['another uri', (header: string) => header.replace('uri="/"', 'uri="/other"')],
  ['another user', (header: string) => header.replace('username="cpe"', 'username="cpf"')],
  ['another algorithm than it was computed with', (header: string) => header.replace('=MD5', '=SHA-256')],
  ['an algorithm that was not asked for', (header: string) => header.replace('=MD5', '=MD5-sess')],
  ['another qop', (header: string) => header.replace('qop=auth', 'qop=auth-int')],
  ['no count', (header: string) => header.replace(', nc=00000001', '')],
  ['another count', (header: string) => header.replace('nc=00000001', 'nc=00000002')],
  ['a count that is none', (header: string) => header.replace('nc=00000001', 'nc=x')],
  ['a count beyond 32 bits', (header: string) => header.replace('nc=00000001', 'nc=100000000')],
  ['no response', (header: string) => header.replace(/response="\w+"/, '')],
  ['nothing at all', () => 'Digest '],
] as const) {
  test(`an answer is wrong with ${what}`, (t) => {
    const http = authenticator();
    const header = change(answer(nonceOf(http.challenges(false))));
    t.is(http.check(request(header)).kind, 'wrong');
  });
}

test('an answer is of the method that it was computed for', (t) => {
  const http = authenticator();
  const header = answer(nonceOf(http.challenges(false)), { method: 'GET' });
  t.is(http.check(request(header, '/', 'HEAD')).kind, 'wrong');
  t.is(http.check(request(header, '/', 'GET')).kind, 'right');
});

test('a backslash in a user name is taken written once or twice', (t) => {
  const credentials = { username: 'HOME\\cpe', password: 'x' };
  const http = authenticator({ credentials });
  for (const username of ['HOME\\cpe', 'HOME\\\\cpe']) {
    const nonce = nonceOf(http.challenges(false));
    const secret = digestSecret('MD5', { ...credentials, realm: 'r' });
    const response = digestResponse('MD5', secret, { method: 'POST', uri: '/', nonce, qop: null });
    const header = `Digest username="${username}", nonce="${nonce}", uri="/", response="${response}"`;
    t.is(http.check(request(header)).kind, 'right', username);
  }
});

test('credentials of a scheme that is not asked for are none, right or wrong', (t) => {
  const basic = (text: string) => request(`Basic ${Buffer.from(text).toString('base64')}`);
  const digestOnly = authenticator({ schemes: ['digest'] });
  for (const text of ['cpe:s3cret', 'cpe:x']) t.is(digestOnly.check(basic(text)).kind, 'absent');
  const both = authenticator();
  t.like(both.check(basic('cpe:s3cret')), { kind: 'right', scheme: 'basic' });
  t.deepEqual(both.check(basic('cpe:x')), { kind: 'wrong', username: 'cpe' });
  t.is(both.check(request()).kind, 'absent');
  const basicOnly = authenticator({ schemes: ['basic'] });
  t.is(basicOnly.check(request(answer(nonceOf(both.challenges(false))))).kind, 'absent');
});
