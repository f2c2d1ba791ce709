import test from 'ava';
import { digestOf } from '../../../acs/device/parameter-report.js';
import { type CpeMessage, CWMP_NAMESPACES } from '../../../acs/soap/index.js';
import { validateEnvelopes } from '../../support/cwmp-schema.js';
import {
  answerOf,
  DEVICE_ID,
  decodeBody,
  decodeText,
  EVENT,
  envelope,
  INFORM,
  INFORM_TAIL,
  refusalOf,
} from './envelopes.js';

/** Each message a CPE sends: what is in the Body, and what it decodes to. */
const MESSAGES: readonly (readonly [string, CpeMessage])[] = [
  [
    INFORM,
    {
      type: 'Inform',
      deviceId: { manufacturer: 'ACME', oui: '00A1B2', productClass: 'HGW', serialNumber: '1' },
      events: [{ eventCode: '2 PERIODIC', commandKey: '' }],
      maxEnvelopes: 1,
      currentTime: '2026-01-01T00:00:00Z',
      retryCount: 0,
      parameters: [{ name: 'Device.DeviceInfo.SoftwareVersion', value: '1.0.0', xsdType: 'string' }],
    },
  ],
  [
    '<cwmp:TransferComplete><CommandKey>abc</CommandKey><FaultStruct><FaultCode>0</FaultCode><FaultString></FaultString>' +
      '</FaultStruct><StartTime>2026-01-01T00:00:00Z</StartTime><CompleteTime>2026-01-01T00:01:00Z</CompleteTime>' +
      '</cwmp:TransferComplete>',
    {
      type: 'TransferComplete',
      commandKey: 'abc',
      fault: null,
      startTime: '2026-01-01T00:00:00Z',
      completeTime: '2026-01-01T00:01:00Z',
    },
  ],
  [
    '<cwmp:TransferComplete><CommandKey/><FaultStruct><FaultCode>9010</FaultCode><FaultString>Download failure</FaultString>' +
      '</FaultStruct><StartTime>0001-01-01T00:00:00Z</StartTime><CompleteTime>0001-01-01T00:00:00Z</CompleteTime>' +
      '</cwmp:TransferComplete>',
    {
      type: 'TransferComplete',
      commandKey: '',
      fault: { faultCode: 9010, faultString: 'Download failure' },
      startTime: '0001-01-01T00:00:00Z',
      completeTime: '0001-01-01T00:00:00Z',
    },
  ],
  ['<cwmp:GetRPCMethods/>', { type: 'GetRPCMethods' }],
  [
    '<cwmp:RequestDownload><FileType>1 Firmware Upgrade Image</FileType><FileTypeArg soap-enc:arrayType="cwmp:ArgStruct[1]">' +
      '<ArgStruct><Name>Version</Name><Value>2.0</Value></ArgStruct></FileTypeArg></cwmp:RequestDownload>',
    { type: 'RequestDownload' },
  ],
  [
    '<cwmp:GetRPCMethodsResponse><MethodList soap-enc:arrayType="xsd:string[2]"><string>GetRPCMethods</string>' +
      '<string>Download</string></MethodList></cwmp:GetRPCMethodsResponse>',
    { type: 'GetRPCMethodsResponse', methods: ['GetRPCMethods', 'Download'] },
  ],
  [
    '<cwmp:GetParameterValuesResponse><ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[3]">' +
      '<ParameterValueStruct><Name>a</Name><Value xsi:type="xsd:unsignedInt">7</Value></ParameterValueStruct>' +
      '<ParameterValueStruct><Name>b</Name><Value xsi:type="xsd:boolean">false</Value></ParameterValueStruct>' +
      '<ParameterValueStruct><Name>c</Name><Value xsi:type="xsd:dateTime">2026-01-01T00:00:00Z</Value></ParameterValueStruct>' +
      '</ParameterList></cwmp:GetParameterValuesResponse>',
    {
      type: 'GetParameterValuesResponse',
      parameters: [
        { name: 'a', value: 7, xsdType: 'unsignedInt' },
        { name: 'b', value: false, xsdType: 'boolean' },
        { name: 'c', value: '2026-01-01T00:00:00Z', xsdType: 'dateTime' },
      ],
    },
  ],
  [
    '<cwmp:SetParameterValuesResponse><Status>1</Status></cwmp:SetParameterValuesResponse>',
    { type: 'SetParameterValuesResponse' },
  ],
  [
    '<cwmp:DownloadResponse><Status>0</Status><StartTime>2026-01-01T00:00:00Z</StartTime>' +
      '<CompleteTime>2026-01-01T00:01:00Z</CompleteTime></cwmp:DownloadResponse>',
    {
      type: 'DownloadResponse',
      status: 0,
      startTime: '2026-01-01T00:00:00Z',
      completeTime: '2026-01-01T00:01:00Z',
    },
  ],
  ['<cwmp:RebootResponse/>', { type: 'RebootResponse' }],
  [
    '<cwmp:GetQueuedTransfersResponse><TransferList soap-enc:arrayType="cwmp:QueuedTransferStruct[2]">' +
      '<QueuedTransferStruct><CommandKey>a</CommandKey><State>1</State></QueuedTransferStruct>' +
      '<QueuedTransferStruct><CommandKey></CommandKey><State>3</State></QueuedTransferStruct>' +
      '</TransferList></cwmp:GetQueuedTransfersResponse>',
    { type: 'GetQueuedTransfersResponse', commandKeys: ['a', ''] },
  ],
  [
    '<cwmp:GetQueuedTransfersResponse><TransferList soap-enc:arrayType="cwmp:QueuedTransferStruct[0]"/>' +
      '</cwmp:GetQueuedTransfersResponse>',
    { type: 'GetQueuedTransfersResponse', commandKeys: [] },
  ],
  [
    '<soap:Fault><faultcode>soap:Client</faultcode><faultstring>CWMP fault</faultstring><detail><cwmp:Fault>' +
      '<FaultCode>9003</FaultCode><FaultString>Invalid arguments</FaultString><SetParameterValuesFault>' +
      '<ParameterName>Device.X</ParameterName><FaultCode>9007</FaultCode><FaultString>too long</FaultString>' +
      '</SetParameterValuesFault></cwmp:Fault></detail></soap:Fault>',
    {
      type: 'Fault',
      fault: { faultCode: 9003, faultString: 'Invalid arguments' },
      parameterFaults: [{ name: 'Device.X', faultCode: 9007, faultString: 'too long' }],
    },
  ],
];

