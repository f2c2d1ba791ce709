import test from 'ava';
import fc from 'fast-check';
import { type Challenge, readChallenges } from '../../../acs/connection-request/challenge.js';

const D = 'Digest realm="gate", nonce="n"';

/** What is answered first, in a word. */
function best(...headers: readonly string[]): string {
  const [challenge] = readChallenges(headers).possible;
  return challenge === undefined ? 'none' : inWords(challenge);
}

function inWords(challenge: Challenge): string {
  return challenge.scheme === 'Basic' ? 'Basic' : `${challenge.algorithm} ${challenge.qop ?? 'plain'}`;
}

test('Digest is preferred to Basic, whichever comes first', (t) => {
  t.is(best('Basic realm="cpe", Digest realm="cpe", nonce="n"'), 'MD5 plain');
  t.is(best('Digest realm="cpe", nonce="n", Basic realm="cpe"'), 'MD5 plain');
  t.is(best('Basic realm="cpe"', D), 'MD5 plain');
  t.is(best('Basic realm="cpe"'), 'Basic');
  t.is(best('BASIC'), 'Basic');
});

test('of several challenges the best is taken, in one header or in several, in whatever order', (t) => {
  const offered: readonly (readonly [string, ...string[]])[] = [
    ['SHA-512-256 auth', `${D}, qop="auth", algorithm=MD5`, `${D}, qop="auth", algorithm=SHA-512-256`],
    ['SHA-512-256 auth', `${D}, qop=auth, algorithm=SHA-512-256, ${D}, qop=auth, algorithm=MD5`],
    ['SHA-256 auth', `${D}, algorithm=MD5, qop="auth"`, `${D}, algorithm=SHA-256, qop="auth-int,auth"`],
    ['MD5 auth', `${D}, qop="auth", algorithm=SHA-1, ${D}, qop="auth"`],
    ['MD5 auth', `${D}, qop="auth-int"`, `${D}, qop="auth"`],
    ['MD5 auth-int', `${D}, qop="auth-int"`],
    ['MD5 auth-int', D, `${D}, qop="auth-int"`],
    ['MD5 plain', `${D}, qop=""`],
    ['MD5 plain', `${D}, qop=" , "`],
    ['MD5 auth', `${D}, qop=" AUTH , auth-int"`],
    ['SHA-256 plain', `${D}, algorithm=SHA-256-sess`, `${D}, algorithm="SHA-256"`],
    ['SHA-256-sess plain', `${D}, algorithm=sha-256-SESS`],
    ['SHA-256 plain', `${D}, algorithm=SHA256`],
    ['SHA-512-256 plain', `${D}, algorithm="SHA-512/256"`],
    ['Basic', `${D}, qop="token"`, 'Basic realm="gate"'],
  ];
  for (const [expected, ...headers] of offered) t.is(best(...headers), expected, headers.join(' | '));
});

test('of equal challenges the first goes first', (t) => {
  const { possible } = readChallenges([`Digest realm="a", nonce="1"`, `Digest realm="b", nonce="2"`]);
  t.deepEqual(
    possible.map((challenge) => challenge.scheme === 'Digest' && challenge.nonce),
    ['1', '2'],
  );
});

test('commas, quotes and blanks that are missing or too many are no matter', (t) => {
  const forms = [
    'Digest realm="gate",nonce="n",qop="auth"',
    'digest   realm = "gate" , nonce="n" , qop=auth',
    'Digest realm="gate" nonce="n" qop="auth"',
    'Digest, realm="gate", nonce=n, qop="auth",',
    ',, Digest realm="gate", nonce="n", qop="auth',
    'Basic realm="gate" Digest realm="gate", nonce="n", qop="auth"',
    'Negotiate YIIabc==, Digest realm="gate", nonce="n", qop="auth"',
    'NTLM TlRMTVNTUAAC, Digest realm="gate", nonce="n", qop="auth"',
    'Digest realm="gate", nonce="n", nonce="other", qop="auth", domain="/ http://x/"',
  ];
  for (const form of forms) {
    const [challenge] = readChallenges([form]).possible;
    t.like(challenge, { scheme: 'Digest', realm: 'gate', nonce: 'n', qop: 'auth' }, form);
  }
});

test('what stands in quotes begins no challenge', (t) => {
  const { possible } = readChallenges(['Digest realm="a, Basic b=\\"c\\"", nonce="n"']);
  t.deepEqual(possible.map(inWords), ['MD5 plain']);
  t.like(possible[0], { realm: 'a, Basic b="c"' });
});

test('stale is read where it is said', (t) => {
  const isStale = (header: string) => {
    const [challenge] = readChallenges([header]).possible;
    return challenge?.scheme === 'Digest' && challenge.stale;
  };
  t.true(isStale(`${D}, stale=true`));
  t.true(isStale(`${D}, stale="TRUE"`));
  t.false(isStale(`${D}, stale=false`));
  t.false(isStale(D));
});

test('a challenge that cannot be answered is told of in a few words', (t) => {
  const told = (...headers: readonly string[]) => {
    const { possible, impossible } = readChallenges(headers);
    t.deepEqual(possible, []);
    return impossible;
  };
  t.deepEqual(told(''), []);
  t.deepEqual(told('Negotiate'), ['Negotiate']);
  t.deepEqual(told('Digest realm="no nonce"'), ['Digest without a nonce']);
  t.deepEqual(told('Digest nonce="n", algorithm=SHA-1, qop="token"'), ['Digest algorithm=SHA-1 qop=token']);
  t.deepEqual(told(`Digest nonce="${'n'.repeat(5_000)}"`), ['a challenge of more than 4096 characters']);
  t.deepEqual(told(`Digest nonce="n", algorithm="${'\x01'.repeat(4_000)}"`), [
    `Digest algorithm=${'?'.repeat(43)}`,
  ]);
  t.is(told('A, B, C, D, E, F, G').length, 4);
});

test('any text is read, to a bounded number of offers', (t) => {
  const text = fc
    .array(
      fc.constantFrom('Digest ', 'Basic', 'nonce="n"', 'realm=', '"', '\\', ',', ' ', '=', 'x', '\u00fc'),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), (headers) => {
      const { possible, impossible } = readChallenges(headers);
      t.true(possible.length + impossible.length <= 16);
    }),
  );
});
