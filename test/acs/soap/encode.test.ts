import test from 'ava';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import {
  ACS_FAULT,
  type AcsMessage,
  CWMP_NAMESPACES,
  decodeEnvelope,
  type EnvelopeStyle,
  encodeEnvelope,
} from '../../../acs/soap/index.js';
import { hasCancelTransfer } from '../../../acs/upgrade/withdrawal.js';
import { validateEnvelopes } from '../../support/cwmp-schema.js';

const STYLE: EnvelopeStyle = { namespace: 'urn:dslforum-org:cwmp-1-0' };

const DOWNLOAD: AcsMessage = {
  type: 'Download',
  commandKey: '0'.repeat(32),
  fileType: '1 Firmware Upgrade Image',
  url: 'http://acs.example:7567/t/abc/hgw-2.0.0.bin',
  username: '',
  password: '<&">',
  fileSizeBytes: 8_388_608,
  targetFileName: 'hgw-2.0.0.bin',
  delaySeconds: 0,
};

const MESSAGES: readonly AcsMessage[] = [
  { type: 'InformResponse' },
  { type: 'TransferCompleteResponse' },
  { type: 'RequestDownloadResponse' },
  { type: 'GetRPCMethodsResponse', methods: ['Inform', 'GetRPCMethods', 'TransferComplete'] },
  { type: 'GetRPCMethods' },
  { type: 'GetParameterValues', names: ['Device.DeviceInfo.', 'Device.ManagementServer.URL'] },
  { type: 'SetParameterValues', parameters: [], parameterKey: '' },
  {
    type: 'SetParameterValues',
    parameters: [
      { name: 'a', value: 'Käse & "Brot" <1>', xsdType: 'string' },
      { name: 'b', value: '-1', xsdType: 'int' },
      { name: 'c', value: '4294967295', xsdType: 'unsignedInt' },
      { name: 'd', value: 'true', xsdType: 'boolean' },
      { name: 'e', value: '2026-01-01T00:00:00Z', xsdType: 'dateTime' },
      { name: 'f', value: 'AAEC', xsdType: 'base64' },
    ],
    parameterKey: 'key',
  },
  DOWNLOAD,
  { ...DOWNLOAD, fileSizeBytes: 2 ** 40, fileType: 'X 00A1B2 Other' },
  { type: 'Reboot', commandKey: 'k' },
  { type: 'GetQueuedTransfers' },
];

/** What came with cwmp-1-1. */
const MESSAGES_SINCE_1_1: readonly AcsMessage[] = [
  { type: 'GetAllQueuedTransfers' },
  { type: 'AutonomousTransferCompleteResponse' },
];

/** What came with cwmp-1-2. */
const MESSAGES_SINCE_1_2: readonly AcsMessage[] = [{ type: 'CancelTransfer', commandKey: 'a <b> & c' }];

function messagesOf(namespace: EnvelopeStyle['namespace']): readonly AcsMessage[] {
  if (namespace.endsWith('1-0')) return MESSAGES;
  const since = hasCancelTransfer(namespace) ? MESSAGES_SINCE_1_2 : [];
  return [...MESSAGES, ...MESSAGES_SINCE_1_1, ...since];
}

function faults(namespace: EnvelopeStyle['namespace']): AcsMessage[] {
  const codes = Object.values(ACS_FAULT);
  // 8006 came with CWMP 1.4; the schema of 1.0 lists its codes and has no such.
  const known = namespace.endsWith('1-0')
    ? codes.filter((code) => code !== ACS_FAULT.versionIncompatible)
    : codes;
  return known.map((faultCode) => ({ type: 'Fault', fault: { faultCode, faultString: 'a <b> & c' } }));
}

for (const namespace of CWMP_NAMESPACES) {
  test(`every message of the ACS is valid in ${namespace}, with and without ID`, async (t) => {
    const envelopes = [...messagesOf(namespace), ...faults(namespace)].flatMap((message) =>
      [null, '', 'id <1>'].map((id) => encodeEnvelope(message, id, { namespace })),
    );
    t.deepEqual(await validateEnvelopes(envelopes), []);
  });
}

