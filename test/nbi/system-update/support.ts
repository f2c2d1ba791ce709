import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { DEVICES, type Device, type Upgrade } from '../../../acs/index.js';
import { type CpeId, type OperationId, silentLogger } from '../../../common/index.js';
import { CONTENT_PREFIX } from '../../../firmware/content-store.js';
import type { Organization } from '../../../organizations/index.js';
import { SystemUpdates } from '../../../rollout/index.js';
import { uploadOf } from '../../firmware/support.js';
import { startUpgrades, type TestUpgrades } from '../firmware-upgrader/upgrade-support.js';
import type { TestNbiOptions } from '../support.js';

export const DOMAIN = 'cpe.example.net';
export const SERVICE = '/api/npm.system_update/2.0';
export const COMMON = '/api/common/1.0';

/** An answer as the vendor's client sees it; a body is read where it is JSON. */
export interface Answered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Asked {
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** `name:password`; null shows nothing. The operator of north unless told. */
  readonly as?: string | null;
}

export interface Box {
  readonly cpeid: CpeId;
  readonly uuid: string;
}

export interface TestSystemUpdate extends TestUpgrades {
  /** A request to the API of a CPE, by path: `path` stands behind `/devices/{cpeid}`. */
  api(box: Box, method: string, path: string, asked?: Asked): Promise<Answered>;
  box(serialNumber: string, organization?: Organization | null, said?: Partial<Device>): Promise<Box>;
  /** An image of north's unless told. @returns its number */
  image(
    name: string,
    said?: Omit<NonNullable<Parameters<typeof uploadOf>[2]>, 'organization'> & {
      readonly version?: string;
      /** Null: it is shared. */
      readonly organization?: string | null;
    },
  ): Promise<number>;
  state(box: Box): Promise<unknown>;
  /** Waits for what is being made ready. */
  ready(): Promise<void>;
  /** The id of the operation of the CPE's newest batch. */
  operationOf(box: Box): Promise<string>;
  /** Epoch seconds. */
  seconds(): number;
  /** The same over the same store, as another node has it. @param open  how it opens the content of images */
  anotherNode(open?: TestUpgrades['images']['open']): SystemUpdates;
  putInFlight(cpeid: string, id: string | undefined): Promise<void>;
  /** Has other bytes lie where the content of an image of north's was. */
  damage(name: string): Promise<void>;
  /** Has the newest batch's Download be in some state, and the CPE with it. */
  sent(box: Box, state: Upgrade['state'], more?: Partial<Upgrade>): Promise<void>;
  /** Has that end so. */
  ended(
    box: Box,
    state: 'verified' | 'failed' | 'timed-out' | 'cancelled',
    more?: Partial<Upgrade>,
  ): Promise<void>;
}

/** The API with two organizations and CPEs of theirs. */
export async function startSystemUpdate(
  t: ExecutionContext,
  options: TestNbiOptions = {},
): Promise<TestSystemUpdate> {
  const nbi = await startUpgrades(t, { deviceDomain: DOMAIN, ...options });
  const { as, north, store, upgrading, images, tick } = nbi;
  const api: TestSystemUpdate['api'] = (box, method, path, asked = {}) =>
    request(nbi.url, method, `/devices/${box.cpeid}${path}`, { as: as.north.operator, ...asked });
  const operationOf = async ({ cpeid }: Box) => {
    for await (const { id } of upgrading.operations.scan({ cpeid })) return id as string;
    throw new Error(`${cpeid} has no operation`);
  };
  const devices = store.collection<{ readonly id: string; readonly inFlight?: string }>(DEVICES);
  const inFlight = async (cpeid: string, id: string | undefined) => {
    const stored = await devices.get(cpeid);
    if (stored === null) throw new Error(`There is no ${cpeid}`);
    const { inFlight: _, ...device } = stored.document;
    await devices.put({ ...device, ...(id !== undefined && { inFlight: id }) });
  };
  return {
    ...nbi,
    api,
    async box(serialNumber, organization = north, said = {}) {
      const { id: uuid, cpeid } = await nbi.device(
        serialNumber,
        { serialLabel: serialNumber.toLowerCase(), softwareVersion: '1.0', ...said },
        organization,
      );
      return { cpeid, uuid };
    },
    async image(name, { version, organization = north.id, ...said } = {}) {
      tick();
      const { image } = await images.upload(
        uploadOf(name, Buffer.from(`content of ${name}`), {
          ...(organization !== null && { organization }),
          metadata: { name, ...(version !== undefined && { softwareVersion: version }) },
          ...said,
        }),
      );
      return image.number ?? 0;
    },
    async state(box) {
      const { body } = await api(box, 'GET', `${SERVICE}/update`);
      return (body as { readonly state?: unknown }).state;
    },
    ready: () => upgrading.systemUpdates.settled(),
    seconds: () => Math.floor(tick(0) / 1_000),
    anotherNode: (open = (image) => images.open(image)) =>
      new SystemUpdates({
        store,
        clock: () => tick(0),
        monotonic: () => tick(0),
        logger: silentLogger,
        devices: nbi.devices,
        images: { open },
        fitting: upgrading.fitting,
        operations: upgrading.operations,
        cpeUpgrades: upgrading.cpeUpgrades,
      }),
    putInFlight: inFlight,
    async damage(name) {
      const image = await images.get(name, north.id);
      if (image === null) throw new Error(`There is no image ${name}`);
      await writeFile(
        join(nbi.imageDirectory, CONTENT_PREFIX, image.contentFile),
        Buffer.alloc(image.sizeBytes),
      );
    },
    operationOf,
    async sent(box, state, more = {}) {
      const id = await operationOf(box);
      await nbi.run(id, state, { startedAtMs: tick(), updatedAtMs: tick(), status: false, ...more });
      await inFlight(box.cpeid, id);
    },
    async ended(box, state, more = {}) {
      const id = await operationOf(box);
      await nbi.run(id, state, {
        startedAtMs: tick(),
        updatedAtMs: tick(),
        status: true,
        fileType: '1 Firmware Upgrade Image',
        ...more,
      });
      await nbi.move(id as OperationId, { state, ...(state !== 'verified' && { reason: REASONS[state] }) });
      await inFlight(box.cpeid, undefined);
    },
  };
}

const REASONS = { failed: 'old-version', 'timed-out': 'not-heard-of', cancelled: 'withdrawn' } as const;

/** One request, as a script sends it. */
export function request(
  url: string,
  method: string,
  path: string,
  { json, body, headers = {}, as = null }: Asked = {},
): Promise<Answered> {
  const { hostname, port } = new URL(url);
  const sent = json === undefined ? body : JSON.stringify(json);
  const length = sent === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(sent)) };
  const type = json === undefined ? {} : { 'Content-Type': 'application/json' };
  const authorization = as === null ? {} : { Authorization: `Basic ${Buffer.from(as).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      {
        hostname,
        port,
        path,
        method,
        headers: { ...length, ...type, ...authorization, ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = response.headers['content-type']?.startsWith('application/json') ?? false;
          const read: unknown = isJson && text !== '' ? JSON.parse(text) : text;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: read });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(sent);
  });
}

/** An error of the API, as a whole. */
export function errorOf(status: number, error_id: string, error_text: string) {
  return { status, body: { error_id, error_text } };
}

/** Status and body of an answer. */
export function told({ status, body }: Answered) {
  return { status, body };
}
