import { CommandError } from '../command.js';

/** What the demo reads of an entry of DeviceStorage. */
export interface Device {
  readonly cpeid: string;
  readonly softwareVersion?: string;
  readonly provisioning: string;
}

/** An entry of FirmwareResultStorage. */
export interface Result {
  readonly id: string;
  readonly status: boolean;
  readonly ts: number;
  readonly cpeid: string;
  readonly rule_description: string;
  readonly campaignid: string;
  readonly result: { readonly code: number; readonly message: string };
}

/** The calls of the northbound interface's document, made the way an OSS script makes them. */
export class NbiClient {
  readonly #url: string;
  readonly #authorization: string;

  constructor(url: string, user: { readonly name: string; readonly password: string }) {
    this.#url = url;
    this.#authorization = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
  }

  async upload(name: string, image: Buffer, metadata: Readonly<Record<string, string>>): Promise<void> {
    const query = new URLSearchParams(metadata);
    await this.#call('PUT', `/v1/images/${name}?${query}`, new Uint8Array(image), 'application/octet-stream');
  }

  async postRule(rule: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#call('POST', '/v1/dyn/FirmwareStorage/.*', JSON.stringify(rule));
  }

  async sendCnr(cpeid: string): Promise<void> {
    await this.#call('POST', '/v1/method/SendCNR', JSON.stringify({ search_options: { cpe_id: cpeid } }));
  }

  async results(ruleId: string): Promise<Result[]> {
    return this.#list<Result>(`/v1/dyn/FirmwareResultStorage/.*?id=${encodeURIComponent(ruleId)}`);
  }

  async devices(): Promise<Device[]> {
    return this.#list<Device>('/v1/dyn/DeviceStorage/.*');
  }

  async #list<T>(path: string): Promise<T[]> {
    const { status, body } = await this.#call('GET', path, null, undefined, [404]);
    return status === 404 ? [] : (JSON.parse(body) as { details: T[] }).details;
  }

  async #call(
    method: string,
    path: string,
    body: string | Uint8Array<ArrayBuffer> | null,
    contentType = 'application/json',
    alsoFine: readonly number[] = [],
  ): Promise<{ status: number; body: string }> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { Authorization: this.#authorization, ...(body !== null && { 'Content-Type': contentType }) },
      body,
    });
    const text = await response.text();
    if (!response.ok && !alsoFine.includes(response.status)) {
      throw new CommandError(`${method} ${path} was answered with HTTP ${response.status}: ${text}`);
    }
    return { status: response.status, body: text };
  }
}
