import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Registry } from 'prom-client';
import { AddressPolicy } from '../../../acs/connection-request/address-policy.js';
import {
  type ConnectionRequestOptions,
  HttpConnectionRequests,
} from '../../../acs/connection-request/sender.js';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { type CpeId, createSecrets, silentLogger } from '../../../common/index.js';
import { openLmdbStore } from '../../../store/index.js';
import { recordingLogger } from '../../support/ferry.js';

export const LOGIN = { username: 'ferry', password: 's3cret' };
const CPE = '00A1B2-HGW-1' as CpeId;

/** What a CPE does with a request: writes that and leaves the connection open, or closes it behind that; null closes without a word. */
export type Act = { readonly write: string; readonly close: boolean } | null;

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
/** Writes, and closes. */
export function closing(write: string): Act {
  return { write, close: true };
}
/** Writes, and leaves the connection open. */
export function leaving(write: string): Act {
  return { write, close: false };
}

/** A 401 of HTTP/1.1 with a header for each challenge; what follows the challenges is header lines too. */
export function unauthorized(challenges: readonly string[], ...more: readonly string[]): string {
  const lines = challenges.map((challenge) => `WWW-Authenticate: ${challenge}`);
  return ['HTTP/1.1 401 Unauthorized', ...lines, ...more, 'Content-Length: 0', '', ''].join('\r\n');
}

/** Asks for a log-in and closes, and says so: how soon a connection is seen to close is up to the machine. */
export function refusing(challenges: readonly string[]): Act {
  return closing(unauthorized(challenges, 'Connection: close'));
}

export interface Asked {
  /** The head of the request. */
  readonly head: string;
  /** The value of its Authorization; '' where it has none. */
  readonly authorization: string;
  /** Of the connections, counted from 1. */
  readonly connection: number;
}

/** Connection requests on a real store and real sockets, to one CPE that answers byte by byte as it is told. */
export async function openTestCalls(
  t: ExecutionContext,
  act: (asked: Asked) => Act | Promise<Act>,
  options: Partial<ConnectionRequestOptions> = {},
  known: Partial<Device> = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-calls-'));
  const store = await openLmdbStore({ directory });
  const secrets = createSecrets(randomBytes(32));
  const devices = new DeviceStore({ store, clock: Date.now, logger: silentLogger });
  const elsewhere = new DeviceStore({ store, clock: Date.now, logger: silentLogger });
  const { logger, events } = recordingLogger();
  const cpe = await startCpe(t, act);
  await store.collection<Device>(DEVICES).put({
    id: CPE,
    manufacturer: 'Acme',
    oui: '00A1B2',
    productClass: 'HGW',
    serialNumber: '1',
    root: 'Device',
    namespace: 'urn:dslforum-org:cwmp-1-2',
    ip: '127.0.0.1',
    connectionRequestUrl: cpe.url,
    connectionRequestAuth: {
      username: LOGIN.username,
      sealedPassword: secrets.seal(LOGIN.password),
      confirmed: true,
    },
    provisioning: 'done',
    registeredMs: 1,
    lastInformMs: 1,
    lastEvents: ['2 PERIODIC'],
    tags: [],
    counts: {},
    informDigest: '',
    ...known,
  });
  const requests = new HttpConnectionRequests({
    devices,
    secrets,
    policy: new AddressPolicy(['127.0.0.0/8']),
    // No test waits for these: each bound is either never reached or short.
    options: {
      attemptMsMax: 60_000,
      totalMsMax: 120_000,
      comingMsMax: 60_000,
      sharedCredentials: null,
      basic: false,
      ...options,
    },
    clock: Date.now,
    logger,
    metrics: createAcsMetrics(new Registry(), () => 0),
  });
  t.teardown(async () => {
    await devices.close();
    await elsewhere.close();
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });
  /** What an Inform does to the device document that an operator's wish stands in: durable, and the wish is consumed. */
  const informAt = async (process: DeviceStore) => {
    await process.change(CPE, (stored) => {
      if (stored === null) return null;
      const { requestedUntilMs: _, ...device } = stored.document;
      return { device: { ...device, lastInformMs: Date.now() } };
    });
    process.arrivals.announce(CPE);
  };
  return {
    cpe,
    events,
    send: () => requests.send(CPE),
    wake: (signal: AbortSignal = new AbortController().signal) => requests.wake(CPE, signal),
    /** The CPE informs to the process that called it. */
    inform: () => informAt(devices),
    /** The CPE informs to another process on the same store. */
    informElsewhere: () => informAt(elsewhere),
    /** The CPE informs, nobody has wished for it, and nothing but that has changed. */
    sight: () => {
      devices.sighted(CPE, { lastInformMs: Date.now(), ip: '127.0.0.1', lastEvents: ['2 PERIODIC'] });
      devices.arrivals.announce(CPE);
    },
  };
}

async function startCpe(t: ExecutionContext, act: (asked: Asked) => Act | Promise<Act>) {
  const asked: Asked[] = [];
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    const connection = ++connections;
    let buffered = '';
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', async (bytes) => {
      buffered += bytes.toString('latin1');
      for (let end = buffered.indexOf('\r\n\r\n'); end !== -1; end = buffered.indexOf('\r\n\r\n')) {
        const head = buffered.slice(0, end);
        buffered = buffered.slice(end + 4);
        const authorization = /\r\nAuthorization: ([^\r]*)/.exec(head)?.[1] ?? '';
        const one = { head, authorization, connection };
        asked.push(one);
        const done = await act(one);
        if (done !== null) socket.write(done.write, 'latin1');
        if (done === null || done.close) socket.end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/cr?a=1`,
    get connections() {
      return connections;
    },
    /** Those that are open now. */
    sockets,
  };
}

/** Whether a request answers this nonce by RFC 7616, with realm "gate" and whatever algorithm and qop it names. */
export function isRight({ head, authorization }: Asked, nonce: string): boolean {
  const field = (name: string) => new RegExp(`\\b${name}=(?:"([^"]*)"|([^\\s,]+))`).exec(authorization);
  const value = (name: string) => field(name)?.[1] ?? field(name)?.[2] ?? '';
  const algorithm = value('algorithm');
  const name = algorithm.startsWith('MD5')
    ? 'md5'
    : algorithm.startsWith('SHA-256')
      ? 'sha256'
      : 'sha512-256';
  const hash = (text: string) => createHash(name).update(text).digest('hex');
  const qop = value('qop');
  const target = head.split(' ')[1] ?? '';
  const secret = hash(`${LOGIN.username}:gate:${LOGIN.password}`);
  const ha1 = algorithm.endsWith('-sess') ? hash(`${secret}:${nonce}:${value('cnonce')}`) : secret;
  const ha2 = hash(`GET:${target}${qop === 'auth-int' ? `:${hash('')}` : ''}`);
  const middle = qop === '' ? '' : `${value('nc')}:${value('cnonce')}:${qop}:`;
  return (
    authorization.startsWith('Digest ') &&
    value('nonce') === nonce &&
    value('uri') === target &&
    value('response') === hash(`${ha1}:${nonce}:${middle}${ha2}`)
  );
}
