import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type AuthScheme,
  type Clock,
  cutIdleReaders,
  type FairConnectionsOptions,
  type Logger,
  oneAtATime,
  type RefusalReason,
  RefusedRequests,
  SECOND_MS,
  type Secrets,
  Seldom,
  shareConnections,
} from '../common/index.js';
import { StoreError } from '../store/index.js';
import type { ImageContent } from './content-store.js';
import { checkFileAuth, type FileAuth, PUBLIC_URL_CHARACTERS_MAX } from './download-locator.js';
import { FileAccess } from './file-access.js';
import { parseFileTarget } from './file-path.js';
import type { Image, ImageLibrary } from './image.js';
import { type PublicUrl, parsePublicUrl } from './public-url.js';
import { sendImage } from './send-image.js';

const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_MS_MAX = 15 * SECOND_MS;
const REQUEST_MS_MAX = 30 * SECOND_MS;
const CONNECTIONS_CHECK_MS = 5 * SECOND_MS;
const KEEP_ALIVE_MS = 5 * SECOND_MS;
/** A CPE that takes no byte for so long has gone away; it resumes with a range. */
const IDLE_MS_MAX = 60 * SECOND_MS;
/** More than a fleet of 10,000 CPEs that were all told at once. Each takes two file handles while it downloads. */
const CONNECTIONS: FairConnectionsOptions = { inAllMax: 12_000, isShared: () => false };
const CLOSE_GRACE_MS = 5 * SECOND_MS;
/** What a client is told that comes while the store cannot be reached. */
const RETRY_AFTER_SECONDS = 30;
/** Most CPEs take 503 for a failed download, and the upgrade is spent: so whoever begins one waits while the store may come back. */
const OPEN_MS_MAX = 30 * SECOND_MS;
const OPEN_PAUSE_MS = 250;
/** While every download fails, the log says so now and then. */
const FAILURE_LOG_MS = 10 * SECOND_MS;

const STATUS_TEXT = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  412: 'Precondition Failed',
  416: 'Range Not Satisfiable',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;
type RefusalStatus = keyof typeof STATUS_TEXT;

/** What a download does, for metrics. Requests that get no content are `refused`. */
export type FileServerEvent =
  | { readonly kind: 'started'; readonly image: string }
  | {
      readonly kind: 'ended';
      readonly image: string;
      /** `aborted`: the client went away, or took nothing for too long. */
      readonly outcome: 'complete' | 'aborted';
      /** Headers included. */
      readonly bytesSent: number;
    }
  | { readonly kind: 'refused'; readonly status: RefusalStatus };

