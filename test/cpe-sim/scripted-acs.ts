import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  builtInModel,
  ConnectionRequestListener,
  type DataModel,
  type Fault,
  parseFault,
  SimulatedCpe,
  type SimulatedCpeOptions,
  type SimulatorEventName,
  type SimulatorEvents,
} from '../../cpe-sim/index.js';
import { requireValidEnvelopes } from '../support/cwmp-schema.js';

/** Only what hangs waits so long; a busy machine may take seconds over a thousand messages. */
const WAIT_MS_MAX = 30_000;

/** One POST of a CPE. */
export interface Received {
  /** Local name of the Body's child; '' for an empty POST. */
  readonly name: string;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
  /** Which TCP connection it came on, from 1. */
  readonly connection: number;
}

/** @returns true where it answered in its own way */
type Intercept = (received: Received, response: ServerResponse) => boolean;

/** Envelopes as different ACSs write them; the CPE must read them all. */
const WRITINGS = [
  (body: string, header: string) =>
    `<?xml version="1.0" encoding="UTF-8"?><soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="urn:dslforum-org:cwmp-1-2"><soap-env:Header>${header}</soap-env:Header><soap-env:Body>${body}</soap-env:Body></soap-env:Envelope>`,
  (body: string, header: string) =>
    `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"\r\n xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\r\n  <Header xmlns:cwmp="urn:dslforum-org:cwmp-1-0">${header}</Header>\r\n  <Body><c:wrap xmlns:c="x"/></Body></Envelope>`.replace(
      /<c:wrap[^>]*>/,
      () => body.replace(/^<cwmp:(\w+)/, '<cwmp:$1 xmlns:cwmp="urn:dslforum-org:cwmp-1-0"'),
    ),
] as const;

/** A small ACS that says what it is told to, over a real socket. */
export class ScriptedAcs {
  readonly received: Received[] = [];
  /** Bodies of requests, sent one by one whenever the CPE has nothing more to ask. */
  readonly requests: string[] = [];
  intercept: Intercept = () => false;
  /** Which of the ways to write envelopes. */
  writing = 0;
  holdRequests = false;
  readonly #server = http.createServer(
    // Or Node would close a connection that a busy machine leaves idle for five seconds.
    { keepAliveTimeout: WAIT_MS_MAX },
    (request, response) => void this.#take(request, response),
  );
  readonly #connections = new Map<Socket, number>();
  #ids = 100;

  static async start(): Promise<ScriptedAcs> {
    const acs = new ScriptedAcs();
    acs.#server.listen(0, '127.0.0.1');
    await once(acs.#server, 'listening');
    return acs;
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}/acs`;
  }

  /** The names of what came, in order. */
  get names(): string[] {
    return this.received.map(({ name }) => name);
  }

  informs(): Received[] {
    return this.received.filter(({ name }) => name === 'Inform');
  }

  envelope(body: string, id: string | null = null): string {
    const hold = this.holdRequests
      ? '<cwmp:HoldRequests SOAP:mustUnderstand="1" xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/">1</cwmp:HoldRequests>'
      : '';
    const header = `${id === null ? '' : `<cwmp:ID>${id}</cwmp:ID>`}${hold}`;
    return (WRITINGS[this.writing] ?? WRITINGS[0])(body, header);
  }

  send(response: ServerResponse, body: string, id: string | null, status = 200): void {
    response.writeHead(status, {
      'Content-Type': 'text/xml; charset=utf-8',
      'Set-Cookie': ['session=abc; Path=/; HttpOnly', 'node=n1'],
    });
    response.end(this.envelope(body, id));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    if (!this.#connections.has(socket)) this.#connections.set(socket, this.#connections.size + 1);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const charset = /charset=iso-8859-1/.test(request.headers['content-type'] ?? '') ? 'latin1' : 'utf8';
    const body = Buffer.concat(chunks).toString(charset);
    const received = {
      name: /:Body>\s*<[\w-]+:(\w+)/.exec(body)?.[1] ?? '',
      body,
      headers: request.headers,
      connection: this.#connections.get(socket) ?? 0,
    };
    this.received.push(received);
    if (!this.intercept(received, response)) this.answer(received, response);
  }

  answer({ name, body }: Received, response: ServerResponse): void {
    const id = />([^<]*)<\/[\w-]+:ID>/.exec(body)?.[1] ?? null;
    if (name === 'Inform')
      this.send(response, '<cwmp:InformResponse><MaxEnvelopes>1</MaxEnvelopes></cwmp:InformResponse>', id);
    else if (name === 'TransferComplete')
      this.send(response, '<cwmp:TransferCompleteResponse></cwmp:TransferCompleteResponse>', id);
    else if (name === 'GetRPCMethods')
      this.send(
        response,
        '<cwmp:GetRPCMethodsResponse><MethodList><string>Inform</string></MethodList></cwmp:GetRPCMethodsResponse>',
        id,
      );
    else {
      const next = this.requests.shift();
      if (next === undefined) response.writeHead(204).end();
      else this.send(response, next, `acs-${this.#ids++}`);
    }
  }

  /** Hangs up on everybody. */
  closeConnections(): void {
    this.#server.closeAllConnections();
  }

  /** @throws Error where a CPE sent what the official schemas do not allow; in a teardown that fails the test */
  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
    await requireValidEnvelopes(this.received.map(({ body }) => body));
  }
}

