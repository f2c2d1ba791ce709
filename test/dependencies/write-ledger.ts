import { readFile, writeFile } from 'node:fs/promises';
import { ledgerOf } from './ledger.js';
import { LEDGER, project } from './project.js';

// What `npm run ledger` runs, after a change of what package-lock.json has.
const { lock, manifest } = await project();
await writeFile(LEDGER, ledgerOf(lock, manifest, await readFile(LEDGER, 'utf8')));
