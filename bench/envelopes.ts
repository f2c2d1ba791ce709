/** What a home gateway sends: about 2.4 kB, as measured in the field. */

const OPEN =
  '<?xml version="1.0" encoding="UTF-8"?>\n<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" ' +
  'xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" ' +
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="urn:dslforum-org:cwmp-1-0">\n' +
  ' <soap-env:Header>\n  <cwmp:ID soap-env:mustUnderstand="1">1</cwmp:ID>\n </soap-env:Header>\n <soap-env:Body>\n';
const CLOSE = ' </soap-env:Body>\n</soap-env:Envelope>\n';

export function serialOf(index: number): string {
  return `BENCH${String(index).padStart(7, '0')}`;
}

/** @param more  names without the root, and values, that are reported too */
export function inform(
  serial: string,
  events: readonly string[],
  version: string,
  { productClass = 'HGW', more = [] as readonly (readonly [string, string])[] } = {},
): string {
  const parameters = [
    ['DeviceSummary', 'InternetGatewayDevice:1.4[](Baseline:1, EthernetLAN:1, WiFiLAN:1)'],
    ['DeviceInfo.SpecVersion', '1.0'],
    ['DeviceInfo.HardwareVersion', 'HGW-7490-rev3'],
    ['DeviceInfo.SoftwareVersion', version],
    ['DeviceInfo.ProvisioningCode', 'TLCO.GRP2'],
    ['ManagementServer.ConnectionRequestURL', `http://10.20.30.40:7547/${serial}/cr`],
    ['ManagementServer.ParameterKey', '0'],
    ['WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.ExternalIPAddress', '10.20.30.40'],
    ...more,
  ];
  return (
    `${OPEN}  <cwmp:Inform>\n   <DeviceId>\n    <Manufacturer>Acme Networks</Manufacturer>\n    <OUI>00A1B2</OUI>\n` +
    `    <ProductClass>${productClass}</ProductClass>\n    <SerialNumber>${serial}</SerialNumber>\n   </DeviceId>\n` +
    `   <Event soap-enc:arrayType="cwmp:EventStruct[${events.length}]">\n` +
    events
      .map(
        (code) =>
          `    <EventStruct>\n     <EventCode>${code}</EventCode>\n     <CommandKey></CommandKey>\n    </EventStruct>\n`,
      )
      .join('') +
    '   </Event>\n   <MaxEnvelopes>1</MaxEnvelopes>\n   <CurrentTime>2026-01-01T00:00:00Z</CurrentTime>\n   <RetryCount>0</RetryCount>\n' +
    `   <ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[${parameters.length}]">\n` +
    parameters
      .map(
        ([name, value]) =>
          `    <ParameterValueStruct>\n     <Name>InternetGatewayDevice.${name}</Name>\n` +
          `     <Value xsi:type="xsd:string">${value}</Value>\n    </ParameterValueStruct>\n`,
      )
      .join('') +
    `   </ParameterList>\n  </cwmp:Inform>\n${CLOSE}`
  );
}

export const SET_PARAMETER_VALUES_RESPONSE = `${OPEN}  <cwmp:SetParameterValuesResponse><Status>0</Status></cwmp:SetParameterValuesResponse>\n${CLOSE}`;

export const DOWNLOAD_RESPONSE =
  `${OPEN}  <cwmp:DownloadResponse><Status>1</Status><StartTime>0001-01-01T00:00:00Z</StartTime>` +
  `<CompleteTime>0001-01-01T00:00:00Z</CompleteTime></cwmp:DownloadResponse>\n${CLOSE}`;

export function transferComplete(commandKey: string): string {
  return (
    `${OPEN}  <cwmp:TransferComplete><CommandKey>${commandKey}</CommandKey><FaultStruct><FaultCode>0</FaultCode>` +
    '<FaultString></FaultString></FaultStruct><StartTime>2026-01-01T00:00:00Z</StartTime>' +
    `<CompleteTime>2026-01-01T00:01:00Z</CompleteTime></cwmp:TransferComplete>\n${CLOSE}`
  );
}

export const INFORM_RESPONSE = `${OPEN}  <cwmp:InformResponse><MaxEnvelopes>1</MaxEnvelopes></cwmp:InformResponse>\n${CLOSE}`;
export const TRANSFER_COMPLETE_RESPONSE = `${OPEN}  <cwmp:TransferCompleteResponse/>\n${CLOSE}`;

export const DOWNLOAD =
  `${OPEN}  <cwmp:Download><CommandKey>cd3627cd19084ff88fe3f7078723a684</CommandKey><FileType>1 Firmware Upgrade Image</FileType>` +
  '<URL>http://files.example.net:7567/t/0123456789abcdef0123456789abcdef/bench.bin</URL><Username></Username><Password></Password>' +
  '<FileSize>1024</FileSize><TargetFileName>bench.bin</TargetFileName><DelaySeconds>0</DelaySeconds><SuccessURL></SuccessURL>' +
  `<FailureURL></FailureURL></cwmp:Download>\n${CLOSE}`;
