import test from 'ava';
import { decodeEnvelope, type Inform } from '../../../acs/soap/index.js';

function inform(text: string, contentType?: string): { id: string | null; message: Inform } {
  const { id, message } = decodeEnvelope(Buffer.from(text, 'latin1'), contentType);
  if (message.type !== 'Inform') throw new Error(`decoded as ${message.type}`);
  return { id, message };
}

test('Thomson SpeedTouch: ISO-8859-1 by Content-Type, "soap" bound to the encoding namespace, counts with a leading zero', (t) => {
  const { id, message } = inform(
    '<soapenv:Envelope soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"' +
      ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:soap="http://schemas.xmlsoap.org/soap/encoding/"' +
      ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' +
      ' xmlns:cwmp="urn:dslforum-org:cwmp-1-0">\n' +
      '<soapenv:Header><cwmp:ID soapenv:mustUnderstand="1">0_THOM_TR69_ID</cwmp:ID></soapenv:Header><soapenv:Body>' +
      '<cwmp:Inform><DeviceId><Manufacturer>THOMSON</Manufacturer><OUI>00147F</OUI>' +
      '<ProductClass>SpeedTouch 780</ProductClass><SerialNumber>CP0611JTLNW</SerialNumber></DeviceId>' +
      '<Event soap:arrayType="cwmp:EventStruct[02]"><EventStruct><EventCode>0 BOOTSTRAP</EventCode><CommandKey></CommandKey>' +
      '</EventStruct><EventStruct><EventCode>1 BOOT</EventCode><CommandKey></CommandKey></EventStruct></Event>' +
      '<MaxEnvelopes>2</MaxEnvelopes><CurrentTime>1970-01-01T00:01:09</CurrentTime><RetryCount>0</RetryCount>' +
      '<ParameterList soap:arrayType="cwmp:ParameterValueStruct[01]"><ParameterValueStruct>' +
      '<Name>InternetGatewayDevice.DeviceInfo.ProvisioningCode</Name><Value xsi:type="xsd:string">Caf\xe9</Value>' +
      '</ParameterValueStruct></ParameterList></cwmp:Inform></soapenv:Body></soapenv:Envelope>',
    'text/xml; charset=ISO-8859-1',
  );
  t.is(id, '0_THOM_TR69_ID');
  t.deepEqual(message, {
    type: 'Inform',
    deviceId: {
      manufacturer: 'THOMSON',
      oui: '00147F',
      productClass: 'SpeedTouch 780',
      serialNumber: 'CP0611JTLNW',
    },
    events: [
      { eventCode: '0 BOOTSTRAP', commandKey: '' },
      { eventCode: '1 BOOT', commandKey: '' },
    ],
    maxEnvelopes: 2,
    currentTime: '1970-01-01T00:01:09',
    retryCount: 0,
    parameters: [
      { name: 'InternetGatewayDevice.DeviceInfo.ProvisioningCode', value: 'Café', xsdType: 'string' },
    ],
  });
});

test('gSOAP clients without a Header: no ID; encodingStyle on Body and a broken arrayType change nothing', (t) => {
  const { id, message } = inform(
    '<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"' +
      ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' +
      ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:cwmp="urn:dslforum-org:cwmp-1-0">' +
      '<SOAP-ENV:Body SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><cwmp:Inform>' +
      '<DeviceId><Manufacturer>FishCore</Manufacturer><OUI>00A00D</OUI><ProductClass>FishCore IGD Device</ProductClass>' +
      '<SerialNumber>FC1234567890</SerialNumber></DeviceId>' +
      '<Event xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="cwmp:EventStruct1"><EventStruct><EventCode>0 BOOTSTRAP</EventCode>' +
      '<CommandKey></CommandKey></EventStruct></Event><MaxEnvelopes>1</MaxEnvelopes>' +
      '<CurrentTime>2012-08-15T01:43:47</CurrentTime><RetryCount>0</RetryCount>' +
      '<ParameterList xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="cwmp:ParameterValueStruct6"/>' +
      '</cwmp:Inform></SOAP-ENV:Body></SOAP-ENV:Envelope>',
    'text/xml; charset=utf-8',
  );
  t.is(id, null);
  t.is(message.deviceId.productClass, 'FishCore IGD Device');
  t.deepEqual(message.parameters, []);
});