export function setParameterValues(values: readonly (readonly [string, string, string])[], key = ''): string {
  const structs = values.map(
    ([name, type, value]) =>
      `<ParameterValueStruct><Name>${name}</Name><Value xsi:type="xsd:${type}">${value}</Value></ParameterValueStruct>`,
  );
  return `<cwmp:SetParameterValues><ParameterList>${structs.join('')}</ParameterList><ParameterKey>${key}</ParameterKey></cwmp:SetParameterValues>`;
}

export function getParameterValues(...names: readonly string[]): string {
  return `<cwmp:GetParameterValues><ParameterNames>${names.map((name) => `<string>${name}</string>`).join('')}</ParameterNames></cwmp:GetParameterValues>`;
}

export function download(options: {
  readonly url: string;
  readonly commandKey?: string;
  readonly username?: string;
  readonly password?: string;
  readonly fileSizeBytes?: number;
  readonly fileType?: string;
}): string {
  return [
    '<cwmp:Download>',
    `<CommandKey>${options.commandKey ?? 'key-1'}</CommandKey>`,
    `<FileType>${options.fileType ?? '1 Firmware Upgrade Image'}</FileType>`,
    `<URL>${options.url}</URL>`,
    `<Username>${options.username ?? ''}</Username><Password>${options.password ?? ''}</Password>`,
    `<FileSize>${options.fileSizeBytes ?? 0}</FileSize><TargetFileName></TargetFileName>`,
    '<DelaySeconds>0</DelaySeconds><SuccessURL></SuccessURL><FailureURL></FailureURL>',
    '</cwmp:Download>',
  ].join('');
}

/** The value of an Inform's or a response's parameter; null where it is not there. */
export function parameter(body: string, name: string): string | null {
  return (
    new RegExp(`<Name>${name.replaceAll('.', '\\.')}</Name>\\s*<Value[^>]*?(?:/>|>([^<]*)</Value>)`).exec(
      body,
    )?.[1] ?? (body.includes(`<Name>${name}</Name>`) ? '' : null)
  );
}

export function eventsOf(inform: Received | undefined): string[] {
  return [...(inform?.body ?? '').matchAll(/<EventCode>([^<]*)<\/EventCode>/g)].map(
    (match) => match[1] ?? '',
  );
}

export function element(body: string | undefined, name: string): string | null {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(body ?? '')?.[1] ?? null;
}

const MODELS: Readonly<Record<'tr181' | 'tr098', DataModel>> = {
  tr181: builtInModel('tr181'),
  tr098: builtInModel('tr098'),
};

/** An ACS, a listener and one CPE that is not started yet, with waits that suit a test. */
export async function bench(
  options: Partial<Omit<SimulatedCpeOptions, 'faults'>> & {
    readonly faults?: readonly string[];
    readonly model?: 'tr181' | 'tr098';
  } = {},
): Promise<Bench> {
  const acs = await ScriptedAcs.start();
  const listener = new ConnectionRequestListener({ host: '127.0.0.1', port: 0 });
  await listener.start();
  const { faults, model, ...others } = options;
  const parsed: readonly Fault[] = (faults ?? []).map(parseFault);
  const cpe = new SimulatedCpe({
    identity: {
      manufacturer: 'Müller & Söhne',
      oui: '00A1B2',
      productClass: 'HGW-1',
      serialNumber: 'S1',
    },
    acsUrl: acs.url,
    dataModel: MODELS[model ?? 'tr181'],
    softwareVersion: '1.0.0',
    rebootMs: 20,
    retryMs: 20,
    downloadResumeMs: 10,
    listener,
    ...others,
    faults: parsed,
  });
  return new Bench(acs, listener, cpe);
}

export class Bench {
  constructor(
    readonly acs: ScriptedAcs,
    readonly listener: ConnectionRequestListener,
    readonly cpe: SimulatedCpe,
  ) {}

  /** Waits for an event of the CPE (the `count`th from now). */
  next<Name extends SimulatorEventName>(name: Name, count = 1): Promise<SimulatorEvents[Name][0]> {
    const { events } = this.cpe;
    let left = count;
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(
        () => reject(new Error(`no event ${name} within ${WAIT_MS_MAX} ms`)),
        WAIT_MS_MAX,
      );
      const take = (event: SimulatorEvents[Name][0]): void => {
        if (--left > 0) return;
        clearTimeout(deadline);
        events.off(name, take as never);
        resolve(event);
      };
      events.on(name, take as never);
    });
  }

  /** Powers the CPE on and waits until its first contact is over. */
  async firstContact(): Promise<void> {
    const over = this.next('session');
    this.cpe.start();
    await over;
  }

  async stop(): Promise<void> {
    await this.cpe.stop();
    await this.listener.stop();
    await this.acs.stop();
  }
}

/** Polls a condition until it holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${WAIT_MS_MAX} ms: ${what}`);
    await delay(5);
  }
}
