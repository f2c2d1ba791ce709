import { readdir } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { TreeServer } from '../builds/tree-server.js';
import { anonymousBytes } from '../memory.js';
import type { Credentials } from './attack.js';
import { authorization, head } from './sockets.js';

const BRAKE_PATH = '/v1/method/FreezeUpgrades';
/** Who has no answer by then is told that there is none. */
export const CALL_MS_MAX = 10_000;

/** One call on a connection of its own, as a script makes it. */
export interface Called {
  /** 0: none in {@link CALL_MS_MAX}, or no connection. */
  readonly status: number;
  readonly ms: number;
  readonly body: string;
}

/** Tells what a server is like, from outside: /proc and HTTP. */
export class Meter {
  readonly #server: TreeServer;

  constructor(server: TreeServer) {
    this.#server = server;
  }

  /** Upgrades are frozen, or go on again: by an admin. */
  brake(frozen: boolean): Promise<Called> {
    const { user, password } = this.#server.northbound;
    return this.#call('POST', BRAKE_PATH, { user, password }, JSON.stringify({ frozen }));
  }

  /** Something that costs a server next to nothing but looking at the password. */
  logIn(credentials: Credentials): Promise<Called> {
    return this.#call('GET', BRAKE_PATH, credentials);
  }

  /** Gauges of Ferry's own and of Node.js's handles, by name; none where they cannot be read. */
  async gauges(): Promise<ReadonlyMap<string, number>> {
    const { user, password } = this.#server.northbound;
    const { body } = await this.#call('GET', '/metrics', { user, password });
    return gaugesIn(body);
  }

  /** Linux only, else 0. */
  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.#server.pid}/fd`).catch(() => [])).length;
  }

  memoryBytes(): Promise<number> {
    return anonymousBytes(this.#server.pid);
  }

  #call(method: string, path: string, { user, password }: Credentials, body = ''): Promise<Called> {
    const beganMs = performance.now();
    return new Promise((resolve) => {
      const done = (status: number, received: string) =>
        resolve({ status, ms: performance.now() - beganMs, body: received });
      const request = http.request({
        port: this.#server.northbound.port,
        host: '127.0.0.1',
        method,
        path,
        auth: `${user}:${password}`,
        agent: false,
        signal: AbortSignal.timeout(CALL_MS_MAX),
        headers: body === '' ? {} : { 'Content-Type': 'application/json' },
      });
      request.once('error', () => done(0, ''));
      request.once('response', (response) => {
        text(response).then(
          (received) => done(response.statusCode ?? 0, received),
          () => done(0, ''),
        );
      });
      request.end(body);
    });
  }
}

/** Exported for its test. */
export function gaugesIn(metrics: string): ReadonlyMap<string, number> {
  const gauges = new Map<string, number>();
  const names = new Set<string>();
  for (const line of metrics.split('\n')) {
    const type = /^# TYPE ((?:ferry_|nodejs_active_)\S*) gauge$/.exec(line)?.[1];
    if (type !== undefined) names.add(type);
    const [, sample = '', name = '', value] = /^(([a-z_]+)(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (names.has(name)) gauges.set(sample, Number(value));
  }
  return gauges;
}

/**
 * How many more places are taken than before, of each kind that has more.
 * @returns null where there is no gauge of them; NaN where there was one
 */
export function placesMore(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): number | null {
  const kinds = [...before].filter(([sample]) => sample.startsWith('ferry_nbi_places_in_use{'));
  if (kinds.length === 0) return null;
  return kinds.reduce((sum, [sample, was]) => sum + Math.max(0, (after.get(sample) ?? Number.NaN) - was), 0);
}

/** More than a server lets in by itself. */
export const PLACES_COUNTED = 1_000;
const CONNECTING_MS_MAX = 20_000;
/** Requests of the same user that are answered before it is believed that the server has come to all before them. */
const MARKERS = 3;

/**
 * How many requests of one user are let in at a time, as far as {@link PLACES_COUNTED}: each has a body of which the end is held back, and
 * who gets no place is told so at once.
 */
export async function freePlaces(meter: Meter, nbiPort: number, user: Credentials): Promise<number> {
  const headers = `${authorization(user)}Content-Type: application/json\r\nContent-Length: 2\r\n`;
  const request = `${head('POST', '/v1/method/ExplainRules', headers)}{`;
  const held = new Set<net.Socket>();
  const sockets: net.Socket[] = [];
  const connected = Array.from({ length: PLACES_COUNTED }, () => {
    const socket = net.connect(nbiPort, '127.0.0.1');
    sockets.push(socket);
    socket.once('data', () => held.delete(socket));
    socket.on('error', () => {});
    return new Promise<void>((resolve) => {
      socket.once('connect', () => {
        held.add(socket);
        socket.write(request, () => resolve());
      });
      socket.once('close', () => {
        held.delete(socket);
        resolve();
      });
    });
  });
  await Promise.race([Promise.all(connected), pause(CONNECTING_MS_MAX)]);
  for (let marker = 0; marker < MARKERS; marker++) await meter.logIn(user);
  const places = held.size;
  for (const socket of sockets) socket.destroy();
  return places;
}