for (const namespace of CWMP_NAMESPACES) {
  test(`every message is decoded in ${namespace}, which the answer is then written in`, (t) => {
    for (const [body, message] of MESSAGES) {
      const decoded = decodeText(envelope(body, namespace, '42'));
      t.deepEqual(decoded, { id: '42', style: { namespace }, message, mended: [] });
    }
  });
}

test('the messages decoded here are themselves valid against the official schemas', async (t) => {
  const envelopes = CWMP_NAMESPACES.flatMap((namespace) =>
    MESSAGES.map(([body]) => envelope(body, namespace)),
  );
  t.deepEqual(await validateEnvelopes(envelopes), []);
});

test('GetAllQueuedTransfersResponse, which came with cwmp-1-1', async (t) => {
  const body =
    '<cwmp:GetAllQueuedTransfersResponse><TransferList soap-enc:arrayType="cwmp:AllQueuedTransferStruct[1]">' +
    '<AllQueuedTransferStruct><CommandKey>a</CommandKey><State>2</State><IsDownload>1</IsDownload>' +
    '<FileType>1 Firmware Upgrade Image</FileType><FileSize>1</FileSize><TargetFileName></TargetFileName>' +
    '</AllQueuedTransferStruct></TransferList></cwmp:GetAllQueuedTransfersResponse>';
  const text = envelope(body, 'urn:dslforum-org:cwmp-1-1');
  t.deepEqual(await validateEnvelopes([text]), []);
  t.deepEqual(decodeText(text).message, { type: 'GetAllQueuedTransfersResponse', commandKeys: ['a'] });
});

test('CancelTransferResponse, which came with cwmp-1-2', async (t) => {
  const text = envelope('<cwmp:CancelTransferResponse/>', 'urn:dslforum-org:cwmp-1-2');
  t.deepEqual(await validateEnvelopes([text]), []);
  t.deepEqual(decodeText(text).message, { type: 'CancelTransferResponse' });
});

test('a queue of more entries than anybody needs is refused', (t) => {
  const list = '<QueuedTransferStruct><CommandKey>a</CommandKey></QueuedTransferStruct>'.repeat(257);
  const body = `<cwmp:GetQueuedTransfersResponse><TransferList>${list}</TransferList></cwmp:GetQueuedTransfersResponse>`;
  t.throws(() => decodeBody(body), { message: /TransferList may have at most 256 entries/ });
});

test('an XML declaration may come, after a byte order mark or blanks too, and changes nothing', (t) => {
  const plain = decodeText(envelope(INFORM));
  const declared = `<?xml version="1.0" encoding="utf-8"?>${envelope(INFORM)}`;
  for (const text of [declared, `\ufeff${declared}`, `\r\n ${declared}`])
    t.deepEqual(decodeText(text), plain);
});

