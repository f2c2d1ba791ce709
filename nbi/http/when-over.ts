import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Calls `act` once, when the answer is out or its client gone. Of a pipelined request the response never closes where the connection goes
 * before its turn, so the connection is listened to as well.
 */
export function whenOver({ socket }: IncomingMessage, response: ServerResponse, act: () => void): void {
  const over = () => {
    response.off('close', over);
    socket.off('close', over);
    act();
  };
  if (response.closed || socket.destroyed) {
    act();
    return;
  }
  response.on('close', over);
  socket.on('close', over);
}
