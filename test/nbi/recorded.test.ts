import test from 'ava';
import { mask, parseExchanges, renderExchanges } from './recorded/exchange.js';
import { readRecording, recordings } from './recorded/recordings.js';
import { openSubject } from './recorded/subject.js';

test('every recorded request is answered byte for byte as it was', async (t) => {
  const subject = await openSubject();
  t.teardown(() => subject.close());
  let compared = 0;
  for (const name of await recordings()) {
    for (const exchange of await readRecording(name)) {
      t.is(await subject.answer(name, exchange), exchange.answer, `${name}: ${exchange.title}`);
      compared++;
    }
  }
  t.true(compared >= 400, String(compared));
});

test('a recording says every byte, and is read as it was written', (t) => {
  const bytes = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
  for (const text of [bytes, 'a\r\n\r\n', 'a\n', '\n\r\n', ' \r\n < \r\n### x\r\n', '\\n\\x41']) {
    const exchange = { title: 'a title', request: `GET ${text}`, answer: text };
    t.deepEqual(parseExchanges(renderExchanges([exchange, exchange])), [exchange, exchange]);
  }
});

test('how a body is cut into chunks is no part of a recording, and all its bytes are', (t) => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const whole = `${head}5\r\nab\r\nc\r\n0\r\n\r\n`;
  t.is(mask(`${head}2\r\nab\r\n3\r\n\r\nc\r\n0\r\n\r\n${whole}`), whole + whole);
  t.is(mask(`${head}0\r\n\r\n`), `${head}0\r\n\r\n`);
  for (const cut of [`${head}2\r\nab\r\n`, `${head}2\r\na`, head]) t.is(mask(cut), cut);
});
