import http from 'node:http';
import process from 'node:process';
import { DOWNLOAD, INFORM_RESPONSE, TRANSFER_COMPLETE_RESPONSE } from './envelopes.js';

/**
 * The baseline: node:http that reads each body and answers a constant. It does no more than tell the kinds of request apart by length and
 * one substring, so that it can play both kinds of session.
 */
const answersDownload = process.argv.includes('--download');

const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const send = (text: string, cookie?: string) => {
      response.writeHead(200, {
        'Content-Type': 'text/xml; charset="utf-8"',
        'Content-Length': Buffer.byteLength(text),
        ...(cookie !== undefined && { 'Set-Cookie': cookie }),
      });
      response.end(text);
    };
    if (body.length === 0) {
      // In an upgrade the first session's empty POST is answered with a Download, the second's with nothing.
      if (answersDownload && request.headers.cookie === 'ferry-session=first') return send(DOWNLOAD);
      response.writeHead(204);
      return response.end();
    }
    if (body.includes('<cwmp:Inform>')) {
      return send(
        INFORM_RESPONSE,
        `ferry-session=${body.includes('1 BOOT') ? 'second' : 'first'}; Path=/; HttpOnly`,
      );
    }
    if (body.includes('<cwmp:TransferComplete>')) return send(TRANSFER_COMPLETE_RESPONSE);
    response.writeHead(204);
    return response.end();
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit(0));
