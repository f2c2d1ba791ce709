#!/usr/bin/env bash
# Node.js 20.20.2, node:http as a client: an answer with a folded header is an error ("Invalid header token"), although its status line was
# read, and RFC 9112 (5.2) says that a user agent must take such a header in a response, with blanks in place of the fold. So is an answer whose
# lines end in LF alone, which a recipient may take (2.2). Only `insecureHTTPParser`, which takes much more, reads either.
# Met where: devices answer a TR-069 connection request with a Digest challenge on several lines, or 200 from a server of their own.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
package=node-$(node -p 'process.platform + "-" + process.arch')
npm install --silent --no-audit --no-fund --ignore-scripts "$package@20.20.2"
cat >try.mjs <<'JS'
import http from 'node:http';
import net from 'node:net';

const answers = {
  'as it should be': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  'a folded header': 'HTTP/1.1 200 OK\r\nServer: box\r\n of some make\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  'line feeds alone': 'HTTP/1.1 200 OK\nContent-Length: 0\nConnection: close\n\n',
};
console.log('Node.js', process.version);
for (const [what, answer] of Object.entries(answers)) {
  for (const insecureHTTPParser of [false, true]) {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const seen = await new Promise((resolve) => {
      const request = http.get({ port: server.address().port, host: '127.0.0.1', agent: false, insecureHTTPParser });
      request.on('response', (response) => resolve(response.resume().statusCode));
      request.on('error', (error) => resolve(error.code));
    });
    server.close();
    console.log(`${what}${insecureHTTPParser ? ', insecureHTTPParser' : ''}: ${seen}`);
  }
}
JS
seen=$("node_modules/$package/bin/node" try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
Node.js v20.20.2
as it should be: 200
as it should be, insecureHTTPParser: 200
a folded header: HPE_INVALID_HEADER_TOKEN
a folded header, insecureHTTPParser: 200
line feeds alone: HPE_CR_EXPECTED
line feeds alone, insecureHTTPParser: 200
SEEN
