import test from 'ava';
import fc from 'fast-check';
import { FILE_URL_CHARACTERS_MAX, fileServerOf, fileUrlOf } from '../../common/index.js';

const cases: readonly (readonly [text: string, url: string])[] = [
  [
    'HTTP://Files.Example.net:80/a//b;c?d=%41&e=[1]#f',
    'HTTP://Files.Example.net:80/a//b;c?d=%41&e=%5B1%5D#f',
  ],
  ['http://h/Grüße 1.bin', 'http://h/Gr%C3%BC%C3%9Fe%201.bin'],
  ['http://h/100%/%2f%zz', 'http://h/100%25/%2f%25zz'],
  ['http://h/a\\b"c|d', 'http://h/a%5Cb%22c%7Cd'],
  ['http://h/a#b#c', 'http://h/a#b%23c'],
  ['http://bücher.example/x', 'http://xn--bcher-kva.example/x'],
  ['https://例え.テスト:8443/', 'https://xn--r8jz45g.xn--zckzah:8443/'],
  ['http://[2001:db8::1]:8080/x', 'http://[2001:db8::1]:8080/x'],
  ['tftp://10.0.0.1/fw.bin', 'tftp://10.0.0.1/fw.bin'],
  ['sftp://h/fw.bin', 'sftp://h/fw.bin'],
  ['ftp://h', 'ftp://h'],
  ['http://h/😀', 'http://h/%F0%9F%98%80'],
];
for (const [text, url] of cases) {
  test(`${text} goes out as ${url}`, (t) => {
    t.deepEqual(fileUrlOf(text), { kind: 'url', url });
  });
}

for (const text of [
  '',
  'fw.bin',
  'http:fw.bin',
  'http:///x',
  'gopher://h/x',
  'http://a b/x',
  'http://a\\b/x',
  'http://u:p@h/x',
  'http://h:99999/x',
  'http://[::1/x',
  'http://h/x ',
  'http://h/a\nb',
  'http://h/\ud800',
  `http://h/${'ü'.repeat(42)}`,
]) {
  test(`${JSON.stringify(text)} cannot be sent`, (t) => {
    t.is(fileUrlOf(text).kind, 'unusable');
  });
}

test('what goes out is a URL of the characters that RFC 3986 allows, and goes out unchanged when it comes in again', (t) => {
  const part = fc.string({ unit: 'grapheme', maxLength: 30 });
  fc.assert(
    fc.property(fc.constantFrom('http', 'ftp', 'tftp'), part, part, (scheme, host, path) => {
      for (const text of [`${scheme}://h/${path}`, `${scheme}://${host}.example/${path}`]) {
        const made = fileUrlOf(text);
        if (made.kind === 'unusable') continue;
        const allowed =
          /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/.test(made.url) && !/%(?![0-9A-Fa-f]{2})/.test(made.url);
        if (!allowed || !URL.canParse(made.url) || made.url.length > FILE_URL_CHARACTERS_MAX) return false;
        const again = fileUrlOf(made.url);
        if (again.kind === 'unusable' || again.url !== made.url) return false;
      }
      return true;
    }),
  );
  t.pass();
});

test('two URLs name one server where scheme, host and port are the same', (t) => {
  t.is(fileServerOf('ftp://Bücher.example/a'), fileServerOf('FTP://xn--bcher-kva.example/b?c'));
  for (const other of ['ftp://h:2121/a', 'http://h/a', 'ftp://h.example/a', 'fw.bin']) {
    t.not(fileServerOf('ftp://h/a'), fileServerOf(other));
  }
});
