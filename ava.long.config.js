import base from './ava.config.js';

/** What waits for longest, or takes longest, begins first, so that nobody waits for it at the end. */
const FIRST = [
  'openapi/schemathesis',
  'chaos',
  'bench-against',
  'backup.test',
  'bench.test',
  'bulk',
  'guard-rails',
];

function rankOf(file) {
  const rank = FIRST.findIndex((part) => file.includes(part));
  return rank === -1 ? FIRST.length : rank;
}

export default {
  files: ['dist/test/long/**/*.test.js'],
  timeout: '20m',
  // Most of them wait for most of their length: for CPEs, clocks and processes of their own. None measures what another could falsify.
  concurrency: 2,
  sortTestFiles: (one, other) => rankOf(one) - rankOf(other) || one.localeCompare(other),
  environmentVariables: base.environmentVariables,
  nodeArguments: base.nodeArguments,
};
