import http, { type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** Where a server's northbound interface is, and as whom it is spoken to. */
export interface Northbound {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** A request whose body is still to be written. */
export function asked(
  { port, user, password }: Northbound,
  method: string,
  path: string,
  headers: http.OutgoingHttpHeaders,
): http.ClientRequest {
  return http.request({ port, host: '127.0.0.1', path, method, auth: `${user}:${password}`, headers });
}

/** @throws Error where the answer is no success */
export async function answerOf(request: http.ClientRequest): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', resolve);
  });
  const { statusCode: status = 0 } = response;
  if (status >= 200 && status < 300) return response;
  const { method, path } = request;
  throw new Error(`${method} ${path} was answered HTTP ${status}: ${(await text(response)).slice(0, 1_000)}`);
}

/** One call from its first to its last byte. @returns the answer's body */
export async function call(
  at: Northbound,
  method: string,
  path: string,
  body: { readonly type: string; readonly content: string } = { type: 'application/json', content: '' },
): Promise<string> {
  const request = asked(at, method, path, body.content === '' ? {} : { 'Content-Type': body.type });
  const answered = answerOf(request);
  request.end(body.content);
  return text(await answered);
}
