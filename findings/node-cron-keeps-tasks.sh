#!/usr/bin/env bash
# node-cron 4.6.0: createTask() enters every task in a registry of the module, where it stays until it is destroyed: also one that was
# never started, or was stopped and is used no more. Nothing else lets go of it.
# Met where: an expression is checked, or asked whether it matches, by a task of its own, again and again in a process that runs for months.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts node-cron@4.6.0
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createTask, getTasks } from 'node-cron';
console.log('node-cron', JSON.parse(readFileSync('node_modules/node-cron/package.json', 'utf8')).version);
for (let count = 0; count < 1_000; count++) createTask('0 3 * * *', () => {}).match(new Date(0));
console.log('after 1000 that were asked only:', getTasks().size);
for (const task of getTasks().values()) await task.stop();
console.log('stopped:', getTasks().size);
for (const task of [...getTasks().values()]) await task.destroy();
console.log('destroyed:', getTasks().size);
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
node-cron 4.6.0
after 1000 that were asked only: 1000
stopped: 1000
destroyed: 0
SEEN