export interface FileServerOptions {
  readonly library: Pick<ImageLibrary, 'byId' | 'open'>;
  readonly secrets: Pick<Secrets, 'mac'>;
  /** Only the paths of these matter here: requests are served with and without them in front. */
  readonly publicUrl: PublicUrl;
  /** With `credentials`, `/files/<image>` is served as well; token URLs always are. */
  readonly auth: FileAuth;
  /** How user and password are asked for; Digest, then Basic, unless told. */
  readonly schemes?: readonly AuthScheme[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onEvent?: (event: FileServerEvent) => void;
  /** HTTP itself has turned a client away. */
  readonly onRefused?: (reason: RefusalReason) => void;
  /** How long a client may take nothing; 60 s unless told. */
  readonly idleMsMax?: number;
  /** How long a download waits to begin while the store does not answer; 30 s unless told. */
  readonly openMsMax?: number;
  /** 12,000 of whoever it is unless told. Each has one request at a time, and so one content open. */
  readonly connections?: FairConnectionsOptions;
}

export interface FileServer {
  /** Not listening yet. */
  readonly server: Server;
  /** Takes no more connections, lets downloads go on for `graceMs` (5 s unless told), then cuts them off. */
  close(graceMs?: number): Promise<void>;
}

/**
 * The HTTP server that CPEs download images from: `/t/<token>/<image>` and `/files/<image>` (GET, HEAD; ranges, ETag). The
 * image is a shared one's name, or `<id of its organization>/<name>`.
 * It always says Content-Length, never redirects and never compresses: CPEs' download clients are simple.
 * @throws Error where `publicUrl` or the credentials are not usable, naming the remedy
 */
export function createFileServer(options: FileServerOptions): FileServer {
  checkFileAuth(options.auth);
  const { bases } = parsePublicUrl(options.publicUrl, PUBLIC_URL_CHARACTERS_MAX);
  const prefixes = [...new Set([...bases.map((base) => new URL(base).pathname.replace(/\/$/, '')), ''])];
  const handle = createHandler(options, prefixes);
  const { logger, onRefused } = options;
  const refused = new RefusedRequests({
    listener: 'files',
    logger,
    ...(onRefused !== undefined && { onRefused }),
  });
  const oneByOne = oneAtATime(refused);
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requireHostHeader: false,
    },
    oneByOne(refused.requiringHost((request, response) => void handle(request, response))),
  );
  refused.watch(server, oneByOne);
  shareConnections(server, options.connections ?? CONNECTIONS, refused);
  cutIdleReaders(server, options.idleMsMax ?? IDLE_MS_MAX, refused);
  return { server, close: (graceMs = CLOSE_GRACE_MS) => closeServer(server, graceMs) };
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cutOff);
      resolve();
    });
  });
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function createHandler(options: FileServerOptions, prefixes: readonly string[]): Handler {
  const { library, logger, onEvent = () => {} } = options;
  const access = new FileAccess(options);
  const failureLog = new Seldom(FAILURE_LOG_MS);
  const logFailure = (error: unknown, image: string | null) => {
    const omitted = failureLog.admit(String(statusOf(error)));
    if (omitted === null) return;
    logger.error('files.failed', {
      ...(image !== null && { image }),
      error,
      ...(omitted > 0 && { omitted }),
    });
  };
  const refuse = (response: ServerResponse, status: RefusalStatus) => {
    answerRefusal(response, status);
    onEvent({ kind: 'refused', status });
  };
  /** Tries for a while where the store does not answer, unless the client has gone. */
  const found = async (
    id: string,
    { socket }: IncomingMessage,
    isAdmittedTo: (image: Image) => boolean,
  ): Promise<{ readonly image: Image | null; readonly content: ImageContent | null }> => {
    const deadlineMs = performance.now() + (options.openMsMax ?? OPEN_MS_MAX);
    for (;;) {
      try {
        const image = await library.byId(id);
        if (image === null) return { image, content: null };
        if (isAdmittedTo(image)) return { image, content: await library.open(image) };
        // What it was sent for has gone: it fails here, and a new Download is for what is there now.
        logger.warn('files.content-replaced', { image: id, remoteAddress: socket.remoteAddress });
        return { image: null, content: null };
      } catch (error) {
        const isPassing = error instanceof StoreError && error.code === 'unavailable' && !socket.destroyed;
        if (!isPassing || performance.now() > deadlineMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, OPEN_PAUSE_MS));
      }
    }
  };
  return async (request, response) => {
    try {
      closeAfterBody(request, response);
      const target = parseFileTarget(request.url ?? '', prefixes);
      if (target === null) return refuse(response, 404);
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        return refuse(response, 405);
      }
      const admission = access.admission(target, request, response);
      if (admission.kind === 'refused') return refuse(response, admission.status);
      const { image, content } = await found(target.id, request, admission.to);
      if (image === null) return refuse(response, 404);
      // Half an image must never reach a CPE: some flash whatever they get.
      if (content === null) {
        logger.error('files.content-damaged', { image: image.id, sha256: image.sha256 });
        return refuse(response, 500);
      }
      serve(request, response, { image, content, refuse, onEvent, logFailure });
    } catch (error) {
      logFailure(error, null);
      refuse(response, statusOf(error));
    }
  };
}

interface Serving {
  readonly image: Image;
  readonly content: ImageContent;
  readonly refuse: (response: ServerResponse, status: RefusalStatus) => void;
  readonly onEvent: (event: FileServerEvent) => void;
  readonly logFailure: (error: unknown, image: string) => void;
}

function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): void {
  const { image, refuse, onEvent, logFailure } = serving;
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Cache-Control', 'private');
  response.setHeader('ETag', `"${image.sha256}"`);
  response.setHeader('Last-Modified', new Date(image.uploadedAtMs).toUTCString());
  reportDownload(request, response, image, onEvent);
  sendImage(request, response, serving).catch((error: unknown) => {
    const status = statusOf(error);
    if (status >= 500) logFailure(error, image.id);
    refuse(response, status);
  });
}

/** Nobody reads a request's body here; keeping the connection would mean to take all of it first. */
function closeAfterBody(request: IncomingMessage, response: ServerResponse): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if ((length !== undefined && length !== '0') || encoding !== undefined) {
    response.setHeader('Connection', 'close');
  }
}

function statusOf(error: unknown): RefusalStatus {
  if (error instanceof StoreError && (error.code === 'unavailable' || error.code === 'closed')) return 503;
  const status = error instanceof Error && 'status' in error ? error.status : 500;
  return status === 412 || status === 416 ? status : 500;
}

function reportDownload(
  request: IncomingMessage,
  response: ServerResponse,
  image: Image,
  onEvent: Serving['onEvent'],
): void {
  const { socket } = request;
  const bytesBefore = socket.bytesWritten;
  let isStarted = false;
  response.once('pipe', () => {
    isStarted = true;
    onEvent({ kind: 'started', image: image.id });
  });
  response.once('close', () => {
    if (!isStarted) return;
    const outcome = response.writableFinished ? 'complete' : 'aborted';
    onEvent({ kind: 'ended', image: image.id, outcome, bytesSent: socket.bytesWritten - bytesBefore });
  });
}

/** Where content is under way already, only breaking it off can tell the client that it is not whole. */
function answerRefusal(response: ServerResponse, status: RefusalStatus): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const header of ['ETag', 'Last-Modified', 'Accept-Ranges', 'Content-Length']) {
    response.removeHeader(header);
  }
  if (status === 503) response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
  const body = `${STATUS_TEXT[status]}\n`;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}
