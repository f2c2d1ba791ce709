import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { SECOND_MS } from '../../common/index.js';
import { SourceError } from './source-error.js';
import type { PinnedSource, SourcePolicy } from './source-policy.js';

const REDIRECTS_MAX = 5;
/** From connecting to the head of the answer. */
const ANSWER_MS_MAX = 30 * SECOND_MS;
const VALIDATOR_CHARACTERS_MAX = 256;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Of the answers that are the client's fault those that may be different a little later. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);
const CONTENT_RANGE = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/;

/** A file, from some byte on, as its server sends it. */
export interface OpenSource {
  readonly fromByte: number;
  readonly totalBytes: number;
  /** Tells this file from what may be in its place another time; null where the server has no such thing. */
  readonly validator: string | null;
  readonly content: IncomingMessage;
}

export interface OpenOptions {
  /** What is there already, and what it was told apart by: the server is asked for the rest of the same. */
  readonly fromByte: number;
  readonly validator: string | null;
  readonly signal: AbortSignal;
}

/**
 * Asks for a file by one GET, and one for each redirect, of which every one goes to a permitted address.
 * @throws SourceError
 */
export async function openSource(
  policy: SourcePolicy,
  text: string,
  options: OpenOptions,
): Promise<OpenSource> {
  let at = await policy.pin(text);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const answer = await ask(at, options);
    const next = redirectOf(answer, at.url);
    if (next === null) return opened(answer, options);
    answer.destroy();
    at = await policy.pin(next);
  }
  throw new SourceError('refused', `it leads to more than ${REDIRECTS_MAX} other places`);
}

/** Within a deadline, of which nothing is left over once it has answered. */
async function ask(
  { url, address }: PinnedSource,
  { fromByte, validator, signal }: OpenOptions,
): Promise<IncomingMessage> {
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // Without a validator the rest might be that of another file.
  const isRest = fromByte > 0 && validator !== null;
  const request: RequestOptions & https.RequestOptions = {
    method: 'GET',
    host: address,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    agent: false,
    signal,
    headers: {
      Host: url.host,
      'User-Agent': 'Ferry',
      'Accept-Encoding': 'identity',
      ...(isRest && { Range: `bytes=${fromByte}-`, 'If-Range': validator }),
    },
    ...(isTls && isIP(host) === 0 && { servername: host }),
  };
  return new Promise((resolve, reject) => {
    const asked = (isTls ? https : http).request(request);
    const timer = setTimeout(
      () => asked.destroy(new Error(`no answer within ${ANSWER_MS_MAX / SECOND_MS} s`)),
      ANSWER_MS_MAX,
    );
    asked.once('response', (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    asked.on('error', (error) => {
      clearTimeout(timer);
      reject(new SourceError('unavailable', `it cannot be fetched: ${error.message}`));
    });
    // Without an error where the server wants to go on in another protocol.
    asked.once('close', () => {
      clearTimeout(timer);
      reject(new SourceError('unavailable', 'it cannot be fetched: the connection ended without an answer'));
    });
    asked.end();
  });
}

/** Where it says that the file is instead; null where it says nothing of the kind. @throws SourceError */
function redirectOf({ statusCode = 0, headers: { location } }: IncomingMessage, from: URL): string | null {
  if (!REDIRECTS.has(statusCode)) return null;
  if (location === undefined || !URL.canParse(location, from.href))
    throw new SourceError('refused', `it answers HTTP ${statusCode} without a place to go to`);
  return new URL(location, from).href;
}

function opened(answer: IncomingMessage, { fromByte, validator: before }: OpenOptions): OpenSource {
  try {
    const { statusCode = 0, headers } = answer;
    if (statusCode !== 200 && statusCode !== 206) {
      const mayPass = statusCode >= 500 || PASSING.has(statusCode);
      throw new SourceError(mayPass ? 'unavailable' : 'refused', `it answers HTTP ${statusCode}`);
    }
    const encoding = headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() !== 'identity')
      throw new SourceError('refused', `it is sent as ${encoding.slice(0, 100)}, and not as it is`);
    const validator = validatorOf(answer);
    if (fromByte > 0 && before !== null && validator !== before)
      throw new SourceError(
        'changed',
        'another file is there now than the one whose beginning was fetched: begin again',
      );
    const { from, totalBytes } = extentOf(answer);
    if (from !== 0 && from !== fromByte)
      throw new SourceError(
        'refused',
        `it sends the bytes from ${from} on, asked for those from ${fromByte} on`,
      );
    return { fromByte: from, totalBytes, validator, content: answer };
  } catch (error) {
    answer.destroy();
    throw error;
  }
}

/** @throws SourceError where it does not say how much there is */
function extentOf({ statusCode, headers }: IncomingMessage): {
  readonly from: number;
  readonly totalBytes: number;
} {
  const [, from, total] = CONTENT_RANGE.exec(headers['content-range'] ?? '') ?? [];
  if (statusCode === 206) {
    if (from === undefined)
      throw new SourceError('refused', 'it sends a part of the file and does not say which');
    return { from: Number(from), totalBytes: Number(total) };
  }
  const length = headers['content-length'];
  if (length === undefined || !/^\d{1,15}$/.test(length))
    throw new SourceError('refused', 'it does not say how large the file is (Content-Length)');
  return { from: 0, totalBytes: Number(length) };
}

/** What If-Range takes: a strong ETag, or a date (RFC 9110, 13.1.5). */
function validatorOf({ headers: { etag, 'last-modified': date } }: IncomingMessage): string | null {
  const strong = etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : undefined;
  const found = strong ?? date;
  return found === undefined || found.length > VALIDATOR_CHARACTERS_MAX ? null : found;
}
