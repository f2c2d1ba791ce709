import { type CwmpNamespace, decodeEnvelope, SoapError, type SoapLimits } from '../../../acs/soap/index.js';

export const DEVICE_ID =
  '<DeviceId><Manufacturer>ACME</Manufacturer><OUI>00A1B2</OUI><ProductClass>HGW</ProductClass>' +
  '<SerialNumber>1</SerialNumber></DeviceId>';
export const EVENT =
  '<Event soap-enc:arrayType="cwmp:EventStruct[1]"><EventStruct><EventCode>2 PERIODIC</EventCode>' +
  '<CommandKey></CommandKey></EventStruct></Event>';
export const INFORM_TAIL =
  '<MaxEnvelopes>1</MaxEnvelopes><CurrentTime>2026-01-01T00:00:00Z</CurrentTime><RetryCount>0</RetryCount>' +
  '<ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[1]"><ParameterValueStruct>' +
  '<Name>Device.DeviceInfo.SoftwareVersion</Name><Value xsi:type="xsd:string">1.0.0</Value>' +
  '</ParameterValueStruct></ParameterList>';
export const INFORM = `<cwmp:Inform>${DEVICE_ID}${EVENT}${INFORM_TAIL}</cwmp:Inform>`;

/** An envelope as TR-069's own examples write it. */
export function envelope(
  body: string,
  namespace: CwmpNamespace = 'urn:dslforum-org:cwmp-1-0',
  id = '1',
): string {
  return (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"' +
    ' xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/"' +
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' +
    ` xmlns:cwmp="${namespace}"><soap:Header><cwmp:ID soap:mustUnderstand="1">${id}</cwmp:ID></soap:Header>` +
    `<soap:Body>${body}</soap:Body></soap:Envelope>`
  );
}

export function decodeText(text: string, contentType = 'text/xml; charset=utf-8') {
  return decodeEnvelope(Buffer.from(text), contentType);
}

export function decodeBody(body: string) {
  return decodeText(envelope(body)).message;
}

/** How the decoder refuses a body. @throws Error where it does not, or not with a SoapError */
export function refusalOf(body: Buffer | string, contentType?: string, limits?: SoapLimits): SoapError {
  try {
    decodeEnvelope(Buffer.from(body), contentType, limits);
  } catch (error) {
    if (error instanceof SoapError) return error;
    throw error;
  }
  throw new Error('the body was accepted');
}

/** The HTTP status, or the fault code, of a refusal. */
export function answerOf(body: Buffer | string, contentType?: string, limits?: SoapLimits): number {
  const { answer } = refusalOf(body, contentType, limits);
  return answer.kind === 'http' ? answer.status : answer.faultCode;
}
