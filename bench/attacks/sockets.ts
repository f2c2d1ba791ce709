import net from 'node:net';
import type { Credentials, Tally } from './attack.js';

/** Who is turned away comes again after a moment, as a script does that asks in a loop; at once it would only measure its own core. */
export const AGAIN_MS = 500;

/** Where strangers attack from: of 127/8, and none that CPEs or admins have. */
const ELSEWHERE = '127.0.0.2';
/** Where whoever has a log-in attacks from. */
export const OF_A_USER = '127.0.0.3';

const HOST = 'Host: ferry\r\n';

export function authorization({ user, password }: Credentials): string {
  return `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}\r\n`;
}

/** The head of a request as it goes over the wire. @param headers  each with its end of line */
export function head(method: string, path: string, headers = ''): string {
  return `${method} ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`;
}

/** The word for an answer: its status, or how the connection ended without one. */
export function outcomeOf(received: string): string {
  return /^HTTP\/1\.[01] ([0-9]{3})/.exec(received)?.[1] ?? 'no answer';
}

export interface HeldOptions {
  readonly port: number;
  readonly count: number;
  readonly tally: Tally;
  /** Of 127/8; default: {@link ELSEWHERE}. */
  readonly localAddress?: string;
  /** Whether what is answered is read; else the socket's buffers fill up and stay full. */
  readonly reads: boolean;
  /** What is done with each connection, once it is there. */
  use(socket: net.Socket): void;
}

/** Keeps so many connections: each that is closed is opened again after {@link AGAIN_MS}. */
export function hold(options: HeldOptions): void {
  for (let index = 0; index < options.count; index++) holdOne(options);
}

function holdOne(options: HeldOptions): void {
  const { port, localAddress = ELSEWHERE, reads, tally, use } = options;
  const socket = net.connect({ port, host: '127.0.0.1', localAddress });
  let begun = '';
  let isOpen = false;
  const timers: NodeJS.Timeout[] = [];
  socket.once('connect', () => {
    isOpen = true;
    tally.add('connections');
    use(socket);
  });
  // Only with a listener does data flow.
  if (reads) {
    socket.on('data', (chunk: Buffer) => {
      if (begun === '') begun = chunk.toString('latin1', 0, 16);
    });
    socket.on('end', () => socket.end());
  }
  socket.on('error', (error) => {
    if (!isOpen) tally.add('code' in error ? String(error.code) : 'error');
  });
  socket.once('close', () => {
    for (const timer of timers) clearInterval(timer);
    if (isOpen) tally.add(`closed after ${outcomeOf(begun)}`);
    setTimeout(() => holdOne(options), AGAIN_MS);
  });
}

/** Writes a byte now and then, for as long as the connection is there. */
export function trickle(socket: net.Socket, byte: string, everyMs: number): void {
  const timer = setInterval(() => socket.write(byte), everyMs);
  socket.once('close', () => clearInterval(timer));
}

/**
 * Sends a request so many times in one go, takes nothing of what is answered, and hangs up after {@link HELD_MS}; then again, for ever.
 * A connection that is reset takes back what has not been read yet, so it is not hung up at once.
 */
export function pipelineAndDrop(
  port: number,
  request: string,
  {
    count,
    connections,
    localAddress = ELSEWHERE,
  }: { readonly count: number; readonly connections: number; readonly localAddress?: string },
  tally: Tally,
): void {
  const HELD_MS = 1_000;
  const all = request.repeat(count);
  const once = () => {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress });
    socket.pause();
    socket.on('error', () => {});
    socket.once('connect', () => {
      tally.add('connections');
      tally.add('requests', count);
      socket.write(all);
    });
    setTimeout(() => {
      socket.destroy();
      once();
    }, HELD_MS);
  };
  for (let index = 0; index < connections; index++) once();
}

/** Sends a whole request, reads the whole answer, and hangs up. @returns its status, or how it ended without one */
export function exchange(port: number, request: readonly (string | Buffer)[], localAddress = ELSEWHERE) {
  return new Promise<string>((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress });
    let begun = '';
    socket.once('connect', () => {
      for (const part of request) socket.write(part);
    });
    socket.on('data', (chunk: Buffer) => {
      if (begun === '') begun = chunk.toString('latin1', 0, 16);
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve(outcomeOf(begun)));
  });
}

/** So many askers, each with one request at a time and at least {@link AGAIN_MS} from one to the next. */
export function askers(
  count: number,
  tally: Tally,
  ask: (asker: number, turn: number) => Promise<string>,
  everyMs = AGAIN_MS,
): void {
  const go = async (asker: number, turn: number): Promise<void> => {
    const beganMs = performance.now();
    const outcome = await ask(asker, turn);
    const tookMs = performance.now() - beganMs;
    tally.add(outcome);
    setTimeout(() => void go(asker, turn + 1), Math.max(0, everyMs - tookMs));
  };
  for (let asker = 0; asker < count; asker++) void go(asker, 0);
}
