import test from 'ava';
import fc from 'fast-check';
import { decodeEnvelope, SOAP_LIMITS, SoapError, type SoapLimits } from '../../../acs/soap/index.js';
import { answerOf, decodeBody, envelope, INFORM, refusalOf } from './envelopes.js';

/** To reach the other limits, which the one on bytes would hide. */
const ANY_SIZE: SoapLimits = { ...SOAP_LIMITS, bodyBytesMax: Number.MAX_SAFE_INTEGER };

test('a DOCTYPE of any kind is HTTP 400', (t) => {
  for (const doctype of [
    '<!DOCTYPE x>',
    '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c SYSTEM "http://169.254.169.254/">]>',
    '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1/"> %a;]>',
  ]) {
    t.is(answerOf(`${doctype}${envelope(INFORM)}`), 400);
    t.regex(refusalOf(`<?xml version="1.0"?>${doctype}${envelope(INFORM)}`).message, /DOCTYPE/);
  }
});

test('DOCTYPE in a comment or in CDATA is just text', (t) => {
  const text = INFORM.replace('ACME', '<!-- <!DOCTYPE x> --><![CDATA[<!DOCTYPE x>]]>');
  t.like(decodeBody(text), { deviceId: { manufacturer: '<!DOCTYPE x>' } });
});

test('an entity bomb never expands', (t) => {
  const entities = Array.from({ length: 20 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join(
    '',
  );
  t.is(
    answerOf(`<!DOCTYPE b [<!ENTITY e0 "ha">${entities}]>${envelope(INFORM.replace('ACME', '&e20;'))}`),
    400,
  );
});

test('64 levels of elements are read, the 65th is HTTP 400, as are 10,000 and an endless number', (t) => {
  const nested = (levels: number) =>
    INFORM.replace('<Event', `${'<a>'.repeat(levels)}${'</a>'.repeat(levels)}<Event`);
  // Envelope, Body and Inform are three levels already.
  t.is(decodeBody(nested(61)).type, 'Inform');
  t.is(answerOf(envelope(nested(62))), 400);
  t.is(answerOf(envelope(nested(10_000))), 400);
  t.is(answerOf('<a>'.repeat(300_000)), 400);
});

test('100,001 elements are HTTP 413', (t) => {
  t.is(
    answerOf(envelope(`<cwmp:X>${'<a/>'.repeat(SOAP_LIMITS.elementsMax)}</cwmp:X>`), undefined, ANY_SIZE),
    413,
  );
});

test('an attribute flood is HTTP 400, on one element and on many', (t) => {
  const attributes = (count: number) => Array.from({ length: count }, (_, i) => ` a${i}="x"`).join('');
  t.is(decodeBody(`<cwmp:X${attributes(64)}/>`).type, 'unknown');
  t.is(answerOf(envelope(`<cwmp:X${attributes(65)}/>`)), 400);
  t.is(answerOf(envelope(`<cwmp:X${attributes(80_000)}/>`)), 400);
  t.is(
    answerOf(envelope(`<cwmp:X>${`<a${attributes(64)}/>`.repeat(1_000)}<a${attributes(65)}/></cwmp:X>`)),
    400,
  );
});

test('a text beyond its limit is HTTP 413, also in many pieces', (t) => {
  const length = SOAP_LIMITS.textCharactersMax + 1;
  t.is(answerOf(envelope(INFORM.replace('ACME', 'x'.repeat(length))), undefined, ANY_SIZE), 413);
  t.is(answerOf(envelope(INFORM.replace('ACME', '<!---->x'.repeat(length))), undefined, ANY_SIZE), 413);
  t.is(decodeBody(INFORM.replace('>1.0.0<', `>${'x'.repeat(length - 1)}<`)).type, 'Inform');
});

test('a body beyond its limit is HTTP 413 without being read', (t) => {
  t.is(answerOf(Buffer.alloc(SOAP_LIMITS.bodyBytesMax + 1, 0xff)), 413);
  t.is(answerOf(Buffer.alloc(SOAP_LIMITS.bodyBytesMax, 0xff)), 400);
});

test('20,000 parameters are read, one more is fault 8004', (t) => {
  const response = (count: number) =>
    `<cwmp:GetParameterValuesResponse><ParameterList>${'<p><Name>a</Name><Value>1</Value></p>'.repeat(count)}` +
    '</ParameterList></cwmp:GetParameterValuesResponse>';
  t.is(decodeBody(response(20_000)).type, 'GetParameterValuesResponse');
  t.is(answerOf(envelope(response(20_001)), undefined, ANY_SIZE), 8004);
});

test('names that objects have by nature are names like any other', (t) => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const text = INFORM.replace('Device.DeviceInfo.SoftwareVersion', name);
    t.like(decodeBody(text), { parameters: [{ name }] });
    t.is(answerOf(envelope(`<${name}:Inform/>`)), 400);
    t.deepEqual(decodeBody(`<cwmp:${name} ${name}="1"/>`), { type: 'unknown', name });
  }
});

test('a refusal quotes only a little of what it refuses', (t) => {
  for (const text of [
    envelope(`<${'x'.repeat(100_000)}:y/>`),
    envelope(`<cwmp:DownloadResponse><Status>${'9'.repeat(100_000)}</Status></cwmp:DownloadResponse>`),
    envelope(INFORM).replace('</cwmp:Inform>', `</${'x'.repeat(100_000)}>`),
    `<${'x'.repeat(100_000)}></y>`,
  ]) {
    t.true(refusalOf(text).message.length < 300);
  }
});

/** Runs the decoder; anything but an envelope or a SoapError escapes. */
function survives(body: Buffer, contentType?: string): void {
  try {
    decodeEnvelope(body, contentType);
  } catch (error) {
    if (!(error instanceof SoapError)) throw error;
  }
}

test('any bytes, under any Content-Type, are an envelope or a SoapError', (t) => {
  const contentTypes = fc.oneof(
    fc.constantFrom(
      undefined,
      'text/xml; charset=utf-16',
      'text/xml; charset=gb18030',
      'text/xml; charset=shift_jis',
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), contentTypes, (bytes, contentType) => {
      survives(Buffer.from(bytes), contentType);
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

test('any mutation of a valid envelope is an envelope or a SoapError', (t) => {
  const valid = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${envelope(INFORM)}`);
  const tokens = [
    '<',
    '>',
    '&',
    ';',
    '</',
    '/>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<!DOCTYPE',
    '<?',
    '?>',
    '"',
    "'",
    '=',
    ':',
  ];
  const junk = fc.oneof(
    fc
      .constantFrom(...tokens, '&#x0;', '&#xD800;', '&lt;', 'xmlns=""', ' xmlns:cwmp="x"', '\0', '\ufeff')
      .map((s) => Buffer.from(s)),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    fc.nat(valid.length).chain((from) => fc.nat(200).map((length) => valid.subarray(from, from + length))),
  );
  const edit = fc.record({ at: fc.nat(valid.length), remove: fc.nat(40), insert: junk });
  let read = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let body: Buffer = valid;
      for (const { at, remove, insert } of edits) {
        body = Buffer.concat([body.subarray(0, at), insert, body.subarray(at + remove)]);
      }
      survives(body);
      read++;
    }),
    { numRuns: 4_000 },
  );
  t.is(read, 4_000);
});
