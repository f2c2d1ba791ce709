#!/usr/bin/env bash
# lmdb 3.5.6: get() reads a snapshot that is kept for the rest of the event turn: what another process has committed meanwhile is not
# seen, also where that process has ended and its success was waited for in the same turn. resetReadTxn() lets go of it.
# Met where: two processes share a store, and one is told (by a signal, a socket, an exit code) that the other has written.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts lmdb@3.5.6
cat >try.mjs <<'JS'
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open } from 'lmdb';
const db = open({ path: 'store' });
if (process.argv[2] === 'write') {
  await db.put('key', 'new');
  await db.flushed;
} else {
  console.log('lmdb', JSON.parse(readFileSync('node_modules/lmdb/package.json', 'utf8')).version);
  await db.put('key', 'old');
  console.log('before:', db.get('key'));
  execFileSync(process.execPath, ['try.mjs', 'write']);
  console.log('the other process has ended:', db.get('key'));
  db.resetReadTxn();
  console.log('after resetReadTxn:', db.get('key'));
}
await db.close();
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
lmdb 3.5.6
before: old
the other process has ended: old
after resetReadTxn: new
SEEN
