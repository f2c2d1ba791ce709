import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { parseNoMoreOnceDestroyed } from './parse-no-more.js';
import type { RefusedRequests } from './refused-requests.js';

/** What is known of one connection. */
interface Turn {
  /** The last answer that was begun; it is destroyed once it is out. A listener less on each. */
  current: ServerResponse | null;
  /** A request has come that is not begun yet. */
  hasNext: boolean;
  isCutOff: boolean;
}

/**
 * Takes one request at a time of each connection: whoever sends the next before the answer to the last is out is cut off, and nothing of it
 * is begun. node hands over all requests of a packet at once, and the answers but to the first have no socket then: they never close where
 * the connection goes before their turn, and whatever waits for that stays.
 *
 * A client may have read the last byte of an answer before we hear that it is out: then the write is done, and its callback runs within one
 * turn of the event loop. So it is two turns after the next request has come that the answer must be out.
 * @returns goes around each handler of a server
 */
export function oneAtATime(
  refused: Pick<RefusedRequests, 'cutOff'>,
): (handler: RequestListener) => RequestListener {
  const turns = new WeakMap<Socket, Turn>();
  const cutOff = (socket: Socket, turn: Turn) => {
    turn.isCutOff = true;
    refused.cutOff(socket, 'pipelined');
  };
  return (handler) => {
    const begin = (
      turn: Turn,
      request: IncomingMessage,
      response: ServerResponse & { req: IncomingMessage },
    ) => {
      turn.current = response;
      handler(request, response);
    };
    return (request, response) => {
      const { socket } = request;
      let turn = turns.get(socket);
      if (turn === undefined) {
        turn = { current: null, hasNext: false, isCutOff: false };
        turns.set(socket, turn);
        parseNoMoreOnceDestroyed(socket);
      }
      // Had the parser not stopped, what else was in its packet would be handed over all the same.
      if (turn.isCutOff) return;
      if (turn.hasNext) {
        cutOff(socket, turn);
        return;
      }
      if (isOver(turn)) {
        begin(turn, request, response);
        return;
      }
      turn.hasNext = true;
      afterTwoTurns(() => {
        turn.hasNext = false;
        if (turn.isCutOff || socket.destroyed) return;
        if (isOver(turn)) begin(turn, request, response);
        else cutOff(socket, turn);
      });
    };
  };
}

function isOver({ current }: Turn): boolean {
  return current === null || current.destroyed;
}

/** The callback of a write that was done at once runs after the first and before the second. */
function afterTwoTurns(act: () => void): void {
  setImmediate(() => setImmediate(act));
}
