import type { Socket } from 'node:net';

/** What node's HTTP parser takes as an answer for each head: what follows in the packet is not HTTP, and is left alone. */
const NOT_HTTP = 2;

interface Parser {
  onIncoming: (this: unknown, ...args: unknown[]) => unknown;
}

/**
 * Has node parse nothing more of a packet once its connection is destroyed: else it makes a request of each head in it, 1,000 of which take
 * up to 50 ms. To be called in the first request of a connection, for those that follow. node documents no way to this; where the fields
 * were gone, all would be parsed, and no more than that would be lost.
 */
export function parseNoMoreOnceDestroyed(socket: Socket): void {
  const parser: unknown = 'parser' in socket ? socket.parser : null;
  if (!isParser(parser)) return;
  const { onIncoming } = parser;
  parser.onIncoming = function incoming(this: unknown, ...args: unknown[]): unknown {
    const result = onIncoming.apply(this, args);
    return socket.destroyed ? NOT_HTTP : result;
  };
}

function isParser(value: unknown): value is Parser {
  return (
    typeof value === 'object' &&
    value !== null &&
    'onIncoming' in value &&
    typeof value.onIncoming === 'function'
  );
}
