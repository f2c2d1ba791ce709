/** Not for CI: hours of looking where nobody has looked yet. What it finds becomes a test of its own. */
export default {
  files: [
    'dist/test/e2e/batch-faults.test.js',
    'dist/test/long/backup.test.js',
    'dist/test/long/bench-against.test.js',
    'dist/test/long/chaos.test.js',
    'dist/test/long/guard-rails.test.js',
    'dist/test/long/kill.test.js',
    'dist/test/rules/condition/closure.test.js',
  ],
  timeout: '4h',
  concurrency: 1,
  nodeArguments: ['--enable-source-maps'],
  environmentVariables: {
    FERRY_BACKUP_CPES: '100000',
    FERRY_BATCH_CPES: '2000',
    FERRY_BENCH_ROWS:
      'first-contact,periodic,upgrade,bulk-rules,periodic-rules,decide,match,explain,import-logins,start',
    FERRY_KILL_ROUNDS: '100',
    FERRY_SLOW_RULES: '60',
    FERRY_CHAOS_ROUNDS: '20',
    FERRY_CHAOS_CPES: '300',
    FERRY_PROPERTY_CASES: '500000',
  },
};
