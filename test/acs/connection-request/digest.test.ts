import test from 'ava';
import { type Challenge, readChallenges } from '../../../acs/connection-request/challenge.js';
import { authorize } from '../../../acs/connection-request/digest.js';

const mufasa = { username: 'Mufasa', password: 'Circle of Life' };
const GET = { method: 'GET', target: '/dir/index.html' };
const RFC_7616 =
  'Digest realm="http-auth@example.org", qop="auth, auth-int", ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

function challengeOf(header: string): Challenge {
  const [challenge] = readChallenges([header]).possible;
  if (challenge === undefined) throw new Error(`not understood: ${header}`);
  return challenge;
}

test('the example of RFC 7616 3.9.1, MD5', (t) => {
  const header = authorize(challengeOf(`${RFC_7616}, algorithm=MD5`), mufasa, GET, CNONCE);
  t.regex(header, /response="8ca523f5e9506fed4657c9700eebdbec"/);
  t.regex(header, /qop=auth, nc=00000001/);
  t.regex(header, /opaque="FQhe/);
});

test('the example of RFC 7616 3.9.1, SHA-256', (t) => {
  const header = authorize(challengeOf(`${RFC_7616}, algorithm=SHA-256`), mufasa, GET, CNONCE);
  t.regex(header, /response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"/);
});

test('the example of RFC 7616 3.9.2, SHA-512-256 with a user name in UTF-8', (t) => {
  const challenge = challengeOf(
    'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, ' +
      'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS"',
  );
  const header = authorize(
    challenge,
    { username: 'J\u00e4s\u00f8n Doe', password: 'Secret, or not?' },
    { method: 'GET', target: '/doe.json' },
    'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
  );
  // As corrected by the RFC's erratum 4897.
  t.regex(header, /response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"/);
});

test('RFC 2069: a challenge without qop, or with an empty one, is answered without nc and cnonce', (t) => {
  const base = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
  for (const challenge of [base, `${base}, qop=""`]) {
    const header = authorize(challengeOf(challenge), mufasa, GET);
    t.notRegex(header, /nc=|cnonce=|qop=/);
    t.regex(header, /response="[0-9a-f]{32}"/);
  }
});

test('auth-int protects the empty body of a GET (RFC 7616 3.4.3)', (t) => {
  const challenge = challengeOf('Digest realm="r", nonce="n", qop="auth-int"');
  const header = authorize(challenge, { username: 'u', password: 'p' }, GET, 'c');
  t.regex(header, /qop=auth-int, nc=00000001/);
  t.regex(header, /response="9c7e61bcaf9adeeb5d4994bfcd7ab7b5"/);
});

test('-sess hashes nonce and cnonce into the secret, and says the cnonce even without qop', (t) => {
  const challenge = challengeOf('Digest realm="r", nonce="n", algorithm=md5-SESS');
  const header = authorize(challenge, { username: 'u', password: 'p' }, GET, 'c');
  t.regex(header, /algorithm=md5-SESS, cnonce="c"/);
  t.regex(header, /response="5d865286e962ca5eddcbe94fd150fcdd"/);
});

test('quotes in what a device sends do not break out of the header', (t) => {
  const header = authorize(challengeOf('Digest realm="a\\"b", nonce="n\\\\", qop=auth'), mufasa, GET);
  t.regex(header, /realm="a\\"b", nonce="n\\\\"/);
});

test('what would end the header is not said back, whoever said it', (t) => {
  const challenge = challengeOf('Digest realm="r\r\nX: y", nonce="n", opaque="\0o"');
  const header = authorize(challenge, { username: 'u\r\nX: y', password: 'p' }, GET);
  t.notRegex(header, /[\r\n\0]/);
});

test('a realm beyond ASCII goes back, and into the digest, as the bytes it came as', (t) => {
  const inUtf8 = Buffer.from('Gateway K\u00fcche', 'utf8').toString('latin1');
  const challenge = challengeOf(`Digest realm="${inUtf8}", nonce="n"`);
  const header = authorize(challenge, { username: 'u', password: 'p' }, { method: 'GET', target: '/' });
  t.true(Buffer.from(header, 'latin1').includes(Buffer.from('realm="Gateway K\u00fcche"', 'utf8')));
  t.regex(header, /response="08fc8b564ce5e88bb711a3addff395c9"/);
});
