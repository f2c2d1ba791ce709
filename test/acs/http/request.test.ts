import type { IncomingMessage } from 'node:http';
import test from 'ava';
import { cookiesOf } from '../../../acs/http/request.js';

const valuesIn = (cookie: string | undefined) =>
  cookiesOf({ headers: { ...(cookie !== undefined && { cookie }) } } as IncomingMessage, 's');

test('every value of the cookie is given, wherever it stands and however it is separated', (t) => {
  t.deepEqual(valuesIn(undefined), []);
  t.deepEqual(valuesIn('s=a'), ['a']);
  t.deepEqual(valuesIn('s=a; s=b'), ['a', 'b']);
  t.deepEqual(valuesIn('x=1; s=a,JSESSIONID=1'), ['a']);
  t.deepEqual(valuesIn('$Version="1", s="a", $Path="/"'), ['a']);
  t.deepEqual(valuesIn('$Version=1;s="a";$Path="/";s=b'), ['a', 'b']);
  t.deepEqual(valuesIn(' s = a ;s=a'), ['a']);
});

test('what is empty, or another cookie, is no value of it', (t) => {
  for (const header of ['', ';', 's', 's=', 's=""', '=s', 'ss=a', 'xs=a', 'S=a', '$s=a', 's;a'])
    t.deepEqual(valuesIn(header), [], header);
});

test('of very many the first four and the last four are given', (t) => {
  const header = Array.from({ length: 300 }, (_, index) => `s=${index}`).join('; ');
  t.deepEqual(valuesIn(header), ['0', '1', '2', '3', '296', '297', '298', '299']);
});
