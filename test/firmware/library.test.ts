import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DAY_MS } from '../../common/index.js';
import { defineFactsTests } from './facts-conformance.js';
import { defineLibraryTests } from './library-conformance.js';
import { defineOrganizationTests } from './organizations-conformance.js';
import { defineSigningTests } from './signing-conformance.js';
import { openTestLibrary } from './support.js';

defineLibraryTests('on disk', openTestLibrary);
defineFactsTests('on disk', openTestLibrary);
defineOrganizationTests('on disk', openTestLibrary);
defineSigningTests('on disk', openTestLibrary);

test('cleanUp leaves files that are not ours', async (t) => {
  const opened = await openTestLibrary(t, { clock: () => Date.now() + DAY_MS });
  await writeFile(join(opened.directory, 'incoming', 'README'), 'not ours');
  await writeFile(join(opened.directory, 'content', 'README'), 'not ours');
  await opened.library.cleanUp();
  t.deepEqual(await opened.files(), { incoming: ['README'], content: ['README'] });
});