test('Phicomm: a field of its own in DeviceId, an event without a code, and more entries announced than sent', (t) => {
  const { message } = inform(
    '<SOAP-ENV:Envelope\nxmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"\n' +
      'xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"\nxmlns:xsd="http://www.w3.org/2001/XMLSchema"\n' +
      'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\nxmlns:cwmp="urn:dslforum-org:cwmp-1-0">\n<SOAP-ENV:Header>\n' +
      '<cwmp:ID SOAP-ENV:mustUnderstand="1">821074105</cwmp:ID>\n</SOAP-ENV:Header>\n<SOAP-ENV:Body>\n<cwmp:Inform>\n' +
      '<DeviceId>\n<Manufacturer>Feixun</Manufacturer>\n<OUI>001234</OUI>\n<ProductClass>Wlan_AP</ProductClass>\n' +
      '<SerialNumber>CZWBT16OCH00058</SerialNumber>\n<WanIPAddress>172.17.60.206</WanIPAddress>\n</DeviceId>\n' +
      '<Event SOAP-ENC:arrayType="cwmp:EventStruct[2]">\n<EventStruct>\n<EventCode>1 BOOT</EventCode>\n<CommandKey></CommandKey>\n' +
      '</EventStruct>\n<EventStruct>\n<CommandKey></CommandKey>\n</EventStruct>\n</Event>\n<MaxEnvelopes>1</MaxEnvelopes>\n' +
      '<CurrentTime>2015-10-13T04:24:12+00:00</CurrentTime>\n<RetryCount>10</RetryCount>\n' +
      '<ParameterList SOAP-ENC:arrayType="cwmp:ParameterValueStruct[0009]">\n<ParameterValueStruct>\n' +
      '<Name>InternetGatewayDevice.DeviceInfo.SpecVersion</Name>\n<Value xsi:type="xsd:string">1.0</Value>\n' +
      '</ParameterValueStruct>\n</ParameterList>\n</cwmp:Inform>\n</SOAP-ENV:Body>\n</SOAP-ENV:Envelope>\n',
    'text/xml',
  );
  t.is(message.deviceId.serialNumber, 'CZWBT16OCH00058');
  t.deepEqual(message.events, [{ eventCode: '1 BOOT', commandKey: '' }]);
  t.is(message.retryCount, 10);
  t.is(message.parameters.length, 1);
});

test('ZTE: the schema-instance namespace of 1999, xsi:type on every field, and types such as xsd:string(1024)', (t) => {
  const { message } = inform(
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"' +
      ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsi="http://www.w3.org/1999/XMLSchema-instance"' +
      ' xmlns:xsd="http://www.w3.org/1999/XMLSchema" xmlns:cwmp="urn:dslforum-org:cwmp-1-0"><SOAP-ENV:Header>' +
      '<cwmp:ID SOAP-ENV:mustUnderstand="1">1</cwmp:ID></SOAP-ENV:Header><SOAP-ENV:Body><cwmp:Inform> ' +
      '<DeviceId xsi:type="cwmp:DeviceIdStruct"> <Manufacturer xsi:type="xsd:string">ZTE</Manufacturer>' +
      ' <OUI xsi:type="xsd:string">00AA11</OUI> <ProductClass xsi:type="xsd:string">ZXECS EBG2100</ProductClass>' +
      ' <SerialNumber xsi:type="xsd:string">0410400AA11AA2255</SerialNumber> </DeviceId>' +
      ' <Event SOAP-ENC:arrayType="cwmp:EventStruct[1]"> <EventStruct><EventCode xsi:type="xsd:string">1 BOOT</EventCode>' +
      '<CommandKey></CommandKey> </EventStruct> </Event> <MaxEnvelopes xsi:type="xsd:unsignedInt">1</MaxEnvelopes>' +
      ' <CurrentTime xsi:type="xsd:dateTime">2009-05-14T14:05:00</CurrentTime>' +
      ' <RetryCount xsi:type="xsd:unsignedInt">0</RetryCount>' +
      ' <ParameterList SOAP-ENC:arrayType="cwmp:ParameterValueStruct[13]"> <ParameterValueStruct>' +
      '<Name xsi:type="xsd:string">InternetGatewayDevice.DeviceSummary</Name>' +
      '<Value xsi:type="xsd:string(1024)">InternetGatewayDevice:1.0[](Baseline:1)</Value></ParameterValueStruct>' +
      '</ParameterList></cwmp:Inform></SOAP-ENV:Body></SOAP-ENV:Envelope>',
  );
  t.deepEqual(message.parameters, [
    {
      name: 'InternetGatewayDevice.DeviceSummary',
      value: 'InternetGatewayDevice:1.0[](Baseline:1)',
      xsdType: 'string',
    },
  ]);
});

