import http, { type IncomingMessage, type RequestListener, type Server } from 'node:http';
import {
  addressOf,
  cutIdleReaders,
  Entrance,
  MINUTE_MS,
  type MonotonicClock,
  networkOf,
  oneAtATime,
  type RefusedRequests,
  SECOND_MS,
  shareConnections,
} from '../common/index.js';
import { type ConnectionBounds, SpareConnections } from './connections.js';
import { announcedBody, hasPlace, userOf } from './http/index.js';
import { NBI_SERVER_OPTIONS } from './limits.js';

/** Whoever takes no byte of an answer for so long has gone away. */
const IDLE_MS_MAX = MINUTE_MS;
/** What still comes of a body whose request has been answered: time enough to read the answer, and to send what was on its way. */
const LINGER_MS_MAX = 5 * SECOND_MS;
/**
 * The least that must come of a body in each such while: no line is as slow, and nobody keeps a place for an hour with a byte now and then.
 * Longer than kinds of bodies let their clients be silent, who are told so.
 */
const BODY_PACE_MS = 2 * MINUTE_MS;
const BODY_PACE_BYTES_MIN = 16 * 1024;

/** In place of what is told here; for tests. */
export interface NbiListenerTimes {
  readonly lingerMsMax: number;
  readonly bodyPaceMs: number;
}

export interface NbiListenerParts {
  /** The application of `createNbi`. */
  readonly app: RequestListener;
  readonly refused: RefusedRequests;
  readonly connections: ConnectionBounds;
  readonly times?: Partial<NbiListenerTimes>;
  /** By which it is told how long ago something was; this process's own unless told. */
  readonly monotonic?: MonotonicClock;
}

/** The northbound listener around the application: which connections there are, and how long each may take. Not listening yet. */
export function createNbiServer({
  app,
  refused,
  connections: bounds,
  times,
  monotonic,
}: NbiListenerParts): Server {
  const { lingerMsMax = LINGER_MS_MAX, bodyPaceMs = BODY_PACE_MS } = times ?? {};
  const spare = new SpareConnections(monotonic);
  const handler: RequestListener = (request, response) => {
    const ended = spare.began(request.socket, {
      hasLoggedIn: () => userOf(response) !== undefined,
      hasPlace: () => hasPlace(response),
    });
    const answered = boundBody(request, { lingerMsMax, bodyPaceMs, refused });
    response.once('close', () => {
      ended();
      answered();
    });
    app(request, response);
  };
  const oneByOne = oneAtATime({
    cutOff(socket, reason) {
      const network = networkOf(addressOf(socket));
      refused.cutOff(socket, reason);
      spare.pipelined(network);
      // Before what has come on them is read as well: it would be no better.
      if (spare.isKeptOut(network)) shared.keepOut(network);
    },
  });
  const server = http.createServer(
    { ...NBI_SERVER_OPTIONS, requireHostHeader: false },
    oneByOne(refused.requiringHost(handler)),
  );
  refused.watch(server, oneByOne);
  const entrance = new Entrance();
  const shared = shareConnections(server, { ...bounds, spare, entrance }, refused);
  cutIdleReaders(server, IDLE_MS_MAX, refused);
  return server;
}

interface BodyBounds extends NbiListenerTimes {
  readonly refused: RefusedRequests;
}

/**
 * Has a body come in time, and not go on for long after its answer is out.
 * @returns to be called then
 */
function boundBody(request: IncomingMessage, { lingerMsMax, bodyPaceMs, refused }: BodyBounds): () => void {
  const announced = announcedBody(request);
  if (announced === null || announced.bytes === 0) return () => {};
  const { socket } = request;
  const cutOff = () => {
    if (!request.complete) refused.cutOff(socket, 'body-too-slow');
  };
  let bytesBefore = socket.bytesRead;
  const pace = setInterval(() => {
    const bytesCame = socket.bytesRead - bytesBefore;
    bytesBefore = socket.bytesRead;
    // What has come and is not taken yet waits for us.
    if (bytesCame < BODY_PACE_BYTES_MIN && request.readableLength === 0) cutOff();
  }, bodyPaceMs);
  pace.unref();
  return () => {
    clearInterval(pace);
    if (request.complete || socket.destroyed) return;
    // Whatever read it may have left it paused.
    request.resume();
    setTimeout(cutOff, lingerMsMax).unref();
  };
}
