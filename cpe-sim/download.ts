import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { faultStringOf } from './fault.js';
import { answerChallenge, type Credentials } from './http-auth.js';
import { ImageFormatError, ImageReader, type SimulatedImage } from './image.js';
import type { CpeFault } from './soap/index.js';

const REDIRECTS_MAX = 5;
/** How often a broken transfer is taken up again. */
const RESUMES_MAX = 5;

/** A transfer that failed, as TransferComplete reports it. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
  readonly fault: CpeFault;

  constructor(faultCode: number, detail: string) {
    const faultString = `${faultStringOf(faultCode === 9010 ? 9017 : faultCode)} (${detail})`.slice(0, 256);
    super(faultString);
    this.fault = { faultCode, faultString };
  }
}

export interface DownloadOptions {
  readonly url: string;
  /** Used where the file server asks for them. */
  readonly credentials: Credentials | null;
  /** What the ACS announced; 0: not known. */
  readonly fileSizeBytes: number;
  /** How large the device's flash is. */
  readonly imageBytesMax: number;
  /** How long the file server may be silent. */
  readonly idleMsMax: number;
  /** Wait before a broken transfer is taken up again. */
  readonly resumeMs: number;
  readonly signal: AbortSignal;
}

export interface DownloadedImage extends SimulatedImage {
  /** How often the transfer broke and was taken up again. */
  readonly resumes: number;
}

/** One transfer, across the connections it takes. */
interface Transfer {
  readonly options: DownloadOptions;
  url: URL;
  authorization: string | null;
  reader: ImageReader;
  /** Validator of what came so far, so that a file replaced meanwhile is not stitched together (RFC 9110 13.1.5). */
  validator: string | null;
  totalBytes: number | null;
}

/**
 * Fetches a firmware image by HTTP as a CPE does: without keeping it, taken up again by Range where the connection breaks, checked
 * against the announced size, Content-Length and its own checksum.
 * @throws DownloadError with the fault of TR-069 A.5.1: 9010, 9012, 9015, 9016, 9017 or 9018
 * @throws the signal's reason where it aborts
 */
export async function downloadImage(options: DownloadOptions): Promise<DownloadedImage> {
  const transfer: Transfer = {
    options,
    url: new URL(options.url),
    authorization: null,
    reader: new ImageReader(),
    validator: null,
    totalBytes: null,
  };
  for (let resumes = 0; ; resumes++) {
    const complete = await fetchSome(transfer);
    options.signal.throwIfAborted();
    if (complete) return { ...finish(transfer), resumes };
    if (resumes === RESUMES_MAX)
      throw new DownloadError(
        9017,
        `connection broken ${RESUMES_MAX + 1} times, ${transfer.reader.sizeBytes} bytes came`,
      );
    await delay(options.resumeMs, undefined, { signal: options.signal, ref: false });
  }
}

function finish({ reader }: Transfer): SimulatedImage {
  try {
    return reader.end();
  } catch (error) {
    throw corrupted(error);
  }
}

function corrupted(error: unknown): unknown {
  return error instanceof ImageFormatError ? new DownloadError(9018, error.message) : error;
}

/** One connection's worth. @returns whether the file is complete; false where the connection broke */
async function fetchSome(transfer: Transfer): Promise<boolean> {
  const response = await openResponse(transfer);
  if (response === null) return false;
  try {
    prepare(transfer, response);
    for await (const chunk of response) {
      if (!Buffer.isBuffer(chunk)) continue;
      transfer.reader.push(chunk);
      if (transfer.reader.sizeBytes > transfer.options.imageBytesMax)
        throw new DownloadError(9010, `larger than the flash of ${transfer.options.imageBytesMax} bytes`);
    }
  } catch (error) {
    response.destroy();
    transfer.options.signal.throwIfAborted();
    if (error instanceof DownloadError || error instanceof ImageFormatError) throw corrupted(error);
    return false;
  }
  // A body without Content-Length ends where the connection ends; whether that was the end only the checksum tells.
  return transfer.totalBytes === null || transfer.reader.sizeBytes === transfer.totalBytes;
}

