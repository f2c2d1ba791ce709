import test from 'ava';
import { authorize, parseChallenge } from '../../../acs/connection-request/digest.js';

const mufasa = { username: 'Mufasa', password: 'Circle of Life' };

test('the example of RFC 7616 3.9.1, MD5', (t) => {
  const challenge = parseChallenge(
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, ' +
      'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
  );
  t.truthy(challenge);
  if (challenge === null) return;
  const header = authorize(
    challenge,
    mufasa,
    { method: 'GET', target: '/dir/index.html' },
    'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  );
  t.regex(header, /response="8ca523f5e9506fed4657c9700eebdbec"/);
  t.regex(header, /qop=auth, nc=00000001/);
  t.regex(header, /opaque="FQhe/);
});

test('the example of RFC 7616 3.9.1, SHA-256', (t) => {
  const challenge = parseChallenge(
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, ' +
      'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
  );
  if (challenge === null) return t.fail();
  const header = authorize(
    challenge,
    mufasa,
    { method: 'GET', target: '/dir/index.html' },
    'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  );
  t.regex(header, /response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"/);
});

test('RFC 2069: a challenge without qop is answered without nc and cnonce', (t) => {
  const challenge = parseChallenge(
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
  );
  if (challenge === null) return t.fail();
  const header = authorize(challenge, mufasa, { method: 'GET', target: '/dir/index.html' });
  t.notRegex(header, /nc=|cnonce=|qop=/);
});

test('Digest is preferred to Basic, whichever comes first', (t) => {
  t.is(parseChallenge('Basic realm="cpe", Digest realm="cpe", nonce="n"')?.scheme, 'Digest');
  t.is(parseChallenge('Digest realm="cpe", nonce="n", Basic realm="cpe"')?.scheme, 'Digest');
  t.is(parseChallenge('Basic realm="cpe"')?.scheme, 'Basic');
});

test('a challenge that cannot be answered is none', (t) => {
  t.is(parseChallenge(''), null);
  t.is(parseChallenge('Negotiate'), null);
  t.is(parseChallenge('Digest realm="no nonce"'), null);
  t.is(parseChallenge('Digest nonce="n", qop="auth-int"'), null);
  t.is(parseChallenge('Digest nonce="n", algorithm=SHA-512-256'), null);
  t.is(parseChallenge(`Digest nonce="${'n'.repeat(5_000)}"`), null);
});

test('quotes in what a device sends do not break out of the header', (t) => {
  const challenge = parseChallenge('Digest realm="a\\"b", nonce="n\\\\", qop=auth');
  if (challenge === null) return t.fail();
  const header = authorize(challenge, mufasa, { method: 'GET', target: '/' });
  t.regex(header, /realm="a\\"b", nonce="n\\\\"/);
});
