#!/usr/bin/env bash
# Node.js 20.19.0 and 20.20.2: `insecureHTTPParser` is one option with two meanings in one line of releases. With llhttp 8 (20.19.0) a server refuses
# blanks behind the size of a chunk although it was told to be lenient; with llhttp 9 (20.20.2) it reads them. RFC 2616 (2.1) lets blanks
# stand there, and some embedded HTTP stacks pad the size with them.
# Met where: an ACS takes what old CPEs send, and is tried on the newest Node.js of a line only.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
package=node-$(node -p 'process.platform + "-" + process.arch')
cat >try.mjs <<'JS'
import http from 'node:http';
import net from 'node:net';

const server = http.createServer({ insecureHTTPParser: true }, (request, response) => {
  request.resume().on('end', () => response.end());
});
server.on('clientError', (error, socket) => socket.end(`refused: ${error.code}\r\n`));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const head = 'POST / HTTP/1.1\r\nHost: acs\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
const answer = await new Promise((resolve) => {
  const socket = net.connect(server.address().port, '127.0.0.1', () => socket.write(`${head}2   \r\nOK\r\n0   \r\n\r\n`));
  let text = '';
  socket.on('data', (data) => (text += data));
  socket.on('error', () => {});
  socket.on('close', () => resolve(text.split('\r\n')[0]));
});
server.close();
console.log(`Node.js ${process.version}, llhttp ${process.versions.llhttp}: ${answer}`);
JS
seen=$(
  for version in 20.19.0 20.20.2; do
    npm install --prefix "$version" --silent --no-audit --no-fund --ignore-scripts "$package@$version"
    "$version/node_modules/$package/bin/node" try.mjs
  done
) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
Node.js v20.19.0, llhttp 8.1.2: refused: HPE_INVALID_CHUNK_SIZE
Node.js v20.20.2, llhttp 9.3.1: HTTP/1.1 200 OK
SEEN
