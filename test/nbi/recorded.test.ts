import test from 'ava';
import { parseExchanges, renderExchanges } from './recorded/exchange.js';
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
