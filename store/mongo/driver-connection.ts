import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

interface DriverParts {
  readonly Connection: new (socket: Socket, options: unknown) => object;
}

const { Connection } = createRequire(import.meta.url)('mongodb/lib/cmap/connection.js') as DriverParts;

/**
 * The driver's connection, without a fault of it (7.9.0): a command that does not fit the socket's buffer waits for `drain`, also when
 * the connection has been closed since, by its own time-out or as the pool was cleared. So it waited for ever, and all commits
 * behind it. Woken, it finds that its connection is closed, and fails like any other.
 */
class EndingConnection extends Connection {
  constructor(socket: Socket, options: unknown) {
    super(socket, options);
    // After the driver's own listener, which notes that it is closed.
    socket.once('close', () => socket.emit('drain'));
  }
}

/** Goes into the options of a client, whose published types leave it out. */
export const DRIVER_CONNECTION = { connectionType: EndingConnection };
