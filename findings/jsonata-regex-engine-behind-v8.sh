#!/usr/bin/env bash
# jsonata 2.2.2: the option RegexEngine replaces what runs a pattern, not what reads it: the parser makes a RegExp of each first.
# Met where: with an engine of RE2 syntax (re2js here) patterns that only it knows are refused by JavaScript's rules, before the engine
# has seen them; a pattern that both know goes to the engine.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts jsonata@2.2.2 re2js@2.10.0
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import jsonata from 'jsonata';
import { RE2JS } from 're2js';
console.log('jsonata', JSON.parse(readFileSync('node_modules/jsonata/package.json', 'utf8')).version);
for (const pattern of ['^hgw', '^hgw\\z', '(?P<make>hgw)']) {
  const asked = [];
  class Engine {
    constructor(given) {
      asked.push(given instanceof RegExp ? given.source : given);
      this.compiled = RE2JS.compile(asked[0]);
    }
    exec(text) {
      const matcher = this.compiled.matcher(text);
      return matcher.find() ? Object.assign([matcher.group(0)], { index: matcher.start() }) : null;
    }
    test(text) {
      return this.exec(text) !== null;
    }
  }
  const alone = RE2JS.compile(pattern).matcher('hgw').find();
  let through;
  try {
    through = await jsonata(`$contains("hgw", /${pattern}/)`, { RegexEngine: Engine }).evaluate({});
  } catch {
    through = 'an error';
  }
  console.log(`${pattern}: the engine alone ${alone}, through jsonata ${through}, engines made: ${asked.length}`);
}
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
jsonata 2.2.2
^hgw: the engine alone true, through jsonata true, engines made: 1
^hgw\z: the engine alone true, through jsonata true, engines made: 1
(?P<make>hgw): the engine alone true, through jsonata an error, engines made: 0
SEEN
