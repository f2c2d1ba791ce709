#!/usr/bin/env bash
# lmdb 3.5.6 with overlappingSync: false: of a process that is killed in the middle of a commit the commit may be in the file and is
# still not seen by others that have the environment open, however long they wait and however new their snapshot; it is seen from the
# moment on at which any of them writes something else. So two looks without a write between them agree, and a look after one may not.
# Met where: a process that shares a store counts what one that was killed has left, and counts again later.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts lmdb@3.5.6
cat >try.mjs <<'JS'
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { open } from 'lmdb';
const db = open({ path: 'store', overlappingSync: false });
const fresh = () => (db.resetReadTxn(), db.get('n') ?? 0);
if (process.argv[2] === 'count') {
  process.send('begun');
  for (let n = fresh() + 1; ; n++) await db.transaction(() => db.put('n', n));
}
console.log('lmdb', JSON.parse(readFileSync('node_modules/lmdb/package.json', 'utf8')).version);
// About one kill in ten is in that moment of a commit.
const KILLS_MAX = 300;
for (let kills = 1; ; kills++) {
  const writer = fork('try.mjs', ['count']);
  await once(writer, 'message');
  await wait(20 * Math.random());
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  const atOnce = fresh();
  await wait(200);
  const later = fresh();
  await db.put('other', kills);
  const afterAWrite = fresh();
  if (afterAWrite === atOnce && kills < KILLS_MAX) continue;
  console.log('seen a moment later than at once:', later - atOnce);
  console.log('seen after a write of another key:', afterAWrite - atOnce);
  break;
}
await db.close();
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
lmdb 3.5.6
seen a moment later than at once: 0
seen after a write of another key: 1
SEEN
