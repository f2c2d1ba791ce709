import test from 'ava';
import { nextPath } from '../../../nbi/pages/next-path.js';

test('where a page leads on to is a path of this server, and else its first page', (t) => {
  for (const path of ['/', '/api/v1/docs/', '/a?b=c&d=%2F%2Fe', '/a#b', '/a//b']) t.is(nextPath(path), path);
  t.is(nextPath('/ä b'), '/%C3%A4%20b');
  const elsewhere = [
    null,
    undefined,
    '',
    'a',
    '//elsewhere.example.net',
    '/\\elsewhere.example.net',
    '\\\\elsewhere.example.net',
    '/\t/elsewhere.example.net',
    '/\n/elsewhere.example.net',
    '/.//elsewhere.example.net',
    '/a/..//elsewhere.example.net',
    '/%2e//elsewhere.example.net',
    'http://elsewhere.example.net/',
    'https:elsewhere.example.net',
    ' /a',
    'javascript:x',
    `/${'a'.repeat(2_000)}`,
  ];
  for (const path of elsewhere) t.is(nextPath(path), '/', String(path));
});