/** Sends the request, with authentication and redirects. @returns null where the connection broke after a first success */
async function openResponse(transfer: Transfer): Promise<IncomingMessage | null> {
  for (let redirects = 0; redirects <= REDIRECTS_MAX; ) {
    let response: IncomingMessage;
    try {
      response = await get(transfer);
    } catch (error) {
      transfer.options.signal.throwIfAborted();
      if (transfer.reader.sizeBytes > 0) return null;
      throw new DownloadError(9015, error instanceof Error ? error.message : String(error));
    }
    const status = response.statusCode ?? 0;
    if (status === 200 || status === 206) return response;
    response.resume();
    if (status === 401 && transfer.authorization === null && transfer.options.credentials !== null) {
      transfer.authorization = authorize(transfer, response.headers['www-authenticate']);
    } else if ([301, 302, 303, 307, 308].includes(status) && response.headers.location !== undefined) {
      redirect(transfer, response.headers.location);
      redirects++;
    } else {
      throw refused(status);
    }
  }
  throw new DownloadError(9016, 'too many redirects');
}

function refused(status: number): DownloadError {
  if (status === 401 || status === 407) return new DownloadError(9012, `HTTP ${status}`);
  if (status === 416) return new DownloadError(9017, 'the file changed while it was fetched');
  if (status === 403 || status === 404 || status === 410) return new DownloadError(9016, `HTTP ${status}`);
  return new DownloadError(9010, `HTTP ${status}`);
}

function authorize(transfer: Transfer, challenge: string | undefined): string {
  const { credentials } = transfer.options;
  const authenticator =
    credentials === null || challenge === undefined ? null : answerChallenge([challenge], credentials);
  if (authenticator === null) throw new DownloadError(9012, 'an authentication that is not supported');
  return authenticator.authorization('GET', transfer.url.pathname + transfer.url.search);
}

function redirect(transfer: Transfer, location: string): void {
  const target = URL.canParse(location, transfer.url.href) ? new URL(location, transfer.url) : null;
  if (target === null || !isSupported(target)) throw new DownloadError(9016, 'redirected to no HTTP URL');
  if (target.host !== transfer.url.host) transfer.authorization = null;
  transfer.url = target;
}

function isSupported(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}

function get(transfer: Transfer): Promise<IncomingMessage> {
  const { url, authorization, reader, validator, options } = transfer;
  const headers: http.OutgoingHttpHeaders = { 'User-Agent': 'ferry-cpe-sim', 'Accept-Encoding': 'identity' };
  if (authorization !== null) headers['Authorization'] = authorization;
  if (reader.sizeBytes > 0) {
    headers['Range'] = `bytes=${reader.sizeBytes}-`;
    if (validator !== null) headers['If-Range'] = validator;
  }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).get(
      url,
      { headers, agent: false, signal: options.signal },
      resolve,
    );
    request.setTimeout(options.idleMsMax, () => {
      request.destroy(new Error(`silent for ${options.idleMsMax} ms`));
    });
    request.on('error', reject);
  });
}

/** Makes the reader fit what is going to come: on from where it stopped, or from the start. */
function prepare(transfer: Transfer, response: IncomingMessage): void {
  const { headers, statusCode } = response;
  if (statusCode === 206) {
    const range = /^bytes (?<from>\d+)-\d+\/(?<total>\d+|\*)$/.exec(headers['content-range'] ?? '')?.groups;
    if (Number(range?.['from']) !== transfer.reader.sizeBytes)
      throw new DownloadError(9017, 'another range than asked for');
    return;
  }
  transfer.reader = new ImageReader();
  const length = headers['content-length'];
  transfer.totalBytes = length === undefined ? null : Number(length);
  const etag = headers.etag;
  transfer.validator =
    etag !== undefined && !etag.startsWith('W/') ? etag : (headers['last-modified'] ?? null);
  const { fileSizeBytes, imageBytesMax } = transfer.options;
  const { totalBytes } = transfer;
  if (totalBytes === null) return;
  if (totalBytes > imageBytesMax)
    throw new DownloadError(9010, `larger than the flash of ${imageBytesMax} bytes`);
  if (fileSizeBytes > 0 && totalBytes !== fileSizeBytes)
    throw new DownloadError(9018, `${totalBytes} bytes in place of the announced ${fileSizeBytes}`);
}
