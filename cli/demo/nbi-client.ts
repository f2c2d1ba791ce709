import { createClient, type FerryClient, FerryError, type Reply, type Schemas } from '../../client/index.js';
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
  readonly #ferry: FerryClient;

  constructor(url: string, credentials: { readonly name: string; readonly password: string }) {
    this.#ferry = createClient({ url, credentials });
  }

  async upload(name: string, image: Buffer, metadata: Readonly<Record<string, string>>): Promise<void> {
    const body = new Uint8Array(image);
    await orRefused(this.#ferry.call('uploadImage', { path: { name }, query: metadata, body }));
  }

  async postRule(rule: Schemas['Rule']): Promise<void> {
    await orRefused(this.#ferry.call('putRules', { path: EVERY, body: rule }));
  }

  async sendCnr(cpeid: string): Promise<void> {
    const body = { search_options: { cpe_id: cpeid } };
    await orRefused(this.#ferry.call('sendConnectionRequest', { body }));
  }

  async results(ruleId: string): Promise<Result[]> {
    return listed<Result>(this.#ferry.call('listResults', { path: EVERY, query: { id: ruleId } }));
  }

  async devices(): Promise<Device[]> {
    return listed<Device>(this.#ferry.call('listDevices', { path: EVERY }));
  }
}

const EVERY = { pattern: '.*' };

/** What there is nothing of is answered 404. */
async function listed<T>(answer: Promise<Reply<unknown>>): Promise<T[]> {
  try {
    // Of what is declared the demo reads what it names.
    return ((await answer).body as { readonly details: T[] }).details;
  } catch (error) {
    if (error instanceof FerryError && error.status === 404) return [];
    return orRefused(Promise.reject(error));
  }
}

/** @throws CommandError where it is refused */
async function orRefused<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof FerryError ? new CommandError(error.message) : error;
  }
}
