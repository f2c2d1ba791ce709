import test from 'ava';
import { AUTHORIZATION_CHARACTERS_MAX, readAuthorization } from '../../../common/index.js';

function fieldsOf(header: string): Record<string, string> | null {
  const read = readAuthorization(header);
  return read.kind === 'digest' ? Object.fromEntries(read.fields) : null;
}

for (const [what, header] of [
  ['as RFC 7616 has it', 'Digest username="a", realm="r", qop=auth, nc=00000001, uri="/"'],
  ['everything in quotes', 'Digest username="a", realm="r", qop="auth", nc="00000001", uri="/"'],
  ['nothing in quotes', 'Digest username=a, realm=r, qop=auth, nc=00000001, uri=/'],
  ['commas left out', 'digest username="a" realm="r" qop=auth nc=00000001 uri="/"'],
  [
    'blanks around equals signs and tabs',
    'DIGEST\tusername = "a",\trealm= "r", qop =auth,nc=00000001,uri="/"',
  ],
  ['commas too many', 'Digest ,username="a",, realm="r", qop=auth, nc=00000001, uri="/",'],
  ['names in capitals', 'Digest Username="a", REALM="r", QOP=auth, NC=00000001, URI="/"'],
  ['the last quote left out', 'Digest username="a", realm="r", qop=auth, nc=00000001, uri="/'],
  [
    'a parameter twice: the first counts',
    'Digest username="a", realm="r", qop=auth, nc=00000001, uri="/", nc=2',
  ],
] as const) {
  test(`a Digest answer is read as CPEs write it: ${what}`, (t) => {
    t.deepEqual(fieldsOf(header), { username: 'a', realm: 'r', qop: 'auth', nc: '00000001', uri: '/' });
  });
}

test('Basic credentials are read in either alphabet, and are null where they are none', (t) => {
  for (const header of ['Basic YTpiPz8/', 'basic  YTpiPz8_ ']) {
    const read = readAuthorization(header);
    t.is(read.kind === 'basic' ? read.credentials?.toString() : null, 'a:b???');
  }
  for (const header of ['Basic', 'Basic !!!', 'Basic YTpi YTpi'])
    t.deepEqual(readAuthorization(header), { kind: 'basic', credentials: null });
});

test('no header, another scheme, and one that is too long say nothing', (t) => {
  const tooLong = `Digest username="${'a'.repeat(AUTHORIZATION_CHARACTERS_MAX)}"`;
  for (const header of [undefined, '', 'Bearer YTpi', 'Digestive a=b', tooLong])
    t.deepEqual(readAuthorization(header), { kind: 'none' });
});

test('no more parameters are read than Digest has, and a few', (t) => {
  const header = `Digest ${Array.from({ length: 500 }, (_, index) => `p${index}=1`).join(',')}`;
  t.is(Object.keys(fieldsOf(header) ?? {}).length, 32);
});