test('an InformResponse to the letter', (t) => {
  t.is(
    encodeEnvelope({ type: 'InformResponse' }, '42', STYLE),
    '<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/"' +
      ' xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"' +
      ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="urn:dslforum-org:cwmp-1-0">' +
      '<soap-env:Header><cwmp:ID soap-env:mustUnderstand="1">42</cwmp:ID></soap-env:Header>' +
      '<soap-env:Body><cwmp:InformResponse><MaxEnvelopes>1</MaxEnvelopes></cwmp:InformResponse></soap-env:Body>' +
      '</soap-env:Envelope>',
  );
});

test('no envelope has an XML declaration, on which some CPEs end their session', (t) => {
  for (const namespace of CWMP_NAMESPACES) {
    for (const message of messagesOf(namespace)) {
      t.true(encodeEnvelope(message, '1', { namespace }).startsWith('<soap-env:Envelope '), message.type);
    }
  }
});

test('a Download has its ten fields in the order of the schema', (t) => {
  const fields = [...encodeEnvelope(DOWNLOAD, null, STYLE).matchAll(/<([A-Z]\w+)>/g)].map(
    (match) => match[1],
  );
  t.deepEqual(fields, [
    'CommandKey',
    'FileType',
    'URL',
    'Username',
    'Password',
    'FileSize',
    'TargetFileName',
    'DelaySeconds',
    'SuccessURL',
    'FailureURL',
  ]);
});

test('a file larger than FileSize can say is sent without a size', (t) => {
  t.regex(
    encodeEnvelope({ ...DOWNLOAD, fileSizeBytes: 4_294_967_295 }, null, STYLE),
    /<FileSize>4294967295</,
  );
  t.regex(encodeEnvelope({ ...DOWNLOAD, fileSizeBytes: 4_294_967_296 }, null, STYLE), /<FileSize>0</);
});

test("only invalid arguments are the CPE's fault", (t) => {
  for (const faultCode of Object.values(ACS_FAULT)) {
    const text = encodeEnvelope({ type: 'Fault', fault: { faultCode, faultString: '' } }, null, STYLE);
    t.true(text.includes(`<faultcode>soap-env:${faultCode === 8003 ? 'Client' : 'Server'}</faultcode>`));
  }
});

/** What XML 1.0 can carry of a text; everything else is replaced. */
function carried(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
}

const TEXT = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '&',
      '<',
      '>',
      '"',
      "'",
      ']]>',
      '\r',
      '\n',
      '\t',
      '\0',
      '\ud800',
      '\udc00',
      '\uffff',
      'é',
      '😀',
    ),
  }),
);

test('any text comes out of a parser as it went in, but for what XML cannot carry', (t) => {
  fc.assert(
    fc.property(TEXT, TEXT, (id, value) => {
      const message: AcsMessage = {
        type: 'SetParameterValues',
        parameters: [{ name: 'a', value, xsdType: 'string' }],
        parameterKey: value,
      };
      const texts = new Map<string, string>();
      let open = '';
      const parser = new SaxesParser({ xmlns: true });
      parser.on('opentag', (tag) => {
        open = tag.local;
        texts.set(open, '');
      });
      parser.on('text', (part) => texts.set(open, (texts.get(open) ?? '') + part));
      // Through bytes, as on the wire: a lone surrogate would change there.
      parser.write(Buffer.from(encodeEnvelope(message, id, STYLE)).toString()).close();
      t.is(texts.get('ID'), carried(id));
      t.is(texts.get('Value'), carried(value));
      t.is(texts.get('ParameterKey'), carried(value));
    }),
    { numRuns: 500 },
  );
});

test('whatever a fault says, our own decoder reads it back', (t) => {
  fc.assert(
    fc.property(TEXT, fc.constantFrom(...CWMP_NAMESPACES), (text, namespace) => {
      const envelope = encodeEnvelope(
        { type: 'Fault', fault: { faultCode: 8002, faultString: text } },
        text,
        { namespace },
      );
      t.deepEqual(decodeEnvelope(Buffer.from(envelope), undefined), {
        id: carried(text),
        style: { namespace },
        message: {
          type: 'Fault',
          fault: { faultCode: 8002, faultString: carried(text).trim().slice(0, 256) },
          parameterFaults: [],
        },
        mended: [],
      });
    }),
    { numRuns: 300 },
  );
});
