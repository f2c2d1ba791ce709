import http from 'node:http';

/** A CPE written by hand: it sends whatever it is told to, right or wrong, over one kept-alive connection. */
export class RawCpe {
  readonly #url: URL;
  readonly #agent: http.Agent;
  cookie: string | null = null;
  headers: Record<string, string> = {};
  keepsCookie = true;

  /** @param localAddress  where it calls from, if that matters */
  constructor(url: string, localAddress?: string) {
    this.#url = new URL(url);
    this.#agent = new http.Agent({
      keepAlive: true,
      maxSockets: 1,
      ...(localAddress !== undefined && { localAddress }),
    });
  }

  post(body: string | Buffer, headers: Record<string, string> = {}): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const request = http.request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          ...(body.length > 0 && { 'Content-Type': 'text/xml; charset=utf-8', SOAPAction: '' }),
          'Content-Length': Buffer.byteLength(body),
          ...(this.cookie !== null && { Cookie: this.cookie }),
          ...this.headers,
          ...headers,
        },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const cookie = response.headers['set-cookie']?.[0]?.split(';')[0];
          if (cookie !== undefined && this.keepsCookie) this.cookie = cookie;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          });
        });
      });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface InformFields {
  readonly serial?: string;
  readonly oui?: string;
  readonly productClass?: string;
  readonly events?: readonly (string | readonly [code: string, commandKey: string])[];
  readonly version?: string | null;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}

export function envelope(body: string, options: { namespace?: string; id?: string } = {}): string {
  const namespace = options.namespace ?? 'urn:dslforum-org:cwmp-1-0';
  return (
    '<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" ' +
    'xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" ' +
    `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="${namespace}">` +
    `<soap-env:Header><cwmp:ID soap-env:mustUnderstand="1">${options.id ?? '1'}</cwmp:ID></soap-env:Header>` +
    `<soap-env:Body>${body}</soap-env:Body></soap-env:Envelope>`
  );
}

export function inform(fields: InformFields = {}): string {
  const parameters = Object.entries({
    'Device.DeviceInfo.HardwareVersion': '1',
    ...(fields.version !== null && { 'Device.DeviceInfo.SoftwareVersion': fields.version ?? '1.0' }),
    'Device.ManagementServer.ConnectionRequestURL': 'http://127.0.0.1:1/cr',
    ...fields.parameters,
  });
  const events = (fields.events ?? ['2 PERIODIC']).map((event) =>
    typeof event === 'string' ? [event, ''] : event,
  );
  return envelope(
    '<cwmp:Inform><DeviceId>' +
      `<Manufacturer>Acme</Manufacturer><OUI>${fields.oui ?? '00A1B2'}</OUI>` +
      `<ProductClass>${fields.productClass ?? 'HGW'}</ProductClass><SerialNumber>${fields.serial ?? '1'}</SerialNumber></DeviceId>` +
      `<Event soap-enc:arrayType="cwmp:EventStruct[${events.length}]">` +
      events
        .map(
          ([code, key]) =>
            `<EventStruct><EventCode>${code}</EventCode><CommandKey>${key}</CommandKey></EventStruct>`,
        )
        .join('') +
      '</Event><MaxEnvelopes>1</MaxEnvelopes><CurrentTime>2026-01-01T00:00:00Z</CurrentTime><RetryCount>0</RetryCount>' +
      `<ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[${parameters.length}]">` +
      parameters
        .map(
          ([name, value]) =>
            `<ParameterValueStruct><Name>${name}</Name><Value xsi:type="xsd:string">${value}</Value></ParameterValueStruct>`,
        )
        .join('') +
      '</ParameterList></cwmp:Inform>',
    fields.namespace === undefined ? {} : { namespace: fields.namespace },
  );
}

export function transferComplete(commandKey: string, fault: readonly [number, string] = [0, '']): string {
  return envelope(
    `<cwmp:TransferComplete><CommandKey>${commandKey}</CommandKey><FaultStruct><FaultCode>${fault[0]}</FaultCode>` +
      `<FaultString>${fault[1]}</FaultString></FaultStruct><StartTime>2026-01-01T00:00:00Z</StartTime>` +
      '<CompleteTime>2026-01-01T00:01:00Z</CompleteTime></cwmp:TransferComplete>',
  );
}

export function downloadResponse(status: 0 | 1 = 1): string {
  return envelope(
    `<cwmp:DownloadResponse><Status>${status}</Status><StartTime>0001-01-01T00:00:00Z</StartTime>` +
      '<CompleteTime>0001-01-01T00:00:00Z</CompleteTime></cwmp:DownloadResponse>',
  );
}

export const SET_PARAMETER_VALUES_RESPONSE = envelope(
  '<cwmp:SetParameterValuesResponse><Status>0</Status></cwmp:SetParameterValuesResponse>',
);

/** The CPE's answer to GetParameterValues, with the parameters an Inform of these fields would have. */
export function parameterValues(fields: InformFields): string {
  return inform(fields)
    .replace(/<cwmp:Inform>.*<ParameterList/, '<cwmp:GetParameterValuesResponse><ParameterList')
    .replace('</cwmp:Inform>', '</cwmp:GetParameterValuesResponse>');
}

/** The CPE's fault answer to one of our requests. */
export function cpeFault(code: number, text: string): string {
  return envelope(
    '<soap-env:Fault><faultcode>Client</faultcode><faultstring>CWMP fault</faultstring><detail><cwmp:Fault>' +
      `<FaultCode>${code}</FaultCode><FaultString>${text}</FaultString></cwmp:Fault></detail></soap-env:Fault>`,
  );
}

/** More RPCs than any session here has: an ACS that never ends one is a failure, not a test that hangs. */
const RPCS_MAX = 20;

/**
 * The rest of a session whose Inform has been answered, to the first answer that is no RPC. Each RPC gets its answer of `answers`, or a fault.
 * @returns the RPCs the ACS called, in order, with the last envelope of each
 */
export async function restOfSession(
  cpe: RawCpe,
  answers: Readonly<Record<string, string>>,
): Promise<{ readonly rpcs: string[]; readonly envelopes: Record<string, string> }> {
  const rpcs: string[] = [];
  const envelopes: Record<string, string> = {};
  let answer = await cpe.post('');
  while (answer.status === 200 && rpcs.length < RPCS_MAX) {
    const rpc = rpcOf(answer.body);
    rpcs.push(rpc);
    envelopes[rpc] = answer.body;
    answer = await cpe.post(answers[rpc] ?? cpeFault(9000, 'Method not supported'));
  }
  return { rpcs, envelopes };
}

/** The text of the first element of that local name. */
export function textOf(xml: string, element: string): string | null {
  return new RegExp(`<(?:[\\w-]+:)?${element}(?:\\s[^>]*)?>([^<]*)<`).exec(xml)?.[1] ?? null;
}

/** The RPC in an envelope's Body; empty for an empty answer. */
export function rpcOf(xml: string): string {
  return /<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)/.exec(xml)?.[1] ?? '';
}
