#!/usr/bin/env bash
# typescript 7.0.2: the package's main entry exports its version and nothing else. There is no createProgram, no transpileModule and no
# createSourceFile; what reads TypeScript by the compiler of 5 and 6 (linters, drawers of dependencies, document makers) finds nothing there.
# Other entries, which do exist, are called unstable and have other functions.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts typescript@7.0.2
cat >try.mjs <<'JS'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const description = require('typescript/package.json');
console.log('typescript', description.version);
console.log('exports:', Object.keys(require('typescript')).sort().join(' '));
console.log('createSourceFile:', typeof require('typescript').createSourceFile);
console.log('other entries:', Object.keys(description.exports).filter((name) => name.includes('/unstable/')).length > 0 ? 'unstable' : 'none');
JS
seen=$(node try.mjs) && echo "$seen"
diff <(echo "$seen") - <<'SEEN' || { echo 'This has changed (< now, > when it was found).'; exit 1; }
typescript 7.0.2
exports: version versionMajorMinor
createSourceFile: undefined
other entries: unstable
SEEN