test('prefixes are any: none at all, or CWMP as the default namespace of qualified fields', (t) => {
  const expected = decodeText(envelope(INFORM)).message;
  const inform = `<Inform xmlns="urn:dslforum-org:cwmp-1-0">${DEVICE_ID}${EVENT}${INFORM_TAIL}</Inform>`;
  t.deepEqual(decodeBody(inform), expected);
  const other = envelope(INFORM).replaceAll('soap:', 'S-E:').replaceAll('xmlns:soap=', 'xmlns:S-E=');
  t.deepEqual(
    decodeText(other.replaceAll('cwmp:', 'x1.y:').replaceAll('xmlns:cwmp=', 'xmlns:x1.y=')).message,
    expected,
  );
});

test('the order of fields does not matter', (t) => {
  const reordered =
    `<cwmp:Inform>${INFORM_TAIL}${EVENT}<DeviceId><SerialNumber>1</SerialNumber><ProductClass>HGW</ProductClass>` +
    '<OUI>00A1B2</OUI><Manufacturer>ACME</Manufacturer></DeviceId></cwmp:Inform>';
  t.deepEqual(decodeBody(reordered), decodeBody(INFORM));
});

test('comments, CDATA, references and white space in and around fields do not matter', (t) => {
  const spaced = INFORM.replace('>00A1B2<', '>\n\t<!-- the -->00<![CDATA[A1]]>&#66;2 <')
    .replace('>2 PERIODIC<', '>\r\n 2 PERIODIC\r\n<')
    .replaceAll('><', '>\n  <');
  t.deepEqual(decodeBody(spaced), decodeBody(INFORM));
});

test('the Status of a SetParameterValuesResponse decides nothing, and may be anything', (t) => {
  for (const status of ['', '<Status/>', '<Status>2</Status>', '<Status>OK</Status>']) {
    const body = `<cwmp:SetParameterValuesResponse>${status}</cwmp:SetParameterValuesResponse>`;
    t.deepEqual(decodeBody(body), { type: 'SetParameterValuesResponse' });
  }
});

test('a string value is kept to the letter, but for blanks around it', (t) => {
  t.like(decodeBody(INFORM.replace('>1.0.0<', '> 1.0 \t&amp;\n <')), { parameters: [{ value: '1.0 \t&' }] });
});

test('fields an Inform may lack get their defaults', (t) => {
  const least = '<DeviceId><OUI>00A1B2</OUI><SerialNumber>1</SerialNumber></DeviceId><Event/>';
  t.deepEqual(decodeBody(`<cwmp:Inform>${least}</cwmp:Inform>`), {
    type: 'Inform',
    deviceId: { manufacturer: '', oui: '00A1B2', productClass: '', serialNumber: '1' },
    events: [],
    maxEnvelopes: 1,
    currentTime: '',
    retryCount: 0,
    parameters: [],
  });
});

const INVALID: readonly (readonly [string, string, RegExp])[] = [
  ['an Inform without DeviceId', INFORM.replace(DEVICE_ID, ''), /^Inform\.DeviceId is missing/],
  ['an Inform without OUI', INFORM.replace('<OUI>00A1B2</OUI>', ''), /^Inform\.DeviceId\.OUI is missing/],
  [
    'an Inform with an empty serial number',
    INFORM.replace('r>1</S', 'r> </S'),
    /^Inform\.DeviceId\.SerialNumber is missing/,
  ],
  [
    'a serial number of 65 characters',
    INFORM.replace('r>1</S', `r>${'1'.repeat(65)}</S`),
    /SerialNumber may have at most 64/,
  ],
  [
    'a parameter name without end',
    INFORM.replace('Device.DeviceInfo', 'D'.repeat(2_000)),
    /ParameterList Name may have/,
  ],
  [
    'a DownloadResponse without Status',
    '<cwmp:DownloadResponse/>',
    /^DownloadResponse\.Status must be 0 or 1/,
  ],
  ['an empty Body', '', /^Body must hold one message, found 0/],
  ['two messages in one Body', `${INFORM}${INFORM}`, /^Body must hold one message, found 2/],
];
for (const [what, body, message] of INVALID) {
  test(`${what} is fault 8003 that names the field, in the CPE's style`, (t) => {
    const error = refusalOf(envelope(body, 'urn:dslforum-org:cwmp-1-0', 'id-7'));
    t.deepEqual(error.answer, {
      kind: 'fault',
      faultCode: 8003,
      id: 'id-7',
      style: { namespace: 'urn:dslforum-org:cwmp-1-0' },
    });
    t.regex(error.message, message);
  });
}

