import { readdirSync } from 'node:fs';
import base from './ava.config.js';

/**
 * What `.ci/node-versions` runs on each version of Node.js, in seconds and without a database: what a version may do in a
 * way of its own (sockets, streams, processes, crypto, time zones, character sets, the native module), and some logic.
 */
const NAMES = [
  'acs/session/step',
  'acs/soap/charset',
  'acs/soap/decode',
  'cli/config',
  'common/linear-regexp',
  'common/secrets',
  'common/zoned-time',
  'e2e/nbi-document',
  'e2e/raw-http',
  'firmware/file-server',
  'functions',
  'isolate',
  'nbi/recorded',
  'store/lmdb-format',
  'store/lmdb-writer',
  'window',
];

const built = readdirSync('dist/test', { recursive: true });

/** By the end of its path. One that is not there must be missed, which ava by itself does not. */
function fileOf(name) {
  const file = built.find((each) => `/${each}`.endsWith(`/${name}.test.js`));
  if (file === undefined) throw new Error(`ava.smoke.config.js: there is no test ${name}.`);
  return `dist/test/${file}`;
}

// Nothing here waits for others: more at a time than a small machine has cores would only slow each down.
export default { ...base, files: NAMES.map(fileOf), concurrency: 2 };
