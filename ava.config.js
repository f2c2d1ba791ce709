import { fileURLToPath } from 'node:url';

/**
 * Sorts test files: those with one of these words in their paths begin first, in this order. What waits for longest, or takes longest, is among
 * them, so that nobody waits for it at the end.
 */
export function beginningWith(words) {
  const rankOf = (file) => {
    const rank = words.findIndex((word) => file.includes(word));
    return rank === -1 ? words.length : rank;
  };
  return (one, other) => rankOf(one) - rankOf(other) || one.localeCompare(other);
}

export default {
  files: ['dist/test/**/*.test.js', '!dist/test/long/**'],
  timeout: '2m',
  // Processes: what one file does to its memory, threads and handles is not another's to meet.
  workerThreads: false,
  // Twice the cores of a small machine: half of them wait for a database, or for processes of their own.
  concurrency: 4,
  sortTestFiles: beginningWith([
    'store/mongo-faults',
    'firmware/shared-library',
    'cli/backup/',
    'e2e/fleet',
    'e2e/batch-faults',
  ]),
  // Half of what many files take is reading Ferry and its packages: from Node.js 22 on they are compiled once. Older ones pass it over.
  environmentVariables: {
    NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/node-compile', import.meta.url)),
  },
  nodeArguments: ['--enable-source-maps'],
};
