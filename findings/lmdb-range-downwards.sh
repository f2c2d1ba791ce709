#!/usr/bin/env bash
# lmdb 3.5.6: a range read downwards is not the same range. Upwards it is start <= key < end; with `reverse` and the ends swapped it is
# start >= key > end, so the lower end falls out and the upper comes in; with the ends left as they are it is empty, without an error.
# Met where: the last page of a list is read backwards and shows one entry too many above and one too few below.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts lmdb@3.5.6
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { open } from 'lmdb';
console.log('lmdb', JSON.parse(readFileSync('node_modules/lmdb/package.json', 'utf8')).version);
const db = open({ path: 'store' });
for (const key of ['a', 'b', 'c']) await db.put(key, key);
const show = (options) => console.log(JSON.stringify(options), [...db.getKeys(options)].join(' ') || 'nothing');
show({ start: 'a', end: 'c' });
show({ start: 'c', end: 'a', reverse: true });
show({ start: 'a', end: 'c', reverse: true });
await db.close();
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
lmdb 3.5.6
{"start":"a","end":"c"} a b
{"start":"c","end":"a","reverse":true} c b
{"start":"a","end":"c","reverse":true} nothing
SEEN