test('more than 64 events are fault 8004', (t) => {
  const events = '<EventStruct><EventCode>1 BOOT</EventCode></EventStruct>'.repeat(65);
  t.is(answerOf(envelope(INFORM.replace(EVENT, `<Event>${events}</Event>`))), 8004);
});

test('an RPC that is not known is named, in a bounded length; so is a known one in another namespace', (t) => {
  t.deepEqual(decodeBody('<cwmp:Kicked><Command/></cwmp:Kicked>'), { type: 'unknown', name: 'Kicked' });
  t.deepEqual(decodeBody(`<cwmp:${'X'.repeat(1_000)}/>`), { type: 'unknown', name: 'X'.repeat(64) });
  t.deepEqual(decodeBody('<Inform xmlns="urn:other"/>'), { type: 'unknown', name: 'Inform' });
  t.deepEqual(decodeBody('<Kicked/>'), { type: 'unknown', name: 'Kicked' });
  t.deepEqual(decodeBody('<cwmp:toString/>'), { type: 'unknown', name: 'toString' });
});

test('a request that only the ACS makes is not known either', (t) => {
  t.deepEqual(decodeBody('<cwmp:Download/>'), { type: 'unknown', name: 'Download' });
});

test('the namespace is that of the message, whatever else the envelope declares', (t) => {
  const both = envelope(INFORM, 'urn:dslforum-org:cwmp-1-0').replace(
    '<soap:Envelope',
    '<soap:Envelope xmlns:new="urn:dslforum-org:cwmp-1-2"',
  );
  t.is(decodeText(both).style.namespace, 'urn:dslforum-org:cwmp-1-0');
});

test('a CWMP version that is not known is fault 8006, written in the namespace of 1.2', (t) => {
  for (const body of [INFORM, '<Inform/>', '']) {
    const text = envelope(body).replace('urn:dslforum-org:cwmp-1-0', 'urn:dslforum-org:cwmp-2-0');
    const { answer } = refusalOf(text);
    t.deepEqual(answer, {
      kind: 'fault',
      faultCode: 8006,
      id: '1',
      style: { namespace: 'urn:dslforum-org:cwmp-1-2' },
    });
  }
});

test('what is not a SOAP 1.1 envelope of CWMP is HTTP 400', (t) => {
  const cases = [
    '',
    ' ',
    'hello',
    '<a/>',
    '<Envelope><Body/></Envelope>',
    envelope(INFORM).replace(
      'http://schemas.xmlsoap.org/soap/envelope/',
      'http://www.w3.org/2003/05/soap-envelope',
    ),
    envelope('<a/>')
      .replace(' xmlns:cwmp="urn:dslforum-org:cwmp-1-0"', '')
      .replace(/<soap:Header>.*<\/soap:Header>/, ''),
    envelope(INFORM).replace(/<soap:Body>.*<\/soap:Body>/, ''),
    envelope(INFORM).replace('</soap:Envelope>', '<soap:Body/></soap:Envelope>'),
    envelope(INFORM).replace('<soap:Body>', '<soap:Header/><soap:Body>'),
    envelope(INFORM, 'urn:dslforum-org:cwmp-1-0', 'x'.repeat(257)),
    envelope(INFORM).slice(0, -1),
    `${envelope(INFORM)}${envelope(INFORM)}`,
    envelope('<vendor:Inform/>'),
  ];
  for (const text of cases) t.is(answerOf(text), 400, text);
});

test("a fault's CWMP part is found however it is qualified", (t) => {
  const content = '<FaultCode>9004</FaultCode><FaultString>busy</FaultString>';
  const expected = { type: 'Fault', fault: { faultCode: 9004, faultString: 'busy' }, parameterFaults: [] };
  for (const detail of [
    `<detail><Fault>${content}</Fault></detail>`,
    `<soap:detail><soap:Fault>${content}</soap:Fault></soap:detail>`,
    `<detail>${content}</detail>`,
    `<detail><cwmp:Fault><cwmp:FaultCode> 9004 </cwmp:FaultCode><cwmp:FaultString>busy</cwmp:FaultString></cwmp:Fault></detail>`,
  ]) {
    t.deepEqual(decodeBody(`<soap:Fault><faultcode>Client</faultcode>${detail}</soap:Fault>`), expected);
  }
});

