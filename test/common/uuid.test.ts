import test from 'ava';
import { UUID, uuidText, uuidV5 } from '../../common/index.js';

test('a UUID is written in lower case, with dashes, and nothing else is one', (t) => {
  const text = uuidText(Buffer.from('00112233445566778899AABBCCDDEEFF', 'hex'));
  t.is(text, '00112233-4455-6677-8899-aabbccddeeff');
  t.regex(text, UUID);
  for (const other of [text.toUpperCase(), text.replaceAll('-', ''), `${text}0`, ` ${text}`, `${text}\n`]) {
    t.notRegex(other, UUID);
  }
});

test('the UUID of a name is that of RFC 9562, A.4', (t) => {
  const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
  t.is(uuidV5(dns, 'www.example.com'), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
});
