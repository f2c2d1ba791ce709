#!/usr/bin/env bash
# jsonata 2.2.2: of a field that is missing neither `=` nor `!=` holds, not even between two that are missing.
# Met where: a firmware rule such as `version != "2.0"` leaves out every device that has not reported a version, although
# `$not(version = "2.0")` takes it. Valid input; expected is that `!=` is the opposite of `=`, as in JavaScript and XPath's not().
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts jsonata@2.2.2
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import jsonata from 'jsonata';
console.log('jsonata', JSON.parse(readFileSync('node_modules/jsonata/package.json', 'utf8')).version);
for (const condition of ['version = "2.0"', 'version != "2.0"', '$not(version = "2.0")', 'version = other', 'version != other'])
  console.log(`${condition} of {}: ${await jsonata(condition).evaluate({})}`);
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
jsonata 2.2.2
version = "2.0" of {}: false
version != "2.0" of {}: false
$not(version = "2.0") of {}: true
version = other of {}: false
version != other of {}: false
SEEN
