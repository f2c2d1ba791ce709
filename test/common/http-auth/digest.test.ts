import test from 'ava';
import { digestAlgorithm, digestResponse, digestSecret } from '../../../common/index.js';

test('the response is that of RFC 2617, 3.5', (t) => {
  const known = { username: 'Mufasa', realm: 'testrealm@host.com', password: 'Circle Of Life' };
  const response = digestResponse('MD5', digestSecret('MD5', known), {
    method: 'GET',
    uri: '/dir/index.html',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    qop: { name: 'auth', nc: '00000001', cnonce: '0a4f113b' },
  });
  t.is(response, '6629fae49393a05397450978507c4ef1');
});

for (const [algorithm, expected] of [
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
] as const) {
  test(`the response is that of RFC 7616, 3.9.1 (${algorithm})`, (t) => {
    const known = { username: 'Mufasa', realm: 'http-auth@example.org', password: 'Circle of Life' };
    const response = digestResponse(algorithm, digestSecret(algorithm, known), {
      method: 'GET',
      uri: '/dir/index.html',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      qop: { name: 'auth', nc: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
    });
    t.is(response, expected);
  });
}

test('the response without qop is that of RFC 2069, 2.4 as its erratum 749 has it', (t) => {
  const known = { username: 'Mufasa', realm: 'testrealm@host.com', password: 'CircleOfLife' };
  const response = digestResponse('MD5', digestSecret('MD5', known), {
    method: 'GET',
    uri: '/dir/index.html',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    qop: null,
  });
  t.is(response, '1949323746fe6a43ef61f9606e7febea');
});

test('an algorithm that is not named is MD5, and one that was not asked for is none', (t) => {
  for (const said of [undefined, '', 'MD5', 'md5']) t.is(digestAlgorithm(said), 'MD5', said);
  for (const said of ['SHA-256', 'sha256', 'SHA_256']) t.is(digestAlgorithm(said), 'SHA-256', said);
  for (const said of ['MD5-sess', 'SHA-512-256', 'SHA-256-sess', 'x'])
    t.is(digestAlgorithm(said), null, said);
});
