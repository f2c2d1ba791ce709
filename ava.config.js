/** What waits for longest begins first, so that nobody waits for it at the end. */
const FIRST = ['store/mongo-faults', 'firmware/shared-library', 'cli/backup/', 'e2e/fleet'];

function rankOf(file) {
  const rank = FIRST.findIndex((part) => file.includes(part));
  return rank === -1 ? FIRST.length : rank;
}

export default {
  files: ['dist/test/**/*.test.js', '!dist/test/long/**'],
  timeout: '2m',
  // Processes: what one file does to its memory, threads and handles is not another's to meet.
  workerThreads: false,
  // Twice the cores of a small machine: half of them wait for a database, or for processes of their own.
  concurrency: 4,
  sortTestFiles: (one, other) => rankOf(one) - rankOf(other) || one.localeCompare(other),
  nodeArguments: ['--enable-source-maps'],
};
