import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What is called when a connection closes: one listener for each, as any number of requests may have come before the first is answered. */
const callsOf = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls `act` once, when the answer is out or its client gone. Of a pipelined request the response never closes where the connection goes
 * before its turn, so the connection is listened to as well.
 */
export function whenOver({ socket }: IncomingMessage, response: ServerResponse, act: () => void): void {
  if (response.closed || socket.destroyed) {
    act();
    return;
  }
  const calls = callsOn(socket);
  const over = () => {
    if (calls.delete(over)) act();
  };
  calls.add(over);
  response.once('close', over);
}

function callsOn(socket: Socket): Set<() => void> {
  const known = callsOf.get(socket);
  if (known !== undefined) return known;
  const calls = new Set<() => void>();
  callsOf.set(socket, calls);
  socket.once('close', () => {
    for (const call of [...calls]) call();
  });
  return calls;
}
