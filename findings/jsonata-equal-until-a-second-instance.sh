#!/usr/bin/env bash
# jsonata 2.2.2: what a path finds in an array of one is compared as that one, of two as an array that equals no string.
# Met where: TR-069 objects come in instances, which a device adds at run time. `Interface.Status = "Up"` holds as long as there is
# one interface, and no longer once there is a second, though both are up. Only `"Up" in Interface.Status` means the same before and after.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts jsonata@2.2.2
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import jsonata from 'jsonata';
console.log('jsonata', JSON.parse(readFileSync('node_modules/jsonata/package.json', 'utf8')).version);
const up = { Status: 'Up' };
for (const condition of ['Interface.Status = "Up"', 'Interface.Status != "Up"', '"Up" in Interface.Status'])
  for (const Interface of [[up], [up, up]])
    console.log(`${condition}, interfaces: ${Interface.length}: ${await jsonata(condition).evaluate({ Interface })}`);
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
jsonata 2.2.2
Interface.Status = "Up", interfaces: 1: true
Interface.Status = "Up", interfaces: 2: false
Interface.Status != "Up", interfaces: 1: false
Interface.Status != "Up", interfaces: 2: true
"Up" in Interface.Status, interfaces: 1: true
"Up" in Interface.Status, interfaces: 2: true
SEEN
