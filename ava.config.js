export default {
  files: ['dist/test/**/*.test.js', '!dist/test/long/**'],
  timeout: '2m',
  nodeArguments: ['--enable-source-maps'],
};
