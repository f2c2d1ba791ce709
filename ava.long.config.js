import base from './ava.config.js';

export default {
  files: ['dist/test/long/**/*.test.js'],
  timeout: '20m',
  // Each of these owns both cores for its whole length; two at a time would only measure each other.
  concurrency: 1,
  environmentVariables: base.environmentVariables,
  nodeArguments: base.nodeArguments,
};
