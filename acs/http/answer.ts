import type { IncomingMessage, ServerResponse } from 'node:http';
import { SECOND_MS } from '../../common/index.js';
import {
  type AcsFaultCode,
  type AcsMessage,
  type CpeEnvelope,
  type EnvelopeStyle,
  encodeEnvelope,
} from '../soap/index.js';

/** What answers one request; nothing is written before it is known in full. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Of several values each has a line of its own. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The rest of the request is not worth reading. */
  readonly close?: boolean;
}

/** Sees every envelope, as it came and as it went; for diagnosis and for tests. */
export type Trace = (direction: 'from-cpe' | 'to-cpe', envelope: string | Buffer) => void;

/** A response carries its request's ID; a request of ours one of its own, which need only be unique within the session. */
export function envelopeId(message: AcsMessage, envelope: CpeEnvelope | null): string | null {
  switch (message.type) {
    case 'InformResponse':
    case 'TransferCompleteResponse':
    case 'AutonomousTransferCompleteResponse':
    case 'GetRPCMethodsResponse':
    case 'RequestDownloadResponse':
    case 'Fault':
      return envelope?.id ?? null;
    case 'GetRPCMethods':
    case 'GetParameterValues':
    case 'SetParameterValues':
    case 'Reboot':
    case 'GetQueuedTransfers':
    case 'GetAllQueuedTransfers':
    case 'CancelTransfer':
      return message.type;
    case 'Download':
      return message.commandKey;
    default:
      return message satisfies never;
  }
}

export function faultMessage(faultCode: AcsFaultCode, faultString: string): AcsMessage {
  return { type: 'Fault', fault: { faultCode, faultString } };
}

export function soapAnswer(
  message: AcsMessage,
  id: string | null,
  style: EnvelopeStyle,
  trace: Trace | undefined,
): HttpAnswer {
  const body = encodeEnvelope(message, id, style);
  trace?.('to-cpe', body);
  return { status: 200, body };
}

export function write(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  const { status, body, headers, close } = answer;
  const fields: string[] = [];
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (typeof value === 'string') fields.push(name, value);
    else for (const each of value) fields.push(name, each);
  }
  if (status === 200) fields.push('Content-Type', 'text/xml; charset="utf-8"');
  else if (body !== '') fields.push('Content-Type', 'text/plain; charset=utf-8');
  if (status !== 204) fields.push('Content-Length', String(Buffer.byteLength(body)));
  if (close) fields.push('Connection', 'close');
  response.writeHead(status, fields);
  // As a string, not a Buffer: node then sends header and body in one write.
  response.end(body);
  // The client may still be sending what will not be read; the answer has a moment to reach it.
  if (close && !request.complete) {
    request.resume();
    setTimeout(() => request.destroy(), 2 * SECOND_MS).unref();
  }
}
