export default {
  files: ['dist/test/**/*.test.js', '!dist/test/long/**'],
  timeout: '2m',
  // Twice the cores of a small machine: half of them wait for a database, or for processes of their own.
  concurrency: 4,
  nodeArguments: ['--enable-source-maps'],
};
