import { readFileSync } from 'node:fs';
import test from 'ava';
import { XmlDocument, XsdValidator } from 'libxml2-wasm';
import { validateEnvelopes } from './cwmp-schema.js';

const REBOOT = envelope('<cwmp:Reboot><CommandKey>k</CommandKey></cwmp:Reboot>');

function envelope(body: string, header = '', namespace = 'urn:dslforum-org:cwmp-1-0'): string {
  return (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"' +
    ' xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"' +
    ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="${namespace}">` +
    `<soap:Header>${header}</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`
  );
}

function fault(detail: string): string {
  return (
    '<soap:Fault><faultcode>soap:Client</faultcode><faultstring>CWMP fault</faultstring>' +
    `<detail>${detail}</detail></soap:Fault>`
  );
}

test('a misspelt RPC passes the schema of SOAP alone, and is rejected by the check of the Body against CWMP', async (t) => {
  const misspelt = envelope('<cwmp:Dowload><CommandKey>k</CommandKey></cwmp:Dowload>');
  const soap = readFileSync(new URL('../../../test/fixtures/cwmp-xsd/soap-envelope.xsd', import.meta.url));
  const validator = XsdValidator.fromDoc(XmlDocument.fromBuffer(soap));
  t.notThrows(() => validator.validate(XmlDocument.fromString(misspelt)));

  const errors = await validateEnvelopes([REBOOT, misspelt, REBOOT]);
  t.deepEqual(
    errors.map(({ index }) => index),
    [1],
  );
  t.regex(errors[0]?.error ?? '', /Dowload.*No matching global declaration/);
});

test('each violation is reported with the index of its envelope, and of every envelope that is the same', async (t) => {
  const wrongField = envelope('<cwmp:Reboot><Commandkey>k</Commandkey></cwmp:Reboot>');
  const errors = await validateEnvelopes([wrongField, REBOOT, '', wrongField]);
  t.deepEqual(
    errors.map(({ index }) => index),
    [0, 3],
  );
  t.regex(errors[0]?.error ?? '', /Expected is \( CommandKey \)/);
});

const REJECTED: readonly (readonly [string, string, RegExp])[] = [
  [
    'fields out of order',
    envelope(
      '<cwmp:DownloadResponse><StartTime>2026-01-01T00:00:00Z</StartTime><Status>1</Status>' +
        '<CompleteTime>2026-01-01T00:00:00Z</CompleteTime></cwmp:DownloadResponse>',
    ),
    /StartTime/,
  ],
  [
    'an array without its arrayType',
    envelope(
      '<cwmp:GetParameterValues><ParameterNames><string>a</string></ParameterNames>' +
        '</cwmp:GetParameterValues>',
    ),
    /arrayType/,
  ],
  ['an RPC without namespace', envelope('<Reboot><CommandKey>k</CommandKey></Reboot>'), /no CWMP namespace/],
  [
    'an RPC of a version that does not have it',
    envelope('<cwmp:GetAllQueuedTransfers/>'),
    /GetAllQueuedTransfers/,
  ],
  [
    'a namespace there is not',
    envelope('<cwmp:Reboot/>', '', 'urn:dslforum-org:cwmp-2-0'),
    /no CWMP namespace/,
  ],
  [
    'an ID without mustUnderstand',
    envelope('<cwmp:GetRPCMethods/>', '<cwmp:ID>1</cwmp:ID>'),
    /mustUnderstand/,
  ],
  [
    'a value that is not of its type',
    envelope(
      '<cwmp:GetParameterValuesResponse><ParameterList soap-enc:arrayType="x">' +
        '<ParameterValueStruct><Name>a</Name><Value xsi:type="xsd:int">x</Value></ParameterValueStruct></ParameterList>' +
        '</cwmp:GetParameterValuesResponse>',
    ),
    /'x' is not a valid value/,
  ],
  [
    'a fault code that version does not have',
    envelope(fault('<cwmp:Fault><FaultCode>8006</FaultCode></cwmp:Fault>')),
    /8006/,
  ],
  [
    'a faultcode with an undeclared prefix',
    envelope(
      fault('<cwmp:Fault><FaultCode>8000</FaultCode></cwmp:Fault>').replace('soap:Client', 'other:Client'),
    ),
    /faultcode/,
  ],
  [
    'a fault without CWMP detail',
    envelope('<soap:Fault><faultcode>soap:Client</faultcode><faultstring>x</faultstring></soap:Fault>'),
    /detail/,
  ],
  ['an empty Body', envelope(''), /one child/],
  ['two messages in a Body', envelope('<cwmp:GetRPCMethods/><cwmp:GetRPCMethods/>'), /one child/],
  ['a second Body', REBOOT.replace('</soap:Envelope>', '<soap:Body/></soap:Envelope>'), /Body/],
  ['a declaration that is not at the start', ` <?xml version="1.0"?>${REBOOT}`, /./],
  ['what is not XML', '<a', /./],
];
for (const [what, text, problem] of REJECTED) {
  test(`rejected: ${what}`, async (t) => {
    const errors = await validateEnvelopes([REBOOT, text]);
    t.true(errors.length > 0);
    t.true(errors.every(({ index }) => index === 1));
    t.regex(errors.map(({ error }) => error).join('; '), problem);
  });
}

test('accepted: header blocks of CWMP 1.3 and 1.4 in the namespace of 1.2, and URNs of their own', async (t) => {
  const blocks =
    '<cwmp:ID soap:mustUnderstand="1">1</cwmp:ID><cwmp:SessionTimeout soap:mustUnderstand="0">40</cwmp:SessionTimeout>';
  const newest = `${blocks}<cwmp:SupportedCWMPVersions soap:mustUnderstand="0">1.0,1.4</cwmp:SupportedCWMPVersions>`;
  t.deepEqual(
    await validateEnvelopes([
      envelope('<cwmp:GetRPCMethods/>', newest, 'urn:dslforum-org:cwmp-1-2'),
      envelope('<cwmp:GetRPCMethods/>', blocks, 'urn:dslforum-org:cwmp-1-3'),
      envelope('<cwmp:GetRPCMethods/>', newest, 'urn:dslforum-org:cwmp-1-4'),
      envelope(
        fault('<cwmp:Fault><FaultCode>8006</FaultCode></cwmp:Fault>'),
        '',
        'urn:dslforum-org:cwmp-1-4',
      ),
    ]),
    [],
  );
});

test('a fragment keeps the namespaces declared around it, also for prefixes in values', async (t) => {
  const text =
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">' +
    '<s:Body xmlns:d="http://www.w3.org/2001/XMLSchema" xmlns:e="http://schemas.xmlsoap.org/soap/encoding/">' +
    '<SetParameterValues xmlns="urn:dslforum-org:cwmp-1-0"><ParameterList xmlns="" e:arrayType="ParameterValueStruct[1]">' +
    '<ParameterValueStruct><Name>a</Name><Value i:type="d:boolean">TYPE</Value></ParameterValueStruct></ParameterList>' +
    '<ParameterKey xmlns=""/></SetParameterValues></s:Body></s:Envelope>';
  t.deepEqual(await validateEnvelopes([text.replace('TYPE', 'true')]), []);
  t.not((await validateEnvelopes([text.replace('TYPE', 'maybe')])).length, 0);
});

test('thousands of different envelopes are checked each by itself', async (t) => {
  const many = Array.from({ length: 2_500 }, (_, i) =>
    REBOOT.replace('>k<', `>${i === 2_000 ? 'k'.repeat(33) : i}<`),
  );
  const errors = await validateEnvelopes(many);
  t.deepEqual(
    errors.map(({ index }) => index),
    [2_000],
  );
});
