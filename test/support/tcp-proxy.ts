import { once } from 'node:events';
import { connect as connectTo, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

type Fate = boolean | 'answered';

export interface TcpProxy {
  readonly port: number;
  /**
   * Called with what a client sends, before it is passed on, when this resolves; false: the connection is cut instead; 'answered':
   * it goes no further, as this has written an answer to the client.
   */
  onRequest: (bytes: Buffer, client: Socket) => Fate | Promise<Fate>;
  /** Called with what the server sends, before it is passed on; false: the connection is cut instead. */
  onReply: (bytes: Buffer, client: Socket) => boolean | Promise<boolean>;
  /** Each way, for every piece of bytes. */
  delayMs: number;
  /** How many clients are connected. */
  readonly connections: number;
  /** Cuts every connection, and refuses new ones until `heal`. */
  cut(): void;
  /** Leaves every connection open, and lets nothing through, until `heal` cuts them. */
  stall(): void;
  heal(): void;
}

/** A proxy in front of `port` of this machine that plays a bad network; it is gone when the test ends. */
export async function startTcpProxy(t: ExecutionContext, port: number): Promise<TcpProxy> {
  const clients = new Set<Socket>();
  let state: 'healthy' | 'cut' | 'stalled' = 'healthy';
  const cutAll = () => {
    for (const client of clients) client.resetAndDestroy();
  };
  const server = createServer((client) => {
    client.on('error', () => {});
    if (state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    clients.add(client);
    const upstream = connectTo(port, '127.0.0.1');
    upstream.on('error', () => client.destroy());
    client.on('close', () => {
      clients.delete(client);
      upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
    let requested = Promise.resolve();
    let replied = Promise.resolve();
    client.on('data', (bytes) => {
      requested = requested.then(() => pass(bytes, upstream, proxy.onRequest));
    });
    upstream.on('data', (bytes) => {
      replied = replied.then(() => pass(bytes, client, proxy.onReply));
    });
    const pass = async (bytes: Buffer, to: Socket, allows: TcpProxy['onRequest']) => {
      if (state === 'stalled') return;
      const fate = await allows(bytes, client);
      if (fate === 'answered') return;
      if (!fate) client.resetAndDestroy();
      else if (proxy.delayMs === 0) to.write(bytes);
      else setTimeout(() => to.destroyed || to.write(bytes), proxy.delayMs);
    };
  });
  const proxy: TcpProxy = {
    get port() {
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    },
    onRequest: () => true,
    onReply: () => true,
    delayMs: 0,
    get connections() {
      return clients.size;
    },
    cut() {
      state = 'cut';
      cutAll();
    },
    stall() {
      state = 'stalled';
    },
    heal() {
      if (state === 'stalled') cutAll();
      state = 'healthy';
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    cutAll();
    server.close();
  });
  return proxy;
}
