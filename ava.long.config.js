import base, { beginningWith } from './ava.config.js';

export default {
  files: ['dist/test/long/**/*.test.js'],
  timeout: '20m',
  // Most of them wait for most of their length: for CPEs, clocks and processes of their own. None measures what another could falsify.
  concurrency: 2,
  sortTestFiles: beginningWith([
    'openapi/schemathesis',
    'chaos',
    'bench-against',
    'backup.test',
    'bench.test',
    'bulk',
    'guard-rails',
  ]),
  environmentVariables: base.environmentVariables,
  nodeArguments: base.nodeArguments,
};
