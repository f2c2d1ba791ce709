import test from 'ava';
import fc from 'fast-check';
import { parseTree } from '../../../acs/soap/element-tree.js';
import { forgivingTree } from '../../../acs/soap/forgiving-tree.js';
import {
  type CpeEnvelope,
  decodeEnvelope,
  type Inform,
  type Mend,
  SOAP_LIMITS,
} from '../../../acs/soap/index.js';
import { answerOf, DEVICE_ID, EVENT, envelope, INFORM, refusalOf } from './envelopes.js';

const VALID = envelope(INFORM);

function read(
  body: Buffer | string,
  contentType = 'text/xml; charset=utf-8',
): CpeEnvelope & { message: Inform } {
  const decoded = decodeEnvelope(Buffer.from(body), contentType);
  const { message } = decoded;
  if (message.type !== 'Inform') throw new Error(`read as ${message.type}`);
  return { ...decoded, message };
}

const EXPECTED = read(VALID);

test('what is well-formed is read strictly, and nothing of it is called mended', (t) => {
  t.deepEqual(EXPECTED.mended, []);
});

/** An Inform with one flaw, by which kind it is reported, and what the value that carries it is then. */
const FLAWS: readonly (readonly [what: string, body: Buffer | string, kind: Mend, version?: string])[] = [
  ['a control character', VALID.replace('1.0.0', '1\u0002'), 'character', '1\ufffd'],
  ['a NUL', VALID.replace('1.0.0', '1\0\0'), 'character', '1\ufffd\ufffd'],
  ['U+FFFF', VALID.replace('1.0.0', '1\uffff'), 'character', '1\ufffd'],
  ['a reference to a control character', VALID.replace('1.0.0', '1&#2;'), 'character', '1\ufffd'],
  ['a reference to half of a pair', VALID.replace('1.0.0', '1&#xD83D;'), 'character', '1\ufffd'],
  ['a reference beyond Unicode', VALID.replace('1.0.0', '1&#x110000;'), 'character', '1\ufffd'],
  ['a control character in CDATA', VALID.replace('1.0.0', '<![CDATA[1\u0001]]>'), 'character', '1\ufffd'],
  ['a control character in an attribute', VALID.replace('"1">', '"\u0001">'), 'character'],
  ['a control character before the envelope', `\0${VALID}`, 'character'],
  ['a bare ampersand', VALID.replace('1.0.0', 'Tom & Ann'), 'ampersand', 'Tom & Ann'],
  ['a query string', VALID.replace('1.0.0', '?a=1&b=2&amp;c=3'), 'ampersand', '?a=1&b=2&c=3'],
  ['a reference without its end', VALID.replace('1.0.0', '1&amp'), 'ampersand', '1&amp'],
  ['an entity of HTML', VALID.replace('1.0.0', 'caf&eacute; &nbsp;'), 'ampersand', 'caf&eacute; &nbsp;'],
  ['an ampersand in an attribute', VALID.replace('xsd:string', 'xsd:string&'), 'ampersand'],
  [
    'ISO-8859-1 that is called UTF-8',
    Buffer.from(VALID.replace('1.0.0', 'caf\xe9'), 'latin1'),
    'bytes',
    'caf\ufffd',
  ],
  ['xsi that is not declared', VALID.replace(/ xmlns:xsi="[^"]*"/, ''), 'namespace'],
  ['soap-enc that is not declared', VALID.replace(/ xmlns:soap-enc="[^"]*"/, ''), 'namespace'],
  ['cwmp that is not declared', VALID.replace(/ xmlns:cwmp="[^"]*"/, ''), 'namespace'],
  ['soap that is not declared', VALID.replace(/ xmlns:soap="[^"]*"/, ''), 'namespace'],
  ['nothing that is declared', VALID.replace(/ xmlns:[\w-]+="[^"]*"/g, ''), 'namespace'],
  ['xsi that is declared as nothing', VALID.replace(/xmlns:xsi="[^"]*"/, 'xmlns:xsi=""'), 'namespace'],
  ['an Inform without prefix', VALID.replaceAll('cwmp:Inform', 'Inform'), 'namespace'],
  [
    "an Inform in SOAP's namespace, which is the default",
    VALID.replaceAll('cwmp:Inform', 'Inform').replaceAll('soap:', '').replace('xmlns:soap=', 'xmlns='),
    'namespace',
  ],
  [
    'an Inform without prefix, and nothing of CWMP declared',
    VALID.replaceAll('cwmp:', '').replace(/ xmlns:cwmp="[^"]*"/, ''),
    'namespace',
  ],
  [
    'an Envelope without a namespace, as CwmpClient of PyPI sends it,',
    VALID.replaceAll('soap:Envelope', 'Envelope'),
    'namespace',
  ],
  [
    'an Envelope, a Header and a Body without a namespace',
    VALID.replace(/(<\/?)soap:(?=Envelope|Header|Body)/g, '$1'),
    'namespace',
  ],
  ["SOAP's namespace without its slash", VALID.replace('envelope/"', 'envelope"'), 'namespace'],
  ["CWMP's namespace in upper case", VALID.replace('urn:dslforum-org', 'URN:DSLFORUM-ORG'), 'namespace'],
  ['an attribute twice', VALID.replace('<Value ', '<Value xsi:type="xsd:string" '), 'attribute'],
  ['a namespace twice', VALID.replace('<soap:Envelope', '<soap:Envelope xmlns:xsi="urn:x"'), 'attribute'],
  ['no blank between attributes', VALID.replaceAll('" xmlns', '"xmlns'), 'attribute'],
  ['a NUL after the envelope', `${VALID}\0`, 'tail'],
  ['what lay behind the NUL of a C string', `${VALID}\0</soap:Envelope><soap:Body/>`, 'tail'],
  ['odd white space after the envelope', `${VALID}\r\n\v\f`, 'tail'],
  ['the end of another text after the envelope', `${VALID}lope>\n`, 'tail'],
  ['a < that begins nothing', VALID.replace('1.0.0', 'I <3 u < 2'), 'markup', 'I <3 u < 2'],
  ['the end of a CDATA section in text', VALID.replace('1.0.0', 'a[b[1]]>2'), 'markup', 'a[b[1]]>2'],
  ['two hyphens in a comment', VALID.replace('1.0.0', '1.0.0<!-- a -- b -->'), 'markup'],
  ['an XML declaration out of form', `<?xml version=1.0?>${VALID}`, 'markup'],
  ['an XML declaration that is not the first', `<!-- x --><?xml version="1.0"?>${VALID}`, 'markup'],
  ['a RetryCount below zero', VALID.replace('Count>0<', 'Count>-1<'), 'number'],
  ['a RetryCount that is no number', VALID.replace('Count>0<', 'Count>(null)<'), 'number'],
  ['a RetryCount too large', VALID.replace('Count>0<', 'Count>4294967296<'), 'number'],
  ['a RetryCount with a fraction', VALID.replace('Count>0<', 'Count>1.0<'), 'number'],
  ['MaxEnvelopes that is no number', VALID.replace('opes>1<', 'opes>unlimited<'), 'number'],
  ['no Event', VALID.replace(EVENT, ''), 'event'],
];
for (const [what, body, kind, version] of FLAWS) {
  test(`${what} turns no CPE away, and is reported as ${kind}`, (t) => {
    const { id, style, message, mended } = read(body);
    t.deepEqual(mended, [kind]);
    t.is(id, '1');
    t.is(style.namespace, 'urn:dslforum-org:cwmp-1-0');
    t.deepEqual(message, {
      ...EXPECTED.message,
      ...(kind === 'event' && { events: [] }),
      ...(version !== undefined && { parameters: [{ ...EXPECTED.message.parameters[0], value: version }] }),
    });
  });
}

test('several flaws are all reported, each kind once', (t) => {
  const body = `${VALID.replace('ACME', 'A & B & C\u0001')
    .replace(/ xmlns:xsi="[^"]*"/, '')
    .replace('Count>0<', 'Count>x<')}\0`;
  const { message, mended } = read(body);
  t.is(message.deviceId.manufacturer, 'A & B & C\ufffd');
  t.deepEqual([...mended].sort(), ['ampersand', 'character', 'namespace', 'number', 'tail']);
});

test('a CurrentTime is whatever it is', (t) => {
  for (const time of ['', 'Unknown', '0', '2026-13-45T99:99:99']) {
    t.is(read(VALID.replace('2026-01-01T00:00:00Z', time)).message.currentTime, time);
  }
});

test('a message that is not an Inform is mended as well', (t) => {
  const response = envelope(
    '<DownloadResponse><Status>1</Status><StartTime>\u0001</StartTime></DownloadResponse>',
  );
  const { message, mended } = decodeEnvelope(Buffer.from(response), undefined);
  t.like(message, { type: 'DownloadResponse', status: 1 });
  t.deepEqual(mended, ['character', 'namespace']);
});

test('what has no end, does not nest, or defines something stays HTTP 400, with a flaw beside it or without', (t) => {
  const refused = {
    'cut in a text': VALID.slice(0, VALID.indexOf('ACME') + 2),
    'cut in a tag': VALID.slice(0, VALID.indexOf('ACME') - 3),
    'cut in an attribute': VALID.slice(0, VALID.indexOf('xsd:string') + 3),
    'cut in the last tag': VALID.slice(0, -1),
    'a mismatched tag': VALID.replace('</OUI>', '</Oui>'),
    'a tag closed twice': VALID.replace('</OUI>', '</OUI></OUI>'),
    'a tag left open': VALID.replace('</OUI>', ''),
    'a comment without end': VALID.replace('ACME', '<!-- '),
    'a CDATA section without end': VALID.replace('ACME', '<![CDATA[ '),
    'a DOCTYPE': `<!DOCTYPE x>${VALID}`,
    'a DOCTYPE in lower case': `<!doctype x>${VALID}`,
    'a DOCTYPE in the middle': VALID.replace('ACME', '<!DOCTYPE x [<!ENTITY a "b">]>&a;'),
    'an entity by itself': VALID.replace('ACME', '<!ENTITY a "b">&a;'),
    'two envelopes': VALID + VALID,
    'text before the envelope': `hello ${VALID}`,
    'no XML': 'hello & goodbye',
  };
  for (const [what, body] of Object.entries(refused)) {
    t.is(answerOf(body), 400, what);
    t.is(answerOf(body.replace('Device.DeviceInfo', '& \u0001')), 400, what);
  }
  t.regex(refusalOf(VALID.replace('ACME', '\u0001<!DOCTYPE x>')).message, /DOCTYPE/);
});

test('an Inform without an identity stays fault 8003, whatever else could be mended', (t) => {
  for (const body of [
    VALID.replace(DEVICE_ID, '&'),
    VALID.replace('<OUI>00A1B2</OUI>', '&'),
    VALID.replace('r>1</S', 'r> </S').replace('ACME', '\u0001'),
  ]) {
    t.is(answerOf(body), 8003);
  }
});

test('an OUI or a serial number with a character that cannot be read is refused by name, so that no two CPEs become one', (t) => {
  const invalid = Buffer.from(VALID.replace('>1</S', '>1\xe9</S'), 'latin1');
  for (const [field, body] of [
    ['SerialNumber', VALID.replace('>1</S', '>1\u0002</S')],
    ['SerialNumber', VALID.replace('>1</S', '>1\0</S')],
    ['SerialNumber', VALID.replace('>1</S', '>1&#0;</S')],
    ['SerialNumber', VALID.replace('>1</S', '><![CDATA[\u00011]]></S')],
    ['SerialNumber', invalid],
    ['OUI', VALID.replace('00A1B2', '00A1B2\u007f\u0008')],
  ] as const) {
    t.is(answerOf(body), 8003, field);
    t.regex(refusalOf(body).message, new RegExp(`^Inform\\.DeviceId\\.${field} holds characters`));
  }
});

test('a product class keeps a mark for what could not be read, and an ampersand in an identity is an ampersand', (t) => {
  t.is(read(VALID.replace('HGW', 'H\u0001GW')).message.deviceId.productClass, 'H\ufffdGW');
  t.is(read(VALID.replace('>1</S', '>1&2</S')).message.deviceId.serialNumber, '1&2');
  t.is(read(VALID.replace('>1</S', '>1&amp;2</S')).message.deviceId.serialNumber, '1&2');
  // Sent as it is by a CPE whose message is well-formed, it is a character like any other.
  t.is(read(VALID.replace('>1</S', '>\ufffd</S')).message.deviceId.serialNumber, '\ufffd');
});

/** Where something can go wrong without touching the identity: before the second half of the Inform's fields and after. */
const SPLICES = ['ACME', '2026-01-01T00:00:00Z', '1.0.0', '2 PERIODIC'] as const;
const flaw = fc.oneof(
  fc.constantFrom(
    '&',
    '& ',
    '&x',
    '&#1;',
    '&#xFFFF;',
    '&nbsp;',
    '\0',
    '\u0001',
    '\u001f',
    '\uffff',
    ']]>',
    '< ',
    '<3',
  ),
  fc.constantFrom('<!-- -- -->', '<![CDATA[\u0002&]]>', 'é', '路', '&amp;', ' '),
  fc.constantFrom(0x80, 0xc3, 0xe8, 0xfc, 0xff).map((byte) => Buffer.from([byte])),
);
const whole = fc.constantFrom<(text: string) => string>(
  (text) => text,
  (text) => text.replace(/ xmlns:xsi="[^"]*"/, ''),
  (text) => text.replace(/ xmlns:soap-enc="[^"]*"/, ''),
  (text) => text.replace(/ xmlns:cwmp="[^"]*"/, ''),
  (text) => text.replaceAll('cwmp:Inform', 'Inform'),
  (text) => text.replace('<Value ', '<Value a="1" a="2" xsi:type="xsd:string" '),
  (text) => text.replace('Count>0<', 'Count>-7<'),
  (text) => `${text}\0 junk <`,
  (text) => `${text}\u000b`,
);

test('flaws of any kind beside the identity leave it and all other values what they are', (t) => {
  const flaws = fc.array(fc.record({ at: fc.constantFrom(...SPLICES), what: flaw }), { maxLength: 6 });
  const charset = fc.constantFrom('utf-8', 'UTF_8', 'none', 'utf-8, text/xml', 'klingon');
  fc.assert(
    fc.property(flaws, fc.array(whole, { maxLength: 3 }), charset, (spliced, changes, name) => {
      const text = changes.reduce((changed, change) => change(changed), VALID);
      let body = Buffer.from(text);
      // From the end on, so that what is put in moves no other place.
      const places = spliced.map(({ at, what }) => ({
        place: body.indexOf(at) + 1,
        what: Buffer.from(what),
      }));
      for (const { place, what } of places.sort((one, other) => other.place - one.place)) {
        body = Buffer.concat([body.subarray(0, place), what, body.subarray(place)]);
      }
      const touched = new Set(spliced.map(({ at }) => at));
      const { message } = read(body, `text/xml; charset=${name}`);
      const { manufacturer, ...identity } = message.deviceId;
      const { manufacturer: expected, ...expectedIdentity } = EXPECTED.message.deviceId;
      t.deepEqual(identity, expectedIdentity);
      t.is(message.parameters.length, 1);
      t.is(message.parameters[0]?.name, 'Device.DeviceInfo.SoftwareVersion');
      t.is(message.events.length, 1);
      if (!touched.has('ACME')) t.is(manufacturer, expected);
      if (!touched.has('1.0.0')) t.is(message.parameters[0]?.value, '1.0.0');
      if (!touched.has('2 PERIODIC')) t.is(message.events[0]?.eventCode, '2 PERIODIC');
    }),
    { numRuns: 2_000 },
  );
});

const PREFIX = 'urn:dslforum-org:cwmp-';
const word = fc.constantFrom(
  'a',
  'é',
  ' ',
  '&amp;',
  '&#233;',
  '&#x1F600;',
  '\r\n',
  '\t',
  '<![CDATA[<&]]>',
  '<!-- c -->',
  '<?p i?>',
  '>',
);
const attributes = fc.constantFrom(
  '',
  '',
  ' b="1"',
  " b='&lt;' ",
  '\nx:type="x:y"',
  ' xmlns:y="v" y:type="z"',
  ' xmlns="w"',
  ' b="\t&#9;"',
);
const { node } = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    word,
    fc
      .tuple(fc.constantFrom('a', 'x:b', 'é.1'), attributes, fc.array(tie('node'), { maxLength: 4 }))
      .map(([name, given, inside]) =>
        inside.length === 0 ? `<${name}${given}/>` : `<${name}${given}>${inside.join('')}</${name} >`,
      ),
  ),
}));

test('of a well-formed document the forgiving reader sees the strict tree, and finds nothing to mend', (t) => {
  fc.assert(
    fc.property(fc.array(node, { maxLength: 4 }), (nodes) => {
      const text = `<r xmlns:x="u" xmlns:c="${PREFIX}1-0">${nodes.join('')}</r>`;
      const mended = new Set<Mend>();
      t.deepEqual(forgivingTree(text, SOAP_LIMITS, mended), parseTree(text, SOAP_LIMITS, PREFIX), text);
      t.deepEqual([...mended], [], text);
    }),
    { numRuns: 2_000 },
  );
});

test('the limits are those of the strict reader', (t) => {
  const flawed = (inside: string) => envelope(`<cwmp:X>&${inside}</cwmp:X>`);
  t.is(answerOf(flawed('<a>'.repeat(62) + '</a>'.repeat(62))), 400);
  t.is(answerOf(flawed(`<a${Array.from({ length: 65 }, (_, i) => ` a${i}="x"`).join('')}/>`)), 400);
  const wide = { ...SOAP_LIMITS, bodyBytesMax: Number.MAX_SAFE_INTEGER };
  t.is(answerOf(flawed('<a/>'.repeat(SOAP_LIMITS.elementsMax)), undefined, wide), 413);
  t.is(answerOf(flawed('x'.repeat(SOAP_LIMITS.textCharactersMax)), undefined, wide), 413);
  t.is(answerOf(flawed('<![CDATA[x]]>'.repeat(SOAP_LIMITS.textCharactersMax)), undefined, wide), 413);
});

const MIB = 1024 * 1024;

/** So much of it that the whole is just below 1 MiB and the limit of elements. */
function filled(piece: string, elements = 1): string {
  const times = Math.min(
    Math.floor((MIB - 100) / piece.length),
    Math.floor((SOAP_LIMITS.elementsMax - 2) / elements),
  );
  return `<a xmlns:x="u">${piece.repeat(times)}</a>`;
}

/** What one processor does for it, at best of some times: neither other work nor the machine's speed should count. */
function cpuMsOf(work: () => unknown): number {
  const took = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    try {
      work();
    } catch {
      // A refusal is as good, as long as it comes soon.
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...took);
}

test('1 MiB of whatever flaws costs in the order of what 1 MiB of small elements costs the strict reader', (t) => {
  const shapes: Readonly<Record<string, string>> = {
    'flawed parameters': filled('<p><Name>Device.A.B</Name><Value y:type="z">1 & 2</Value></p>', 3),
    'empty elements': filled('<a/>'),
    'ever new names': `<a>${Array.from({ length: 90_000 }, (_, n) => `<é${n}/>`).join('')}</a>`,
    'many attributes': filled(`<a${Array.from({ length: 60 }, (_, n) => ` a${n}="&"`).join('')}/>`),
    declarations: filled('<a xmlns:b="c"/>'),
    'undeclared prefixes': filled('<b:a c:d=""/>'),
    'declarations around declarations': `${'<a xmlns:b="c">'.repeat(60)}${'<b:a/>'.repeat(99_000)}`,
    ampersands: filled('&', 0.01),
    references: filled('&#2;', 0.01),
    'control characters': filled('\0', 0.01),
    'no markup': filled('< ', 0.01),
    comments: filled('<!---->', 0.01),
    CDATA: filled('<![CDATA[x]]>', 0.01),
    'a tag without end': `<a ${' '.repeat(MIB)}`,
    'an attribute without end': `<a b="${'c'.repeat(MIB)}`,
    'attributes without values': `<a ${'b '.repeat(MIB / 2)}`,
    'one attribute name': `<a ${'b'.repeat(MIB)}`,
    'what follows': `<a/>${' \0'.repeat(MIB / 2)}`,
    'left open': '<a>'.repeat(MIB / 3),
  };
  const wide = { ...SOAP_LIMITS, textCharactersMax: MIB };
  const small = filled('<a>1</a>');
  const strictMs = cpuMsOf(() => parseTree(small, wide, PREFIX));
  for (const [what, text] of Object.entries(shapes)) {
    const tookMs = cpuMsOf(() => forgivingTree(text, wide, new Set()));
    // Five times: the least of them should not fail for a busy machine, and what is not in proportion takes hundreds of times as long.
    t.true(tookMs < 5 * strictMs, `${what}: ${tookMs} ms, the strict reader ${strictMs} ms`);
  }
});