test('a SOAP fault without a CWMP part is "internal error" with its own words', (t) => {
  t.deepEqual(
    decodeBody(
      '<soap:Fault><faultcode>soap:Server</faultcode><faultstring>out of memory</faultstring></soap:Fault>',
    ),
    {
      type: 'Fault',
      fault: { faultCode: 9002, faultString: 'out of memory' },
      parameterFaults: [],
    },
  );
});

test('a fault code that cannot be read is "internal error"; none at all in a TransferComplete is success', (t) => {
  const complete = (code: string) =>
    decodeBody(`<cwmp:TransferComplete><FaultStruct>${code}</FaultStruct></cwmp:TransferComplete>`);
  t.like(complete('<FaultCode>none</FaultCode><FaultString>x</FaultString>'), {
    fault: { faultCode: 9002, faultString: 'x' },
  });
  t.like(complete(''), { fault: null });
  t.like(complete('<FaultCode/>'), { fault: null });
  t.like(
    decodeBody(
      '<soap:Fault><detail><cwmp:Fault><FaultCode>x9004</FaultCode></cwmp:Fault></detail></soap:Fault>',
    ),
    {
      fault: { faultCode: 9002 },
    },
  );
});

test('header blocks other than ID are passed over, and an ID that is not qualified counts', (t) => {
  const blocks =
    '<other:ID xmlns:other="urn:other">no</other:ID><cwmp:HoldRequests soap:mustUnderstand="1">0</cwmp:HoldRequests>' +
    '<cwmp:NoMoreRequests>1</cwmp:NoMoreRequests><cwmp:SessionTimeout>30</cwmp:SessionTimeout>' +
    '<cwmp:SupportedCWMPVersions>1.0,1.4</cwmp:SupportedCWMPVersions><cwmp:UseCWMPVersion>1.4</cwmp:UseCWMPVersion>';
  t.is(decodeText(envelope(INFORM).replace('<soap:Header>', `<soap:Header>${blocks}`)).id, '1');
  t.is(decodeText(envelope(INFORM).replaceAll('cwmp:ID', 'ID')).id, '1');
  t.is(decodeText(envelope(INFORM).replace(/<cwmp:ID.*<\/cwmp:ID>/, '')).id, null);
});

test('the ID is kept to the letter, since the CPE compares it', (t) => {
  t.is(decodeText(envelope(INFORM, 'urn:dslforum-org:cwmp-1-0', ' a&lt;b&#13; ')).id, ' a<b\r ');
});

test('texts that describe are cut, so that they can be stored and logged', (t) => {
  const message = decodeBody(INFORM.replace('ACME', 'A'.repeat(10_000)));
  t.like(message, { deviceId: { manufacturer: 'A'.repeat(256) } });
});

test('parameters without a name are passed over; any element is an entry of the list', (t) => {
  const list =
    '<ParameterList><item><Name>a</Name><Value>1</Value></item><item><Value>2</Value></item><item><Name>b</Name></item>' +
    '</ParameterList>';
  t.deepEqual(decodeBody(`<cwmp:GetParameterValuesResponse>${list}</cwmp:GetParameterValuesResponse>`), {
    type: 'GetParameterValuesResponse',
    parameters: [
      { name: 'a', value: '1', xsdType: 'string' },
      { name: 'b', value: '', xsdType: 'string' },
    ],
  });
});

test('of a secret it is read that it is set, whatever its type, and its digest is that of any other', (t) => {
  const told = (message: string, value: string) => {
    const structs =
      `<ParameterValueStruct><Name>Device.PPP.Interface.1.Password</Name><Value>${value}</Value></ParameterValueStruct>` +
      '<ParameterValueStruct><Name>Device.X.DevicePassword</Name><Value xsi:type="xsd:unsignedInt">12345670</Value></ParameterValueStruct>';
    const decoded = decodeBody(
      message === 'Inform'
        ? INFORM.replace('</ParameterList>', `${structs}</ParameterList>`)
        : `<cwmp:GetParameterValuesResponse><ParameterList>${structs}</ParameterList></cwmp:GetParameterValuesResponse>`,
    );
    return 'parameters' in decoded ? decoded.parameters : [];
  };
  for (const message of ['Inform', 'GetParameterValuesResponse']) {
    t.deepEqual(
      told(message, ' hunter2 ')
        .slice(-2)
        .map(({ value }) => value),
      ['set', 'set'],
    );
    t.is(told(message, '').at(-2)?.value, '');
    t.is(digestOf(told(message, 'hunter2')), digestOf(told(message, 'hunter3')));
    t.not(digestOf(told(message, 'hunter2')), digestOf(told(message, '')));
  }
});
