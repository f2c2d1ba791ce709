#!/usr/bin/env bash
# node-cron 4.6.0: about a day on which clocks are changed match() and getNextRuns() say different things, and a daily time that is
# skipped is left out: "30 2 * * *" in Europe/Berlin does not run at all on the last Sunday of March, and on that of October match()
# holds in both hours that are called 02:30, while getNextRuns() names the second only.
# Met where: maintenance windows in local time. Expected is one run on either day (RFC 5545: the time before a gap goes on).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts node-cron@4.6.0
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createTask } from 'node-cron';
console.log('node-cron', JSON.parse(readFileSync('node_modules/node-cron/package.json', 'utf8')).version);
const RealDate = Date;
for (const day of ['2026-03-29', '2026-10-25']) {
  const noonBefore = RealDate.parse(`${day}T12:00Z`) - 86_400_000;
  // getNextRuns() begins at the present.
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      super(...(given.length === 0 ? [noonBefore] : given));
    }
    static now() {
      return noonBefore;
    }
  };
  const task = createTask('30 2 * * *', () => {}, { timezone: 'Europe/Berlin' });
  const next = task.getNextRuns(2).map((date) => date.toISOString().slice(0, 16));
  globalThis.Date = RealDate;
  const matches = [];
  for (let minute = 0; minute < 24 * 60; minute++) {
    const date = new Date(noonBefore + minute * 60_000);
    if (task.match(date)) matches.push(date.toISOString().slice(0, 16));
  }
  console.log(`${day}: getNextRuns ${next.join(' ')}, match ${matches.join(' ') || 'none'}`);
  await task.destroy();
}
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
node-cron 4.6.0
2026-03-29: getNextRuns 2026-03-30T00:30 2026-03-31T00:30, match none
2026-10-25: getNextRuns 2026-10-25T01:30 2026-10-26T01:30, match 2026-10-25T00:30 2026-10-25T01:30
SEEN
