import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { AcsOptions } from '../../acs/index.js';
import { loopbackConfig } from '../../cli/config.js';
import { type Ferry, startFerry } from '../../cli/server.js';
import {
  type Clock,
  createLogger,
  type LogFields,
  type Logger,
  type MonotonicClock,
  silentLogger,
  systemClock,
} from '../../common/index.js';
import { requireValidEnvelopes } from './cwmp-schema.js';

/** Of a Ferry that few connect to at a time. */
export const NO_FURTHER_ACCEPTORS = { nbi: 0, cwmp: 0 };

export const ADMIN = { name: 'admin', password: 'a test password' };

export interface TestFerry extends Ferry {
  readonly dataDir: string;
  /** Every CWMP envelope that came in or went out so far. */
  readonly envelopes: string[];
  /** Events logged so far, newest last. */
  readonly events: { readonly event: string; readonly fields: LogFields }[];
  /** Calls the northbound interface as admin. */
  nbi(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<NbiAnswer>;
}

export interface NbiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/**
 * A whole Ferry on ports of its own, in a directory of its own, closed at the end of the test. Whatever CWMP it spoke and was
 * spoken to is then held against the official schemas.
 */
export async function startTestFerry(
  t: Pick<ExecutionContext, 'teardown'>,
  options: {
    readonly config?: Readonly<Record<string, unknown>>;
    readonly acsOptions?: Partial<AcsOptions>;
    readonly dataDir?: string;
    readonly clock?: Clock;
    /** For what elapses: as `clock` goes on, unless told. */
    readonly monotonic?: MonotonicClock;
    /** For tests that send what no schema allows. */
    readonly checksSchema?: boolean;
    /** For tests with many connections: as many acceptors as the product has, which take a process and a quarter of a second to be had. */
    readonly isCrowd?: boolean;
  } = {},
): Promise<TestFerry> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'ferry-test-')));
  const envelopes: string[] = [];
  const { logger, events } = recordingLogger();
  const config = loopbackConfig(dataDir, { adminPassword: ADMIN.password, ...options.config });
  const ferry = await startFerry(config, {
    clock: options.clock ?? systemClock,
    ...monotonicOf(options),
    logger,
    trace: (_direction, envelope) => envelopes.push(envelope.toString()),
    // A test that leaves a CPE hanging need not wait for it at the end.
    acsOptions: { stopGraceMs: 1_000, ...options.acsOptions },
    ...(options.isCrowd !== true && { furtherAcceptors: NO_FURTHER_ACCEPTORS }),
  });
  t.teardown(async () => {
    await ferry.close();
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  });
  if (options.checksSchema !== false) {
    t.teardown(() => requireValidEnvelopes(envelopes));
  }
  return { ...ferry, dataDir, envelopes, events, nbi: nbiClient(ferry.urls.nbi) };
}

/** Where a test goes on with the clock time passes: nobody has set it. */
function monotonicOf(options: { readonly clock?: Clock; readonly monotonic?: MonotonicClock }) {
  const monotonic = options.monotonic ?? options.clock;
  return monotonic === undefined ? {} : { monotonic };
}

/** Calls an NBI as admin; JSON in and out. */
export function nbiClient(url: string): TestFerry['nbi'] {
  const authorization = `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`;
  return async (method, path, body, headers = {}) => {
    const isRaw = body instanceof Uint8Array;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        Authorization: authorization,
        ...(body !== undefined && {
          'Content-Type': isRaw ? 'application/octet-stream' : 'application/json',
        }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
}

/** A logger, and what it has been told so far, newest last. */
export function recordingLogger(): {
  readonly logger: Logger;
  readonly events: { readonly event: string; readonly fields: LogFields }[];
} {
  const events: { event: string; fields: LogFields }[] = [];
  const visible = process.env['FERRY_TEST_LOG'];
  const shown = visible ? createLogger({ level: 'debug', format: 'text' }) : silentLogger;
  const record =
    (level: keyof Logger) =>
    (event: string, fields: LogFields = {}) => {
      events.push({ event, fields });
      shown[level](event, fields);
    };
  const logger = {
    error: record('error'),
    warn: record('warn'),
    info: record('info'),
    debug: record('debug'),
  };
  return { logger, events };
}

/** Waits until `read` gives something other than null, undefined or false, and gives that. */
export async function until<T>(
  what: string,
  read: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadlineMs) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
