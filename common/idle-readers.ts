import type { Server } from 'node:http';
import { answerUnderWay, type RefusedRequests } from './refused-requests.js';

/**
 * Cuts off whoever takes nothing of an answer for so long, and connections on which nothing is under way. It counts from the last byte that
 * moved, also within one large write: a slow reader is none that stopped. Whoever waits for us, or still sends, is left alone.
 * @param idleMsMax  by the monotonic clock
 */
export function cutIdleReaders(
  server: Server,
  idleMsMax: number,
  refused: Pick<RefusedRequests, 'cutOff'>,
): void {
  server.setTimeout(idleMsMax, (socket) => {
    if (socket.writableLength > 0) refused.cutOff(socket, 'not-taken');
    // Also that of node's own limit between requests, which it leaves to us.
    else if (answerUnderWay(socket) === null) socket.destroy();
  });
}
