#!/usr/bin/env bash
# re2js 2.10.0: it has JavaScript's RegExp in its name, but RE2's ideas of a line, a blank and a letter. A pattern that compiles in both
# can decide otherwise: `.` takes a carriage return and a character beyond U+FFFF, `\s` leaves out U+00A0 and a vertical tab, and
# without case the letter k is also the sign for kelvin (in JavaScript with the flag `u` only).
# Met where: patterns over what devices report, taken from JavaScript to an engine of linear time.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts re2js@2.10.0
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { RE2JS } from 're2js';
console.log('re2js', JSON.parse(readFileSync('node_modules/re2js/package.json', 'utf8')).version);
for (const [pattern, text, flags] of [
  ['^.$', '\r', ''],
  ['^.$', '\u{1F600}', ''],
  ['^\\s$', '\u00A0', ''],
  ['^\\s$', '\v', ''],
  ['^\\s$', '\u2028', ''],
  ['^k$', '\u212A', 'i'],
]) {
  const re2 = RE2JS.compile(pattern, flags === 'i' ? RE2JS.CASE_INSENSITIVE : 0).matcher(text).find();
  const code = text.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
  console.log(`/${pattern}/${flags} in U+${code}: re2js ${re2}, RegExp ${new RegExp(pattern, flags).test(text)}`);
}
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
re2js 2.10.0
/^.$/ in U+000D: re2js true, RegExp false
/^.$/ in U+1F600: re2js true, RegExp false
/^\s$/ in U+00A0: re2js false, RegExp true
/^\s$/ in U+000B: re2js false, RegExp true
/^\s$/ in U+2028: re2js false, RegExp true
/^k$/i in U+212A: re2js true, RegExp false
SEEN