test('easycwmp (OpenWrt): text/html with a quoted charset, prefixes with an underscore, standalone="no", cwmp-1-2', (t) => {
  const text =
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n <soap_env:Envelope\n' +
    'xmlns:soap_env="http://schemas.xmlsoap.org/soap/envelope/"\nxmlns:soap_enc="http://schemas.xmlsoap.org/soap/encoding/"\n' +
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"\nxmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\n' +
    'xmlns:cwmp="urn:dslforum-org:cwmp-1-2">\n  <soap_env:Header>\n   <cwmp:ID soap_env:mustUnderstand="1">1</cwmp:ID>\n' +
    '  </soap_env:Header>\n  <soap_env:Body>\n   <cwmp:Inform>\n    <DeviceId>\n     <Manufacturer>TDT</Manufacturer>\n' +
    '     <OUI>000149</OUI>\n     <ProductClass>c1500</ProductClass>\n     <SerialNumber>00014900E6D0</SerialNumber>\n' +
    '    </DeviceId>\n    <Event soap_enc:arrayType="cwmp:EventStruct[1]">\n     <EventStruct>\n' +
    '      <EventCode>2 PERIODIC</EventCode>\n      <CommandKey />\n     </EventStruct>\n    </Event>\n' +
    '    <MaxEnvelopes>1</MaxEnvelopes>\n    <CurrentTime>2016-03-08T08:26:59+00:00</CurrentTime>\n' +
    '    <RetryCount>0</RetryCount>\n    <ParameterList soap_enc:arrayType="cwmp:ParameterValueStruct[0]" />\n' +
    '   </cwmp:Inform>\n  </soap_env:Body>\n </soap_env:Envelope>\n';
  const { style } = decodeEnvelope(Buffer.from(text), 'text/html; charset="utf-8"');
  t.deepEqual(style, { namespace: 'urn:dslforum-org:cwmp-1-2' });
  t.deepEqual(inform(text).message.events, [{ eventCode: '2 PERIODIC', commandKey: '' }]);
});

test('China Telecom gateways: single quotes, an encoding namespace without its slash, and a blank after names', (t) => {
  const { message } = decodeEnvelope(
    Buffer.from(
      "<?xml version='1.0' encoding='UTF-8'?> <SOAP-ENV:Envelope xmlns:SOAP-ENV='http://schemas.xmlsoap.org/soap/envelope/'" +
        " xmlns:SOAP-ENC='http://schemas.xmlsoap.org/soap/encoding' xmlns:xsd='http://www.w3.org/2001/XMLSchema'" +
        " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:cwmp='urn:dslforum-org:cwmp-1-0'> <SOAP-ENV:Header>" +
        " <cwmp:ID SOAP-ENV:mustUnderstand='1'>1145</cwmp:ID> </SOAP-ENV:Header> <SOAP-ENV:Body>" +
        " <cwmp:GetParameterValuesResponse> <ParameterList xsi:type='SOAP-ENC:Array'" +
        " SOAP-ENC:arrayType='cwmp:ParameterValueStruct[10]'> <ParameterValueStruct>" +
        ' <Name>InternetGatewayDevice.ManagementServer.PeriodicInformEnable </Name>' +
        " <Value xsi:type='xsd:boolean'>1</Value> </ParameterValueStruct> </ParameterList>" +
        ' </cwmp:GetParameterValuesResponse> </SOAP-ENV:Body> </SOAP-ENV:Envelope>',
    ),
    undefined,
  );
  t.deepEqual(message, {
    type: 'GetParameterValuesResponse',
    parameters: [
      {
        name: 'InternetGatewayDevice.ManagementServer.PeriodicInformEnable',
        value: true,
        xsdType: 'boolean',
      },
    ],
  });
});
