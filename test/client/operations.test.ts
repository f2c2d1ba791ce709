import { readFile } from 'node:fs/promises';
import test from 'ava';
import { OPERATIONS } from '../../client/index.js';
import { openApiDocument } from '../nbi/declared.js';
import { clientSource } from './client-source.js';
import { OPERATIONS_FILE } from './operations-file.js';

test('client/operations.ts is made of the document as it is now (npm run client)', async (t) => {
  // Not compared by `is`: of a file of this length a difference is no help.
  t.true((await readFile(OPERATIONS_FILE, 'utf8')) === clientSource(openApiDocument));
});

test('every call of the document can be made, and no other', (t) => {
  const declared = Object.entries(openApiDocument.paths).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const called = Object.values(OPERATIONS).map(({ method, path }) => `${method} ${path}`);
  t.deepEqual(called.toSorted(), declared.toSorted());
});
